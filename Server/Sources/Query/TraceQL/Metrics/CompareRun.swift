// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// `compare({…})`: how often each value of each attribute stands on the spans that meet a condition,
/// and how often on the others.
///
/// A value is a number of `values`; spans are counted by value, step and side:
/// ```
/// attributes  0 name   1 span.zone     values  (0, "GET") -> 0   (1, "eu") -> 1   (1, all) -> 2
/// counts      (value 1, step 5, selection) -> 17
/// ```
final class CompareRun: MeasureRun {
    /// An attribute of spans, one of resources, or an intrinsic.
    private final class Attribute {
        let name: String
        let labels = LabelTable()

        init(_ name: String) { self.name = name }
    }

    private let grid: StepGrid
    private let share: TraceShare
    private let selection: SelectionProgram
    private let conditions: [RowCondition]
    /// When spans of the selection start.
    private let selected: Range<UInt64>
    private let top: Int
    private let operands: OperandTable
    private let intrinsics: [(attribute: Int, operand: Int)]
    let fields: SpanFields
    /// A span stands for nothing in particular here.
    let exemplarCount = Int.max
    func limitExemplars(to count: Int) {}
    private(set) var examined = (traces: 0, spans: 0)

    private var attributes: [Attribute] = []
    private var attributeOfName: [String: Int] = [:]
    private var values = SeriesTable(limit: RunLimits.comparedValueCount)
    private var counts: ComparedCounts
    private var isFull = false
    private var reasons: [String] = []

    /// The number of a label that stands for all values of the attribute.
    private static let all = LabelTable.untold - 1

    init(
        _ pipeline: TraceQL.Pipeline,
        _ condition: TraceQL.Field?,
        top: Int64?,
        _ times: (start: Int64?, end: Int64?),
        _ context: MeasureContext
    ) throws(QueryError) {
        grid = context.grid
        counts = ComparedCounts(stepCount: context.grid.count)
        share = context.share
        self.top = Int(clamping: max(top ?? RunLimits.comparedTopCount, 1))
        let start = UInt64(clamping: times.start ?? 0)
        selected = start..<max(start, times.end.map { UInt64(clamping: $0) } ?? .max)
        var table = OperandTable()
        selection = try SelectionProgram(pipeline, context.share, &table)
        var conditions: [RowCondition] = []
        for field in condition?.conjuncts ?? [] {
            conditions.append(try RowCondition(field, &table))
        }
        self.conditions = conditions
        var intrinsics: [(Int, Int)] = []
        for (intrinsic, name) in Self.comparedIntrinsics {
            attributeOfName[name] = attributes.count
            intrinsics.append((attributes.count, table.number(of: .intrinsic(intrinsic))))
            attributes.append(Attribute(name))
        }
        self.intrinsics = intrinsics
        operands = table
        // Every attribute of every span.
        fields = SpanFields(
            table.fields.columns.union(.traceState),
            attributeKeys: nil
        )
    }

    private static let comparedIntrinsics: [(TraceQL.Intrinsic, String)] = [
        (.name, "name"), (.status, "status"), (.kind, "kind"),
        (.statusMessage, "statusMessage"), (.rootName, "rootName"),
        (.rootService, "rootServiceName"),
    ]

    func add(_ walked: WalkedTraces) throws {
        let batch = MeasuredBatch(walked, operands)
        let found = try selection.spans(of: batch, grid, examined: &examined)
        reasons = batch.examined.incomplete.first.map { [$0] } ?? reasons
        guard found.count > 0 else { return }
        let sides = try sides(of: found, batch)
        let weights = SamplingWeights.weights(of: found, batch.spans)
        // By span: twice its step, and one more for the selection.
        let cells = zip(found.steps, sides).map { $0 << 1 | $1 }
        for (attribute, operand) in intrinsics {
            count(attribute, operand, found, batch, cells, weights)
        }
        countAttributes(found, batch.spans, cells, weights)
    }

    private func countAttributes(
        _ found: borrowing SelectedSpans,
        _ spans: TraceSpans,
        _ cells: [Int],
        _ weights: [Double]?
    ) {
        // By string id of a key: -2 for not asked yet.
        var known = [Int](repeating: -2, count: spans.columns.strings.count)
        // By resource: numbers of its values, and of all values of their attributes.
        var resources = [[(value: UInt32, all: UInt32)]?](
            repeating: nil,
            count: spans.columns.resources.count
        )
        for (place, row) in found.rows.enumerated() {
            let cell = cells[place]
            let weight = weights?[place] ?? 1
            for attribute in spans.columns.spanAttributes[row].rows {
                let key = Int(spans.columns.attributes.key[attribute])
                if known[key] == -2 { known[key] = self.attribute("span.", UInt32(key), spans) }
                if let (value, all) = value(attribute, of: known[key], spans) {
                    count(value, all, cell, weight)
                }
            }
            let resource = Int(spans.columns.resource[row])
            if resources[resource] == nil { resources[resource] = valuesOf(resource, spans) }
            for (value, all) in resources[resource] ?? [] { count(value, all, cell, weight) }
        }
    }

    /// By span: 1 for one of the selection, else 0.
    private func sides(of found: borrowing SelectedSpans, _ batch: MeasuredBatch) throws -> [Int] {
        let all = copy found
        var kept = all
        kept.filter { selected.contains(batch.spans.columns.start[all.rows[$0]]) }
        for condition in conditions { try condition.filter(&kept, batch) }
        var sides = [Int](repeating: 0, count: all.count)
        var next = 0
        // Both are in the order of their rows.
        for (place, row) in all.rows.enumerated() where next < kept.count {
            guard kept.rows[next] == row else { continue }
            sides[place] = 1
            next += 1
        }
        return sides
    }

    // MARK: Counting

    private func attribute(_ scope: String, _ key: UInt32, _ spans: TraceSpans) -> Int {
        let name = scope + spans.columns.strings.text(key)
        if let number = attributeOfName[name] { return number }
        guard attributes.count < RunLimits.comparedAttributeCount else {
            isFull = true
            return -1
        }
        attributeOfName[name] = attributes.count
        attributes.append(Attribute(name))
        return attributes.count - 1
    }

    /// Counts the values of an intrinsic, each looked up once where spans of the batch share it.
    private func count(
        _ attribute: Int,
        _ operand: Int,
        _ found: borrowing SelectedSpans,
        _ batch: MeasuredBatch,
        _ cells: [Int],
        _ weights: [Double]?
    ) {
        let labels = attributes[attribute].labels
        let all = values.number(UInt32(attribute), Self.all)
        let spans = batch.spans
        let part = SharedPart(batch.examined.operands[operand])
        // What spans do not share is of the trace.
        let count = part?.placeCount(in: spans.columns) ?? batch.walked.rows.count
        var known = [UInt32?](repeating: nil, count: count)
        for (place, row) in found.rows.enumerated() {
            let key = part?.place(row, in: spans.columns) ?? found.traces[place]
            let value: UInt32
            if let number = known[key] {
                value = number
            } else {
                let label = labels.number(
                    of: batch.value(of: operand, row: row, trace: found.traces[place])
                )
                value =
                    label == LabelTable.untold
                    ? SeriesKeys.untold : values.number(UInt32(attribute), label)
                known[key] = value
            }
            self.count(value, all, cells[place], weights?[place] ?? 1)
        }
    }

    /// The numbers of the value in attribute row `row` and of all values of its attribute; `nil` for
    /// one that is not compared.
    private func value(
        _ row: Int,
        of attribute: Int,
        _ spans: TraceSpans
    ) -> (value: UInt32, all: UInt32)? {
        guard attribute >= 0 else { return nil }
        switch spans.columns.attributes.type(row) {
        case .bytes, .map, .empty: return nil
        case .string, .bool, .int, .double, .array: break
        }
        let label = attributes[attribute].labels.number(of: row, in: spans.columns)
        let all = values.number(UInt32(attribute), Self.all)
        guard label < Self.all else { return (SeriesKeys.untold, all) }
        return (values.number(UInt32(attribute), label), all)
    }

    private func valuesOf(
        _ resource: Int,
        _ spans: TraceSpans
    ) -> [(value: UInt32, all: UInt32)] {
        spans.columns.resources.attributes[resource].rows.compactMap { row in
            let key = spans.columns.attributes.key[row]
            return value(row, of: attribute("resource.", key, spans), spans)
        }
    }

    private func count(_ value: UInt32, _ all: UInt32, _ cell: Int, _ weight: Double) {
        let hasValue = value != SeriesKeys.untold && counts.add(value, cell, weight)
        let hasAll = all != SeriesKeys.untold && counts.add(all, cell, weight)
        if !hasValue || !hasAll { isFull = true }
    }

    // MARK: Telling

    var incomplete: [String] {
        guard isFull else { return reasons }
        return reasons + [
            "there are more values to compare than fit; those that came last are left out: ask for "
                + "less time or for a larger step"
        ]
    }

    func series() -> [MeasuredSeries.Series] {
        var sums: [Line: Double] = [:]
        counts.forEach { value, cell, count in sums[Line(value, cell), default: 0] += count }
        var values: [Line: [Double?]] = [:]
        for line in told(sums) { values[line] = Array(repeating: 0, count: grid.count) }
        counts.forEach { value, cell, count in
            values[Line(value, cell)]?[cell >> 1] = count * share.scale
        }
        return values.map { .init(labels: labels(of: $0), values: $1) }
    }

    /// A value of an attribute, or all of them, on one side.
    private struct Line: Hashable {
        var value: Int
        var isSelection: Bool

        init(_ value: Int, _ cell: Int) {
            self.value = value
            isSelection = cell & 1 == 1
        }

        var cell: Int { isSelection ? 1 : 0 }
    }

    /// Of each attribute and side the values that most spans have, and what they are parts of.
    private func told(_ sums: [Line: Double]) -> [Line] {
        var wholes: [(attribute: UInt32, line: Line)] = []
        var byAttribute: [[(line: Line, sum: Double)]] =
            Array(repeating: [], count: 2 * attributes.count)
        for (line, sum) in sums {
            let (attribute, label) = values.pairs[line.value]
            if label == Self.all {
                wholes.append((attribute, line))
            } else {
                byAttribute[2 * Int(attribute) + (line.isSelection ? 1 : 0)].append((line, sum))
            }
        }
        // The same ones every time, where not all are told.
        wholes.sort { ($0.attribute, $0.line.cell) < ($1.attribute, $1.line.cell) }
        var lines = wholes.map(\.line)
        for all in byAttribute where !all.isEmpty {
            // Few of many: most need not be told apart by their labels.
            let least = all.map(\.sum).sorted(by: >)[min(top, all.count) - 1]
            let first = all.filter { $0.sum > least }.sorted {
                $0.sum == $1.sum
                    ? label(of: $0.line.value).precedes(label(of: $1.line.value)) : $0.sum > $1.sum
            }
            let rest = all.filter { $0.sum == least }.sorted {
                label(of: $0.line.value).precedes(label(of: $1.line.value))
            }
            lines += (first + rest).prefix(top).map(\.line)
        }
        let limit = max(RunLimits.measuredNumberCount / grid.count, 1)
        if lines.count > limit {
            isFull = true
            lines.removeLast(lines.count - limit)
        }
        return lines
    }

    private func label(of value: Int) -> AttributeValue {
        let (attribute, label) = values.pairs[value]
        return label == Self.all ? .empty : attributes[Int(attribute)].labels.values[Int(label)]
    }

    private func labels(of line: Line) -> [MeasuredSeries.Label] {
        let (attribute, label) = values.pairs[line.value]
        let side = line.isSelection ? "selection" : "baseline"
        return [
            .init(
                name: "__meta_type",
                value: .string(label == Self.all ? side + "_total" : side)
            ),
            .init(name: attributes[Int(attribute)].name, value: self.label(of: line.value)),
        ]
    }
}
