// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Zipkin v2 spans, in and out. `ZipkinBuilder` says how they map to our columns.
public enum Zipkin {
    /// Decodes a JSON list of v2 spans.
    ///
    /// - Parameters:
    ///   - bytes: The payload, uncompressed. No bytes are an empty list.
    ///   - receivedAt: Nanoseconds since 1970; stands in for the start of spans that have none.
    ///   - limits: What the payload may hold.
    /// - Returns: The spans, and how many were refused one by one.
    /// - Throws: `WireError` where the payload is refused whole, v1 spans among others: Zipkin has
    ///   no partial success.
    public static func decodeJSON(
        _ bytes: UnsafeRawBufferPointer,
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        guard bytes.count <= limits.payloadByteCount else {
            throw .tooLarge(bytes.count, limits)
        }
        var decoder = ZipkinJSONDecoder(bytes, receivedAt: receivedAt, limits: limits)
        if !bytes.isEmpty {
            do throws(JSONFault) { try decoder.list() } catch { throw decoder.error(error) }
        }
        return decoder.finish()
    }

    /// Decodes a `ListOfSpans`; the parameters and errors are those of `decodeJSON`.
    public static func decodeProtobuf(
        _ bytes: UnsafeRawBufferPointer,
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        guard bytes.count <= limits.payloadByteCount else {
            throw .tooLarge(bytes.count, limits)
        }
        var decoder = ZipkinProtobufDecoder(
            payloadByteCount: bytes.count,
            receivedAt: receivedAt,
            limits: limits
        )
        do throws(ProtobufFault) { try decoder.list(bytes) } catch { throw error.error(limits) }
        if let error = decoder.badID { throw error }
        return decoder.finish()
    }
}
