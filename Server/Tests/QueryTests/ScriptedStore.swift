// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// A store that is told what to answer: spans that come, reads that fail, totals.
final class ScriptedStore: TraceStore {
    struct Script {
        var spans: [TestSpan] = []
        /// Reads of whole traces that fail, one after another.
        var failures: [StoreError] = []
        /// Why scans and names are not whole.
        var incomplete: [String] = []
        var totals: @Sendable (TotalsRequest) -> Totals = { Totals(range: $0.range) }
    }

    private let script: Mutex<Script>
    let capabilities: Capabilities = [.totals]

    init(_ script: Script = Script()) { self.script = Mutex(script) }

    func change(_ body: (inout Script) -> Void) { script.withLock { body(&$0) } }

    private var spans: MemoryStore { MemoryStore(script.withLock(\.spans)) }

    var statistics: StoreStatistics {
        var statistics = StoreStatistics()
        statistics.appendedSpans = UInt64(script.withLock { $0.spans.count })
        return statistics
    }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        done(.failure(.closed))
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        let failure = script.withLock { $0.failures.isEmpty ? nil : $0.failures.removeFirst() }
        if let failure { throw failure }
        return try await spans.traces(request)
    }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        var result = try await spans.scan(plan)
        result.incomplete = script.withLock(\.incomplete)
        return result
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        try await spans.names(request)
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        script.withLock(\.totals)(request)
    }
}
