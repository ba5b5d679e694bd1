// SPDX-License-Identifier: Apache-2.0

import Query
import SkeinModel
import Store
import Synchronization
import Testing

@Suite struct CallCountersTests {
    private static let minute: UInt64 = 60_000_000_000

    private static func totals(
        _ request: TotalsRequest,
        calls: UInt64,
        errors: UInt64,
        incomplete: [String] = []
    ) -> Totals {
        let total = CallTotals(
            callCount: calls,
            errorCount: errors,
            boundCounts: CallCounters.bounds.map { _ in calls }
        )
        return switch request.lines {
        case .edges:
            Totals(
                range: request.range,
                edges: [.init(parent: "web", child: "cart", total: total)],
                incomplete: incomplete
            )
        default:
            Totals(
                range: request.range,
                lines: [
                    .init(service: "cart", operation: "GET /", kind: .server, total: total)
                ],
                incomplete: incomplete
            )
        }
    }

    @Test func `no counter goes down when a call turns out to have failed`() async throws {
        let store = ScriptedStore()
        let counters = CallCounters(QueryEngine(store: store, now: { 100 * Self.minute }))
        store.change { $0.totals = { Self.totals($0, calls: 10, errors: 1) } }
        let before = try await counters.read()
        store.change { $0.totals = { Self.totals($0, calls: 10, errors: 4) } }
        let after = try await counters.read()
        for (one, other) in [
            (before.operations[0].count, after.operations[0].count),
            (before.edges[0].count, after.edges[0].count),
        ] {
            #expect(one.callCount - one.errorCount == 9)
            #expect(other.callCount - other.errorCount >= 9)
            #expect(other.errorCount == 4)
            // The histogram's last bound is no lower than those before it.
            #expect(other.boundCounts.allSatisfy { $0 <= other.callCount })
        }
    }

    @Test func `reasons for missing calls are told, and stay for minutes that are kept`()
        async throws
    {
        let now = Mutex(100 * Self.minute)
        let store = ScriptedStore()
        let engine = QueryEngine(
            store: store,
            now: { now.withLock { $0 } }
        )
        let counters = CallCounters(engine)
        store.change {
            $0.totals = { Self.totals($0, calls: 1, errors: 0, incomplete: ["a part"]) }
        }
        #expect(try await counters.read().incomplete == ["a part"])
        store.change { $0.totals = { Self.totals($0, calls: 1, errors: 0) } }
        #expect(try await counters.read().incomplete == [])
        // Half an hour later the first minutes are added up for good, without what is missing.
        now.withLock { $0 += 60 * Self.minute }
        store.change {
            $0.totals = { Self.totals($0, calls: 1, errors: 0, incomplete: ["a part"]) }
        }
        _ = try await counters.read()
        store.change { $0.totals = { Self.totals($0, calls: 1, errors: 0) } }
        #expect(try await counters.read().incomplete == ["a part"])
    }
}
