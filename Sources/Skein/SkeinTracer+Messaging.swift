// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

// Spans around messages, for any client: names, kinds, links and attributes as in OpenTelemetry's
// conventions for messaging.
extension SkeinTracer {
    /// Sends a message, or a batch of them, in a span.
    ///
    /// ```swift
    /// try await tracer.enqueue(to: orders) { message in
    ///     message.inject { headers[$0] = $1 }
    ///     message.setID(try await client.publish(body, headers))
    /// }
    /// ```
    /// - Parameters:
    ///   - destination: Where to.
    ///   - batchCount: So many messages at once; `nil` for a single one.
    ///   - operation: What the system calls it.
    ///   - isolation: Where `body` runs.
    ///   - body: Sends. An error that it throws is recorded.
    public func enqueue<Result>(
        to destination: MessageDestination,
        batchCount: Int? = nil,
        operation: String = "send",
        isolation: isolated (any Actor)? = #isolation,
        _ body: (OutgoingMessage) async throws -> Result
    ) async rethrows -> Result {
        let span = startSpan("\(operation) \(destination.name)", ofKind: .producer)
        span.describe(destination, "send", operation, count: batchCount)
        return try await span.around(isolation: isolation) {
            try await body(OutgoingMessage(span: span, core: core))
        }
    }

    /// Receives messages in a span that links to those who sent them.
    ///
    /// ```swift
    /// let messages = try await tracer.dequeue(from: orders) { received in
    ///     let messages = try await client.poll()
    ///     for message in messages { received.add(id: message.id) { message.headers[$0] } }
    ///     return messages
    /// }
    /// ```
    /// Receiving nothing makes no span, so that a loop that polls leaves no trace of it. The span is
    /// made when the body is through: spans that begin in it are not its children.
    ///
    /// - Parameters:
    ///   - destination: Where from.
    ///   - operation: What the system calls it.
    ///   - isolation: Where `body` runs.
    ///   - body: Receives, and adds what it got. An error that it throws is recorded.
    public func dequeue<Result>(
        from destination: MessageDestination,
        operation: String = "receive",
        isolation: isolated (any Actor)? = #isolation,
        _ body: (inout ReceivedMessages) async throws -> Result
    ) async rethrows -> Result {
        let start = DefaultTracerClock.Timestamp(
            nanosecondsSinceEpoch: Transport.wallNanoseconds()
        )
        var received = ReceivedMessages(core)
        do {
            let result = try await body(&received)
            if received.count > 0 { record(received, destination, operation, start, nil) }
            return result
        } catch {
            record(received, destination, operation, start, error)
            throw error
        }
    }

    private func record(
        _ received: ReceivedMessages,
        _ destination: MessageDestination,
        _ operation: String,
        _ start: DefaultTracerClock.Timestamp,
        _ error: (any Error)?
    ) {
        let name = "\(operation) \(destination.name)"
        let span = startSpan(name, ofKind: .client, at: start)
        defer { span.end() }
        span.describe(destination, "receive", operation, count: received.count)
        for sender in received.senders {
            span.recorder?.addLink(sender.context, attributes: sender.attributes)
        }
        if let error { span.fail(error) }
    }

    /// Does what a message asks for, in a span.
    ///
    /// ```swift
    /// for message in messages {
    ///     try await tracer.consume(from: orders, header: { message.headers[$0] }) { span in
    ///         try await handle(message)
    ///     }
    /// }
    /// ```
    /// What the sender sent along travels on. How long the message waited is the attribute
    /// `skein.queue_time_ms`.
    ///
    /// - Parameters:
    ///   - destination: Where the message came from.
    ///   - id: The id that the server gave it.
    ///   - sentAt: When it was sent, in nanoseconds since 1970; `nil` asks its headers.
    ///   - parent: Whose child the span is.
    ///   - operation: What the system calls it.
    ///   - header: Gives the message's header for a key in lower case.
    ///   - isolation: Where `body` runs.
    ///   - body: Handles the message; is given the span. An error that it throws is recorded.
    public func consume<Result>(
        from destination: MessageDestination,
        id: String? = nil,
        sentAt: UInt64? = nil,
        parent: MessageParent = .current,
        operation: String = "process",
        header: (_ key: String) -> String?,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (SkeinSpan) async throws -> Result
    ) async rethrows -> Result {
        let sender = extract(header)
        let current = TracerCore.current
        let joins = parent == .sender || parent == .current && current?.trace == nil
        var propagated = current ?? PropagatedContext()
        if joins, let trace = sender.trace {
            propagated.trace = trace
            propagated.decision = sender.decision
        }
        if sender.carriesBaggage {
            propagated.baggage = sender.baggage
            propagated.once = sender.once
        }
        ForeignContexts.noteUse()
        var context = InstrumentationContext.current ?? .topLevel
        context[SpanScopeKey.self] = SpanScope(propagated: propagated)
        let span = startSpan(
            "\(operation) \(destination.name)",
            context: context,
            ofKind: .consumer
        )
        if span.isRecording {
            span.describe(destination, "process", operation, count: nil)
            if let id { span.attributes.set("messaging.message.id", value: .string(id)) }
            if let wait = MessageHeaders.wait(sentAt, header) {
                span.attributes.set(MessageHeaders.waitAttribute, value: .double(wait))
            }
            if let trace = sender.trace { span.recorder?.addLink(trace, attributes: [:]) }
            if parent == .sender, let trace = current?.trace {
                span.recorder?.addLink(trace, attributes: [:])
            }
        }
        return try await span.around(isolation: isolation) { try await body(span) }
    }

    /// Acknowledges messages, or gives them back, in a span.
    ///
    /// - Parameters:
    ///   - destination: Where they came from.
    ///   - count: So many messages; `nil` for a single one.
    ///   - operation: What the system calls it.
    ///   - isolation: Where `body` runs.
    ///   - body: Settles; is given the span. An error that it throws is recorded.
    public func settle<Result>(
        on destination: MessageDestination,
        count: Int? = nil,
        operation: String = "ack",
        isolation: isolated (any Actor)? = #isolation,
        _ body: (SkeinSpan) async throws -> Result
    ) async rethrows -> Result {
        let span = startSpan("\(operation) \(destination.name)", ofKind: .client)
        span.describe(destination, "settle", operation, count: count)
        return try await span.around(isolation: isolation) { try await body(span) }
    }
}

extension SkeinSpan {
    /// Runs `body` in the span, records its error and ends the span.
    func around<Result>(
        isolation: isolated (any Actor)?,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        defer { end() }
        do {
            return try await InstrumentationContext.withValue(context, operation: body)
        } catch {
            fail(error)
            throw error
        }
    }

    /// As the form that waits.
    func around<Result>(_ body: () throws -> Result) rethrows -> Result {
        defer { end() }
        do {
            return try InstrumentationContext.withValue(context, operation: body)
        } catch {
            fail(error)
            throw error
        }
    }

    /// Whether it was recorded and is no more. Of other spans nobody knows, and a further end of theirs
    /// does nothing.
    var hasEnded: Bool { recorder?.hasEnded ?? false }

    /// Records an error, and that it was the end of the operation. Of a call that is counted without
    /// being recorded the status is all there is.
    func fail(_ error: any Error) {
        guard !hasEnded else { return }
        setStatus(SpanStatus(code: .error))
        guard isRecording else { return }
        let error = (error as? any ErrorCover)?.covered ?? error
        recordError(error)
        attributes.set("error.type", value: .string(String(reflecting: type(of: error))))
    }

    /// Names the server of a call that is counted without being recorded.
    func countServer(_ address: @autoclosure () -> String?) {
        guard call != 0, let address = address() else { return }
        attributes.set("server.address", value: .string(address))
    }

    fileprivate func describe(
        _ destination: MessageDestination,
        _ type: String,
        _ operation: String,
        count: Int?
    ) {
        guard isRecording else { return countServer(destination.serverAddress) }
        var all: SpanAttributes = [
            "messaging.system": .string(destination.system),
            "messaging.destination.name": .string(destination.name),
            "messaging.operation.type": .string(type),
            "messaging.operation.name": .string(operation),
        ]
        if let group = destination.consumerGroup {
            all.set("messaging.consumer.group.name", value: .string(group))
        }
        if let count { all.set("messaging.batch.message_count", value: .int64(Int64(count))) }
        all.setServer(destination.serverAddress, destination.serverPort)
        updateAttributes { $0.merge(all) }
    }
}

extension SpanAttributes {
    /// Which server was called.
    mutating func setServer(_ address: String?, _ port: Int?) {
        if let address { set("server.address", value: .string(address)) }
        if let port { set("server.port", value: .int64(Int64(port))) }
    }
}
