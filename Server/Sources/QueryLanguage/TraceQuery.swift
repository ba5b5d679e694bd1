// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// A question about traces: the one tree that the native, Jaeger and Zipkin APIs translate into.
///
/// `service=cart, tag order.id=17, slower than 10 ms, newest 20 of the last hour` is
/// ```
/// spans: [ and( service "cart", tag any order.id = "17", duration 10 ms... ) ]
/// time:  last 1 h      order: newest      limit: 20
/// ```
public struct TraceQuery: Sendable, Equatable {
    /// Each must hold for some span of the trace. One entry asks for one span that meets all of
    /// its parts; several may be met by different spans. Empty: any trace.
    public var spans: [SpanCondition]
    /// First start to last end of the whole trace, nanoseconds, both ends included.
    public var traceDuration: ClosedRange<UInt64>?
    /// When a matching span starts.
    public var time: TimeSpan
    /// Traces in the answer, at most.
    public var limit: Int
    /// The stated order of the answer.
    public var order: Order
    /// Where the previous page ended.
    public var cursor: Cursor?
    /// Matching span ids told per trace, at most.
    public var matchedSpanLimit: Int

    /// The newest traces with a span that meets `spans`.
    public init(
        spans: [SpanCondition] = [],
        traceDuration: ClosedRange<UInt64>? = nil,
        time: TimeSpan = .last(3_600_000_000_000),
        limit: Int = 20,
        order: Order = .newest,
        cursor: Cursor? = nil,
        matchedSpanLimit: Int = 3
    ) {
        self.spans = spans
        self.traceDuration = traceDuration
        self.time = time
        self.limit = limit
        self.order = order
        self.cursor = cursor
        self.matchedSpanLimit = matchedSpanLimit
    }

    /// A stretch of time.
    public enum TimeSpan: Sendable, Equatable {
        /// From `start` up to, not including, `end`; nanoseconds since 1970.
        case between(start: UInt64, end: UInt64)
        /// The last so many nanoseconds before the query runs.
        case last(UInt64)

        /// What of this can have numbers: time that has no end ends at `now`, for what is to come has
        /// none. A start that is to come is told as it is.
        public func ended(at now: UInt64) -> TimeSpan {
            guard case .between(let start, .max) = self, start < .max else { return self }
            return .between(start: start, end: max(start + 1, now))
        }
    }

    /// How the answer is sorted. Ties go to the smaller trace id.
    public enum Order: String, Sendable, CaseIterable {
        /// Latest trace start first.
        case newest
        /// Longest trace duration first.
        case slowest
    }

    /// The last trace of a page: pages go on after it.
    public struct Cursor: Sendable, Equatable {
        /// The order it is a place in.
        public var order: Order
        /// Trace start for `newest`, trace duration for `slowest`, nanoseconds.
        public var value: UInt64
        public var traceID: TraceID

        /// Names a place in an order.
        public init(order: Order, value: UInt64, traceID: TraceID) {
            self.order = order
            self.value = value
            self.traceID = traceID
        }
    }
}

/// What one span must satisfy.
public indirect enum SpanCondition: Sendable, Equatable {
    case service(Text)
    case operation(Text)
    case tag(Tag)
    /// An event with this name.
    case eventName(Text)
    /// Span duration in nanoseconds, both ends included.
    case duration(ClosedRange<UInt64>)
    case status(StatusCode)
    /// The text that came with the status; empty where none came.
    case statusMessage(Text)
    case kind(SpanKind)
    /// All of them; of none: every span.
    case all([SpanCondition])
    /// At least one of them; of none: no span.
    case any([SpanCondition])
    case not(SpanCondition)

    /// Text with the way it is compared.
    public struct Text: Sendable, Equatable, ExpressibleByStringLiteral {
        public var text: String
        /// ASCII case counts; Zipkin's API asks without.
        public var isCaseSensitive: Bool

        /// Compares with `text`.
        public init(_ text: String, isCaseSensitive: Bool = true) {
            self.text = text
            self.isCaseSensitive = isCaseSensitive
        }

        public init(stringLiteral value: String) { self.init(value) }
    }

    /// An attribute and what its value must be.
    public struct Tag: Sendable, Equatable {
        public var scope: Scope
        public var key: String
        public var value: Value

        /// Asks for an attribute.
        public init(scope: Scope = .any, key: String, value: Value) {
            self.scope = scope
            self.key = key
            self.value = value
        }
    }

    /// Where an attribute may stand.
    public enum Scope: String, Sendable, CaseIterable {
        case span, resource, event
        /// Any of the three.
        case any
    }

    /// How an attribute's value is compared.
    public enum Value: Sendable, Equatable {
        /// The key is there, whatever its value.
        case exists
        /// The value written as text: `17` finds the int 17 and the string "17".
        case text(String)
        /// Type and value are the same.
        case equals(AttributeValue)
    }
}
