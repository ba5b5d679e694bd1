// SPDX-License-Identifier: Apache-2.0
import SkeinModel

// The decoders for payloads held as arrays. Bound: each lends the array's own memory and length, for
// the call alone.

extension OTLP {
    /// Decodes an `ExportTraceServiceRequest` from an array; see the other form.
    public static func decodeProtobuf(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeProtobuf(buffer, receivedAt: receivedAt, limits: limits)
        }
    }

    /// Decodes an `ExportTraceServiceRequest` in OTLP/JSON from an array; see the other form.
    public static func decodeJSON(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeJSON(buffer, receivedAt: receivedAt, limits: limits)
        }
    }
}

extension Zipkin {
    /// Decodes a JSON list of v2 spans from an array; see the other form.
    public static func decodeJSON(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeJSON(buffer, receivedAt: receivedAt, limits: limits)
        }
    }

    /// Decodes a `ListOfSpans` from an array; see the other form.
    public static func decodeProtobuf(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeProtobuf(buffer, receivedAt: receivedAt, limits: limits)
        }
    }
}

extension OTLP {
    /// Finds call statistics in an array; see the other form.
    public static func decodeCalls(
        _ bytes: [UInt8],
        format: Format,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedCalls {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeCalls(buffer, format: format, limits: limits)
        }
    }
}

extension Jaeger {
    /// Decodes what Jaeger's query API answers from an array; see the other form.
    public static func decodeUIJSON(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            try decodeUIJSON(buffer, receivedAt: receivedAt, limits: limits)
        }
    }
}
