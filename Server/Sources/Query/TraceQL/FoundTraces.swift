// SPDX-License-Identifier: Apache-2.0

public import QueryLanguage
public import SkeinModel
public import Store

/// A page of traces that a TraceQL query found, in its order.
public struct FoundTraces: Sendable {
    public var traces: [FoundTrace] = []
    /// Where the next page begins; `nil` when there is none.
    public var cursor: TraceQL.Cursor?
    /// Why the answer is not whole; empty when it is.
    public var incomplete: [String] = []
    /// The one of these reasons that the cursor goes on from: the bounds of one search were reached.
    public var stopReason: String?
    /// Traces read whole to find these.
    public var examinedTraceCount = 0
    /// Spans of them.
    public var examinedSpanCount = 0

    mutating func addReasons(_ reasons: [String]) {
        for reason in reasons where !incomplete.contains(reason) { incomplete.append(reason) }
    }
}

/// One trace and what the query found in it.
public struct FoundTrace: Sendable {
    public var summary: TraceSummary
    /// One, or one for each value of `by(…)`; never empty.
    public var spansets: [FoundSpanset]
}

/// Spans of one trace that a query found together.
public struct FoundSpanset: Sendable {
    /// The values of `by(…)` that the spans share.
    public var keys: [ToldValue]
    /// Spans found.
    public var spanCount: Int
    /// The first of them by start.
    public var spans: [FoundSpan]
}

/// One span that a query found.
public struct FoundSpan: Sendable {
    public var spanID: SpanID
    public var name: String
    public var service: String
    /// Nanoseconds since 1970.
    public var start: UInt64
    /// Nanoseconds.
    public var duration: UInt64
    /// What `select(…)` asks for, of what the span has.
    public var values: [ToldValue]
}

/// A value under the name the query has for it.
public struct ToldValue: Sendable, Equatable {
    public var name: String
    /// `empty` where no span has one.
    public var value: AttributeValue
}
