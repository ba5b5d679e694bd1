// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The traces of several parts in the order of the part that they are joined into.
///
/// Most traces lie in one input whole and are copied as they are. One whose spans lie in several is
/// *mixed*: its rows are put in order one by one, and exact duplicates left out.
struct MergeOrder {
    struct Trace {
        var id: TraceID
        var start: UInt64
        /// The input, or -1 for a mixed trace.
        var input: Int32
        /// Trace row of the input; of a mixed trace its number among them.
        var row: UInt32
        /// Span rows of the input; of a mixed trace only how many it has.
        var first: UInt32
        var count: UInt32

        /// Where the trace lies in its input.
        var place: PartTrace {
            PartTrace(row: Int(row), rows: Int(first)..<Int(first) + Int(count), start: start)
        }
    }

    /// A span of a mixed trace.
    struct Row {
        var input: UInt32
        var row: UInt32
    }

    private(set) var traces: [Trace] = []
    /// Spans of all of them.
    private(set) var spanCount = 0
    private(set) var droppedTraces = 0
    /// Spans of mixed traces, trace after trace.
    private var mixedRows: [Row] = []
    private var mixedEnds: [Int] = []

    /// The spans of mixed trace `index`, in order.
    func rows(ofMixed index: Int) -> ArraySlice<Row> {
        mixedRows[(index == 0 ? 0 : mixedEnds[index - 1])..<mixedEnds[index]]
    }

    /// - Parameter dropped: traces to leave out.
    init(_ inputs: [MergeInput], dropping dropped: Set<TraceID>) throws(PartDamage) {
        for (number, input) in inputs.enumerated() {
            for block in input.directory.traceBlocks.indices {
                let highs = try input.reader.numbers(.traceHigh, block)
                let lows = try input.reader.numbers(.traceLow, block)
                for (index, trace) in try input.reader.traces(block: block).enumerated() {
                    let id = TraceID(high: highs[index], low: lows[index])
                    if dropped.contains(id) {
                        droppedTraces += 1
                        continue
                    }
                    traces.append(
                        Trace(
                            id: id,
                            start: trace.start,
                            input: Int32(number),
                            row: UInt32(trace.row),
                            first: UInt32(trace.rows.lowerBound),
                            count: UInt32(trace.rows.count)
                        )
                    )
                    spanCount += trace.rows.count
                }
            }
            input.reader.release()
        }
        if inputs.count > 1 { try mix(inputs) }
        traces.sort { $0.start == $1.start ? $0.id < $1.id : $0.start < $1.start }
    }

    /// Makes one trace of those that share an id.
    private mutating func mix(_ inputs: [MergeInput]) throws(PartDamage) {
        var groups: [[Trace]] = []
        do {
            var order = Array(traces.indices)
            order.sort {
                let a = traces[$0]
                let b = traces[$1]
                if a.id.low != b.id.low { return a.id.low < b.id.low }
                if a.id.high != b.id.high { return a.id.high < b.id.high }
                return a.input < b.input
            }
            var isMixed = [Bool](repeating: false, count: traces.count)
            var first = 0
            while first < order.count {
                var end = first + 1
                while end < order.count, traces[order[end]].id == traces[order[first]].id {
                    end += 1
                }
                if end > first + 1 {
                    groups.append(order[first..<end].map { traces[$0] })
                    for index in order[first..<end] { isMixed[index] = true }
                }
                first = end
            }
            guard !groups.isEmpty else { return }
            var index = -1
            traces.removeAll { _ in
                index += 1
                return isMixed[index]
            }
        }
        // In order of the rows, so that blocks are unpacked once.
        groups.sort { ($0[0].input, $0[0].row) < ($1[0].input, $1[0].row) }
        for group in groups { try mix(group, inputs) }
        for input in inputs { input.reader.release() }
    }

    private mutating func mix(_ group: [Trace], _ inputs: [MergeInput]) throws(PartDamage) {
        var keys: [MixedKey] = []
        for member in group {
            let input = inputs[Int(member.input)]
            spanCount -= Int(member.count)
            try Self.collect(member.place, member, input, &keys)
        }
        keys.sort { a, b in
            if a.start != b.start { return a.start < b.start }
            if a.span != b.span { return a.span < b.span }
            return (a.row.input, a.row.row) < (b.row.input, b.row.row)
        }
        let isKept = try Self.distinct(keys, group, inputs)
        let first = mixedRows.count
        for (key, isKept) in zip(keys, isKept) where isKept { mixedRows.append(key.row) }
        spanCount += mixedRows.count - first
        mixedEnds.append(mixedRows.count)
        traces.append(
            Trace(
                id: group[0].id,
                start: keys.first?.start ?? 0,
                input: -1,
                row: UInt32(mixedEnds.count - 1),
                first: 0,
                count: UInt32(mixedRows.count - first)
            )
        )
    }

    private struct MixedKey {
        var start: UInt64
        var span: UInt64
        var row: Row
    }

    private static func collect(
        _ trace: PartTrace,
        _ member: Trace,
        _ input: MergeInput,
        _ keys: inout [MixedKey]
    ) throws(PartDamage) {
        let blockRows = input.directory.blockRows
        for block in trace.rows.lowerBound / blockRows...(trace.rows.upperBound - 1) / blockRows {
            let starts = try input.reader.starts(of: trace, block)
            let ids = try input.reader.numbers(.spanID, block)
            let base = block * blockRows
            let first = max(trace.rows.lowerBound, base)
            for (index, start) in starts.enumerated() {
                keys.append(
                    MixedKey(
                        start: start,
                        span: ids[first - base + index],
                        row: Row(input: UInt32(member.input), row: UInt32(first + index))
                    )
                )
            }
        }
    }

    /// Which spans of a trace are no exact duplicates of others. `keys` are sorted.
    ///
    /// Spans that share id and start are unpacked whole to be compared, a bounded number at a time:
    /// should more than that share them, duplicates may stay, which queries drop as well.
    private static func distinct(
        _ keys: [MixedKey],
        _ group: [Trace],
        _ inputs: [MergeInput]
    ) throws(PartDamage) -> [Bool] {
        var isKept = [Bool](repeating: true, count: keys.count)
        var alike: [Range<Int>] = []
        var total = 0
        var index = 0
        while index < keys.count {
            var end = index + 1
            while end < keys.count, keys[end].start == keys[index].start,
                keys[end].span == keys[index].span, end - index < Limits.comparedSpans
            {
                end += 1
            }
            if end - index > 1 {
                alike.append(index..<end)
                total += end - index
            }
            if total >= Limits.comparedSpans {
                try compare(alike, keys, group, inputs, &isKept)
                alike = []
                total = 0
            }
            index = end
        }
        try compare(alike, keys, group, inputs, &isKept)
        return isKept
    }

    /// Unsets `isKept` for spans that repeat one before in the same range.
    private static func compare(
        _ alike: [Range<Int>],
        _ keys: [MixedKey],
        _ group: [Trace],
        _ inputs: [MergeInput],
        _ isKept: inout [Bool]
    ) throws(PartDamage) {
        guard !alike.isEmpty else { return }
        var places: [SpanReference] = []
        let wanted = alike.flatMap { $0 }
        for index in wanted.indices {
            places.append(SpanReference(table: 0, row: UInt32(index)))
        }
        var tables: [SpanTable] = []
        for member in group {
            let input = inputs[Int(member.input)]
            let own = wanted.indices.filter { keys[wanted[$0]].row.input == UInt32(member.input) }
                .sorted { keys[wanted[$0]].row.row < keys[wanted[$1]].row.row }
            guard !own.isEmpty else { continue }
            var columns = SpanColumns()
            var copier = SpanCopier(source: input.vocabulary.shared.columns)
            var first = 0
            while first < own.count {
                let row = Int(keys[wanted[own[first]]].row.row)
                var end = first + 1
                while end < own.count,
                    Int(keys[wanted[own[end]]].row.row) == row + end - first
                {
                    end += 1
                }
                let rows = row..<row + end - first
                try input.reader.append(
                    member.place,
                    member.id,
                    rows: rows,
                    to: &columns,
                    &copier
                )
                first = end
            }
            for (row, index) in own.enumerated() {
                places[index] = SpanReference(table: UInt32(tables.count), row: UInt32(row))
            }
            tables.append(SpanTable(columns))
        }
        var next = 0
        for range in alike {
            let own = places[next..<next + range.count]
            var kept = SpanSorting.distinct(Array(own), of: tables)[...]
            for (index, place) in zip(range, own) {
                if let first = kept.first, first.table == place.table, first.row == place.row {
                    kept.removeFirst()
                } else {
                    isKept[index] = false
                }
            }
            next += range.count
        }
    }
}
