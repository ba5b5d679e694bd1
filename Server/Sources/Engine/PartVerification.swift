// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

extension Part {
    /// Reads and decodes every byte of the part, a block at a time, and compares what it holds with
    /// what directory and manifest say.
    func verify() throws(PartDamage) {
        let decompressor = Decompressor()
        for column in directory.columns {
            for reference in [column.dictionary] + column.chunks {
                if let reference { _ = try chunk(reference, decompressor) }
            }
        }
        guard UInt64(directory.spanCount) == entry.spanCount,
            directory.blocks.reduce(0, { $0 + $1.rowCount }) == directory.spanCount
        else { throw damage("its blocks do not have \(entry.spanCount) spans together") }
        var reader = PartReader(self)
        var first = UInt64.max
        var last: UInt64 = 0
        var row = 0
        for block in directory.blocks {
            var columns = SpanColumns(capacity: block.rowCount)
            var copier = SpanCopier(source: shared.columns)
            try reader.append(row..<row + block.rowCount, to: &columns, &copier)
            guard columns.count == block.rowCount else {
                throw damage("a block has \(columns.count) spans instead of \(block.rowCount)")
            }
            for index in 0..<columns.count {
                first = min(first, columns.start[index])
                last = max(last, columns.start[index])
            }
            row += block.rowCount
        }
        guard first == entry.firstStart, last == entry.lastStart else {
            throw damage("its spans do not begin when the manifest says")
        }
        try verifyTraces(&reader)
    }

    private func verifyTraces(_ reader: inout PartReader) throws(PartDamage) {
        var traceCount = 0
        var row = 0
        for block in directory.traceBlocks.indices {
            for trace in try reader.traces(block: block) {
                guard trace.rows.lowerBound == row else {
                    throw damage("its traces do not follow one another")
                }
                row = trace.rows.upperBound
                traceCount += 1
            }
        }
        guard traceCount == directory.traceCount, row == directory.spanCount else {
            throw damage("its traces do not have \(directory.spanCount) spans together")
        }
    }
}
