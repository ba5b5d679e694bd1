// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// What counts something of the whole traces it is shown, in any order.
protocol SpanCounting: Sendable {
    /// Counts one trace, which is shown once.
    mutating func add(_ spans: TraceSpans, _ rows: Range<Int>)
}

extension QueryEngine {
    /// Has `counter` count the traces of `plan`, until there are no more, or what one question may
    /// read is read.
    func count<Counter: SpanCounting>(
        _ counter: Counter,
        _ plan: WalkPlan
    ) async throws -> (Counter, ServiceAnswerFacts) {
        let walk = CountingWalk(counter, plan.range, until: deadline())
        let result: WalkResult
        do {
            result = try await store.walk(plan) { [now] walked throws(StoreError) in
                if Task.isCancelled { throw .cancelled }
                return walk.add(walked, now: now())
            }
        } catch StoreError.cancelled {
            throw CancellationError()
        }
        var (counted, facts) = walk.counted
        for reason in result.incomplete { facts.add(reason) }
        return (counted, facts)
    }
}

/// A counter that the threads of a store count with, one after another.
private final class CountingWalk<Counter: SpanCounting>: Sendable {
    private struct State {
        var counter: Counter
        var facts: ServiceAnswerFacts
    }

    private let state: Mutex<State>
    private let deadline: UInt64

    init(_ counter: Counter, _ range: Range<UInt64>, until deadline: UInt64) {
        state = Mutex(State(counter: counter, facts: ServiceAnswerFacts(range: range)))
        self.deadline = deadline
    }

    func add(_ walked: WalkedTraces, now: UInt64) -> WalkStep {
        state.withLock { state in
            for rows in walked.rows {
                state.counter.add(walked.spans, rows)
                state.facts.examinedTraceCount += 1
                state.facts.examinedSpanCount += rows.count
            }
            let isLate = now >= deadline
            guard isLate || state.facts.examinedSpanCount >= RunLimits.examinedSpanCount else {
                return .goOn
            }
            state.facts.add(
                (isLate ? "stopped after \(RunLimits.questionSeconds) seconds" : "stopped")
                    + " having read \(state.facts.examinedTraceCount) traces of "
                    + "\(state.facts.examinedSpanCount) spans, the newest; narrow the time range"
            )
            return .stop
        }
    }

    var counted: (Counter, ServiceAnswerFacts) { state.withLock { ($0.counter, $0.facts) } }
}
