// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import QueryLanguage
import SkeinModel
import Store
import Testing

@Suite struct QueryEngineTests {
    private let hour: UInt64 = 3_600_000_000_000

    /// Three traces, a minute apart, of a shop.
    private var shop: [TestSpan] {
        (1...3).flatMap { number -> [TestSpan] in
            let trace = TraceID(high: 0xA, low: UInt64(number))
            let start = UInt64(number) * 60_000_000_000
            return [
                TestSpan(
                    trace: trace,
                    id: 1,
                    service: "web",
                    name: "POST /order",
                    start: start,
                    duration: UInt64(10 - number) * 1_000_000,
                    kind: .server,
                    attributes: [pair("order.id", .int(Int64(number)))],
                    resource: [pair("zone", .string(number == 3 ? "b" : "a"))]
                ),
                TestSpan(
                    trace: trace,
                    id: 2,
                    parent: 1,
                    service: "Stock",
                    name: "take",
                    start: start + 1000,
                    duration: 1000,
                    status: number == 2 ? .error : .unset,
                    events: number == 1
                        ? [("retry", [pair("attempt", .array([.int(1), .int(2)]))])] : []
                ),
            ]
        }
    }

    private func engine(_ store: MemoryStore) -> QueryEngine {
        QueryEngine(store: store, now: { 3 * 60_000_000_000 + 1 })
    }

    private func found(_ spans: [SpanCondition], order: TraceQuery.Order = .newest) async throws
        -> [UInt64]
    {
        let query = TraceQuery(spans: spans, time: .last(hour), order: order)
        return try await engine(MemoryStore(shop)).search(query).traces.map(\.traceID.low)
    }

    @Test(
        arguments: [
            ([], [3, 2, 1]),
            ([.service("web")], [3, 2, 1]),
            ([.service("stock")], []),
            ([.service(.init("stock", isCaseSensitive: false))], [3, 2, 1]),
            ([.all([.service("web"), .status(.error)])], []),
            ([.service("web"), .status(.error)], [2]),
            ([.tag(.init(key: "order.id", value: .text("2")))], [2]),
            ([.tag(.init(key: "order.id", value: .equals(.string("2"))))], []),
            ([.tag(.init(scope: .resource, key: "zone", value: .text("a")))], [2, 1]),
            ([.tag(.init(scope: .span, key: "zone", value: .exists))], []),
            ([.any([.eventName("retry"), .status(.error)])], [2, 1]),
            ([.kind(.server), .tag(.init(scope: .event, key: "attempt", value: .text("2")))], [1]),
            // The stock's span of trace 3 names no zone.
            ([.kind(.server), .not(.tag(.init(key: "zone", value: .text("b"))))], [3, 2, 1]),
            ([.all([.kind(.server), .not(.tag(.init(key: "zone", value: .text("b"))))])], [2, 1]),
            ([.operation("take"), .duration(8_000_000...9_000_000)], [2, 1]),
            ([.service("web"), .eventName("retry"), .operation("take")], [1]),
            ([.kind(.server), .tag(.init(key: "order.id", value: .equals(.int(3))))], [3]),
        ] as [([SpanCondition], [UInt64])]
    )
    func `finds the traces whose spans meet every condition`(
        spans: [SpanCondition],
        expected: [UInt64]
    ) async throws {
        #expect(try await found(spans) == expected)
    }

    @Test func `slowest comes first where asked`() async throws {
        #expect(try await found([.service("web")], order: .slowest) == [1, 2, 3])
    }

    @Test(arguments: [[SpanCondition.service("web")], [.service("web"), .operation("take")]])
    func `pages join without gap or repetition`(spans: [SpanCondition]) async throws {
        let engine = engine(MemoryStore(shop))
        var query = TraceQuery(spans: spans, time: .last(hour), limit: 2)
        let first = try await engine.search(query)
        #expect(first.traces.map(\.traceID.low) == [3, 2])
        #expect(first.cursor != nil)
        query.cursor = first.cursor
        let second = try await engine.search(query)
        #expect(second.traces.map(\.traceID.low) == [1])
        #expect(second.cursor == nil)
    }

    @Test func `conditions on several spans read on until the page is full`() async throws {
        let spans = (1...450).flatMap { number -> [TestSpan] in
            let trace = TraceID(high: 1, low: UInt64(number))
            let start = UInt64(number) * 1000
            return [
                TestSpan(trace: trace, id: 1, service: "a", start: start),
                TestSpan(trace: trace, id: 2, service: number < 3 ? "b" : "c", start: start),
            ]
        }
        let store = MemoryStore(spans)
        let result = try await engine(store).search(
            TraceQuery(spans: [.service("a"), .service("b")], time: .last(hour))
        )
        #expect(result.traces.map(\.traceID.low) == [2, 1])
        #expect(result.incomplete.isEmpty)
        #expect(store.scanCount == 5)
    }

    @Test func `a search that stops early says so and goes on by cursor`() async throws {
        let spans = (1...5_100).flatMap { number -> [TestSpan] in
            let trace = TraceID(high: 1, low: UInt64(number))
            return [
                TestSpan(
                    trace: trace,
                    id: 1,
                    service: "a",
                    start: UInt64(number) * 1000,
                    status: number == 7 ? .error : .unset
                )
            ]
        }
        let engine = engine(MemoryStore(spans))
        var query = TraceQuery(spans: [.service("a"), .status(.error)], time: .last(hour))
        let first = try await engine.search(query)
        #expect(first.traces.isEmpty)
        #expect(first.incomplete.count == 1)
        #expect(first.cursor != nil)
        query.cursor = first.cursor
        #expect(try await engine.search(query).traces.map(\.traceID.low) == [7])
    }

    @Test func `a short id finds 128-bit ids, the exact one alone where it is there`() async throws
    {
        let long = [TraceID(high: 5, low: 1), TraceID(high: 6, low: 1)]
        let spans = long.map { TestSpan(trace: $0, id: 1) }
        let short = TraceID(high: 0, low: 1)
        #expect(
            try await engine(MemoryStore(spans)).traces(short).map(\.traceID) == long
        )
        let all = spans + [TestSpan(trace: short, id: 1)]
        #expect(try await engine(MemoryStore(all)).traces(short).map(\.traceID) == [short])
        #expect(try await engine(MemoryStore(all)).traces(long[1]).map(\.traceID) == [long[1]])
        #expect(try await engine(MemoryStore([])).traces(short).isEmpty)
    }

    @Test func `traces by id keep the order asked for`() async throws {
        let ids = [3, 1, 9, 2].map { TraceID(high: 0xA, low: $0) }
        let traces = try await engine(MemoryStore(shop)).traces(exactly: ids)
        #expect(traces.map(\.traceID.low) == [3, 1, 2])
    }

    @Test func `a repeated span is told once, whatever the order of its attributes`() async throws {
        let pairs = [pair("a", .int(1)), pair("b", .int(2))]
        let spans = [
            TestSpan(id: 1, attributes: pairs), TestSpan(id: 1, attributes: pairs.reversed()),
            TestSpan(id: 1, attributes: [pair("a", .int(1)), pair("b", .int(3))]),
        ]
        let engine = engine(MemoryStore(spans))
        let trace = try #require(try await engine.traces(spans[0].trace).first)
        #expect(trace.count == 2)
        #expect(trace.warnings.count == 1)
        let raw = try #require(try await engine.traces(spans[0].trace, isRaw: true).first)
        #expect(raw.count == 3)
        #expect(raw.storedRows == 0..<3)
    }

    @Test func `an unsound query never reaches the store`() async {
        let store = MemoryStore(shop)
        await #expect(throws: QueryError.self) {
            try await engine(store).search(TraceQuery(limit: 0))
        }
        #expect(store.scanCount == 0)
    }

    @Test func `what the store cannot is not answered as empty`() async {
        await #expect(throws: StoreError.self) {
            try await engine(MemoryStore(shop)).keys(service: nil)
        }
    }

    @Test func `dependencies are linked span by span, shared spans included`() async throws {
        let spans = [
            TestSpan(id: 1, service: "web", kind: .server),
            TestSpan(id: 2, parent: 1, service: "web", kind: .client),
            TestSpan(id: 2, parent: 1, service: "cart", kind: .server, status: .error),
            TestSpan(
                id: 3,
                parent: 2,
                service: "cart",
                kind: .client,
                attributes: [pair("db.name", .string("sql"))]
            ),
        ]
        let result = try await engine(MemoryStore(spans)).dependencies(in: 0..<hour)
        #expect(
            result.links.map { "\($0.parent)>\($0.child) \($0.callCount) \($0.errorCount)" }
                == ["cart>sql 1 0", "web>cart 1 1"]
        )
    }

    @Test func `dependencies of many traces are the store's totals`() async throws {
        let spans = (1...5_001).map {
            TestSpan(trace: TraceID(high: 1, low: $0), id: 1, start: $0)
        }
        let result = try await engine(MemoryStore(spans)).dependencies(in: 0..<hour)
        #expect(
            result.links == [.init(parent: "all", child: "totals", callCount: 9, errorCount: 1)]
        )
    }
}
