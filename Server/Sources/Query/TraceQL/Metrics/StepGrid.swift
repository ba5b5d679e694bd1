// SPDX-License-Identifier: Apache-2.0

import QueryLanguage

/// The steps of time of one answer, one beside the other.
struct StepGrid: Sendable, Equatable {
    /// Nanoseconds since 1970.
    let start: UInt64
    /// Of the last step; above `start`.
    let end: UInt64
    /// Nanoseconds, above 0; `end - start` is `count` times as much.
    let step: UInt64
    let count: Int

    /// Whole steps, counted from 1970, that hold `range`, which is not empty.
    ///
    /// - Throws: where there are too many.
    init(covering range: Range<UInt64>, step: UInt64) throws(QueryError) {
        let first = range.lowerBound / step
        let last = (range.upperBound - 1) / step
        try TraceQL.Measurement.check(stepCount: (last - first).addingOne, of: step)
        // The last step may end behind all of time.
        let (end, overflow) = (last + 1).multipliedReportingOverflow(by: step)
        self.step = step
        start = first * step
        count = Int(last - first) + (overflow ? 0 : 1)
        self.end = overflow ? last * step : end
        guard count > 0 else {
            throw QueryError(
                parameter: "step",
                text: DurationText.text(step),
                problem: "a step is longer than the time that can be told",
                hint: "write one like 1m"
            )
        }
    }

    /// One step: all of `range`, which is not empty.
    init(wholeOf range: Range<UInt64>) {
        start = range.lowerBound
        end = range.upperBound
        step = end - start
        count = 1
    }

    var range: Range<UInt64> { start..<end }

    /// The step that holds `time`, which lies in `range`.
    func index(of time: UInt64) -> Int { Int((time &- start) / step) }

    /// Seconds of a step.
    var stepSeconds: Double { Double(step) / 1e9 }
}

extension UInt64 {
    /// One more; stays at its maximum.
    fileprivate var addingOne: UInt64 { self == .max ? self : self + 1 }
}
