// SPDX-License-Identifier: Apache-2.0

extension TraceQL {
    /// Numbers over time.
    public indirect enum Metrics: Sendable, Equatable {
        /// `{…} | rate() by (…)`: one series for each combination of values.
        case measure(Pipeline, Measure, by: [Operand])
        /// A constant beside series.
        case number(Literal)
        case arithmetic(Arithmetic, Metrics, Metrics)
        /// A second stage over whole series.
        case refined(Metrics, Refinement)
    }

    /// What is measured of the spans of each step of time.
    public enum Measure: Sendable, Equatable {
        /// Spans a second.
        case rate
        case countOverTime
        case overTime(OverTime, Operand)
        /// One series for each of `quantiles`, 0 to 1.
        case quantileOverTime(Operand, quantiles: [Double])
        case histogramOverTime(Operand)
        /// How the spans that meet `selection` differ from the others; times are nanoseconds since
        /// 1970 and say when those spans start.
        case compare(selection: Field?, top: Int64?, start: Int64?, end: Int64?)
    }

    /// Functions of one number of each span.
    public enum OverTime: String, Sendable, CaseIterable {
        case min = "min_over_time"
        case max = "max_over_time"
        case avg = "avg_over_time"
        case sum = "sum_over_time"
    }

    /// What is done to whole series.
    public enum Refinement: Sendable, Equatable {
        /// The series with the greatest numbers.
        case topk(Int64)
        case bottomk(Int64)
        /// Only numbers that stand so to this one.
        case filter(Comparison, Literal)
    }
}
