// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store
import Synchronization
import Testing

/// A store whose totals know one call of each service in every minute.
private struct ServicesStore: TraceStore {
    let spans: MemoryStore
    let services: [String]

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
        let step = request.step ?? 1
        let count = request.step == nil ? 0 : Int(UInt64(request.range.count) / step)
        return Totals(
            range: request.range,
            lines: services.map { service in
                .init(
                    service: service,
                    operation: nil,
                    kind: nil,
                    total: CallTotals(callCount: 60),
                    steps: Array(repeating: CallTotals(callCount: 1), count: count)
                )
            }
        )
    }
}

/// Where questions in TraceQL end, and what they then say.
@Suite struct TraceQLBoundsTests {
    private static let second: UInt64 = 1_000_000_000
    private static let hour: UInt64 = 3_600 * second

    private func engine(
        _ store: any TraceStore,
        now: @escaping @Sendable () -> UInt64 = { hour }
    ) -> QueryEngine {
        QueryEngine(store: store, now: now)
    }

    /// A clock that is looked at every so many seconds.
    private func clock(seconds: UInt64) -> @Sendable () -> UInt64 {
        let clock = Counter()
        return { Self.hour + UInt64(clock.next()) * seconds * Self.second }
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }

    private func measurement(
        _ text: String,
        step: UInt64 = hour,
        source: TraceQL.Measurement.Source = .spans
    ) throws -> TraceQL.Measurement {
        TraceQL.Measurement(
            try TraceQL.parse(text),
            time: .between(start: 0, end: Self.hour),
            step: step,
            source: source
        )
    }

    private func search(_ text: String, limit: Int = 20) throws -> TraceQL.Search {
        TraceQL.Search(try TraceQL.parse(text), time: .last(Self.hour), limit: limit)
    }

    /// One trace of one span for each number, a second apart.
    private func traces(_ count: UInt64, services: UInt64 = 1) -> [TestSpan] {
        (1...count).map { number in
            TestSpan(
                trace: TraceID(high: number << 32, low: number),
                id: number,
                service: "s\(number % services)",
                name: "n\(number)",
                start: number * Self.second
            )
        }
    }

    // MARK: Numbers over time

    @Test func `a query has so many functions and no more`() async throws {
        let engine = engine(MemoryStore(traces(3)))
        func sum(_ count: Int) -> String {
            (1..<count).reduce("({ } | rate())") { text, _ in "(\(text) + ({ } | rate()))" }
        }
        _ = try await engine.measure(measurement(sum(16)))
        await #expect {
            _ = try await engine.measure(measurement(sum(17)))
        } throws: {
            "\($0)".contains("17 functions") && "\($0)".contains("16 at most")
        }
    }

    @Test func `numbers of one trace read that trace alone`() async throws {
        let store = MemoryStore(traces(300))
        let id = TraceID(high: 7 << 32, low: 7).hex
        let answer = try await engine(store).measure(
            measurement("{ trace:id = \"\(id)\" } | count_over_time()")
        )
        #expect(answer.series.flatMap(\.values) == [1])
        #expect(answer.examinedTraceCount == 1)
        #expect(store.scanCount == 0)
    }

    @Test func `the rarest sample that can be noted stands for as many spans as it does`()
        async throws
    {
        var span = TestSpan(id: 1, start: Self.second)
        span.traceState = "ot=th:ffffffffffffff"
        let answer = try await engine(MemoryStore([span])).measure(
            measurement("{ } | count_over_time()")
        )
        #expect(answer.series.flatMap(\.values) == [0x1p56])
    }

    @Test func `values that are left out when they are told are said to be`() async throws {
        let engine = engine(MemoryStore(traces(400)))
        // Ten thousand steps leave room for two hundred lines.
        let asked = try measurement(
            "{ } | compare({ status = error }, 400)",
            step: Self.hour / 10_000
        )
        let answer = try await engine.measure(asked)
        #expect(answer.incomplete.contains { $0.contains("more values to compare") })
        #expect(try await engine.measure(asked).series == answer.series)
    }

    private var services: [String] { (0..<20).map { "s\($0)" } }

    @Test func `exemplars beside totals come from all of the time`() async throws {
        let store = ServicesStore(
            spans: MemoryStore(traces(3_000, services: 20)),
            services: services
        )
        var asked = try measurement(
            "{ } | rate() by (resource.service.name)",
            step: 60 * Self.second,
            source: .any
        )
        asked.exemplarCount = 40
        let answer = try await engine(store).measure(asked)
        #expect(answer.isFromTotals)
        let times = answer.series.flatMap(\.exemplars).map(\.time)
        // Two of each service, the first and one of the middle: the newest spans are all of minute 50.
        let first = try #require(times.min())
        #expect(first < Self.hour / 8)
        #expect(times.contains { $0 > Self.hour / 4 })
    }

    @Test func `looking for exemplars until the time is up makes no number incomplete`()
        async throws
    {
        let store = ServicesStore(
            spans: MemoryStore(traces(3_000, services: 20)),
            services: services
        )
        var asked = try measurement(
            "{ } | rate() by (resource.service.name)",
            step: 60 * Self.second,
            source: .any
        )
        asked.exemplarCount = 1_000
        let answer = try await engine(store, now: clock(seconds: 4)).measure(asked)
        #expect(answer.isFromTotals)
        #expect(answer.incomplete == [])
    }

    // MARK: Traces

    @Test func `spans whose value is no number are one spanset`() async throws {
        let spans = (UInt64(1)...20).map { id in
            TestSpan(id: id, attributes: [pair("k", .double(id < 18 ? .nan : Double(id)))])
        }
        let found = try await engine(MemoryStore(spans)).search(search("{ } | by(.k)"))
        #expect(found.traces.first?.spansets.map(\.spanCount) == [17, 1, 1, 1])
    }

    /// Each spanset takes a bit a span: without a bound it is the square of what was sent.
    @Test func `by of very many values is cut and says so`() async throws {
        let spans = (UInt64(1)...25_000).map { TestSpan(id: $0) }
        let found = try await engine(MemoryStore(spans)).search(search("{ } | by(span:id)"))
        let told = try #require(found.traces.first?.spansets.count)
        #expect(told > 10_000)
        #expect(told < 25_000)
        #expect(found.incomplete.contains { $0.contains("by(…) has more than \(told) values") })
    }

    /// All begin at once: a search that is cut short knows no place between them.
    private var simultaneous: [TestSpan] {
        (UInt64(1)...500).map { TestSpan(trace: TraceID(high: 0, low: $0), id: 1) }
    }

    @Test func `a search that is cut short does not go back before its cursor`() async throws {
        var asked = try search("{ }", limit: 10)
        asked.time = .between(start: 0, end: Self.hour)
        let store = MemoryStore(simultaneous)
        let first = try await engine(store).search(asked)
        let cursor: TraceQL.Cursor = try #require(first.cursor)
        asked.cursor = cursor
        let second = try await engine(store, now: clock(seconds: 11)).search(asked)
        #expect(second.stopReason != nil)
        #expect(second.cursor == asked.cursor)
    }

    @Test(.timeLimit(.minutes(1)))
    func `an export that no search brings further ends and says so`() async throws {
        var export = try WindowExport(
            engine(MemoryStore(simultaneous), now: clock(seconds: 11)),
            try TraceQL.parse("{ }"),
            time: .between(start: 0, end: Self.hour)
        )
        while try await export.next() != nil {}
        #expect(export.incomplete.contains { $0.contains("the export ends here") })
    }
}
