// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import SwiftProtobuf
import Testing

/// The hot decoder and encoder against swift-protobuf on random messages.
@Suite struct OTLPOracleTests {
    private static let rounds = 400

    private func seeds() -> (first: UInt64, all: [UInt64]) {
        let first = UInt64.random(in: .min ... .max)
        return (first, (0..<UInt64(Self.rounds)).map { first &+ $0 })
    }

    @Test func `decodes every field as the oracle wrote it`() throws {
        let (first, seeds) = seeds()
        for seed in seeds {
            var generator = MessageGenerator(seed: seed)
            let request = generator.request()
            let bytes: [UInt8] = try request.serializedBytes()
            let batch = try decode(bytes)
            #expect(batch.rejected == 0, "SEED=\(first) at \(seed)")
            #expect(
                spans(of: batch.columns) == spans(of: request),
                "SEED=\(first) at \(seed)"
            )
        }
    }

    @Test func `encodes what the oracle reads back the same`() throws {
        let (first, seeds) = seeds()
        for seed in seeds {
            var generator = MessageGenerator(seed: seed)
            let request = generator.request()
            let bytes: [UInt8] = try request.serializedBytes()
            let batch = try decode(bytes)
            let encoded = OTLP.encodeProtobuf(batch.columns)
            let again = try Skein_Oracle_ExportRequest(serializedBytes: encoded)
            #expect(spans(of: again) == spans(of: request), "SEED=\(first) at \(seed)")
        }
    }

    @Test func `JSON says the same as protobuf`() throws {
        let (first, seeds) = seeds()
        for seed in seeds {
            var generator = MessageGenerator(seed: seed)
            let bytes: [UInt8] = try generator.request().serializedBytes()
            let batch = try decode(bytes)
            let json = OTLP.encodeJSON(batch.columns)
            let again = try json.span.bytes.withUnsafeBytes {
                try OTLP.decodeJSON($0, receivedAt: receivedAt, limits: limits)
            }
            #expect(
                spans(of: again.columns) == spans(of: batch.columns),
                "SEED=\(first) at \(seed)"
            )
        }
    }

    @Test func `the oracle reads JSON in the form of protobuf`() throws {
        let (first, seeds) = seeds()
        for seed in seeds {
            var generator = MessageGenerator(seed: seed)
            let request = generator.request()
            let batch = try decode(try request.serializedBytes())
            let json = OTLP.encodeJSON(batch.columns, form: .protobuf)
            var options = JSONDecodingOptions()
            options.ignoreUnknownFields = false
            let again = try Skein_Oracle_ExportRequest(jsonUTF8Bytes: json, options: options)
            #expect(spans(of: again) == spans(of: request), "SEED=\(first) at \(seed)")
        }
    }

    /// Nothing random is cut: long keys are compared whole.
    private var limits: DecodeLimits {
        var limits = DecodeLimits.standard
        limits.keyByteCount = limits.valueByteCount
        return limits
    }

    private func decode(_ bytes: [UInt8]) throws -> DecodedBatch {
        try OTLP.decodeProtobuf(bytes, receivedAt: receivedAt, limits: limits)
    }

    private func spanCount(_ bytes: [UInt8]) -> Int? {
        guard let batch = try? decode(bytes) else {
            return nil
        }
        return batch.columns.count + batch.rejected
    }

    /// Damaged bytes: whatever the oracle accepts we accept with as many spans or refuse by a rule of
    /// ours; whatever we accept is never more than the oracle saw.
    @Test func `never accepts bytes that the oracle refuses, but for text that it repairs`() throws
    {
        let (first, seeds) = seeds()
        for seed in seeds {
            var generator = MessageGenerator(seed: seed)
            var bytes: [UInt8] = try generator.request().serializedBytes()
            guard !bytes.isEmpty else { continue }
            for _ in 0..<3 {
                bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            let ours = spanCount(bytes)
            let theirs = try? Skein_Oracle_ExportRequest(serializedBytes: bytes)
            if let ours, let theirs {
                let count = theirs.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans).count
                #expect(ours == count, "SEED=\(first) at \(seed)")
            }
        }
    }
}
