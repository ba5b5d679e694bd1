// SPDX-License-Identifier: Apache-2.0

extension TraceQL {
    /// A query for numbers over time with everything that stands beside its text.
    public struct Measurement: Sendable, Equatable {
        /// What may be counted.
        public enum Source: Sendable, Equatable {
            /// Minute totals where they give the same numbers, else spans.
            case any
            /// Spans, even where totals would do.
            case spans
        }

        public var question: Question
        /// When the spans start that are measured. Widened to whole steps, counted from 1970.
        public var time: TraceQuery.TimeSpan
        /// Nanoseconds; `nil` for `defaultStep`. A measurement of one instant has none.
        public var step: UInt64?
        /// Spans named beside the numbers, of all series together, at most; `nil` for none. What the
        /// query says in `with (exemplars = …)` goes before.
        public var exemplarCount: Int?
        /// Series in the answer, at most.
        public var seriesLimit: Int
        public var source: Source

        /// Asks for the numbers of the last hour.
        public init(
            _ question: Question,
            time: TraceQuery.TimeSpan = .last(3_600_000_000_000),
            step: UInt64? = nil,
            exemplarCount: Int? = nil,
            seriesLimit: Int = 1_000,
            source: Source = .any
        ) {
            self.question = question
            self.time = time
            self.step = step
            self.exemplarCount = exemplarCount
            self.seriesLimit = seriesLimit
            self.source = source
        }

        /// Nanoseconds of a step for so many nanoseconds of time, as Tempo chooses them: about 240
        /// steps, each of whole hours, five minutes, minutes, fifteen, five or single seconds, whichever
        /// is the largest that fits; under a minute of time, of whole 50 milliseconds.
        public static func defaultStep(of length: UInt64) -> UInt64 {
            let step = length / 240
            let second: UInt64 = 1_000_000_000
            let units =
                length < 60 * second
                ? [50_000_000] : [3_600, 300, 60, 15, 5, 1].map { $0 * second }
            let unit = units.first { $0 < step } ?? units[units.count - 1]
            return max(step / unit * unit, unit)
        }

        /// This measurement, once everything about it is sound.
        ///
        /// - Throws: what is out of bounds and what the bounds are.
        public func validated() throws(QueryError) -> Measurement {
            _ = try TraceQuery(time: time).validated()
            if let step, step == 0 {
                throw QueryError(
                    parameter: "step",
                    text: "0",
                    problem: "a step takes time",
                    hint: "write one like 1m, or none"
                )
            }
            try Self.check(
                seriesLimit,
                in: QueryLimits.seriesCount,
                parameter: "series",
                problem: "the number of series is out of bounds"
            )
            try Self.check(
                exemplarCount ?? 0,
                in: QueryLimits.exemplarCount,
                parameter: "exemplars",
                problem: "the number of exemplars is out of bounds"
            )
            return self
        }

        /// Whether so many steps can be told.
        ///
        /// - Throws: the bound, and a step that would keep to it.
        public static func check(stepCount: UInt64, of step: UInt64) throws(QueryError) {
            let limit = UInt64(QueryLimits.stepCount)
            guard stepCount > limit else { return }
            let times = stepCount / limit + (stepCount.isMultiple(of: limit) ? 0 : 1)
            let (enough, overflow) = step.multipliedReportingOverflow(by: times)
            throw QueryError(
                parameter: "step",
                text: DurationText.text(step),
                problem: "the time range has \(stepCount) steps of it, and \(limit) can be told",
                hint: overflow
                    ? "ask for less time at once"
                    : "ask for less time, or for a step of \(DurationText.text(enough)) or more"
            )
        }

        private static func check(
            _ count: Int,
            in bounds: ClosedRange<Int>,
            parameter: String,
            problem: String
        ) throws(QueryError) {
            guard !bounds.contains(count) else { return }
            throw QueryError(
                parameter: parameter,
                text: "\(count)",
                problem: problem,
                hint: "ask for \(bounds.lowerBound) to \(bounds.upperBound)"
            )
        }
    }
}
