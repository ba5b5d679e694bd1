// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// Numbers over time that a TraceQL query asks for.
///
/// ```
/// start            start + step       start + 2 step     end
///   │ values[0]         │ values[1]         │ values[2]    │
/// ```
/// A span counts in the step in which it starts. The time of a number is the start of its step.
public struct MeasuredSeries: Sendable {
    /// Nanoseconds since 1970, a multiple of `step`; but for one instant, what was asked.
    public var start: UInt64
    /// The same of the end of the last step.
    public var end: UInt64
    /// Nanoseconds.
    public var step: UInt64
    /// Ordered by their labels.
    public var series: [Series] = []
    /// Why the answer is not whole; empty when it is.
    public var incomplete: [String] = []
    /// Traces looked at; 0 where totals answered.
    public var examinedTraceCount = 0
    /// Spans of them.
    public var examinedSpanCount = 0
    /// Whether every number comes from minute totals: they also count what applications counted
    /// themselves, and spans that are gone since.
    public var isFromTotals = false

    /// Steps there are.
    public var stepCount: Int { step > 0 ? Int(clamping: (end - start) / step) : 0 }

    /// An answer without series.
    public init(start: UInt64, end: UInt64, step: UInt64) {
        self.start = start
        self.end = max(start, end)
        self.step = step
    }

    /// What one series is about.
    public struct Label: Sendable, Hashable {
        /// An operand as the query names it, or `__name__`, `p`, `__bucket`, `__meta_type`.
        public var name: String
        /// `empty` where the spans have no such value.
        public var value: AttributeValue

        /// Names a value.
        public init(name: String, value: AttributeValue) {
            self.name = name
            self.value = value
        }
    }

    /// A span that a number stands for.
    public struct Exemplar: Sendable, Equatable {
        public var traceID: TraceID
        public var spanID: SpanID?
        /// In the unit of the series: what was measured of the span, or the number of its step where
        /// spans are only counted.
        public var value: Double
        /// When the span starts, nanoseconds since 1970.
        public var time: UInt64

        /// Names a span.
        public init(traceID: TraceID, spanID: SpanID?, value: Double, time: UInt64) {
            self.traceID = traceID
            self.spanID = spanID
            self.value = value
            self.time = time
        }
    }

    /// One line of a chart.
    public struct Series: Sendable, Equatable {
        public var labels: [Label]
        /// One for each step; `nil` where there is none. Durations are seconds.
        public var values: [Double?]
        /// In the order of their times.
        public var exemplars: [Exemplar]

        /// Makes a series.
        public init(labels: [Label], values: [Double?], exemplars: [Exemplar] = []) {
            self.labels = labels
            self.values = values
            self.exemplars = exemplars
        }
    }

    mutating func add(_ reasons: [String]) {
        for reason in reasons where !incomplete.contains(reason) { incomplete.append(reason) }
    }
}
