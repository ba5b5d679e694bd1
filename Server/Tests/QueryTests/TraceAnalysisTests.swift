// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import QueryLanguage
import SkeinModel
import Store
import Testing

@Suite struct TraceAnalysisTests {
    private let id = TraceID(high: 0xA, low: 1)

    private func spans(_ trace: UInt64, region: String, calls: UInt64) -> [TestSpan] {
        let id = TraceID(high: 0xA, low: trace)
        return [
            TestSpan(
                trace: id,
                id: 1,
                service: "web",
                name: "GET /",
                start: 1_000,
                duration: 1_000,
                attributes: [
                    pair("region", .string(region)),
                    pair("long", .string(String(repeating: region, count: 1_000))),
                ]
            )
        ]
            + (0..<calls).map {
                TestSpan(
                    trace: id,
                    id: 2 + $0,
                    parent: 1,
                    service: "db",
                    name: "q",
                    start: 1_000 + $0 * 100,
                    duration: 90,
                    status: $0 == 0 ? .error : .ok
                )
            }
    }

    @Test func `a stored trace is explained by the rows of its columns`() async throws {
        let engine = QueryEngine(
            store: MemoryStore(spans(1, region: "eu", calls: 6)),
            now: { 0 }
        )
        let trace = try #require(try await engine.traces(id).first)
        let analysis = trace.analysis()
        #expect(analysis.trace.services == ["web", "db"])
        #expect(analysis.trace.operations[1] == .init(service: "db", name: "q"))
        #expect(analysis.statistics.errorCount == 1)
        #expect(analysis.path.time == [460, 90, 90, 90, 90, 90, 90])
        #expect(analysis.rollup.runs.map(\.count) == [6])
        #expect(analysis.diagnosis.findings.contains { $0.kind == .sequentialCalls })
        #expect(analysis.paths().nodes.map(\.count) == [1, 6])
    }

    @Test func `stored traces are compared, and those that are not stored named`() async throws {
        let engine = QueryEngine(
            store: MemoryStore(
                spans(1, region: "eu", calls: 6) + spans(2, region: "us", calls: 2)
            ),
            now: { 0 }
        )
        let absent = TraceID(high: 0xA, low: 9)
        let other = TraceID(high: 0xA, low: 2)
        let found = try await engine.compare([id, absent], [other])
        #expect(found.missing == [absent])
        #expect(found.comparison.paths.map(\.a.spanCount) == [1, 6])
        #expect(found.comparison.paths.map(\.b.spanCount) == [1, 2])
        #expect(found.comparison.differences.map(\.key) == ["long", "region"])
        // A value is kept as far as a person compares it.
        let long = found.comparison.differences[0].a[0].value
        #expect(long == .string(String(repeating: "eu", count: 128) + "…"))
    }

    @Test func `a map is laid out from totals`() async throws {
        let engine = QueryEngine(store: MemoryStore([]), now: { 0 })
        let found = try await engine.map(
            in: .between(start: 0, end: 60_000_000_000),
            view: .init(),
            quantiles: []
        )
        #expect(found.map.nodes.map(\.name) == ["all", "totals"])
        #expect(found.map.edges.map { found.edges.edges[$0.call].total.callCount } == [9])
    }
}
