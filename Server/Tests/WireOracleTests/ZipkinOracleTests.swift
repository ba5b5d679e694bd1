// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import SkeinModel
import SkeinWire
import SwiftProtobuf
import Testing

/// The Zipkin proto3 decoder against swift-protobuf on random messages.
@Suite struct ZipkinOracleTests {
    private typealias Span = Skein_Oracle_Zipkin_Span

    /// Tags that become fields, and attributes that endpoints become, are left to `SkeinWireTests`.
    private static func span(_ generator: inout MessageGenerator) -> Span {
        var span = Span()
        span.traceID = Data((0..<(generator.chance(50) ? 16 : 8)).map { UInt8($0 + 1) })
        span.traceID[0] = UInt8(truncatingIfNeeded: generator.next())
        span.id = Data((0..<8).map { UInt8($0) + UInt8(generator.below(200)) })
        if generator.chance(50) { span.parentID = Data((1...8).map { UInt8($0) }) }
        span.kind = Int32(generator.below(6))
        span.name = generator.chance(80) ? "operation \(generator.below(9))" : ""
        span.timestamp = 1_795_000_000_000_000 + UInt64(generator.below(1_000_000))
        span.duration = UInt64(1 + generator.below(5_000))
        span.localEndpoint.serviceName = "service-\(generator.below(3))"
        if generator.chance(50) { span.localEndpoint.port = Int32(generator.below(65_536)) }
        for index in 0..<generator.below(5) { span.tags["tag.\(index)"] = "订\(generator.next())" }
        for _ in 0..<generator.below(4) {
            span.annotations.append(
                .with {
                    $0.timestamp = span.timestamp + UInt64(generator.below(100))
                    $0.value = "annotation \(generator.below(9))"
                }
            )
        }
        span.debug = generator.chance(20)
        span.shared = generator.chance(20)
        return span
    }

    @Test func `decodes every field as the oracle wrote it`() throws {
        let first = UInt64.random(in: .min ... .max)
        for seed in (0..<400).map({ first &+ $0 }) {
            var generator = MessageGenerator(seed: seed)
            var list = Skein_Oracle_Zipkin_ListOfSpans()
            for _ in 0..<generator.below(8) { list.spans.append(Self.span(&generator)) }
            let bytes: [UInt8] = try list.serializedBytes()
            let batch = try bytes.span.bytes.withUnsafeBytes {
                try Zipkin.decodeProtobuf($0, receivedAt: receivedAt)
            }
            try #require(batch.columns.count == list.spans.count, "SEED=\(first) at \(seed)")
            for (row, span) in list.spans.enumerated() {
                let same = isSame(batch.columns, row, span)
                #expect(same, "span \(row), SEED=\(first) at \(seed)")
            }
        }
    }

    private func isSame(_ columns: borrowing SpanColumns, _ row: Int, _ span: Span) -> Bool {
        let ours = columns[row]
        let kinds: [SpanKind] = [.unspecified, .client, .server, .producer, .consumer]
        let kind = kinds.indices.contains(Int(span.kind)) ? kinds[Int(span.kind)] : .unspecified
        var tags: [String: String] = [:]
        for pair in columns.keyValues(ours.attributes) {
            if case .string(let text) = pair.value { tags[pair.key] = text }
        }
        var annotations: [String] = []
        for event in ours.events.rows {
            let text = columns.strings.text(columns.events.name[event])
            annotations.append("\(columns.events.time[event] / 1_000) \(text)")
        }
        var marks: SpanMarks = []
        if span.shared { marks.insert(.shared) }
        if span.debug { marks.insert(.debug) }
        return ours.traceID.low == number(span.traceID.suffix(8))
            && ours.traceID.high == number(span.traceID.dropLast(8))
            && ours.spanID.raw == number(span.id) && ours.parentID.raw == number(span.parentID)
            && ours.kind == kind && columns.strings.text(ours.name) == span.name
            && ours.start == span.timestamp * 1_000
            && columns.duration(row) == span.duration * 1_000
            && columns.strings.text(columns.service(row)) == span.localEndpoint.serviceName
            && tags == span.tags && ours.marks == marks
            && annotations == span.annotations.map { "\($0.timestamp) \($0.value)" }
    }

    private func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
