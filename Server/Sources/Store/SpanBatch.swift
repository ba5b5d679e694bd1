// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// How a payload is written. The raw values are on disk: they never change.
public enum PayloadFormat: UInt8, Sendable, CaseIterable {
    case otlpProtobuf = 1
    case otlpJSON = 2
    case zipkinJSON = 3
    case zipkinProtobuf = 4
    /// OTLP metrics that hold call statistics.
    case callsProtobuf = 5
    case callsJSON = 6

    /// Whether payloads of this format hold call statistics, and no spans.
    public var holdsCalls: Bool {
        switch self {
        case .otlpProtobuf, .otlpJSON, .zipkinJSON, .zipkinProtobuf: false
        case .callsProtobuf, .callsJSON: true
        }
    }
}

/// A request's payload after decompression: what the write-ahead log keeps.
///
/// Replaying it through the same decoder gives the same spans, for decoding depends on nothing but
/// these fields.
public struct Payload: Sendable {
    public var format: PayloadFormat
    public var bytes: [UInt8]
    /// When the request was received, nanoseconds since 1970.
    public var receivedAt: UInt64
    /// Who owns the data.
    public var tenant: Tenant

    /// Describes one request.
    public init(
        format: PayloadFormat,
        bytes: [UInt8],
        receivedAt: UInt64,
        tenant: Tenant = .default
    ) {
        self.format = format
        self.bytes = bytes
        self.receivedAt = receivedAt
        self.tenant = tenant
    }
}

/// Who owns the data. One per installation until authentication comes.
public struct Tenant: Hashable, Sendable {
    public let name: String

    /// Names a tenant.
    public init(_ name: String) { self.name = name }

    /// The tenant of everyone who names none.
    public static let `default` = Tenant("default")
}

/// Spans decoded together, as columns, with the payload they came from; or what an application counted
/// of its calls. Never changed once made.
public final class SpanBatch: Sendable {
    /// The spans. A store keeps these and lets go of the payload once it is logged.
    public let table: SpanTable
    /// What was counted of calls; `nil` in a batch of spans. Such a batch has no spans.
    public let calls: CallCounts?
    public let payload: Payload

    /// Takes the columns over.
    public init(columns: consuming SpanColumns, payload: Payload) {
        table = SpanTable(columns)
        calls = nil
        self.payload = payload
    }

    /// A batch without spans.
    public init(calls: CallCounts, payload: Payload) {
        table = SpanTable(SpanColumns())
        self.calls = calls
        self.payload = payload
    }

    /// Whether there is nothing to keep.
    public var isEmpty: Bool { count == 0 && calls?.rows.isEmpty ?? true }

    /// The spans as columns.
    public var columns: SpanColumns { _read { yield table.columns } }

    /// Spans in the batch.
    public var count: Int { table.columns.count }
}

/// Columns that many may read at once. Never changed once made.
public final class SpanTable: Sendable {
    public let columns: SpanColumns

    /// Takes the columns over.
    public init(_ columns: consuming SpanColumns) { self.columns = columns }
}

/// Turns a logged payload back into columns when a store recovers.
///
/// Given to the store by the composition root, so that storage knows no protocol.
public protocol PayloadDecoder: Sendable {
    /// Decodes exactly as the receiver did.
    ///
    /// - Throws: when the payload does not parse, which means that the log is damaged.
    func decode(_ payload: Payload) throws -> SpanColumns

    /// The same for a payload whose format holds call statistics.
    func decodeCalls(_ payload: Payload) throws -> CallCounts
}

extension PayloadDecoder {
    /// Of a decoder that knows spans alone: refuses.
    public func decodeCalls(_ payload: Payload) throws -> CallCounts {
        throw StoreError.unsupported("call statistics are not decoded here")
    }

    /// What a logged payload says, spans or call statistics.
    public func batch(of payload: Payload) throws -> SpanBatch {
        payload.format.holdsCalls
            ? SpanBatch(calls: try decodeCalls(payload), payload: payload)
            : SpanBatch(columns: try decode(payload), payload: payload)
    }
}
