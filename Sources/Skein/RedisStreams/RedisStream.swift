// SPDX-License-Identifier: Apache-2.0

#if RedisStreams
internal import SkeinModel
internal import Tracing

/// A stream of a Redis server as a queue of messages, whose every step is traced: the trace of who
/// sent goes on with who handles the message.
///
/// ```swift
/// let stream = RedisStream(named: "orders", group: "billing", consumer: "b-1", on: server, tracer)
/// try await stream.send(["order": "4711"])                     // a span of the producer
///
/// for message in try await stream.receive(waiting: .seconds(5)) {
///     try await stream.handle(message) { span in … }           // a span of the consumer, then XACK
/// }
/// ```
/// The trace travels in fields of the message that are named as headers are (`traceparent`), so other
/// clients can read and write it.
///
/// One connection, used by one command after another, opened by the first: whoever waits for messages
/// holds it for up to a second at a time, so send by another `RedisStream` than the one that waits. A
/// command runs on a thread of its own and never holds one of Swift's.
public actor RedisStream {
    /// The stream, for spans of your own.
    public nonisolated let destination: MessageDestination
    private let name: String
    private let group: String
    private let consumer: String
    private let timeout: Duration
    private let tracer: SkeinTracer
    private let connection: RedisConnection
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var closeCount = 0

    /// Longest that one command waits for messages, so that who is cancelled, and who has another
    /// command, is heard after that.
    private static let sliceMax = Duration.seconds(1)

    /// Names a stream; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - name: The stream's key.
    ///   - group: The group of consumers that share the messages.
    ///   - consumer: The name of this one, unlike any other in the group.
    ///   - server: Where the stream is.
    ///   - tracer: Records the spans.
    public init(
        named name: String,
        group: String,
        consumer: String,
        on server: RedisServer = RedisServer(),
        _ tracer: SkeinTracer
    ) {
        self.name = name
        self.group = group
        self.consumer = consumer
        self.tracer = tracer
        timeout = server.timeout
        connection = RedisConnection(server)
        var destination = MessageDestination(system: "redis", name: name)
        destination.consumerGroup = group
        switch server.place {
        case .address(let host, let port):
            destination.serverAddress = host
            destination.serverPort = port
        case .socket(let path): destination.serverAddress = path
        }
        self.destination = destination
    }

    /// Makes the group, and the stream with it, where they are not there yet.
    ///
    /// - Parameter isForOldMessages: Whether the group gets what is in the stream already.
    public func makeGroup(forOldMessages isForOldMessages: Bool = true) async throws(RedisError) {
        let start = isForOldMessages ? "0" : "$"
        do {
            _ = try await run(["XGROUP", "CREATE", name, group, start, "MKSTREAM"])
        } catch  where error.code == .server && error.message.hasPrefix("BUSYGROUP") {
            return
        }
    }

    /// Appends a message (`XADD`).
    ///
    /// - Parameters:
    ///   - fields: Names and texts, in this order; at least one.
    ///   - lengthMax: About so many messages the stream keeps, the newest; `nil` keeps all.
    /// - Returns: The id that the server gave the message.
    @discardableResult
    public func send(
        _ fields: KeyValuePairs<String, String>,
        lengthMax: Int? = nil
    ) async throws -> String {
        let fields = fields.map {
            RedisMessage.Field(name: $0.key, value: Array($0.value.utf8))
        }
        return try await send(fields, lengthMax: lengthMax)
    }

    /// Appends a message (`XADD`) of any bytes; see the form for texts.
    @discardableResult
    public func send(_ fields: [RedisMessage.Field], lengthMax: Int? = nil) async throws -> String {
        try await tracer.enqueue(to: destination) { message in
            var words = ["XADD", name]
            if let lengthMax { words += ["MAXLEN", "~", "\(lengthMax)"] }
            var command = (words + ["*"]).map { Array($0.utf8) }
            for field in fields { command += [Array(field.name.utf8), field.value] }
            // Ours come last: who reads takes the last one of a name.
            message.inject { command += [Array($0.utf8), Array($1.utf8)] }
            guard let id = try await run(command).text else {
                throw RedisError(.answer, "XADD is answered by no id")
            }
            message.setID(id)
            return id
        }
    }

    /// Receives messages that nobody in the group has received yet (`XREADGROUP`).
    ///
    /// A wait ends early, within a second, where the task is cancelled or the stream closed.
    ///
    /// - Parameters:
    ///   - count: So many at most.
    ///   - wait: How long to wait for the first one; zero does not wait.
    ///   - isAgain: Asks instead for what this consumer received and did not acknowledge, such as
    ///     before it was started anew. That never waits.
    /// - Returns: The messages; none where the time is up or the stream was closed meanwhile.
    /// - Throws: `CancellationError` where the task was cancelled before there was a message; that is
    ///   no error of the span's. `RedisError` for what went wrong.
    public func receive(
        atMost count: Int = 16,
        waiting wait: Duration = .zero,
        again isAgain: Bool = false
    ) async throws -> [RedisMessage] {
        let wait = isAgain ? .zero : min(max(wait, .zero), Limits.redisWaitMax)
        let messages = try await tracer.dequeue(from: destination) { received in
            let messages = try await read(atMost: count, waiting: wait, again: isAgain)
            for message in messages {
                received.add(
                    id: message.id,
                    sentAt: message.sentAt,
                    header: message.header
                )
            }
            return messages
        }
        if messages.isEmpty { try Task.checkCancellation() }
        return messages
    }

    /// Reads messages by commands that wait a slice of the time each; none where nobody wants them any
    /// more.
    private func read(
        atMost count: Int,
        waiting wait: Duration,
        again isAgain: Bool
    ) async throws(RedisError) -> [RedisMessage] {
        let start = Transport.monotonicNanoseconds()
        let closeCount = closeCount
        var left = wait
        while !Task.isCancelled, closeCount == self.closeCount {
            let slice = min(left, Self.sliceMax)
            var words = ["XREADGROUP", "GROUP", group, consumer, "COUNT", "\(max(1, count))"]
            // Zero would stand for ever.
            if slice > .zero { words += ["BLOCK", "\(max(1, slice.milliseconds))"] }
            words += ["STREAMS", name, isAgain ? "0" : ">"]
            let answer = try await run(words, timeout: slice + timeout)
            let messages = try RedisMessage.messages(in: answer)
            let elapsed = Transport.monotonicNanoseconds() &- start
            left = wait - .nanoseconds(Int64(clamping: elapsed))
            if !messages.isEmpty || left <= .zero { return messages }
        }
        return []
    }

    /// Handles a message in a span of the consumer and acknowledges it. Where `body` throws it is not
    /// acknowledged: `receive(again: true)` gives it once more.
    ///
    /// - Parameters:
    ///   - message: What was received.
    ///   - parent: Whose child the span is.
    ///   - body: Handles it; is given the span.
    public func handle<Result>(
        _ message: RedisMessage,
        parent: MessageParent = .current,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (SkeinSpan) async throws -> Result
    ) async throws -> Result {
        try await tracer.consume(
            from: destination,
            id: message.id,
            sentAt: message.sentAt,
            parent: parent,
            header: message.header,
            isolation: isolation
        ) { span in
            let result = try await body(span)
            try await acknowledge([message])
            return result
        }
    }

    /// Says that messages are done with (`XACK`).
    ///
    /// - Returns: How many of them were not acknowledged before.
    @discardableResult
    public func acknowledge(_ messages: [RedisMessage]) async throws -> Int {
        guard !messages.isEmpty else { return 0 }
        return try await tracer.settle(on: destination, count: messages.count) { _ in
            let answer = try await run(["XACK", name, group] + messages.map(\.id))
            guard case .integer(let count) = answer else {
                throw RedisError(.answer, "XACK is answered by no number")
            }
            return Int(clamping: count)
        }
    }

    /// Closes the connection when the commands before are through, and ends waits for messages. A later
    /// command opens it again.
    public func close() async {
        closeCount += 1
        await waitForTurn()
        connection.close()
        endTurn()
    }

    private func run(
        _ words: [String],
        timeout: Duration? = nil
    ) async throws(RedisError) -> RedisValue {
        try await run(words.map { Array($0.utf8) }, timeout: timeout)
    }

    /// Runs a command when those before it are through. An error of the server's is thrown.
    private func run(
        _ command: [[UInt8]],
        timeout: Duration? = nil
    ) async throws(RedisError) -> RedisValue {
        guard waiting.count < Limits.redisWaitingCount else {
            throw RedisError(.busy, "\(waiting.count) commands wait for it already")
        }
        await waitForTurn()
        let limit = timeout ?? self.timeout
        let answer = await Transport.onThread {
            [connection] () -> Swift.Result<RedisValue, RedisError> in
            do throws(RedisError) {
                return .success(try connection.run(command, timeout: limit))
            } catch {
                return .failure(error)
            }
        }
        endTurn()
        let value = try answer.get()
        if case .error(let message) = value { throw RedisError(.server, message) }
        return value
    }

    private func waitForTurn() async {
        guard isBusy else {
            isBusy = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Hands the connection to who waits longest; it stays busy.
    private func endTurn() {
        if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().resume() }
    }
}

extension Duration {
    /// Whole milliseconds, of a time that is an hour at most.
    fileprivate var milliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}
#endif
