// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store
import Testing

/// Spans that can be walked through, and totals that say what a test wants.
private struct CountedStore: TraceStore {
    let spans: MemoryStore
    let answer: @Sendable (TotalsRequest) throws(StoreError) -> Totals

    let capabilities: Capabilities = [.totals]
    let statistics = StoreStatistics()

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) { spans.append(batch, done: done) }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        try await spans.scan(plan)
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        try await spans.traces(request)
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        try await spans.names(request)
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        try answer(request)
    }
}

@Suite struct MetricsSourceTests {
    private static let minute: UInt64 = 60_000_000_000

    /// Three calls where one span is stored.
    private static func line(_ request: TotalsRequest, service: String = "shop") -> Totals {
        let calls = CallTotals(callCount: 3, errorCount: 2, reportedCount: 3)
        return Totals(
            range: request.range,
            lines: [
                .init(
                    service: service,
                    operation: nil,
                    kind: nil,
                    total: calls,
                    steps: request.step == nil ? [] : [CallTotals(), calls]
                )
            ]
        )
    }

    private func count(
        _ text: String,
        _ range: Range<UInt64> = minute..<3 * minute,
        step: UInt64 = minute,
        _ totals: @escaping @Sendable (TotalsRequest) throws(StoreError) -> Totals
    ) async throws -> (numbers: [Double?], isFromTotals: Bool) {
        let span = TestSpan(id: 1, start: 2 * Self.minute)
        let engine = QueryEngine(
            store: CountedStore(spans: MemoryStore([span]), answer: totals),
            now: { 3_600_000_000_000 }
        )
        let measurement = TraceQL.Measurement(
            try TraceQL.parse(text),
            time: .between(start: range.lowerBound, end: range.upperBound),
            step: step
        )
        let answer = try await engine.measure(measurement)
        #expect(answer.incomplete.isEmpty)
        return (answer.series.first?.values ?? [], answer.isFromTotals)
    }

    @Test(arguments: [
        "{ } | count_over_time()", "{ } | count_over_time() by (resource.service.name)",
        "{ resource.service.name = \"shop\" } | count_over_time()",
        "{ } | count_over_time() with (sample = true)",
    ])
    func `totals answer what they know, calls that were never spans among it`(
        query: String
    ) async throws {
        let answer = try await count(query) { Self.line($0) }
        #expect(answer.numbers == [0, 3])
        #expect(answer.isFromTotals)
    }

    @Test func `totals know which calls failed`() async throws {
        let answer = try await count("{ status = error } | count_over_time()") { Self.line($0) }
        #expect(answer.numbers == [0, 2])
    }

    @Test(arguments: [
        "{ status != error } | count_over_time()", "{ .a = 1 || .a = nil } | count_over_time()",
        "{ .service.name = \"shop\" } | count_over_time()",
        "{ resource.service.name =~ \"shop\" } | count_over_time()",
        "{ } | count_over_time() by (.service.name)", "{ } | count_over_time() by (status)",
        "{ } | count() = 1 | count_over_time()", "({ } | sum_over_time(span:childCount)) + 1",
        "{ resource.service.name = \"shop\" && resource.service.name = \"shop\" } | count_over_time()",
    ])
    func `spans answer what totals do not know`(query: String) async throws {
        let answer = try await count(query) { _ in
            Issue.record("totals were asked")
            return Totals(range: 0..<0)
        }
        #expect(answer.numbers.last == 1)
        #expect(!answer.isFromTotals)
    }

    @Test func `spans answer where steps are no whole minutes`() async throws {
        for (range, step) in [
            (Self.minute..<3 * Self.minute, Self.minute / 2),
            (Self.minute..<3 * Self.minute, Self.minute * 3 / 2),
        ] {
            let answer = try await count("{ } | count_over_time()", range, step: step) {
                Self.line($0)
            }
            #expect(answer.numbers.compactMap { $0 }.reduce(0, +) == 1)
            #expect(!answer.isFromTotals)
        }
    }

    @Test func `spans answer where totals cannot stand for them`() async throws {
        let query = "{ } | count_over_time() by (resource.service.name)"
        let sampled = try await count(query) { request in
            var totals = Self.line(request)
            totals.maySample = request.asksForSampling
            return totals
        }
        let cut = try await count(query) { request in
            var totals = Self.line(request)
            totals.incomplete = ["a part is damaged"]
            return totals
        }
        let refused = try await count(query) { _ throws(StoreError) in
            throw .refused("too many lines")
        }
        let nameless = try await count(query) { Self.line($0, service: "unknown_service") }
        for answer in [sampled, cut, refused, nameless] {
            #expect(answer.numbers == [0, 1])
            #expect(!answer.isFromTotals)
        }
        // Where services are not told apart it matters to nobody what they are called.
        let all = try await count("{ } | count_over_time()") {
            Self.line($0, service: "unknown_service")
        }
        #expect(all.numbers == [0, 3])
    }

    @Test func `each side of a quotient is answered by who knows it`() async throws {
        let answer = try await count(
            "({ .a = nil } | count_over_time()) / ({ } | count_over_time())"
        ) { Self.line($0) }
        #expect(answer.numbers == [nil, 1.0 / 3])
        #expect(!answer.isFromTotals)
    }
}
