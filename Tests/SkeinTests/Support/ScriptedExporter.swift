// SPDX-License-Identifier: Apache-2.0

import Skein
import Synchronization
import Tracing

/// An exporter that answers what a test says and keeps what it was given.
final class ScriptedExporter: SpanExporter {
    private struct State {
        var outcomes: [ExportOutcome] = []
        var sent: [[String]] = []
        var encoded: [SpanRecord] = []
        var encodedBatchCount = 0
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var isShutDown = false
        var sawTraceContext = false
    }

    private let state = Mutex(State())

    /// Answers `outcomes` in turn, then `.delivered`.
    init(_ outcomes: [ExportOutcome] = []) { state.withLock { $0.outcomes = outcomes } }

    /// The names of the spans of each attempt.
    var sent: [[String]] { state.withLock { $0.sent } }
    /// The spans of all batches.
    var encoded: [SpanRecord] { state.withLock { $0.encoded } }
    var encodedBatchCount: Int { state.withLock { $0.encodedBatchCount } }
    var isShutDown: Bool { state.withLock { $0.isShutDown } }
    var sawTraceContext: Bool { state.withLock { $0.sawTraceContext } }

    /// Lets attempts wait until `release()`.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.isHeld = false
            return state.held
        }
        held.forEach { $0.resume() }
    }

    /// Waits until so many attempts have begun.
    func untilAttempts(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sent.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func encode(_ spans: [SpanRecord]) -> [String] {
        state.withLock { state in
            state.encodedBatchCount += 1
            state.encoded += spans
        }
        return spans.map(\.name)
    }

    func send(_ payload: [String]) async -> ExportOutcome {
        let (outcome, ready) = state.withLock { state in
            state.sent.append(payload)
            if InstrumentationContext.current != nil { state.sawTraceContext = true }
            let count = state.sent.count
            let ready = state.watchers.filter { count >= $0.count }
            state.watchers.removeAll { count >= $0.count }
            let outcome = state.outcomes.isEmpty ? .delivered : state.outcomes.removeFirst()
            return (outcome, ready.map(\.continuation))
        }
        ready.forEach { $0.resume() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    if state.isHeld, !Task.isCancelled { state.held.append(continuation) }
                    return state.isHeld && !Task.isCancelled
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            release()
        }
        return Task.isCancelled ? .retryable(message: "cancelled") : outcome
    }

    func shutdown() async { state.withLock { $0.isShutDown = true } }
}

/// What a pipeline reported.
final class Warnings: Sendable {
    private let state = Mutex<[String]>([])

    var all: [String] { state.withLock { $0 } }

    func add(_ message: String) { state.withLock { $0.append(message) } }
}
