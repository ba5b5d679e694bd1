// SPDX-License-Identifier: Apache-2.0

/// What an OTLP receiver answered over HTTP, and what follows from it.
///
/// The body of a success is an `ExportTraceServiceResponse`, whose field 1 is a partial success:
/// field 1 the number of spans it did not take, field 2 why.
///
/// With `OTLPRequest` it makes an exporter of any HTTP client.
public struct OTLPResponse: Sendable, Hashable {
    /// The status of HTTP.
    public let status: Int
    /// The value of the header `Retry-After`.
    public let retryAfter: String?
    /// The body, as far as it was read.
    public let body: [UInt8]
    /// When it came, in nanoseconds since 1970: what a date in `retryAfter` is compared with.
    public let receivedAt: UInt64

    /// Makes an answer of its parts.
    ///
    /// - Parameters:
    ///   - status: The status of HTTP.
    ///   - retryAfter: The value of the header `Retry-After`.
    ///   - body: The body, as far as it was read.
    ///   - receivedAt: Nanoseconds since 1970; `nil` stands for now.
    public init(status: Int, retryAfter: String?, body: [UInt8], receivedAt: UInt64? = nil) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
        self.receivedAt = receivedAt ?? Transport.wallNanoseconds()
    }

    /// What the pipeline is told.
    public var outcome: ExportOutcome {
        switch status {
        case 200..<300:
            let partial = Self.partialSuccess(in: body)
            guard partial.rejectedCount > 0 else { return .delivered }
            return .delivered(rejectedCount: partial.rejectedCount, message: partial.message)
        case 429, 502, 503, 504:
            return .retryable(after: delay, message: "the receiver answered HTTP \(status)")
        default:
            return .refused(message: "the receiver answered HTTP \(status)")
        }
    }

    /// `Retry-After`, in seconds or as a date. One that has passed, and what is neither, is no wish at
    /// all: the usual waits apply.
    private var delay: Duration? {
        guard let retryAfter else { return nil }
        if let seconds = Int32(retryAfter.filter { $0 != " " }) { return .seconds(max(0, seconds)) }
        guard let date = HTTPDate.seconds(retryAfter) else { return nil }
        return .seconds(max(0, date - Int64(receivedAt / 1_000_000_000)))
    }

    private static func partialSuccess(in body: [UInt8]) -> (rejectedCount: Int, message: String) {
        var rejectedCount = 0
        var message = ""
        var outer = FieldReader(body[...])
        while let (number, field) = outer.next() {
            guard number == 1, case .bytes(let partial) = field else { continue }
            var inner = FieldReader(partial)
            while let (number, field) = inner.next() {
                switch (number, field) {
                case (1, .varint(let count)): rejectedCount = Int(clamping: count)
                case (2, .bytes(let text)):
                    message = String(decoding: text.prefix(1_024), as: UTF8.self)
                default: break
                }
            }
        }
        return (rejectedCount, message)
    }
}

/// Walks the fields of one protobuf message; ends at the first malformed one.
struct FieldReader {
    enum Field {
        case varint(UInt64)
        case bytes(ArraySlice<UInt8>)
        case other
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> (number: UInt64, field: Field)? {
        guard let tag = varint() else { return nil }
        switch tag & 7 {
        case 0: return varint().map { (tag >> 3, .varint($0)) }
        case 1: return skip(8).map { _ in (tag >> 3, .other) }
        case 2:
            guard let count = varint(), let bytes = skip(count) else { return nil }
            return (tag >> 3, .bytes(bytes))
        case 5: return skip(4).map { _ in (tag >> 3, .other) }
        default: return nil
        }
    }

    private mutating func skip(_ count: UInt64) -> ArraySlice<UInt8>? {
        guard count <= UInt64(rest.count) else { return nil }
        let bytes = rest.prefix(Int(count))
        rest = rest.dropFirst(bytes.count)
        return bytes
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
