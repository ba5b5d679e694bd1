// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Finished spans on their way out: those waiting, and those an exporter has but has not settled.
///
/// Both count towards the limits, so that a slow receiver cannot make the process grow.
final class SpanBuffer: Sendable {
    private struct State {
        var waiting: [SpanRecord] = []
        var spanCount = 0
        var byteCount = 0
        var isClosed = false
    }

    /// What became of a span that was offered.
    enum Admission {
        case taken
        /// The span completed a batch: somebody should export it.
        case takenCompletingBatch
        case refusedFull
        case refusedClosed
    }

    private let limits: PipelineLimits
    private let state = Mutex(State())

    init(limits: PipelineLimits) { self.limits = limits }

    /// Spans held.
    var spanCount: Int { state.withLock { $0.spanCount } }

    /// Whether a whole batch is waiting.
    var holdsBatch: Bool { state.withLock { $0.waiting.count >= limits.batchSpanCount } }

    func offer(_ span: consuming SpanRecord) -> Admission {
        let byteCount = span.byteCount
        // Moved, not copied: a record is made of many references.
        var offered = Optional(span)
        return state.withLock { state in
            if state.isClosed { return .refusedClosed }
            guard state.spanCount < limits.spanCount,
                byteCount <= limits.byteCount - state.byteCount
            else { return .refusedFull }
            if let taken = offered.take() { state.waiting.append(taken) }
            state.spanCount += 1
            state.byteCount += byteCount
            return state.waiting.count == limits.batchSpanCount ? .takenCompletingBatch : .taken
        }
    }

    /// All that waits; it counts towards the limits until it is settled.
    func take() -> [SpanRecord] {
        var taken: [SpanRecord] = []
        // The room for the next batch is made before the lock is taken.
        taken.reserveCapacity(min(limits.batchSpanCount, Limits.reservedSpanCount))
        state.withLock { swap(&$0.waiting, &taken) }
        return taken
    }

    /// Gives the room of `spans` back.
    func settle(_ spans: [SpanRecord]) {
        let byteCount = spans.reduce(0) { $0 + $1.byteCount }
        state.withLock { state in
            state.spanCount -= spans.count
            state.byteCount -= byteCount
        }
    }

    /// Refuses every further span.
    func close() { state.withLock { $0.isClosed = true } }
}
