// SPDX-License-Identifier: Apache-2.0

/// Bounds of running one query.
enum RunLimits {
    /// Traces read whole at a time while conditions of several spans are checked.
    static let checkedPageTraceCount = 100
    /// Traces read whole for one such query, at most: the rest of the range is told as unread.
    static let checkedTraceCount = 5_000
    /// Wall time of one question in TraceQL: what it found until then is told, and that it is not all.
    static let questionSeconds: UInt64 = 10
    /// Spans looked at by one TraceQL search, at most: about five seconds of one core.
    static let examinedSpanCount = 50_000_000
    /// Functions of metrics in one query: each keeps series of its own.
    static let functionCount = 16
    /// Bytes of the spansets that `by(…)` makes of one trace: 500 values of a million spans.
    static let groupByteCount = 64 << 20
    /// Walks that look for exemplars beside totals, each in a stretch of the time.
    static let exemplarWalkCount = 8
    /// Series that one function of metrics keeps, at most; second stages choose among them.
    static let measuredSeriesCount = 100_000
    /// Numbers, one for each step of each series, that one function keeps, at most: 32 MB.
    static let measuredNumberCount = 2_000_000
    /// Buckets with numbers in them that one function keeps for its quantiles, at most: 64 MB, twice
    /// that while they are joined.
    static let sketchBucketCount = 4_000_000
    /// Distinct values of one attribute that make series, at most.
    static let labelCount = 200_000
    /// Bytes of them, at most.
    static let labelByteCount = 32 << 20
    /// Values of each attribute that `compare` tells where a query does not say how many.
    static let comparedTopCount: Int64 = 10
    /// Attributes that one `compare` counts, at most.
    static let comparedAttributeCount = 2_000
    /// Distinct values of them together, at most.
    static let comparedValueCount = 500_000
    /// Counts, one for each step in which a value stands on spans of a side, at most: 64 MB.
    static let comparedCountCount = 2_000_000
    /// Exemplars where a query asks for some and does not say how many.
    static let exemplarCount = 100
    /// Spans that are held for each exemplar told, so that each series has its share.
    static let exemplarCandidates = 8
    /// Traces whose calls are linked span by span; above it the store's own totals answer.
    static let linkedTraceCount = 5_000
    /// Spans of them, at most.
    static let linkedSpanCount = 1_000_000
    /// Traces read in one look-up while linking.
    static let linkedPageTraceCount = 200
    /// Names in one list.
    static let nameCount = 10_000
    /// Warnings of a trace told in its columnar form.
    static let warningCount = 100
    /// Nanoseconds that a tail looks back for traces that come late.
    static let tailWindow: UInt64 = 300_000_000_000
    /// Nanoseconds between two such looks.
    static let tailSweepPause: UInt64 = 10_000_000_000
    /// Nanoseconds that every poll of a tail looks back.
    static let tailNearWindow: UInt64 = 15_000_000_000
    /// Traces a store proposes to a tail at a time.
    static let tailPageTraceCount = 500
    /// Traces a tail remembers, so as to tell none twice: below 2 MB.
    static let tailKnownTraceCount = 20_000
    /// Traces that wait until they have settled: below 5 MB.
    static let tailWaitingTraceCount = 5_000
    /// Traces found for one page of an export.
    static let exportPageTraceCount = 1_000
    /// Spans of traces read whole at a time, by a tail or an export; a trace that has more is read
    /// alone. About 25 MB: stores bound the memory of one question.
    static let readSpanCount = 20_000
    /// Spans of one side of a comparison, at most, and the rest of the last trace: what one question
    /// may read.
    static let comparedSpanCount = 1_000_000
    /// Bytes of an attribute's value that a comparison keeps: what a person compares by eye.
    static let comparedValueByteCount = 256
    /// Nanoseconds after which a minute of counters is added up for good: what comes later is not
    /// counted.
    static let counterLateness: UInt64 = 900_000_000_000
    /// Reasons for calls that counters missed for good: each is a sentence that reads alike.
    static let counterReasonCount = 20
    /// Counters of one kind with a key of their own: about 1 MB.
    static let counterSeriesCount = 2_000
    /// Traces read for exemplars.
    static let exemplarTraceCount = 20
    /// Spans of them, at most.
    static let exemplarSpanCount = 5_000
    /// Instances of a service that are counted: up to 32 kB each.
    static let instanceCount = 1_000
    /// Bytes of a name of an instance; what is longer names none.
    static let instanceNameByteCount = 1_024
    /// Groups of exceptions that are counted: up to 12 kB each.
    static let exceptionGroupCount = 1_000
    /// Bytes of an exception's type and of its operation that groups are told apart by.
    static let exceptionNameByteCount = 1_024
    /// Bytes of the message of an example, and of its stack trace.
    static let exceptionTextByteCount = (message: 2_048, stack: 8_192)
    /// Steps in which the exceptions of a group are counted: a small chart.
    static let exceptionStepCount = 30
    /// Spans of the traces that call trees are made from, and the rest of the last trace.
    static let shapedSpanCount = 1_000_000
}
