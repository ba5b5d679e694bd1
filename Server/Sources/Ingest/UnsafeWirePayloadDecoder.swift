// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
internal import SkeinWire
public import Store

/// Decodes logged payloads the way they were decoded when they were received.
public struct WirePayloadDecoder: PayloadDecoder {
    /// Needs nothing.
    public init() {}

    public func decode(_ payload: Payload) throws -> SpanColumns {
        let decoded = try Ingest.decode(payload)
        return decoded.columns
    }

    public func decodeCalls(_ payload: Payload) throws -> CallCounts {
        guard let counts = try Ingest.decodeCalls(payload).counts else {
            throw StoreError.unsupported("a payload of call statistics holds none")
        }
        return counts
    }
}

extension Ingest {
    /// The one decoder of all formats: what is received and what is replayed go through here.
    ///
    /// Bound: the decoders get the array's own memory and length, for the call alone.
    static func decode(_ payload: Payload) throws(WireError) -> DecodedBatch {
        let receivedAt = payload.receivedAt
        let format = payload.format
        return try payload.bytes.span.withUnsafeBytes { bytes throws(WireError) in
            switch format {
            case .otlpProtobuf: try OTLP.decodeProtobuf(bytes, receivedAt: receivedAt)
            case .otlpJSON: try OTLP.decodeJSON(bytes, receivedAt: receivedAt)
            case .zipkinJSON: try Zipkin.decodeJSON(bytes, receivedAt: receivedAt)
            case .zipkinProtobuf: try Zipkin.decodeProtobuf(bytes, receivedAt: receivedAt)
            case .callsProtobuf, .callsJSON:
                throw WireError(
                    code: .otherFormat,
                    message: "call statistics are no spans",
                    place: "whole payload"
                )
            }
        }
    }

    /// The same for call statistics.
    static func decodeCalls(_ payload: Payload) throws(WireError) -> DecodedCalls {
        let format: OTLP.Format = payload.format == .callsJSON ? .json : .protobuf
        return try payload.bytes.span.withUnsafeBytes { bytes throws(WireError) in
            try OTLP.decodeCalls(bytes, format: format)
        }
    }
}
