// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// The series that spans belong to, by the operands of `by(…)`.
///
/// A series is a walk down one table for each operand, to which a function may add one more:
/// ```
/// by(service, name)   table 0  (root, "web") -> 0     table 1  (0, "GET")  -> 0
///                              (root, "db")  -> 1              (0, "POST") -> 1
///                                                              (1, "GET")  -> 2
/// ```
final class SeriesKeys {
    /// What one operand adds.
    private struct Key {
        let name: String
        let number: Int
        let way: Way
        let labels = LabelTable()
    }

    private enum Way {
        case shared(SharedPart)
        /// An attribute of the span, else of its resource.
        case attribute(withResource: Bool)
        case each
    }

    private var keys: [Key] = []
    private var tables: [SeriesTable] = []
    private let limit: Int
    /// Whether there were more series than there is room for.
    private(set) var isFull = false

    /// No series: there was no room for it.
    static let untold = UInt32.max

    /// - Parameter limit: Series at most.
    init(_ operands: [TraceQL.Operand], limit: Int, _ table: inout OperandTable) {
        self.limit = limit
        for operand in operands {
            keys.append(
                Key(
                    name: "\(operand)",
                    number: table.number(of: operand),
                    way: Self.way(operand)
                )
            )
            tables.append(SeriesTable(limit: limit))
        }
    }

    private static func way(_ operand: TraceQL.Operand) -> Way {
        if let part = SharedPart(operand) { return .shared(part) }
        if case .attribute(let attribute) = operand {
            if attribute.scope == .span { return .attribute(withResource: false) }
            if attribute.scope == .any { return .attribute(withResource: true) }
        }
        return .each
    }

    /// Whether all spans are of one series.
    var isSingle: Bool { keys.isEmpty }

    /// Series so far.
    var count: Int { tables.last?.count ?? 1 }

    /// By span of `selection`: its series, or `untold`.
    func series(of selection: borrowing SelectedSpans, _ batch: MeasuredBatch) throws -> [UInt32] {
        var series = [UInt32](repeating: 0, count: selection.count)
        for (depth, key) in keys.enumerated() {
            var labels = [UInt32](repeating: LabelTable.untold, count: selection.count)
            try Self.find(&labels, key, selection, batch)
            for place in series.indices where series[place] != Self.untold {
                let label = labels[place]
                series[place] =
                    label == LabelTable.untold
                    ? Self.untold : tables[depth].number(series[place], label)
                if series[place] == Self.untold { isFull = true }
            }
        }
        return series
    }

    private static func find(
        _ labels: inout [UInt32],
        _ key: Key,
        _ selection: borrowing SelectedSpans,
        _ batch: MeasuredBatch
    ) throws {
        switch key.way {
        case .shared(let part):
            var known = [UInt32](
                repeating: LabelTable.untold,
                count: part.placeCount(in: batch.spans.columns)
            )
            try part.forEach(selection, batch.spans) { place, value in
                if known[value] == LabelTable.untold {
                    known[value] = try label(key, selection, place, batch)
                }
                labels[place] = known[value]
            }
        case .attribute(let withResource):
            let spans = batch.spans
            let id = batch.examined.keys[key.number]
            let resources = spans.columns.resources.count
            var known = [UInt32](repeating: LabelTable.untold, count: resources)
            var missing: UInt32?
            for place in 0..<selection.count {
                let row = selection.rows[place]
                let found = id.flatMap { id in
                    spans.columns.spanAttributes[row].rows.first {
                        spans.columns.attributes.key[$0] == id
                    }
                }
                if let found {
                    labels[place] = key.labels.number(of: found, in: spans.columns)
                } else if withResource {
                    let resource = Int(spans.columns.resource[row])
                    if known[resource] == LabelTable.untold {
                        known[resource] = try label(key, selection, place, batch)
                    }
                    labels[place] = known[resource]
                } else {
                    missing = missing ?? key.labels.number(of: .nothing)
                    labels[place] = missing ?? LabelTable.untold
                }
            }
        case .each:
            for place in 0..<selection.count {
                labels[place] = try label(key, selection, place, batch)
            }
        }
    }

    private static func label(
        _ key: Key,
        _ selection: borrowing SelectedSpans,
        _ place: Int,
        _ batch: MeasuredBatch
    ) throws -> UInt32 {
        let value = batch.value(
            of: key.number,
            row: selection.rows[place],
            trace: selection.traces[place]
        )
        return key.labels.number(of: value)
    }

    /// The labels of a series.
    func labels(of series: Int) -> [MeasuredSeries.Label] {
        var labels: [MeasuredSeries.Label] = []
        var number = UInt32(series)
        for depth in keys.indices.reversed() {
            let (above, label) = tables[depth].pairs[Int(number)]
            labels.append(
                .init(name: keys[depth].name, value: keys[depth].labels.values[Int(label)])
            )
            number = above
        }
        return labels.reversed()
    }
}

/// Numbers for pairs of numbers, in the order in which they come.
struct SeriesTable {
    private var numbers: KeyedSlots<UInt32>
    /// By number.
    private(set) var pairs: [(UInt32, UInt32)] = []

    init(limit: Int) { numbers = KeyedSlots(SeriesKeys.untold, limit: limit) }

    var count: Int { pairs.count }

    /// The number of a pair; `SeriesKeys.untold` where there is no room for one more.
    @inline(__always)
    mutating func number(_ first: UInt32, _ second: UInt32) -> UInt32 {
        var result = SeriesKeys.untold
        let next = UInt32(pairs.count)
        let hasRoom = numbers.change(UInt64(first) << 32 | UInt64(second)) { number in
            if number == SeriesKeys.untold { number = next }
            result = number
        }
        if hasRoom, result == next { pairs.append((first, second)) }
        return result
    }
}
