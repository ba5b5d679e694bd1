// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// A store that keeps what it is given and answers as it is told.
final class TestStore: TraceStore {
    private struct State {
        var batches: [SpanBatch] = []
        var failures: [StoreError] = []
        var attempts = 0
    }

    private let state = Mutex(State())

    /// Fails the next appends so, one after another, and takes all after them.
    init(failures: [StoreError] = []) {
        state.withLock { $0.failures = failures }
    }

    var batches: [SpanBatch] { state.withLock { $0.batches } }
    var attempts: Int { state.withLock { $0.attempts } }

    var capabilities: Capabilities { [.durable] }
    var statistics: StoreStatistics { StoreStatistics() }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        let failure: StoreError? = state.withLock { state in
            state.attempts += 1
            guard state.failures.isEmpty else { return state.failures.removeFirst() }
            state.batches.append(batch)
            return nil
        }
        done(failure.map { .failure($0) } ?? .success(()))
    }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        throw .unsupported("not in this test")
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        throw .unsupported("not in this test")
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        throw .unsupported("not in this test")
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        throw .unsupported("not in this test")
    }
}
