// SPDX-License-Identifier: Apache-2.0

/// Takes finished spans from a tracer.
public protocol SpanSink: Sendable {
    /// Takes one span; called on the thread that ended it, so it must neither wait nor do much.
    func accept(_ span: consuming SpanRecord)
}

/// Sends batches of finished spans somewhere.
///
/// One batch is encoded once and sent as often as it takes: the pipeline waits and repeats. Calls
/// come one at a time, from a task without trace context.
public protocol SpanExporter: Sendable {
    /// A batch in the form that is sent.
    associatedtype Payload: Sendable

    /// Turns spans into what is sent.
    func encode(_ spans: [SpanRecord]) -> Payload

    /// Turns a batch, of one resource and in OTLP's encoding, into what is sent. A pipeline gives all its
    /// spans so; by default they go by way of their records, whose values have the types of OTLP: whole
    /// numbers have 64 bits, and what was to become a text is one.
    func encode(_ spans: RecordedSpans) -> Payload

    /// Tries once to send.
    ///
    /// Return soon after the task was cancelled: a shutdown that ran out of time does that.
    func send(_ payload: Payload) async -> ExportOutcome

    /// Lets go of connections and files; nothing is sent afterwards.
    func shutdown() async
}

extension SpanExporter {
    public func encode(_ spans: RecordedSpans) -> Payload { encode(spans.records()) }

    /// Does nothing.
    public func shutdown() async {}
}

/// What became of one attempt to send a batch.
public struct ExportOutcome: Sendable, Hashable {
    enum Code: Hashable {
        case delivered(rejectedCount: Int)
        case retryable(after: Duration?)
        case refused
    }

    let code: Code

    /// Spans of a delivered batch that the receiver will never take.
    public var rejectedCount: Int {
        if case .delivered(let count) = code { count } else { 0 }
    }

    /// The wait that the receiver asked for.
    public var requestedDelay: Duration? {
        if case .retryable(let delay) = code { delay } else { nil }
    }

    /// Whether it is worth sending the batch again.
    public var isRetryable: Bool {
        if case .retryable = code { true } else { false }
    }

    /// Whether the receiver has the batch.
    public var isDelivered: Bool {
        if case .delivered = code { true } else { false }
    }

    /// What the receiver, or the connection, said.
    public let message: String

    /// The receiver has the batch.
    public static let delivered = ExportOutcome(code: .delivered(rejectedCount: 0), message: "")

    /// The receiver has the batch but for some spans, which it will not take later either.
    public static func delivered(rejectedCount: Int, message: String) -> ExportOutcome {
        ExportOutcome(code: .delivered(rejectedCount: rejectedCount), message: message)
    }

    /// The batch did not arrive and may later.
    ///
    /// - Parameters:
    ///   - delay: The wait that the receiver asked for.
    ///   - message: What went wrong, for a person.
    /// - Returns: The outcome.
    public static func retryable(after delay: Duration? = nil, message: String) -> ExportOutcome {
        ExportOutcome(code: .retryable(after: delay), message: message)
    }

    /// The receiver will never take the batch.
    public static func refused(message: String) -> ExportOutcome {
        ExportOutcome(code: .refused, message: message)
    }
}
