// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinWire

/// Spans as the body of a request to `POST /api/v2/spans`.
///
/// With any HTTP client it makes an exporter for receivers that speak Zipkin alone.
public enum ZipkinRequest {
    /// A JSON list of Zipkin v2 spans, as OpenTelemetry's specification maps them: resource
    /// attributes and the status become tags, events annotations, links are left out.
    public static func encode(_ spans: [SpanRecord]) -> [UInt8] {
        encode(otlp: OTLPRequest.encode(spans))
    }

    /// The same list of spans that are in OTLP's encoding.
    public static func encode(_ spans: RecordedSpans) -> [UInt8] {
        encode(otlp: OTLPRequest.encode(spans))
    }

    private static func encode(otlp request: [UInt8]) -> [UInt8] {
        // Our own encoder wrote it: nothing is refused.
        guard let batch = try? OTLP.decodeProtobuf(request, receivedAt: 0, limits: .ownSpans) else {
            return Array("[]".utf8)
        }
        return Zipkin.encodeJSON(batch.columns)
    }
}

extension DecodeLimits {
    /// What the tracer itself wrote was bounded there.
    static let ownSpans: DecodeLimits = {
        var limits = DecodeLimits.standard
        limits.payloadByteCount = .max
        limits.spansPerPayload = .max
        limits.attributesPerOwner = .max
        limits.eventsPerSpan = .max
        limits.linksPerSpan = .max
        limits.itemsPerPayload = .max
        limits.keyByteCount = .max
        limits.valueByteCount = .max
        limits.spanValueByteCount = .max
        return limits
    }()
}
