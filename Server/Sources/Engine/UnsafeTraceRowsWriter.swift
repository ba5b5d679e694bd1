// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Writes the rows of traces, and at the end the index and the filter of their ids.
struct TraceRowsWriter: ~Copyable {
    /// What a part knows of a trace.
    struct Row {
        var id: TraceID
        /// Earliest start of its spans.
        var start: UInt64
        /// See `PartField.traceDuration`.
        var duration: UInt64
        var spanCount: Int
        /// See `PartField.traceRoot`.
        var root: UInt32
    }

    /// What the directory says of traces.
    struct Result {
        var traceCount: Int
        var blocks: [PartDirectory.TraceBlock]
        var indexBlocks: [PartDirectory.IndexBlock]
        /// In the order of the fields.
        var columns: [PartDirectory.Column]
        var filter: TraceFilter
    }

    private static let fields: [PartField] = [
        .traceHigh, .traceLow, .traceStart, .traceDuration, .traceSpanCount, .traceRoot,
    ]

    private let blockRows: Int
    private var columns = FieldColumns(Self.fields, blockCount: 0)
    private var blocks: [PartDirectory.TraceBlock] = []
    private var block: PartDirectory.TraceBlock?
    private var firstSpan = 0
    private var lows = Column<UInt64>()

    init(blockRows: Int) { self.blockRows = blockRows }

    mutating func append(_ row: Row, to output: inout PartOutput) throws(DiskError) {
        var block =
            block
            ?? PartDirectory.TraceBlock(
                rowCount: 0,
                firstSpan: firstSpan,
                firstStart: row.start,
                lastStart: row.start,
                longest: 0,
                shortest: .max
            )
        columns.append(row.id.high, .traceHigh)
        columns.append(row.id.low, .traceLow)
        columns.append(row.start &- block.lastStart, .traceStart)
        columns.append(row.duration, .traceDuration)
        columns.append(UInt64(row.spanCount), .traceSpanCount)
        columns.append(UInt64(row.root), .traceRoot)
        lows.append(row.id.low)
        firstSpan += row.spanCount
        block.rowCount += 1
        block.lastStart = row.start
        block.longest = max(block.longest, row.duration)
        block.shortest = min(block.shortest, row.duration)
        self.block = block
        if block.rowCount == blockRows { try finishBlock(to: &output) }
    }

    private mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        guard let finished = block else { return }
        try columns.finishBlock(to: &output)
        blocks.append(finished)
        block = nil
    }

    mutating func finish(to output: inout PartOutput) throws(DiskError) -> Result {
        try finishBlock(to: &output)
        var filter = TraceFilter(traceCount: lows.count)
        for row in 0..<lows.count { filter.insert(lows[row]) }
        var result = Result(
            traceCount: lows.count,
            blocks: blocks,
            indexBlocks: [],
            columns: try columns.finish(to: &output),
            filter: filter
        )
        try writeIndex(&result, to: &output)
        return result
    }

    private func writeIndex(
        _ result: inout Result,
        to output: inout PartOutput
    ) throws(DiskError) {
        let order = lows.withElements { lows -> [UInt32] in
            var order = Array(0..<UInt32(lows.count))
            // Bound: the places of `lows`.
            order.sort { a, b in
                let (x, y) = (lows[Int(a)], lows[Int(b)])
                return x == y ? a < b : x < y
            }
            return order
        }
        var index = FieldColumns([.indexKey, .indexRow], blockCount: 0)
        var first = 0
        while first < order.count {
            let end = min(first + blockRows, order.count)
            let smallest = lows[Int(order[first])]
            let largest = lows[Int(order[end - 1])]
            for row in order[first..<end] {
                index.append(
                    TraceIndex.key(of: lows[Int(row)], in: smallest, largest) ?? 0,
                    .indexKey
                )
                index.append(UInt64(row), .indexRow)
            }
            try index.finishBlock(to: &output)
            result.indexBlocks.append(
                PartDirectory.IndexBlock(rowCount: end - first, first: smallest, last: largest)
            )
            first = end
        }
        result.columns += try index.finish(to: &output)
    }
}
