// SPDX-License-Identifier: Apache-2.0

import Engine
import Query
import QueryLanguage
import SkeinModel
import Store
import StoreContract
import Testing

@Suite struct MetricsEngineTests {
    private static let minute: UInt64 = 60_000_000_000

    /// Traces of some spans each, over forty minutes. Part 1 brings late spans of the traces of part 0.
    private static func columns(
        traces: Range<UInt64>,
        part: UInt64,
        _ random: inout SeededGenerator
    ) -> SpanColumns {
        var columns = SpanColumns()
        let scope = columns.scopes.append()
        for trace in traces {
            let start = UInt64.random(in: 0..<40 * minute, using: &random)
            for id in 1...UInt64.random(in: 1...8, using: &random) {
                // Few resources name no service: totals leave the time with them to the spans.
                let isNameless = Int.random(in: 0..<200, using: &random) == 0
                let service =
                    isNameless
                    ? "" : ["web", "db", "cart"].randomElement(using: &random) ?? "web"
                let resource = columns.resources.append(
                    service: columns.strings.intern(service.isEmpty ? "unknown_service" : service),
                    attributes: columns.appendAttributes(
                        service.isEmpty
                            ? [] : [.init(key: "service.name", value: .string(service))]
                    )
                )
                let begin = start + UInt64.random(in: 0..<minute, using: &random)
                let length = UInt64(1) << UInt64.random(in: 0..<36, using: &random)
                columns.append(
                    SpanRow(
                        traceID: TraceID(high: 7, low: trace),
                        spanID: SpanID(part << 32 | id),
                        parentID: SpanID(0),
                        start: begin,
                        end: begin
                            + (length == 1 ? 0 : UInt64.random(in: 1...length, using: &random)),
                        name: columns.strings.intern(
                            ["a", "b", "c"].randomElement(using: &random) ?? "a"
                        ),
                        kind: SpanKind.allCases.randomElement(using: &random) ?? .internal,
                        status: StatusCode.allCases.randomElement(using: &random) ?? .unset,
                        resource: resource,
                        scope: scope
                    )
                )
            }
        }
        return columns
    }

    private static func open(
        _ directory: TemporaryDirectory,
        seed: UInt64,
        _ random: inout SeededGenerator
    ) async throws -> (store: EmbeddedStore, spans: [SpanValue]) {
        let store = try EmbeddedStore.open(
            directory: directory.path,
            options: .small,
            decoder: SpanGenerator.Decoder()
        )
        var spans: [SpanValue] = []
        for (number, traces) in [UInt64(1)..<60, 60..<90, 40..<70].enumerated() {
            let columns = Self.columns(traces: traces, part: UInt64(number), &random)
            for row in 0..<columns.count { spans.append(SpanValue(columns, row)) }
            try await store.append(
                SpanBatch(columns: columns, payload: SpanGenerator.payload(seed: seed))
            )
            // Some spans lie in a part, the others in the head.
            if number == 0 { try await store.flush() }
        }
        return (store, spans)
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3..<1_000_000)])
    func `totals, spans and counting one by one give the same numbers`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let directory = TemporaryDirectory()
        let (store, spans) = try await Self.open(directory, seed: seed, &random)
        let engine = QueryEngine(store: store, now: { 40 * Self.minute })
        var (fromTotals, numbers) = (0, 0)
        for _ in 0..<350 {
            let question = NaiveMeasurement.random(&random)
            var measurement = TraceQL.Measurement(
                try TraceQL.parse(question.text),
                time: .between(start: question.range.lowerBound, end: question.range.upperBound),
                step: question.step
            )
            let any = try await question.answer(measurement, engine)
            measurement.source = .spans
            let read = try await question.answer(measurement, engine)
            let note = Comment(rawValue: "SEED=\(seed) \(question)")
            #expect(any.incomplete.isEmpty && read.incomplete.isEmpty, note)
            #expect(any.series == read.series, note)
            #expect(question.isRight(any, of: spans), note)
            #expect(!read.isFromTotals)
            if any.isFromTotals {
                fromTotals += 1
                #expect(any.examinedSpanCount == 0)
            }
            numbers += any.series.flatMap(\.values).count { $0 != nil }
        }
        // Many of both kinds, and of numbers.
        #expect(fromTotals > 80)
        #expect(fromTotals < 300)
        #expect(numbers > 3_000)
        await store.close()
    }

    @Test func `exemplars of totals are spans that count`() async throws {
        var random = SeededGenerator(seed: 7)
        let directory = TemporaryDirectory()
        let (store, spans) = try await Self.open(directory, seed: 7, &random)
        let engine = QueryEngine(store: store, now: { 40 * Self.minute })
        let measurement = TraceQL.Measurement(
            try TraceQL.parse("{ name = \"a\" } | count_over_time() by (kind)"),
            time: .between(start: 0, end: 40 * Self.minute),
            step: 10 * Self.minute,
            exemplarCount: 5
        )
        let answer = try await engine.measure(measurement)
        #expect(answer.isFromTotals)
        let exemplars = answer.series.flatMap { series in series.exemplars.map { (series, $0) } }
        #expect((1...5).contains(exemplars.count))
        for (series, exemplar) in exemplars {
            let span = spans.first {
                $0.traceID == exemplar.traceID && $0.spanID == exemplar.spanID
            }
            #expect(span?.name == "a")
            #expect(span?.start == exemplar.time)
            #expect(series.labels == [.init(name: "kind", value: .string(span?.kind.word ?? ""))])
            #expect(series.values[Int(exemplar.time / (10 * Self.minute))] == exemplar.value)
        }
        await store.close()
    }
}
