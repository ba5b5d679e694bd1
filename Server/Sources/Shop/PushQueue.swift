// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Tracing

/// An order to be pushed to the store, with the trace context of its sender.
struct PushMessage: Sendable {
    var order: String
    var headers: [String: String]
}

/// The message queue between the order service and the push worker.
///
/// It has two partitions, and one of them has lost its consumer: what is sent there stays until it
/// is the oldest of a full partition. That is the fault that the demo is there to find.
final class PushQueue: Sendable {
    static let name = "order.push"

    /// A part of the queue with its own consumer.
    enum Partition: Sendable {
        case stores, kiosks

        init(channel: Channel) { self = channel == .kiosk ? .kiosks : .stores }

        var id: String { self == .stores ? "0" : "1" }

        var hasConsumer: Bool { self == .stores }
    }

    /// The messages of the partition that is read.
    let messages: AsyncStream<PushMessage>
    private let input: AsyncStream<PushMessage>.Continuation
    private let state = Mutex(State())

    private struct State {
        /// Messages of the partition that is read, published and not yet done.
        var pending = 0
        var unread: [PushMessage] = []
        var idleWaiters: [CheckedContinuation<Void, Never>] = []
    }

    init() {
        (messages, input) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(Limits.messagesPerPartition)
        )
    }

    /// Adds a message.
    ///
    /// - Throws: `QueueFull` when the consumer does not keep up.
    func publish(_ message: PushMessage, to partition: Partition) throws(QueueFull) {
        guard partition.hasConsumer else {
            state.withLock {
                if $0.unread.count == Limits.messagesPerPartition { $0.unread.removeFirst() }
                $0.unread.append(message)
            }
            return
        }
        state.withLock { $0.pending += 1 }
        guard case .enqueued = input.yield(message) else {
            done()
            throw QueueFull()
        }
    }

    /// One message has been processed.
    func done() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.pending -= 1
            guard state.pending == 0 else { return [] }
            defer { state.idleWaiters = [] }
            return state.idleWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until each message that has a consumer has been processed.
    func untilIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.pending > 0 { state.idleWaiters.append(continuation) }
                return state.pending == 0
            }
            if isIdle { continuation.resume() }
        }
    }

    /// No more messages: the worker ends when it has read what is there.
    func close() { input.finish() }
}

/// The push queue has no room.
struct QueueFull: Error, CustomStringConvertible {
    var description: String {
        "queue \(PushQueue.name) is full: \(Limits.messagesPerPartition) messages wait"
    }
}

/// Writes a trace context into the headers of a message.
struct MessageInjector: Injector {
    func inject(_ value: String, forKey key: String, into headers: inout [String: String]) {
        headers[key] = value
    }
}

/// Reads a trace context from the headers of a message.
struct MessageExtractor: Extractor {
    func extract(key: String, from headers: [String: String]) -> String? { headers[key] }
}
