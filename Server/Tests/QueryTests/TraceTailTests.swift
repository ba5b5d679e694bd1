// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store
import Testing

@Suite struct TraceTailTests {
    private static let now: UInt64 = 7_200_000_000_000

    private static func span(_ trace: UInt64) -> TestSpan {
        TestSpan(trace: TraceID(high: 0, low: trace), id: trace, start: now - 1_000_000 + trace)
    }

    /// A tail that has begun over an empty store.
    private static func tail(_ store: ScriptedStore) async throws -> TraceTail {
        let engine = QueryEngine(store: store, now: { now })
        var tail = try TraceTail(
            engine,
            try TraceQL.parse("{ }"),
            toldSpanLimit: 1,
            settle: 0,
            ratePerSecond: 100
        )
        try await tail.begin()
        return tail
    }

    @Test(arguments: [
        StoreError.overloaded(retryAfterSeconds: 1), .storageFailed("a disk is gone"), .cancelled,
    ])
    func `what a failed poll could not look at is told by the next`(
        _ failure: StoreError
    ) async throws {
        let store = ScriptedStore()
        var tail = try await Self.tail(store)
        store.change {
            $0.spans = [Self.span(1), Self.span(2)]
            $0.failures = [failure]
            $0.incomplete = ["one part is damaged"]
        }
        await #expect(throws: StoreError.self) { _ = try await tail.poll() }
        store.change { $0.incomplete = [] }
        let batch = try await tail.poll()
        #expect(batch.traces.map(\.summary.traceID.low) == [1, 2])
        #expect(batch.unreadCount == 0)
        // What the failed poll had heard is not lost with it.
        #expect(batch.incomplete == ["one part is damaged"])
        let next = try await tail.poll()
        #expect(next.traces.isEmpty && next.incomplete.isEmpty)
    }

    @Test func `a trace that cannot be read is left out once, whatever fails beside it`()
        async throws
    {
        let store = ScriptedStore()
        var tail = try await Self.tail(store)
        store.change {
            $0.spans = [Self.span(1), Self.span(2)]
            // Both at once are too many; the first alone is refused; the second fails at first.
            $0.failures = [
                .refused("both"), .refused("too large"), .overloaded(retryAfterSeconds: 1),
            ]
        }
        await #expect(throws: StoreError.self) { _ = try await tail.poll() }
        store.change { $0.failures = [.refused("both"), .refused("too large")] }
        let batch = try await tail.poll()
        #expect(batch.traces.map(\.summary.traceID.low) == [2])
        #expect(batch.unreadCount == 1)
        #expect(batch.incomplete == ["a trace was left out: too large"])
    }
}
