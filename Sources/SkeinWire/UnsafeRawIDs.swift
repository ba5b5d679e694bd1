// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The ids of a span or link as they were sent, and what is wrong with them.
struct RawIDs {
    private(set) var traceID = TraceID.zero
    private(set) var spanID = SpanID.none
    private(set) var parentID = SpanID.none
    private var traceLengthIsWrong = false
    private var spanLengthIsWrong = false
    private var parentLengthIsWrong = false

    /// Why a span is refused.
    enum Refusal {
        case traceID, spanID, parentID

        var reason: String {
            switch self {
            case .traceID: "trace_id must be 16 bytes, not all zero"
            case .spanID: "span_id must be 8 bytes, not all zero"
            case .parentID: "parent_span_id must be empty or 8 bytes"
            }
        }
    }

    /// What makes this no span, if anything does.
    var refusal: Refusal? {
        if traceLengthIsWrong || !traceID.isValid { return .traceID }
        if spanLengthIsWrong || !spanID.isValid { return .spanID }
        return parentLengthIsWrong ? .parentID : nil
    }

    /// Whether each id is absent or as long as it must be; a link may point nowhere.
    var haveRightLengths: Bool { !traceLengthIsWrong && !spanLengthIsWrong }

    @inline(__always)
    mutating func trace(_ bytes: UnsafeRawBufferPointer) {
        traceLengthIsWrong = bytes.count != 16 && !bytes.isEmpty
        traceID = bytes.count == 16 ? TraceID(high: bytes.word(0), low: bytes.word(8)) : .zero
    }

    @inline(__always)
    mutating func span(_ bytes: UnsafeRawBufferPointer) {
        spanLengthIsWrong = bytes.count != 8 && !bytes.isEmpty
        spanID = bytes.count == 8 ? SpanID(bytes.word(0)) : .none
    }

    @inline(__always)
    mutating func parent(_ bytes: UnsafeRawBufferPointer) {
        parentLengthIsWrong = bytes.count != 8 && !bytes.isEmpty
        parentID = bytes.count == 8 ? SpanID(bytes.word(0)) : .none
    }

    /// Takes a trace id that was read from text; `nil` for text that is none.
    mutating func trace(_ id: TraceID?) {
        traceLengthIsWrong = id == nil
        traceID = id ?? .zero
    }

    /// Takes a span id that was read from text; `nil` for text that is none.
    mutating func span(_ id: SpanID?) {
        spanLengthIsWrong = id == nil
        spanID = id ?? .none
    }

    /// Takes a parent id that was read from text; `nil` for text that is none.
    mutating func parent(_ id: SpanID?) {
        parentLengthIsWrong = id == nil
        parentID = id ?? .none
    }
}

extension UnsafeRawBufferPointer {
    /// The eight bytes at `offset` as a number, the first the most significant.
    @inline(__always)
    fileprivate func word(_ offset: Int) -> UInt64 {
        UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension SpanKind {
    /// OTLP's number; anything unknown is unspecified.
    @inline(__always)
    init(wire: UInt64) {
        self = UInt8(exactly: wire).flatMap(SpanKind.init(rawValue:)) ?? .unspecified
    }
}

extension StatusCode {
    /// OTLP's number; anything unknown is unset.
    @inline(__always)
    init(wire: UInt64) {
        self = UInt8(exactly: wire).flatMap(StatusCode.init(rawValue:)) ?? .unset
    }
}

extension UInt32 {
    /// The sum, or the largest number where it would not fit.
    @inline(__always)
    func saturatingAdd(_ other: UInt32) -> UInt32 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
