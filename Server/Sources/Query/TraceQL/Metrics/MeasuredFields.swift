// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

extension SpanFields {
    /// What both ask for.
    func union(_ other: SpanFields) -> SpanFields {
        var keys: Set<String>?
        if let own = attributeKeys, let others = other.attributeKeys { keys = own.union(others) }
        return SpanFields(columns.union(other.columns), attributeKeys: keys)
    }
}

extension TraceQL.Measure {
    /// The label of a series that has no other.
    var nameLabel: MeasuredSeries.Label { .init(name: "__name__", value: .string(name)) }

    /// Whether spans are counted, and nothing of them measured.
    var isCount: Bool {
        switch self {
        case .rate, .countOverTime: true
        case .overTime, .quantileOverTime, .histogramOverTime, .compare: false
        }
    }

    /// Series told of each combination of values, where that is known beforehand.
    var lineCount: Int {
        if case .quantileOverTime(_, let quantiles) = self { max(quantiles.count, 1) } else { 1 }
    }

    /// The function as a query calls it.
    var name: String {
        switch self {
        case .rate: "rate"
        case .countOverTime: "count_over_time"
        case .overTime(let function, _): function.rawValue
        case .quantileOverTime: "quantile_over_time"
        case .histogramOverTime: "histogram_over_time"
        case .compare: "compare"
        }
    }
}
