// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The forms of Jaeger.
public enum Jaeger {
    /// Decodes what Jaeger's query API answers and its page saves: `{"data": [trace, ...]}`, or one
    /// trace alone. The mapping of tags to fields is that of Jaeger's own translation from OTLP,
    /// reversed.
    ///
    /// - Parameters:
    ///   - bytes: The payload, uncompressed.
    ///   - receivedAt: Nanoseconds since 1970; stands in for the start of spans that have none.
    ///   - limits: What the payload may hold.
    /// - Returns: The spans, and how many were refused one by one.
    /// - Throws: `WireError` where the payload is refused whole.
    public static func decodeUIJSON(
        _ bytes: UnsafeRawBufferPointer,
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        guard bytes.count <= limits.payloadByteCount else {
            throw .tooLarge(bytes.count, limits)
        }
        var reader = JSONReader(bytes, depthLimit: limits.parsedDepth)
        var decoder = JaegerUIDecoder(
            payloadByteCount: bytes.count,
            receivedAt: receivedAt,
            limits: limits
        )
        do throws(JSONFault) {
            try decoder.document(&reader)
        } catch {
            throw reader.error(error)
        }
        return decoder.finish()
    }
}

extension BatchBuilder {
    /// Adds an attribute from Swift values: for decoders that are not hot.
    mutating func attribute(_ key: String, _ value: AttributeValue) {
        var key = key
        key.withUTF8 { key in
            let key = UnsafeRawBufferPointer(key)
            switch value {
            case .empty: attribute(key: key, RawValue(type: .empty))
            case .bool(let flag):
                attribute(key: key, RawValue(type: .bool, bits: flag ? 1 : 0))
            case .int(let number):
                attribute(key: key, RawValue(type: .int, bits: UInt64(bitPattern: number)))
            case .double(let number):
                attribute(key: key, RawValue(type: .double, bits: number.bitPattern))
            case .string(var text):
                text.withUTF8 {
                    attribute(
                        key: key,
                        RawValue(type: .string, body: UnsafeRawBufferPointer($0))
                    )
                }
            case .bytes(let raw):
                raw.withUnsafeBytes {
                    attribute(key: key, RawValue(type: .bytes, body: $0))
                }
            // Jaeger has no lists; its tags hold their JSON as text.
            case .array, .map: dropAttribute()
            }
        }
    }

    /// The id of a name.
    mutating func name(_ text: String) -> UInt32 {
        var text = text
        return text.withUTF8 { name(UnsafeRawBufferPointer($0)) }
    }
}
