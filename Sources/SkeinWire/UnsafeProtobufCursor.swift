// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What a protobuf payload got wrong. Plain values only, so that throwing one on the hot path
/// costs nothing when it does not happen.
struct ProtobufFault: Error {
    enum Kind: UInt8 {
        case truncated, longVarint, zeroField, bigField, wireType, unpairedGroup, tooDeep, v1
    }

    let kind: Kind
    /// Bytes from the start of the payload.
    let offset: Int
    let message: ProtobufMessage

    /// The fault in words.
    func error(_ limits: DecodeLimits) -> WireError {
        let what =
            switch kind {
            case .truncated: "\(message.rawValue) ends before the field it announced"
            case .longVarint: "\(message.rawValue) has a varint longer than 10 bytes"
            case .zeroField: "\(message.rawValue) has a field numbered 0"
            case .bigField: "\(message.rawValue) has a field number above 2^29 - 1"
            case .wireType: "\(message.rawValue) has a field of an unknown wire type"
            case .unpairedGroup: "\(message.rawValue) has a group that does not end as it began"
            case .tooDeep: "\(message.rawValue) is nested deeper than \(limits.parsedDepth) levels"
            case .v1: "received v1 thrift, expected a v2 ListOfSpans"
            }
        let code: WireError.Code =
            switch kind {
            case .tooDeep: .tooDeep
            case .v1: .otherFormat
            default: .malformed
            }
        return WireError(
            code: code,
            message: what,
            place: "byte \(offset)",
            hint: kind == .truncated ? "check that the whole body was sent, and its encoding" : ""
        )
    }
}

/// Names for errors.
enum ProtobufMessage: String {
    case request = "ExportTraceServiceRequest"
    case resourceSpans = "ResourceSpans"
    case resource = "Resource"
    case scopeSpans = "ScopeSpans"
    case scope = "InstrumentationScope"
    case span = "Span"
    case event = "Span.Event"
    case link = "Span.Link"
    case status = "Status"
    case keyValue = "KeyValue"
    case anyValue = "AnyValue"
    case arrayValue = "ArrayValue"
    case keyValueList = "KeyValueList"
    case metricsRequest = "ExportMetricsServiceRequest"
    case resourceMetrics = "ResourceMetrics"
    case scopeMetrics = "ScopeMetrics"
    case metric = "Metric"
    case histogram = "ExponentialHistogram"
    case point = "ExponentialHistogramDataPoint"
    case buckets = "Buckets"
    case zipkinList = "ListOfSpans"
    case zipkinSpan = "zipkin.proto3.Span"
    case zipkinEndpoint = "zipkin.proto3.Endpoint"
    case zipkinAnnotation = "zipkin.proto3.Annotation"
    case zipkinTag = "zipkin.proto3.Span.TagsEntry"
    case plain = "the message"
}

/// A walk over the fields of one protobuf message.
///
/// `position <= end` always; every read checks what remains before it touches memory. The bytes
/// outlive the cursor because it is made inside the caller's buffer scope and never stored.
struct ProtobufCursor: ~Copyable {
    private let origin: UnsafeRawPointer
    private var position: UnsafeRawPointer
    private let end: UnsafeRawPointer
    private let message: ProtobufMessage

    /// A cursor over a whole payload; `nil` for one without bytes.
    init?(payload bytes: UnsafeRawBufferPointer, _ message: ProtobufMessage) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
        self.init(origin: start, start: start, end: start + bytes.count, message)
    }

    private init(
        origin: UnsafeRawPointer,
        start: UnsafeRawPointer,
        end: UnsafeRawPointer,
        _ message: ProtobufMessage
    ) {
        self.origin = origin
        position = start
        self.end = end
        self.message = message
    }

    /// A cursor over a message that lies inside this one's payload.
    @inline(__always)
    func inner(_ bytes: UnsafeRawBufferPointer, _ message: ProtobufMessage) -> ProtobufCursor {
        guard let start = bytes.baseAddress else {
            return ProtobufCursor(origin: origin, start: end, end: end, message)
        }
        return ProtobufCursor(origin: origin, start: start, end: start + bytes.count, message)
    }

    /// A cursor over the same bytes from `offset`, which `self.offset` gave.
    @inline(__always)
    func rewound(to offset: Int) -> ProtobufCursor {
        ProtobufCursor(origin: origin, start: origin + offset, end: end, message)
    }

    @inline(__always)
    var atEnd: Bool { position == end }

    /// Bytes from the start of the payload.
    @inline(__always)
    var offset: Int { position - origin }

    @inline(__always)
    private var remaining: Int { end - position }

    @inline(never)
    func fault(_ kind: ProtobufFault.Kind) -> ProtobufFault {
        ProtobufFault(kind: kind, offset: position - origin, message: message)
    }

    /// The next field's number and wire type, as one number: `field << 3 | type`.
    @inline(__always)
    mutating func tag() throws(ProtobufFault) -> UInt32 {
        let raw = try varint()
        guard raw >= 8 else { throw fault(.zeroField) }
        guard let tag = UInt32(exactly: raw) else { throw fault(.bigField) }
        return tag
    }

    @inline(__always)
    mutating func varint() throws(ProtobufFault) -> UInt64 {
        guard position < end else { throw fault(.truncated) }
        // Bound: position < end.
        let first = position.load(as: UInt8.self)
        if first < 0x80 {
            position += 1
            return UInt64(first)
        }
        return try longVarint()
    }

    @inline(never)
    private mutating func longVarint() throws(ProtobufFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            guard shift < 70 else { throw fault(.longVarint) }
            // Bound: position < end.
            let byte = position.load(as: UInt8.self)
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        throw fault(.truncated)
    }

    @inline(__always)
    mutating func fixed64() throws(ProtobufFault) -> UInt64 {
        guard remaining >= 8 else { throw fault(.truncated) }
        // Bound: 8 bytes remain.
        let value = position.loadUnaligned(as: UInt64.self)
        position += 8
        return UInt64(littleEndian: value)
    }

    @inline(__always)
    mutating func fixed32() throws(ProtobufFault) -> UInt32 {
        guard remaining >= 4 else { throw fault(.truncated) }
        // Bound: 4 bytes remain.
        let value = position.loadUnaligned(as: UInt32.self)
        position += 4
        return UInt32(littleEndian: value)
    }

    /// The bytes of a length-delimited field, in place.
    @inline(__always)
    mutating func bytes() throws(ProtobufFault) -> UnsafeRawBufferPointer {
        let length = try varint()
        guard length <= UInt64(remaining) else { throw fault(.truncated) }
        // Bound: length <= remaining, so it fits an Int too.
        let result = UnsafeRawBufferPointer(start: position, count: Int(length))
        position += result.count
        return result
    }

    /// The text of a message that is nothing but field 1 with up to 127 bytes: what nearly every
    /// attribute's value is.
    @inline(__always)
    static func onlyShortText(_ message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        // Bound: two bytes are there, and the length they give is that of the rest.
        guard message.count >= 2, message.count <= 129, let start = message.baseAddress,
            start.load(as: UInt8.self) == 1 << 3 | 2,
            Int((start + 1).load(as: UInt8.self)) == message.count &- 2
        else { return nil }
        return UnsafeRawBufferPointer(start: start + 2, count: message.count &- 2)
    }

    /// The bool, int or double of an `AnyValue` that is nothing but that.
    @inline(__always)
    static func onlyScalar(
        _ message: UnsafeRawBufferPointer
    ) -> (type: AttributeType, bits: UInt64)? {
        guard message.count >= 2, message.count <= 11, let start = message.baseAddress else {
            return nil
        }
        // Bound: at least two bytes are there, nine where the message has nine.
        switch start.load(as: UInt8.self) {
        case 3 << 3 | 0:
            var bits: UInt64 = 0
            var shift: UInt64 = 0
            for offset in 1..<message.count {
                let byte = (start + offset).load(as: UInt8.self)
                bits |= UInt64(byte & 0x7F) << shift
                shift &+= 7
                if byte < 0x80 { return offset == message.count &- 1 ? (.int, bits) : nil }
            }
            return nil
        case 2 << 3 | 0:
            let byte = (start + 1).load(as: UInt8.self)
            return message.count == 2 && byte < 0x80 ? (.bool, byte == 0 ? 0 : 1) : nil
        case 4 << 3 | 1:
            guard message.count == 9 else { return nil }
            return (.double, UInt64(littleEndian: (start + 1).loadUnaligned(as: UInt64.self)))
        default: return nil
        }
    }

    /// Skips the field whose `tag` was just read. Groups are walked without recursion.
    @inline(never)
    mutating func skip(_ tag: UInt32, _ depths: DepthLimits) throws(ProtobufFault) {
        if try skipScalar(tag) { return }
        guard tag & 7 == 3 else { throw fault(.unpairedGroup) }
        var open = [tag >> 3]
        while let innermost = open.last {
            let next = try self.tag()
            switch next & 7 {
            case 3:
                guard open.count < depths.parsed else { throw fault(.tooDeep) }
                open.append(next >> 3)
            case 4:
                guard next >> 3 == innermost else { throw fault(.unpairedGroup) }
                open.removeLast()
            default: _ = try skipScalar(next)
            }
        }
    }

    /// Skips a field that is no group; false for the beginning or the end of one.
    private mutating func skipScalar(_ tag: UInt32) throws(ProtobufFault) -> Bool {
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: _ = try fixed64()
        case 2: _ = try bytes()
        case 5: _ = try fixed32()
        case 3, 4: return false
        default: throw fault(.wireType)
        }
        return true
    }
}
