// SPDX-License-Identifier: Apache-2.0

import Platform
import Store
import Synchronization

/// Set when the asker has gone; looked at once a block.
final class CancellationFlag: Sendable {
    private let isSet = Atomic(false)

    func cancel() { isSet.store(true, ordering: .relaxed) }

    /// - Throws: `StoreError.cancelled` when the asker has gone.
    func check() throws(StoreError) {
        if isSet.load(ordering: .relaxed) { throw .cancelled }
    }
}

/// A few threads that answer queries, so that reading the disk never holds a thread of the
/// cooperative pool or an event loop.
final class QueryPool: Sendable {
    private struct Queue {
        var waiting: [@Sendable () -> Void] = []
        var isClosing = false
        var running: Int
    }

    private let queue: Monitor<Queue>

    init(threads: Int) {
        queue = Monitor(Queue(running: threads))
        for _ in 0..<threads {
            DedicatedThread.start(named: "skein-query") { [queue] in Self.run(queue) }
        }
    }

    private static func run(_ queue: Monitor<Queue>) {
        while true {
            let work = queue.wait { queue -> (@Sendable () -> Void)?? in
                if !queue.waiting.isEmpty { return queue.waiting.removeFirst() }
                return queue.isClosing ? .some(nil) : nil
            }
            guard let work else { break }
            work()
        }
        queue.update { $0.running -= 1 }
    }

    /// Runs `body` on one of the threads, and tells the question's meter what it took.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (CancellationFlag) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let flag = CancellationFlag()
        let meter = QuestionMeter.current
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let refusal = queue.update { queue -> StoreError? in
                    if queue.isClosing { return .closed }
                    if queue.waiting.count >= Limits.waitingQueries {
                        return .overloaded(retryAfterSeconds: 1)
                    }
                    queue.waiting.append {
                        let began = Process.threadCPUNanoseconds()
                        let answer = Result { () throws(StoreError) in
                            try flag.check()
                            return try body(flag)
                        }
                        meter?.addRead(cpuNanoseconds: Process.threadCPUNanoseconds() &- began)
                        continuation.resume(returning: answer)
                    }
                    return nil
                }
                if let refusal { continuation.resume(returning: .failure(refusal)) }
            }
        } onCancel: {
            flag.cancel()
        }
        return try answer.get()
    }

    /// Answers what waits, then ends the threads. Blocks until they ended.
    func close() {
        queue.update { $0.isClosing = true }
        queue.wait { $0.running == 0 ? () : nil }
    }
}
