// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// The write-ahead log's thread: gathers all requests that wait into one group, lets `commit` make
/// the group durable, then acknowledges them.
final class LogWriter: Sendable {
    typealias Answer = Result<Void, StoreError>

    private struct Request {
        let batch: SpanBatch
        let answer: @Sendable (Answer) -> Void
    }

    private struct Queue {
        var waiting: [Request] = []
        var byteCount = 0
        var closing = false
    }

    private let options: EngineOptions
    private let queue = Monitor(Queue())
    private let ended = Monitor(false)

    /// - Parameter commit: makes a group durable and found; called on the log's thread alone.
    init(
        options: EngineOptions,
        commit: @escaping @Sendable ([SpanBatch]) throws(StoreError) -> Void
    ) {
        self.options = options
        DedicatedThread.start(named: "skein-log", urgency: .prompt) { [self] in
            run(commit)
            ended.update { $0 = true }
        }
    }

    /// Bytes of payload that wait.
    var waitingByteCount: Int { queue.withLock { $0.byteCount } }

    /// Keeps a batch; `answer` is called once, when it is durable and in the head or refused. On the
    /// log's thread, which it must not hold up, or at once.
    func append(_ batch: SpanBatch, answer: @escaping @Sendable (Answer) -> Void) {
        let refusal = queue.update { queue -> StoreError? in
            if queue.closing { return .closed }
            let byteCount = LogRecord.byteCount(of: batch.payload)
            guard queue.waiting.count < options.queueRequests,
                queue.waiting.isEmpty || queue.byteCount + byteCount <= options.queueBytes
            else { return .overloaded(retryAfterSeconds: 1) }
            queue.byteCount += byteCount
            queue.waiting.append(Request(batch: batch, answer: answer))
            return nil
        }
        if let refusal { answer(.failure(refusal)) }
    }

    /// Refuses new requests and waits until those that wait are answered. Blocks.
    func close() {
        queue.update { $0.closing = true }
        ended.wait { $0 ? () : nil }
    }

    private func run(_ commit: ([SpanBatch]) throws(StoreError) -> Void) {
        while true {
            let group = queue.wait { queue -> [Request]? in
                if queue.waiting.isEmpty { return queue.closing ? [] : nil }
                defer {
                    queue.waiting = []
                    queue.byteCount = 0
                }
                return queue.waiting
            }
            if group.isEmpty { break }
            let answer = Answer { () throws(StoreError) in try commit(group.map(\.batch)) }
            for request in group { request.answer(answer) }
        }
    }
}
