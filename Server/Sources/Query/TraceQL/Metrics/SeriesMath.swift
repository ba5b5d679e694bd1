// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel

/// What a query does to whole series: second stages, and arithmetic between them.
enum SeriesMath {
    typealias Series = MeasuredSeries.Series

    /// Series, or one number that stands beside them.
    enum Operand {
        case series([Series])
        case number(Double)
    }

    /// What `metrics` makes of the series of its functions, taken from `measured` in their order.
    static func result(
        of metrics: TraceQL.Metrics,
        _ measured: inout ArraySlice<[Series]>
    ) -> Operand {
        switch metrics {
        case .measure: return .series(measured.popFirst() ?? [])
        case .number(let literal): return .number(literal.seriesNumber)
        case .refined(let inner, let refinement):
            switch result(of: inner, &measured) {
            case .series(let series): return .series(refined(series, refinement))
            case .number(let number): return .number(number)
            }
        case .arithmetic(let symbol, let left, let right):
            let first = result(of: left, &measured)
            let second = result(of: right, &measured)
            switch (first, second) {
            case (.number(let a), .number(let b)):
                return .number(value(symbol, a, b) ?? .nan)
            case (.series(let series), .number(let number)):
                return .series(mapped(series) { value(symbol, $0, number) })
            case (.number(let number), .series(let series)):
                return .series(mapped(series) { value(symbol, number, $0) })
            case (.series(let left), .series(let right)):
                return .series(joined(symbol, left, right))
            }
        }
    }

    // MARK: Second stages

    private static func refined(
        _ series: [Series],
        _ refinement: TraceQL.Refinement
    ) -> [Series] {
        switch refinement {
        case .topk(let count): ranked(series, Int(clamping: count)) { $0 > $1 }
        case .bottomk(let count): ranked(series, Int(clamping: count)) { $0 < $1 }
        case .filter(let comparison, let literal):
            mapped(series) { holds(comparison, $0, literal.seriesNumber) ? $0 : nil }
        }
    }

    /// Of each step the `count` numbers that go first; equal ones in the order of their series.
    private static func ranked(
        _ series: [Series],
        _ count: Int,
        _ goesFirst: (Double, Double) -> Bool
    ) -> [Series] {
        var result = series
        for step in 0..<(series.map(\.values.count).max() ?? 0) {
            let present = series.indices.filter { series[$0].values[step] != nil }
            guard present.count > count else { continue }
            let sorted = present.sorted { a, b in
                let (first, second) = (series[a].values[step] ?? 0, series[b].values[step] ?? 0)
                return first == second ? a < b : goesFirst(first, second)
            }
            for index in sorted.dropFirst(count) { result[index].values[step] = nil }
        }
        return result.filter(\.isTold)
    }

    private static func holds(_ comparison: TraceQL.Comparison, _ a: Double, _ b: Double) -> Bool {
        switch comparison {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .atMost: a <= b
        case .more: a > b
        case .atLeast: a >= b
        }
    }

    // MARK: Arithmetic

    private static func mapped(_ series: [Series], _ change: (Double) -> Double?) -> [Series] {
        series.compactMap { one in
            var one = one
            one.values = one.values.map { $0.flatMap(change) }
            return one.isTold ? one : nil
        }
    }

    /// Series of both sides whose labels are the same, whatever their functions are called.
    private static func joined(
        _ symbol: TraceQL.Arithmetic,
        _ left: [Series],
        _ right: [Series]
    ) -> [Series] {
        let others = Dictionary(right.map { ($0.matchedLabels, $0) }) { first, _ in first }
        return left.compactMap { one in
            guard let other = others[one.matchedLabels] else { return nil }
            var one = one
            one.values = zip(one.values, other.values).map { a, b in
                if let a, let b { value(symbol, a, b) } else { nil }
            }
            return one.isTold ? one : nil
        }
    }

    /// `nil` where there is none: nothing can be divided by zero.
    private static func value(_ symbol: TraceQL.Arithmetic, _ a: Double, _ b: Double) -> Double? {
        let value: Double
        switch symbol {
        case .add: value = a + b
        case .subtract: value = a - b
        case .multiply: value = a * b
        case .divide: value = a / b
        // Not between series: no query that was parsed has them.
        case .remainder, .power: return nil
        }
        return value.isFinite ? value : nil
    }
}

extension MeasuredSeries.Series {
    /// Whether there is a number in it.
    var isTold: Bool { values.contains { $0 != nil } }

    /// What must be the same for series to be joined.
    fileprivate var matchedLabels: Set<MeasuredSeries.Label> {
        Set(labels.filter { $0.name != "__name__" })
    }

    /// By labels: their values, the kinds of them one after the other, and their names last.
    func precedes(_ other: MeasuredSeries.Series) -> Bool {
        for (own, others) in zip(labels, other.labels) {
            if own.name != others.name { return own.name < others.name }
            if own.value != others.value { return own.value.precedes(others.value) }
        }
        return labels.count < other.labels.count
    }
}

extension AttributeValue {
    /// An order of all values: numbers and texts in theirs, other types apart.
    func precedes(_ other: AttributeValue) -> Bool {
        switch (self, other) {
        case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.int(let a), .int(let b)): a < b
        case (.double(let a), .double(let b)): !b.isTotallyOrdered(belowOrEqualTo: a)
        case (.bool(let a), .bool(let b)): !a && b
        case (.array(let a), .array(let b)):
            a.lexicographicallyPrecedes(b) { $0.precedes($1) }
        default: type.rawValue < other.type.rawValue
        }
    }
}

extension TraceQL.Literal {
    /// As numbers of series are told: durations in seconds.
    fileprivate var seriesNumber: Double {
        switch self {
        case .int(let value): Double(value)
        case .float(let value): value
        case .duration(let nanoseconds): Double(nanoseconds) / 1e9
        case .string, .bool, .nil, .status, .kind: .nan
        }
    }
}
