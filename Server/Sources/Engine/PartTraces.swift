// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// One trace of a part.
struct PartTrace: Equatable {
    /// Its row among the traces of the part.
    var row: Int
    /// Its span rows.
    var rows: Range<Int>
    /// The earliest start among them.
    var start: UInt64
}

extension PartReader {
    /// The traces of one block of traces, in order of start.
    mutating func traces(block: Int) throws(PartDamage) -> [PartTrace] {
        let info = directory.traceBlocks[block]
        let counts = try packed(.traceSpanCount, block).values
        let steps = try packed(.traceStart, block).values
        let base = block * directory.blockRows
        let end = lastSpan(block)
        var first = info.firstSpan
        var start = info.firstStart
        var found: [PartTrace] = []
        found.reserveCapacity(counts.count)
        for index in counts.indices {
            guard counts[index] > 0, counts[index] <= UInt64(end - first) else {
                throw part.damage("a trace is too long")
            }
            start &+= steps[index]
            let next = first + Int(counts[index])
            found.append(PartTrace(row: base + index, rows: first..<next, start: start))
            first = next
        }
        guard first == end else { throw part.damage("rows have no trace") }
        return found
    }

    /// Where the span rows of a block of traces end.
    private func lastSpan(_ block: Int) -> Int {
        block + 1 < directory.traceBlocks.count
            ? directory.traceBlocks[block + 1].firstSpan : directory.spanCount
    }

    /// The trace in row `row`, which must be below the part's count.
    mutating func trace(row: Int) throws(PartDamage) -> PartTrace {
        let block = row / directory.blockRows
        let index = row % directory.blockRows
        let info = directory.traceBlocks[block]
        let counts = try packed(.traceSpanCount, block).values(0..<index + 1)
        let steps = try packed(.traceStart, block).values(0..<index + 1)
        let end = lastSpan(block)
        var first = info.firstSpan
        for count in counts.dropLast() {
            guard count <= UInt64(end - first) else { throw part.damage("a trace is too long") }
            first += Int(count)
        }
        guard counts[index] > 0, counts[index] <= UInt64(end - first) else {
            throw part.damage("a trace is too long")
        }
        return PartTrace(
            row: row,
            rows: first..<first + Int(counts[index]),
            start: steps.reduce(info.firstStart, &+)
        )
    }

    /// The traces that have span rows in `rows`, in their order.
    mutating func traces(in rows: Range<Int>) throws(PartDamage) -> [PartTrace] {
        guard !rows.isEmpty else { return [] }
        var result: [PartTrace] = []
        var block = traceBlock(of: rows.lowerBound)
        while block < directory.traceBlocks.count,
            directory.traceBlocks[block].firstSpan < rows.upperBound
        {
            let info = directory.traceBlocks[block]
            let counts = try numbers(.traceSpanCount, block)
            let steps = try numbers(.traceStart, block)
            let end = lastSpan(block)
            var first = info.firstSpan
            var start = info.firstStart
            let base = block * directory.blockRows
            for index in counts.indices where first < rows.upperBound {
                guard counts[index] > 0, counts[index] <= UInt64(end - first) else {
                    throw part.damage("a trace is too long")
                }
                start &+= steps[index]
                let next = first + Int(counts[index])
                if next > rows.lowerBound {
                    result.append(PartTrace(row: base + index, rows: first..<next, start: start))
                }
                first = next
            }
            block += 1
        }
        return result
    }

    /// The block of traces that span row `row` belongs to.
    private func traceBlock(of row: Int) -> Int {
        var low = 0
        var high = directory.traceBlocks.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if directory.traceBlocks[middle].firstSpan <= row {
                low = middle
            } else {
                high = middle
            }
        }
        return low
    }

    /// The id of a trace.
    mutating func id(of trace: PartTrace) throws(PartDamage) -> TraceID {
        let block = trace.row / directory.blockRows
        let index = trace.row % directory.blockRows
        return TraceID(
            high: try id(.traceHigh, block, index),
            low: try id(.traceLow, block, index)
        )
    }

    /// The traces that a look-up by `id` should find, in their order.
    mutating func find(_ id: TraceID) throws(PartDamage) -> [PartTrace] {
        guard directory.filter.mayContain(id.low) else { return [] }
        var found: [PartTrace] = []
        for (block, info) in directory.indexBlocks.enumerated() {
            guard let key = TraceIndex.key(of: id.low, in: info.first, info.last) else { continue }
            let places = TraceIndex.places(of: key, in: try packed(.indexKey, block))
            guard !places.isEmpty else { continue }
            let rows = try packed(.indexRow, block)
            for place in places {
                guard rows[place] < UInt64(directory.traceCount) else {
                    throw part.damage("a trace is out of range")
                }
                let row = Int(rows[place])
                let traceBlock = row / directory.blockRows
                let index = row % directory.blockRows
                guard try self.id(.traceLow, traceBlock, index) == id.low else { continue }
                let high = try self.id(.traceHigh, traceBlock, index)
                if id.finds(TraceID(high: high, low: id.low)) {
                    found.append(try trace(row: row))
                }
            }
        }
        return found.sorted { $0.row < $1.row }
    }

    /// From its earliest start to its latest end, nanoseconds.
    mutating func duration(of trace: PartTrace) throws(PartDamage) -> UInt64 {
        let block = trace.row / directory.blockRows
        return try packed(.traceDuration, block)[trace.row % directory.blockRows]
    }

    /// The summary of a trace all of whose spans lie in this part. Of its spans only the forms are
    /// read.
    mutating func summary(of trace: PartTrace) throws(PartDamage) -> TraceSummary {
        let vocabulary = try vocabulary
        var counts: [(service: UInt32, spans: Int, errors: Int)] = []
        var tally: [UInt32: (spans: Int, errors: Int)] = [:]
        let blockRows = directory.blockRows
        var row = trace.rows.lowerBound
        while row < trace.rows.upperBound {
            let block = row / blockRows
            let base = block * blockRows
            let end = min(trace.rows.upperBound, base + blockRows)
            for form in try packed(.form, block).values(row - base..<end - base) {
                guard form < UInt64(vocabulary.forms.count) else {
                    throw part.damage("a form is out of range")
                }
                let form = vocabulary.forms[Int(form)]
                let isError = form.status == StatusCode.error.rawValue
                tally[form.service, default: (0, 0)].spans += 1
                if isError { tally[form.service, default: (0, 0)].errors += 1 }
            }
            row = end
        }
        counts = tally.map { ($0.key, $0.value.spans, $0.value.errors) }
        // Names are sorted by bytes, so their ids stand in the order of the texts.
        counts.sort { $0.service < $1.service }
        let block = trace.row / blockRows
        let root = try packed(.traceRoot, block)[trace.row % blockRows]
        guard root < UInt64(vocabulary.forms.count) else {
            throw part.damage("a form is out of range")
        }
        let form = vocabulary.forms[Int(root)]
        return TraceSummary(
            traceID: try id(of: trace),
            rootService: vocabulary.text(form.service),
            rootOperation: vocabulary.text(form.name),
            start: trace.start,
            duration: try duration(of: trace),
            spanCount: trace.rows.count,
            errorCount: counts.reduce(0) { $0 + $1.errors },
            services: counts.map { count in
                TraceSummary.ServiceCount(
                    name: vocabulary.text(count.service),
                    spanCount: count.spans,
                    errorCount: count.errors
                )
            },
            matchedSpans: []
        )
    }
}
