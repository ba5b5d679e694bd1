// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

/// Where messages go to and come from: a queue, a topic, a stream.
public struct MessageDestination: Sendable, Hashable {
    /// What carries the messages, as OpenTelemetry names it: `kafka`, `rabbitmq`, `redis`.
    public var system: String
    /// The name of the queue, topic or stream.
    public var name: String
    /// The group of consumers that share the messages.
    public var consumerGroup: String?
    /// Host name or address of the server.
    public var serverAddress: String?
    /// Port of the server.
    public var serverPort: Int?

    /// Names a queue, topic or stream.
    ///
    /// - Parameters:
    ///   - system: What carries the messages, as OpenTelemetry names it.
    ///   - name: The name of the queue, topic or stream.
    public init(system: String, name: String) {
        self.system = system
        self.name = name
    }
}

/// What a span that consumes a message is the child of. The span is linked to the message's sender
/// whatever is chosen.
public enum MessageParent: Sendable, Hashable, CaseIterable {
    /// The current span where there is one, such as that of the batch; otherwise the sender's.
    case current
    /// The sender's span, so that the trace of who sent goes on; the current one is linked.
    case sender
    /// No sender: the current span where there is one, otherwise a trace of its own begins. For
    /// messages that wait so long, or fan out so far, that one trace would say nothing.
    case none
}

/// A message that is being sent.
public struct OutgoingMessage: Sendable {
    /// The span that sends it.
    public let span: SkeinSpan
    let core: TracerCore

    /// Writes the trace, what travels along and the time of sending to the message's headers. In a
    /// batch, call it for each message.
    public func inject(_ set: (_ key: String, _ value: String) -> Void) {
        guard core.isEnabled else { return }
        if let propagated = span.context[SpanScopeKey.self]?.propagated {
            core.propagator.inject(propagated, set: set)
        }
        set(MessageHeaders.sentAt, "\(Transport.wallNanoseconds())")
    }

    /// Sets the id that the server gave the message.
    public func setID(_ id: @autoclosure () -> String) {
        if span.isRecording { span.attributes.set("messaging.message.id", value: .string(id())) }
    }
}

/// Messages that were received at once.
public struct ReceivedMessages: Sendable {
    /// So many were added.
    public private(set) var count = 0
    let core: TracerCore
    private(set) var senders: [(context: TraceContext, attributes: SpanAttributes)] = []

    init(_ core: TracerCore) { self.core = core }

    /// Adds one, so that the span of receiving links to who sent it.
    ///
    /// - Parameters:
    ///   - id: The id that the server gave it.
    ///   - sentAt: When it was sent, in nanoseconds since 1970; `nil` asks its headers.
    ///   - header: Gives the message's header for a key in lower case.
    public mutating func add(
        id: String? = nil,
        sentAt: UInt64? = nil,
        header: (_ key: String) -> String?
    ) {
        count += 1
        // More would be dropped by the span in any case.
        guard senders.count < core.limits.linkCount else { return }
        var found = PropagatedContext()
        core.propagator.extract(into: &found, value: header)
        guard let context = found.trace else { return }
        var attributes = SpanAttributes([:])
        if let id { attributes.set("messaging.message.id", value: .string(id)) }
        if let wait = MessageHeaders.wait(sentAt, header) {
            attributes.set(MessageHeaders.waitAttribute, value: .double(wait))
        }
        senders.append((context, attributes))
    }
}

/// What Skein adds to a message's headers, and reads back.
enum MessageHeaders {
    /// Nanoseconds since 1970, in decimal digits.
    static let sentAt = "skein-sent-at"
    /// How long a message was under way and waited, in milliseconds: OpenTelemetry has no name for it.
    static let waitAttribute = "skein.queue_time_ms"

    /// Milliseconds from sending until now; `nil` where nobody knows. Clocks of two machines differ,
    /// so a message of the future has waited no time.
    static func wait(_ sentAt: UInt64?, _ header: (String) -> String?) -> Double? {
        guard let sent = sentAt ?? header(Self.sentAt).flatMap({ UInt64($0) }) else { return nil }
        let now = Transport.wallNanoseconds()
        return now > sent ? Double(now - sent) / 1_000_000 : 0
    }
}
