// SPDX-License-Identifier: Apache-2.0

/// Bounds that are not the user's to set.
enum Limits {
    /// Bytes of an answer that are read, at most: an answer is a few bytes, with a sentence in it; a
    /// longer one is garbage or hostile.
    static let responseByteCount = 64 << 10
    /// Longest wait a `Retry-After` is believed: longer, and what is buffered would be stale.
    static let retryAfterMax = Duration.seconds(300)
    /// Longest wait for an exporter to notice that its time is over.
    static let cancellationGrace = Duration.seconds(1)
    /// Least time between two looks at the buffer, so that a delay of 0 does not keep a core busy.
    static let exportDelayMin = Duration.milliseconds(10)
    /// Bytes of one batch, unless a single span has more: it is copied for the request and once more by
    /// the client, on top of what the buffers hold.
    static let batchByteCount = 384 << 10
    /// Finished spans that a pipeline may be told to hold: 48 MiB of spans of our own.
    static let spanCountMax = 65_536
    /// Least time between two sentences about trouble.
    static let reportInterval = Duration.seconds(10)
    /// Tasks that wait for one flush at a time; a further one is answered at once with `false`.
    static let flushWaiterCount = 1_024
    /// Bytes that a row of call statistics is reckoned at besides its texts.
    static let callRowByteCount = 256
    /// Attributes that a span gets room for with the first one.
    static let firstAttributeCount = 6
    /// Bytes of a span's name that are recorded.
    static let nameByteCount = 1_024
    /// Bytes of the message of an own span's status that are recorded.
    static let statusByteCount = 1_024
    /// Bytes of an attribute's key; one with a longer key is dropped.
    static let keyByteCount = 512
    /// Bytes that one recorded span may take, encoded.
    static let spanByteCount = 1 << 20
    /// Least time between two questions to a sampling service, so that 0 does not flood it.
    static let pollIntervalMin = Duration.seconds(1)
    /// Longest wait for a sampling service's whole answer.
    static let pollTimeout = Duration.seconds(10)
    /// Bytes of a sampling service's answer that are read: some ten thousand operations.
    static let strategyByteCount = 1 << 20
    /// Log files of one exporter: each takes a system call when they are renamed.
    static let logFileCount = 1_000
    /// Operations, peers and kinds together that call statistics tell apart: some 1.1 KB each, and
    /// what `callChunkCount` allows. The rest of a kind is counted as one.
    static let callSeriesCount = 1_000
    /// Octaves of durations, of 512 bytes, that have counters of their own: 4 MiB, eight for each of
    /// the series. A call that needs a further one is counted with the rest of its kind.
    static let callChunkCount = 8_192
    /// Calls that run at a time without a recorded span, of about 100 bytes; a further one is not
    /// counted, which is.
    static let openCallCount = 16_384
    /// Windows that such a call may last, about an hour: then its end is taken for forgotten.
    static let openCallTicks: UInt32 = 360
    /// Ends of spans in a row that wake the exporter once enough wait.
    static let wakeTries = 8
    /// Length of a window of call statistics, nanoseconds: a sixth of a minute.
    static let callWindowLength: UInt64 = 10_000_000_000
    /// Time after the end of a window, nanoseconds, in which threads that were about to count a call
    /// of it get it done.
    static let callWindowGrace: UInt64 = 250_000_000
    /// Bytes of windows that wait to be sent; a further one is dropped.
    static let callWindowByteCount = 4 << 20
    /// Bytes of one `OTEL_…` variable that are looked at.
    static let environmentByteCount = 64 << 10
    /// Bytes of a database statement's text that become an attribute; of longer ones the beginning.
    static let statementByteCount = 4 << 10
    /// Statements of one connection that run at once and are followed, such as cursors within each other.
    static let openStatementCount = 64
    /// Arrays within arrays of one answer of Redis: streams need four.
    static let redisNestingDepth = 8
    /// Commands that wait for one connection to Redis; a further one is refused at once.
    static let redisWaitingCount = 1_024
    /// Longest that one call waits for messages of Redis: an hour.
    static let redisWaitMax = Duration.seconds(3_600)
}

/// How much one span may carry. What goes past is dropped, and counted on the exported span.
public struct SpanLimits: Sendable, Hashable {
    /// Attributes of a span.
    public var attributeCount = 128
    /// Events of a span; the first ones are kept.
    public var eventCount = 128
    /// Links of a span; the first ones are kept.
    public var linkCount = 128
    /// Attributes of one event.
    public var attributeCountPerEvent = 128
    /// Attributes of one link.
    public var attributeCountPerLink = 128
    /// Characters (Unicode scalars) of a text in an attribute's value, of the text's elements where
    /// it is an array; `nil` for no limit. Longer ones are cut.
    public var attributeValueLength: Int?

    /// Whether no value is cut.
    var keepsWholeValues: Bool { attributeValueLength == nil }

    /// Makes the limits that OpenTelemetry sets.
    public init() {}
}

/// How finished spans wait for export.
public struct PipelineLimits: Sendable, Hashable {
    /// Finished spans held, in the buffer and under way to the exporter; a further one is dropped.
    /// From 1 to 65,536: each tracer that records spans of our own has 768 bytes for each of them.
    public var spanCount = 2_048
    /// Bytes of finished spans held, encoded, in the buffer and under way, for spans of each kind: a span of
    /// swift-distributed-tracing that would go past is dropped, and of one of our own, which has 768
    /// bytes of its own, what does not fit.
    public var byteCount = 3 << 20
    /// Spans handed to the exporter at once, fewer where they come to 384 KiB; so many waiting spans
    /// start an export.
    public var batchSpanCount = 512
    /// Longest wait of a finished span before its export is tried.
    public var delay = Duration.seconds(5)

    /// Makes the default limits.
    public init() {}

    /// The nearest limits with which a pipeline gets on: a batch holds at least one span and no
    /// more than there is room for, and there is some time between two exports.
    var workable: PipelineLimits {
        var limits = self
        limits.spanCount = max(1, min(spanCount, Limits.spanCountMax))
        limits.batchSpanCount = max(1, min(batchSpanCount, limits.spanCount))
        limits.delay = max(delay, Limits.exportDelayMin)
        return limits
    }
}
