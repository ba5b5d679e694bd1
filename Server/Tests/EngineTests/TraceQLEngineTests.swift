// SPDX-License-Identifier: Apache-2.0

import Engine
import Query
import QueryLanguage
import SkeinModel
import Store
import StoreContract
import Testing

@Suite struct TraceQLEngineTests {
    private static let minute: UInt64 = 60_000_000_000

    /// Trees of up to twelve spans, some with a parent that never came.
    private static func columns(
        traces: Range<UInt64>,
        part: Int,
        _ random: inout SeededGenerator
    ) -> SpanColumns {
        var columns = SpanColumns()
        let scope = columns.scopes.append()
        let values: [AttributeValue] = [
            .int(1), .int(2), .double(1.5), .double(2), .string("1"), .string("x"), .bool(true),
            .array([.int(1), .string("x")]), .array([]), .empty,
        ]
        for trace in traces {
            // Part 1 brings late spans of the traces of part 0.
            let ids = part == 0 ? UInt64(1)...UInt64.random(in: 1...8, using: &random) : 9...12
            for id in ids {
                let zone = values.randomElement(using: &random).map { [pair("k", $0)] } ?? []
                let shared = Bool.random(using: &random) ? zone : []
                let own =
                    Bool.random(using: &random)
                    ? [pair("k", values.randomElement(using: &random) ?? .int(1))] : []
                let service = ["web", "db"].randomElement(using: &random) ?? "web"
                let resource = columns.resources.append(
                    service: columns.strings.intern(service),
                    attributes: columns.appendAttributes(
                        [pair("service.name", .string(service))] + shared
                    )
                )
                // 0 is a root, 99 never comes.
                let parents = [0, 99] + Array(1..<id)
                let start = trace * minute + UInt64.random(in: 0...8, using: &random) * 1_000_000
                columns.append(
                    SpanRow(
                        traceID: TraceID(high: 7, low: trace),
                        spanID: SpanID(id),
                        parentID: SpanID(parents.randomElement(using: &random) ?? 0),
                        start: start,
                        end: start + UInt64.random(in: 0...4, using: &random) * 1_000_000,
                        name: columns.strings.intern(
                            ["a", "b", "c"].randomElement(using: &random) ?? "a"
                        ),
                        kind: .internal,
                        status: StatusCode.allCases.randomElement(using: &random) ?? .unset,
                        resource: resource,
                        scope: scope,
                        attributes: columns.appendAttributes(own)
                    )
                )
            }
        }
        return columns
    }

    private static func pair(_ key: String, _ value: AttributeValue) -> AttributeValue.KeyValue {
        .init(key: key, value: value)
    }

    /// Spans in parts, spans in the head, and traces that have some in both.
    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3..<1_000_000)])
    func `finds what looking at every pair of spans finds`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let directory = TemporaryDirectory()
        let store = try EmbeddedStore.open(
            directory: directory.path,
            options: .small,
            decoder: SpanGenerator.Decoder()
        )
        var traces: [TraceID: [SpanValue]] = [:]
        for (range, part) in [(UInt64(1)..<30, 0), (20..<50, 0), (10..<35, 1)] {
            // Of the second range only new traces, of the third late spans.
            let wanted =
                part == 0 ? max(range.lowerBound, UInt64(traces.count) + 1) : range.lowerBound
            let columns = Self.columns(traces: wanted..<range.upperBound, part: part, &random)
            for row in 0..<columns.count {
                let span = SpanValue(columns, row)
                traces[span.traceID, default: []].append(span)
            }
            try await store.append(
                SpanBatch(columns: columns, payload: SpanGenerator.payload(seed: seed))
            )
            if range.lowerBound == 1 { try await store.flush() }
        }
        let engine = QueryEngine(store: store, now: { Self.minute * 60 })
        var foundCount = 0
        for _ in 0..<350 {
            let question = NaiveQuestion.random(&random)
            let expected = traces.mapValues { question.spans(of: $0) }.filter { !$0.value.isEmpty }
            let found = try await engine.search(
                TraceQL.Search(
                    TraceQL.parse(question.text),
                    time: .between(start: 0, end: .max),
                    limit: 100,
                    toldSpanLimit: 100
                )
            )
            let spans = found.traces.map { trace in
                (trace.summary.traceID, Set(trace.spansets.flatMap(\.spans).map(\.spanID)))
            }
            let isRight =
                found.incomplete.isEmpty && spans.count == expected.count
                && spans.allSatisfy { expected[$0.0].map { Set($0.map(\.spanID)) } == $0.1 }
            #expect(isRight, "SEED=\(seed) \(question.text)")
            foundCount += spans.count
        }
        #expect(foundCount > 1_000)
        await store.close()
    }
}
