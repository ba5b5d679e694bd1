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
    /// The text that came with the status; empty where none came.
    case statusMessage(TextMatch)
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

    /// Whether `text` matches, byte by byte: two ways to write one accented letter differ.
    public func matches(_ text: String) -> Bool { matches(text.utf8) }

    /// Whether these UTF-8 bytes match.
    @inlinable
    public func matches(_ text: some Sequence<UInt8>) -> Bool {
        switch self {
        case .exactly(let wanted):
            text.elementsEqual(wanted.utf8)
        case .ignoringCase(let wanted):
            text.elementsEqual(wanted.utf8) { Self.folded($0) == Self.folded($1) }
        }
    }

    @inlinable
    static func folded(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
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
    /// An int or a double inside; a text that reads as a number is none.
    case range(NumberRange)

    /// Whether `value` matches. The one definition: what stores do faster must agree with it.
    ///
    /// A double matches a text that reads as the same number; bytes, maps and the empty value have
    /// no text.
    public func matches(_ value: AttributeValue) -> Bool {
        switch self {
        case .exists: true
        case .equals(let wanted): value == wanted
        case .range(let range):
            switch value {
            case .int(let number): range.contains(number)
            case .double(let number): range.contains(number)
            case .empty, .string, .bool, .bytes, .array, .map: false
            }
        case .text(let wanted):
            switch value {
            case .string(let text): text.utf8.elementsEqual(wanted.utf8)
            case .bool(let flag): wanted == (flag ? "true" : "false")
            case .int(let number): wanted == String(number)
            case .double(let number): Double(wanted) == number
            case .array(let elements): elements.contains(where: matches)
            case .empty, .bytes, .map: false
            }
        }
    }
}

extension TracePredicate {
    /// Whether a trace of this duration in nanoseconds satisfies the condition.
    public func matches(duration: UInt64) -> Bool {
        switch self {
        case .duration(let wanted): wanted.contains(duration)
        }
    }
}

/// A condition on a whole trace, over all its stored spans.
public enum TracePredicate: Sendable, Equatable {
    /// From the first start to the last end, nanoseconds, both ends included.
    case duration(ClosedRange<UInt64>)
}
