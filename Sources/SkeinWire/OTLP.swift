// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The OpenTelemetry protocol for traces: requests in and out, answers out.
public enum OTLP {
    /// The two encodings of one message.
    public enum Format: Sendable, Hashable {
        case protobuf, json
    }

    /// Decodes an `ExportTraceServiceRequest` (or a `TracesData`, the same bytes).
    ///
    /// - Parameters:
    ///   - bytes: The payload, uncompressed.
    ///   - receivedAt: Nanoseconds since 1970; stands in for the start of spans that have none.
    ///   - limits: What the payload may hold.
    /// - Returns: The spans, and what was refused of them.
    /// - Throws: `WireError` where the payload is refused whole.
    public static func decodeProtobuf(
        _ bytes: UnsafeRawBufferPointer,
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        guard bytes.count <= limits.payloadByteCount else {
            throw .tooLarge(bytes.count, limits)
        }
        var decoder = OTLPProtobufDecoder(
            payloadByteCount: bytes.count,
            receivedAt: receivedAt,
            limits: limits
        )
        do throws(ProtobufFault) {
            try decoder.request(bytes)
        } catch {
            throw error.error(limits)
        }
        return decoder.finish()
    }

    /// Decodes an `ExportTraceServiceRequest` from an array; see the other form.
    public static func decodeProtobuf(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeProtobuf(
                buffer,
                receivedAt: receivedAt,
                limits: limits
            )
        }
    }
}
