// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinWire

/// The decoders of files, given whole payloads as arrays.
enum Decode {
    static func otlpProtobuf(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.bytes.withUnsafeBytes { (raw) throws(WireError) in
            try OTLP.decodeProtobuf(raw, receivedAt: receivedAt, limits: limits)
        }
    }

    static func otlpJSON(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.bytes.withUnsafeBytes { (raw) throws(WireError) in
            try OTLP.decodeJSON(raw, receivedAt: receivedAt, limits: limits)
        }
    }

    static func zipkinJSON(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.bytes.withUnsafeBytes { (raw) throws(WireError) in
            try Zipkin.decodeJSON(raw, receivedAt: receivedAt, limits: limits)
        }
    }

    static func jaegerJSON(
        _ bytes: [UInt8],
        receivedAt: UInt64,
        limits: DecodeLimits
    ) throws(WireError) -> DecodedBatch {
        try bytes.span.bytes.withUnsafeBytes { (raw) throws(WireError) in
            try Jaeger.decodeUIJSON(raw, receivedAt: receivedAt, limits: limits)
        }
    }
}
