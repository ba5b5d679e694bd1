// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

extension Part {
    /// Reads and decodes every byte of the part, a trace at a time, and compares what it holds with
    /// what directory and manifest say.
    func verify() throws(PartDamage) {
        let scratch = ReadScratch()
        for index in directory.columns.indices { try verify(column: index, scratch) }
        for reference in directory.totals { _ = try chunk(reference) }
        var reader = PartReader(self, scratch)
        for (count, table) in [
            (try reader.vocabulary.forms.count, directory.formPostings),
            (try reader.vocabulary.content.resources.count, directory.resourcePostings),
            (try reader.vocabulary.eventForms.count, directory.eventFormPostings),
        ] {
            try verify(postings: table, of: count, scratch)
        }
        guard UInt64(directory.spanCount) == entry.spanCount,
            directory.blocks.reduce(0, { $0 + $1.rowCount }) == directory.spanCount
        else { throw damage("its blocks do not have \(entry.spanCount) spans together") }
        try verifyTraces(&reader)
        try verifyIndex(&reader)
    }

    /// Reads the chunks of a column, its dictionary and its indexes.
    private func verify(column index: Int, _ scratch: ReadScratch) throws(PartDamage) {
        for reference in directory.columns[index].chunks where !reference.isNone {
            _ = try chunk(reference)
        }
        if let filter = try filter(index) {
            for page in filter.pages { _ = try chunk(page) }
        }
        guard let dictionary = try dictionary(index, scratch.decompressor) else { return }
        var last: [UInt8]?
        for (number, page) in dictionary.pages.enumerated() {
            let texts = try readTexts(number, of: dictionary, scratch.decompressor)
            for place in 0..<texts.count {
                let text = Array(texts[place])
                if let last, !last.lexicographicallyPrecedes(text) {
                    throw damage("the texts of a dictionary are not in order")
                }
                last = text
            }
            try verify(postings: page.postings, of: page.count, scratch)
        }
    }

    private func verify(
        postings reference: ChunkReference,
        of count: Int,
        _ scratch: ReadScratch
    ) throws(PartDamage) {
        if reference.isNone { return }
        let lists = try postings(reference, scratch.decompressor)
        guard lists.count == count else { throw damage("a list of blocks is too short") }
        do throws(CorruptBytes) {
            _ = try lists.all()
        } catch { throw damage(error.what) }
    }

    /// Reads every span.
    private func verifyTraces(_ reader: inout PartReader) throws(PartDamage) {
        var traceCount = 0
        var row = 0
        var first = UInt64.max
        var last: UInt64 = 0
        for block in directory.traceBlocks.indices {
            for trace in try reader.traces(block: block) {
                guard trace.rows.lowerBound == row else {
                    throw damage("its traces do not follow one another")
                }
                row = trace.rows.upperBound
                traceCount += 1
                var columns = SpanColumns(capacity: trace.rows.count)
                var copier = SpanCopier(source: try reader.vocabulary.shared.columns)
                try reader.append(trace, to: &columns, &copier)
                guard columns.count == trace.rows.count else {
                    throw damage("a trace has \(columns.count) spans, not \(trace.rows.count)")
                }
                for index in 0..<columns.count {
                    first = min(first, columns.start[index])
                    last = max(last, columns.start[index])
                }
            }
        }
        guard traceCount == directory.traceCount, row == directory.spanCount else {
            throw damage("its traces do not have \(directory.spanCount) spans together")
        }
        guard first == entry.firstStart, last == entry.lastStart else {
            throw damage("its spans do not begin when the manifest says")
        }
    }

    /// Compares the index and the filter of trace ids with the traces.
    private func verifyIndex(_ reader: inout PartReader) throws(PartDamage) {
        var isFound = Array(repeating: false, count: directory.traceCount)
        for (block, info) in directory.indexBlocks.enumerated() {
            let keys = try reader.numbers(.indexKey, block)
            for (key, row) in zip(keys, try reader.numbers(.indexRow, block)) {
                let row = Int(row)
                let low = try reader.numbers(.traceLow, row / directory.blockRows)[
                    row % directory.blockRows
                ]
                guard TraceIndex.key(of: low, in: info.first, info.last) == key, !isFound[row],
                    directory.filter.mayContain(low)
                else { throw damage("its index of trace ids is wrong") }
                isFound[row] = true
            }
        }
        guard !isFound.contains(false) else { throw damage("a trace is not in its index") }
    }
}
