// SPDX-License-Identifier: Apache-2.0

/// Bounds of one request.
enum RequestLimits {
    /// Parameters of one request: a search has a dozen, and a tag each.
    static let parameterCount = 200
    /// Bytes of the query part of an address.
    static let queryByteCount = 65_536
    /// Traces asked for by id in one request.
    static let traceIDCount = 1_000
    /// Spans in one answer of whole traces, beyond the first trace: about 300 MB of JSON.
    static let answerSpanCount = 300_000
    /// Bytes of a file that is to be shown without being stored: what one request may send, too.
    static let transformByteCount = 64 << 20
    /// Files that are read for that at once: each takes a few times its bytes.
    static let transformCount = 2
    /// Bytes of one message of a stream over gRPC, but for one whose only span has more: clients take
    /// 4 MiB where nothing else is said.
    static let chunkByteCount = 1 << 20
    /// Spans that are encoded at once for such a message: a thousand have less than that many bytes
    /// nearly always, and are halved where they have not.
    static let chunkSpanCount = 1_024
    /// Points of one metric: a week by the minute.
    static let metricPointCount: UInt64 = 10_080
    /// Bytes of a metric's answer over gRPC, which is one message: what clients take where nothing else
    /// is said.
    static let metricByteCount = 4 << 20
    /// Steps that the window of one point may have: each is a read of its own.
    static let metricWidthSteps: UInt64 = 60
    /// Questions that are remembered with what they cost: half a megabyte with the longest texts.
    static let rememberedQuestionCount = 1_000
    /// Bytes of a question's text that are remembered.
    static let rememberedQuestionByteCount = 400
    /// Parts of a Zipkin annotation query.
    static let annotationPartCount = 100
    /// Names of values in one list.
    static let valueCount = 1...10_000
    /// Traces looked at for names that no index has: the newest.
    static let sampledTraceCount = 50
    /// Spans of them, beyond the first trace.
    static let sampledSpanCount = 20_000
    /// Traces whose spans tell the values of a key that no index lists so: the newest.
    static let sampledValueTraceCount = 200
    /// Spans of each of them.
    static let sampledValueSpanCount = 100
    /// Traces that tell which types the values of a key have.
    static let sampledTypeTraceCount = 20
    /// Traces of the first message of a streamed search; each message after it has four times as many.
    static let firstStreamedTraceCount = 5
    /// Tails at once: each remembers up to 7 MB of what it told.
    static let tailCount = 16
    /// Traces that a tail tells a second.
    static let tailRate = 1...500
    /// Nanoseconds that a tail may wait for a trace to settle: less than it looks back.
    static let tailSettle: UInt64 = 60_000_000_000
    /// Milliseconds between two polls of a tail.
    static let tailPauseMilliseconds = 500
    /// Polls of a tail with nothing to tell before a comment keeps the connection open: 15 s.
    static let tailSilentPolls = 30
    /// Milliseconds after which a reader comes back.
    static let tailRetryMilliseconds = 2_000
    /// Nanoseconds before the last event from which on a reader that comes back is told.
    static let tailOverlap: UInt64 = 10_000_000_000
    /// Reasons for what is missing that a tail remembers having told.
    static let tailReasonCount = 100
    /// Exports at once: each holds a page of up to 25 MB, and its encoded form.
    static let exportCount = 4
    /// Spans of one object of an export: about 5 MB of JSON.
    static let exportedSpanCount = 5_000
    /// Times an export asks a busy store before it gives up.
    static let exportAttempts = 5
    /// Bytes of one message of the Model Context Protocol: a query has 16 KiB.
    static let mcpByteCount = 256 << 10
    /// Messages of one list.
    static let mcpMessageCount = 20
    /// Bytes of a tool's answer: about 15,000 of an assistant's tokens.
    static let mcpTextByteCount = 60_000
    /// Traces in one answer of a tool.
    static let mcpTraceCount = 1...50
    /// Lines of a trace in one answer of a tool.
    static let mcpLineCount = 1...500
    /// Lines of numbers or names in one answer of a tool.
    static let mcpNumberCount = 1...500
    /// Steps of numbers over time in one answer of a tool.
    static let mcpStepCount = 100
    /// Spans of a trace that a tool compares or draws.
    static let mcpSpanCount = 300_000
    /// Characters of an attribute's value in a line of a trace.
    static let mcpValueCount = 80
    /// Attributes in a line of a trace.
    static let mcpAttributeCount = 6
    /// Segments of a critical path in one answer: 5 MB. A path of 50,000 calls one after another has
    /// 100,001.
    static let pathSegmentCount = 250_000
    /// Runs of equal siblings in one answer, the largest.
    static let runCount = 2_000
    /// Operations in the statistics of one trace, those of most time.
    static let figureLineCount = 2_000
    /// Traces that each query of a comparison finds.
    static let comparedTraceCount = (standard: 100, most: 1_000)
    /// Calls away from the service in focus of a map.
    static let mapHops = 1...20
    /// Instances of a service in one answer.
    static let instanceCount = (standard: 100, most: 1_000)
    /// Groups of exceptions in one answer: each has up to 12 kB.
    static let exceptionGroupCount = (standard: 50, most: 1_000)
    /// Call trees in one answer: each has up to 200 lines.
    static let callTreeCount = (standard: 20, most: 100)
    /// Traces that call trees are made from, the newest.
    static let shapedTraceCount = (standard: 200, most: 1_000)
}
