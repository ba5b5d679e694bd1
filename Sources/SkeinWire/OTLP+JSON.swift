// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension OTLP {
    /// Decodes an `ExportTraceServiceRequest` (or a `TracesData`) in OTLP/JSON.
    ///
    /// Lenient where exporters differ: 64-bit numbers as strings or numbers, enums as numbers or
    /// names, ids of either case, `null` for what is absent. Unknown members are skipped.
    ///
    /// - Parameters:
    ///   - bytes: The payload, uncompressed.
    ///   - receivedAt: Nanoseconds since 1970; stands in for the start of spans that have none.
    ///   - limits: What the payload may hold.
    /// - Returns: The spans, and how many were refused one by one.
    /// - Throws: `WireError` with byte and path where the payload is refused whole.
    public static func decodeJSON(
        _ bytes: UnsafeRawBufferPointer,
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        guard bytes.count <= limits.payloadByteCount else {
            throw .tooLarge(bytes.count, limits)
        }
        var decoder = OTLPJSONDecoder(bytes, receivedAt: receivedAt, limits: limits)
        do throws(JSONFault) { try decoder.request() } catch { throw decoder.error(error) }
        return decoder.finish()
    }
}
