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
        var decoder = OTLPDecoder(limits: limits)
        return try decoder.decodeProtobuf(bytes, receivedAt: receivedAt)
    }
}

/// Decodes one payload after another in memory that it keeps: for who decodes many.
///
/// What it returns is memory of its own, of just the spans' size.
public struct OTLPDecoder: ~Copyable, Sendable {
    private let limits: DecodeLimits
    private var decoder: OTLPProtobufDecoder?

    /// Bytes above which the memory of a payload is given back after it: many times what payloads
    /// usually take.
    private static let keptByteCount = 4 << 20

    /// Makes a decoder.
    ///
    /// - Parameter limits: What a payload may hold.
    public init(limits: DecodeLimits = .standard) {
        self.limits = limits
        decoder = nil
    }

    /// Decodes an `ExportTraceServiceRequest`; see `OTLP.decodeProtobuf`.
    public mutating func decodeProtobuf(
        _ bytes: UnsafeRawBufferPointer,
        receivedAt: UInt64
    ) throws(WireError) -> DecodedBatch {
        guard bytes.count <= limits.payloadByteCount else {
            throw .tooLarge(bytes.count, limits)
        }
        if var kept = decoder.take() {
            kept.restart(receivedAt: receivedAt)
            return try decode(bytes, with: kept)
        }
        return try decode(
            bytes,
            with: OTLPProtobufDecoder(
                payloadByteCount: bytes.count,
                receivedAt: receivedAt,
                limits: limits
            )
        )
    }

    /// Decodes an `ExportTraceServiceRequest` from an array; see the other form.
    public mutating func decodeProtobuf(
        _ bytes: borrowing [UInt8],
        receivedAt: UInt64
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeProtobuf(buffer, receivedAt: receivedAt)
        }
    }

    private mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        with decoder: consuming OTLPProtobufDecoder
    ) throws(WireError) -> DecodedBatch {
        do throws(ProtobufFault) {
            try decoder.request(bytes)
        } catch {
            throw error.error(limits)
        }
        let batch = decoder.finish()
        if decoder.allocatedByteCount <= Self.keptByteCount { self.decoder = consume decoder }
        return batch
    }
}
