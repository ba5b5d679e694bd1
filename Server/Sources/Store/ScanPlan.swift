// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// A question about traces, ready for a store: typed, bounded, nothing left to parse.
public struct ScanPlan: Sendable {
    public var tenant: Tenant
    /// A matching span starts in here, nanoseconds since 1970.
    public var range: Range<UInt64>
    /// What one span of the trace must satisfy.
    public var span: SpanPredicate
    /// What the trace as a whole must satisfy; all of them.
    public var trace: [TracePredicate]
    public var order: TraceOrder
    /// Traces in the answer, at most.
    public var limit: Int
    /// Where the previous page ended.
    public var cursor: ScanCursor?
    /// Matching span ids told per trace, at most.
    public var matchedSpanLimit: Int

    /// A plan for the newest traces of a range.
    public init(
        tenant: Tenant = .default,
        range: Range<UInt64>,
        span: SpanPredicate = .all,
        trace: [TracePredicate] = [],
        order: TraceOrder = .newest,
        limit: Int = 20,
        cursor: ScanCursor? = nil,
        matchedSpanLimit: Int = 3
    ) {
        self.tenant = tenant
        self.range = range
        self.span = span
        self.trace = trace
        self.order = order
        self.limit = limit
        self.cursor = cursor
        self.matchedSpanLimit = matchedSpanLimit
    }
}

/// The stated order of a result. Ties go to the smaller trace id.
public enum TraceOrder: String, Sendable, CaseIterable {
    /// Latest trace start first.
    case newest
    /// Longest trace duration first.
    case slowest
}

/// Where a page ended: the sort value and id of its last trace.
public struct ScanCursor: Sendable, Equatable {
    /// Trace start for `newest`, trace duration for `slowest`, nanoseconds.
    public var value: UInt64
    public var traceID: TraceID

    /// Names the last trace of a page.
    public init(value: UInt64, traceID: TraceID) {
        self.value = value
        self.traceID = traceID
    }
}

/// A condition on one span.
public indirect enum SpanPredicate: Sendable, Equatable {
    case all
    case service(TextMatch)
    case operation(TextMatch)
    /// An attribute (in an `event` scope: of some event of the span) with this key and value.
    case attribute(AttributeScope, key: String, ValueMatch)
    /// An event with this name.
    case eventName(TextMatch)
    /// Span duration in nanoseconds, both ends included.
    case duration(ClosedRange<UInt64>)
    case status(StatusCode)
    case kind(SpanKind)
    case and([SpanPredicate])
    case or([SpanPredicate])
    case not(SpanPredicate)
}

/// Where an attribute may stand.
public enum AttributeScope: String, Sendable, CaseIterable {
    case span, resource, event
    /// Any of the three.
    case any
}

/// How text is compared.
public enum TextMatch: Sendable, Equatable {
    case exactly(String)
    /// ASCII case ignored, as Zipkin's API does.
    case ignoringCase(String)

    /// Whether `text` matches.
    public func matches(_ text: String) -> Bool {
        switch self {
        case .exactly(let wanted): text == wanted
        case .ignoringCase(let wanted): text.lowercased() == wanted.lowercased()
        }
    }
}

/// How an attribute value is compared.
public enum ValueMatch: Sendable, Equatable {
    /// The key is there.
    case exists
    /// The value written as text is this: `17` finds the int 17 and the string "17"; `true` the
    /// bool. An array matches when one of its elements does.
    case text(String)
    /// Type and value are the same.
    case equals(AttributeValue)
}

/// A condition on a whole trace, over all its stored spans.
public enum TracePredicate: Sendable, Equatable {
    /// From the first start to the last end, nanoseconds, both ends included.
    case duration(ClosedRange<UInt64>)
}
