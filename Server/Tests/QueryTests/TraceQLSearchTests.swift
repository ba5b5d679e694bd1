// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store
import Synchronization
import Testing

@Suite struct TraceQLSearchTests {
    private let hour: UInt64 = 3_600_000_000_000

    /// Forty traces; durations and sizes repeat, so that ties are met.
    private var spans: [TestSpan] {
        var spans: [TestSpan] = []
        for number in UInt64(1)...40 {
            for place in 0...number % 3 {
                spans.append(
                    TestSpan(
                        trace: TraceID(high: 0xA, low: number),
                        id: place + 1,
                        parent: place,
                        name: number % 2 == 0 ? "even" : "odd",
                        start: number * 60_000_000_000,
                        duration: number % 5 * 1_000_000
                    )
                )
            }
        }
        return spans
    }

    private func engine(_ store: any TraceStore) -> QueryEngine {
        QueryEngine(store: store, now: { 3_600_000_000_000 })
    }

    private func search(_ text: String, limit: Int = 20) throws -> TraceQL.Search {
        TraceQL.Search(try TraceQL.parse(text), time: .last(hour), limit: limit)
    }

    @Test(
        arguments: [
            "", " order by trace:start", " order by trace:start asc", " order by trace:duration",
            " order by trace:duration asc", " order by span:count", " order by span:count asc",
        ],
        [1, 3, 7, 20, 100]
    )
    func `pages of every order join without gap or repetition`(
        order: String,
        limit: Int
    ) async throws {
        let engine = engine(MemoryStore(spans))
        let whole = try await engine.search(
            search("{ name = \"odd\" }" + order, limit: 1000)
        )
        #expect(whole.traces.count == 20)
        #expect(whole.cursor == nil)
        var joined: [TraceID] = []
        var asked = try search("{ name = \"odd\" }" + order, limit: limit)
        while true {
            let page = try await engine.search(asked)
            #expect(page.traces.count <= limit)
            #expect(page.incomplete.isEmpty)
            joined += page.traces.map(\.summary.traceID)
            guard let cursor = page.cursor else { break }
            asked.cursor = try TraceQL.Cursor(text: cursor.text)
        }
        #expect(joined == whole.traces.map(\.summary.traceID))
    }

    @Test func `the answer stands in the order asked for`() async throws {
        let engine = engine(MemoryStore(spans))
        let slow = try await engine.search(search("{ } order by trace:duration", limit: 100))
        let durations = slow.traces.map(\.summary.duration)
        #expect(durations == durations.sorted(by: >))
        let small = try await engine.search(search("{ } order by span:count asc", limit: 100))
        let counts = small.traces.map(\.summary.spanCount)
        #expect(counts == counts.sorted())
        let old = try await engine.search(search("{ } order by trace:start asc", limit: 100))
        #expect(old.traces.map(\.summary.traceID.low) == Array(1...40))
    }

    @Test func `a trace is found by when the spans found start, and looked at whole`()
        async throws
    {
        let trace = TraceID(high: 0, low: 1)
        let spans = [
            TestSpan(trace: trace, id: 1, name: "early", start: 1_000),
            TestSpan(trace: trace, id: 2, parent: 1, name: "late", start: hour),
        ]
        let engine = engine(MemoryStore(spans))
        func count(_ text: String, _ start: UInt64, _ end: UInt64) async throws -> Int {
            var asked = try search(text)
            asked.time = .between(start: start, end: end)
            return try await engine.search(asked).traces.count
        }
        #expect(try await count("{ name = \"early\" } >> { name = \"late\" }", hour, hour + 1) == 1)
        #expect(try await count("{ name = \"early\" } >> { name = \"late\" }", 0, 2_000) == 0)
        #expect(try await count("{ name = \"early\" } && { name = \"late\" }", 0, 2_000) == 1)
        #expect(try await count("{ name = \"early\" } without { name = \"late\" }", 0, 2_000) == 0)
    }

    @Test func `a cursor belongs to its order`() async throws {
        let cursor = TraceQL.Cursor(
            order: .init(.duration),
            value: 5,
            traceID: TraceID(high: 1, low: 2)
        )
        #expect(cursor.text == "slowest-0000000000000005-00000000000000010000000000000002")
        #expect(try TraceQL.Cursor(text: cursor.text) == cursor)
        var asked = try search("{ }")
        asked.cursor = cursor
        let unsound = asked
        await #expect(throws: QueryError.self) {
            try await engine(MemoryStore(spans)).search(unsound)
        }
    }

    @Test(
        arguments: [
            "", "newest", "best-0000000000000005-00000000000000010000000000000002",
            "newest-5-00000000000000010000000000000002", "newest-0000000000000005-12",
            "newest-000000000000000g-00000000000000010000000000000002",
        ]
    )
    func `what is no cursor is refused`(text: String) {
        #expect(throws: QueryError.self) { try TraceQL.Cursor(text: text) }
    }

    @Test func `an unsound search never reaches the store`() async throws {
        let store = MemoryStore(spans)
        for limit in [0, -1, 10_001] {
            let asked = try search("{ }", limit: limit)
            await #expect(throws: QueryError.self) { try await engine(store).search(asked) }
        }
        var asked = try search("{ }")
        asked.toldSpanLimit = 1_001
        let unsound = asked
        await #expect(throws: QueryError.self) { try await engine(store).search(unsound) }
        let metrics = try search("{ } | rate()")
        await #expect(throws: QueryError.self) { try await engine(store).search(metrics) }
        #expect(store.scanCount == 0)
    }

    @Test func `so many spans of a spanset are told, and all are counted`() async throws {
        let spans = (UInt64(1)...10).map { TestSpan(id: $0, start: 1_000 + $0) }
        var asked = try search("{ }")
        asked.toldSpanLimit = 3
        let found = try await engine(MemoryStore(spans)).search(asked)
        let spanset = try #require(found.traces.first?.spansets.first)
        #expect(spanset.spanCount == 10)
        #expect(spanset.spans.map(\.spanID.raw) == [1, 2, 3])
        #expect(found.traces[0].summary.matchedSpans.map(\.raw) == [1, 2, 3])
        #expect(found.examinedTraceCount == 1)
        #expect(found.examinedSpanCount == 10)
    }

    @Test(arguments: ["", " order by span:count"])
    func `a search that takes too long stops, says so and goes on by cursor where it can`(
        order: String
    ) async throws {
        // Looking at the clock takes a second.
        let clock = Atomic<UInt64>(1_000)
        let engine = QueryEngine(
            store: EndlessStore(),
            now: { clock.add(1_000_000_000, ordering: .relaxed).newValue }
        )
        let asked = try search("{ name = \"nobody\" || span:id = \"0\" }" + order)
        let found = try await engine.search(asked)
        #expect(found.traces.isEmpty)
        #expect(found.incomplete.count == 1)
        #expect(found.incomplete.first?.hasPrefix("stopped after 10 seconds") == true)
        #expect((found.cursor != nil) == order.isEmpty)
        guard order.isEmpty else { return }
        var next = asked
        next.cursor = found.cursor
        let rest = try await engine.search(next)
        let (first, second) = try (#require(found.cursor), #require(rest.cursor))
        #expect(second.value < first.value)
        #expect(first.value == 1_000_002 - UInt64(found.examinedTraceCount))
    }

    @Test func `a trace asked for by its id is looked up`() async throws {
        let store = MemoryStore(spans)
        func ids(_ text: String) async throws -> [UInt64] {
            try await engine(store).search(search(text)).traces.map(\.summary.traceID.low)
        }
        let seven = TraceID(high: 0xA, low: 7).hex
        let eight = TraceID(high: 0xA, low: 8).hex
        #expect(try await ids("{ trace:id = \"\(seven)\" }") == [7])
        #expect(try await ids("{ \"\(seven)\" = trace:id && name = \"odd\" }") == [7])
        #expect(try await ids("{ trace:id = \"\(seven)\" && name = \"even\" }") == [])
        #expect(try await ids("{ trace:id = \"\(seven)\" } && { trace:id = \"\(eight)\" }") == [])
        #expect(try await ids("{ trace:id = \"\(seven)\" } >> { name = \"odd\" }") == [7])
        #expect(store.scanCount == 0)
        #expect(
            try await ids("{ trace:id = \"\(seven)\" } || { trace:id = \"\(eight)\" }") == [8, 7]
        )
    }

    @Test func `what a store refuses to read at once is read in parts, or said to be left out`()
        async throws
    {
        let store = RefusingStore(MemoryStore(spans), refused: TraceID(high: 0xA, low: 13))
        let found = try await engine(store).search(search("{ name = \"odd\" }", limit: 100))
        let expected = (UInt64(1)...40).reversed().filter { $0 % 2 == 1 && $0 != 13 }
        #expect(found.traces.map(\.summary.traceID.low) == expected)
        #expect(found.incomplete == ["a trace was left out: 13 is too much"])
        #expect(found.cursor == nil)
    }

    @Test func `a search that is cancelled ends`() async throws {
        let asked = try search("{ span:id = \"0\" }")
        let engine = engine(EndlessStore())
        let task = Task { try await engine.search(asked) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}

/// Reads three traces at once and no more, and one of them never.
private struct RefusingStore: TraceStore {
    private let store: MemoryStore
    private let refused: TraceID

    init(_ store: MemoryStore, refused: TraceID) {
        self.store = store
        self.refused = refused
    }

    var capabilities: Capabilities { store.capabilities }
    var statistics: StoreStatistics { store.statistics }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) { store.append(batch, done: done) }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        try await store.scan(plan)
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        guard request.ids.count <= 3 else { throw .refused("this is too much") }
        guard !request.ids.contains(refused) else { throw .refused("13 is too much") }
        return try await store.traces(request)
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        try await store.names(request)
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        try await store.totals(request)
    }
}

/// A trace of one span for every instant, without end.
private struct EndlessStore: TraceStore {
    let capabilities: Capabilities = [.orderBySlowest]
    let statistics = StoreStatistics()

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) { done(.failure(.unsupported("this store makes its spans up"))) }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        let first = plan.cursor.map { $0.value - 1 } ?? 1_000_000
        let traces = (0..<UInt64(plan.limit)).map { step in
            TraceSummary(
                traceID: TraceID(high: 1, low: first - step),
                rootService: "",
                rootOperation: "",
                start: first - step,
                duration: 0,
                spanCount: 1,
                errorCount: 0,
                services: [],
                matchedSpans: []
            )
        }
        let last = traces[traces.count - 1]
        return ScanResult(
            traces: traces,
            cursor: ScanCursor(value: last.start, traceID: last.traceID)
        )
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        TraceSpans(
            columns: columns(
                request.ids.sorted().map { TestSpan(trace: $0, id: 1, start: $0.low) }
            )
        )
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        throw .unsupported("nothing has a name here")
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        throw .unsupported("nothing is counted here")
    }
}
