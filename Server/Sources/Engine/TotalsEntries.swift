// SPDX-License-Identifier: Apache-2.0

/// The spans of a section while they are counted: in each row by latency, finely, and minute.
///
/// Gathered as they come, sorted a run at a time, given back row by row. A span takes 4 bytes, and 16
/// more while its run is gathered and sorted: a merge of millions of spans stays small.
struct TotalsEntries: ~Copyable {
    /// Spans in order of row, cell, minute and fine step.
    private struct Run {
        /// As `TotalsPageWriter.add` takes them.
        var spans: [UInt32]
        /// By row: its first span; one more for the end.
        var firsts: [UInt32]

        func spans(of row: Int) -> ArraySlice<UInt32> {
            // Rows that came later have none here.
            guard row + 1 < firsts.count else { return [] }
            return spans[Int(firsts[row])..<Int(firsts[row + 1])]
        }
    }

    private static let spanBits: UInt64 = 17

    private var runs: [Run] = []
    /// A span each: row, cell (9 bits), minute (4), fine step (4).
    private var open: [UInt64] = []

    /// - Parameters:
    ///   - bucket: 0 for zero, else 16 + the number of its `LatencyBucket`; see `TotalsCell`.
    ///   - minute: in the row's window.
    @inline(__always)
    mutating func append(row: Int, bucket: UInt64, minute: UInt64) {
        open.append(
            UInt64(row) << Self.spanBits | (bucket & ~0xF) << 4 | minute << 4 | bucket & 0xF
        )
        if open.count == Limits.totalsRunSpans { finishRun() }
    }

    /// Sorts what was gathered since the last run: to be called once before spans are asked for.
    mutating func finishRun() {
        guard let most = open.max() else { return }
        PackedSort.sort(&open, bits: Int.bitWidth - most.leadingZeroBitCount)
        let rowCount = Int(most >> Self.spanBits) + 1
        var run = Run(spans: [], firsts: [])
        run.spans.reserveCapacity(open.count)
        run.firsts.reserveCapacity(rowCount + 1)
        for (place, span) in open.enumerated() {
            let row = Int(span >> Self.spanBits)
            while run.firsts.count <= row { run.firsts.append(UInt32(place)) }
            run.spans.append(UInt32(span & (1 << Self.spanBits - 1)))
        }
        run.firsts.append(UInt32(open.count))
        runs.append(run)
        open.removeAll(keepingCapacity: true)
    }

    /// The spans of a row, ascending.
    func spans(of row: Int) -> ArraySlice<UInt32> {
        if runs.count == 1 { return runs[0].spans(of: row) }
        var all: [UInt32] = []
        for run in runs { all += run.spans(of: row) }
        // A few runs that are in order each, which the sort finds and joins.
        all.sort()
        return all[...]
    }
}
