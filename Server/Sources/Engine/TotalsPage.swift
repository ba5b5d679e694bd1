// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// One page of a totals section in memory, as far as a question needs it.
struct TotalsPage: Sendable {
    private let page: TotalsIndex.Page

    /// By row.
    let windows: [UInt64]
    let groups: [UInt64]
    let lowCells: [UInt64]
    /// By row: nanoseconds of its spans, and of the longest.
    let sums: [UInt64]
    let longest: [UInt64]
    /// By row: its first place in `counts`; one more entry at the end.
    let firstCell: [Int]
    /// By request row.
    let requestWindows: [UInt64]
    let edges: [UInt64]
    /// By request row: its first place in `counts`; one more entry at the end.
    let firstRequestCell: [Int]
    /// By cell of a request row.
    let calls: [UInt64]
    /// Spans, then requests, by cell.
    let counts: [UInt64]
    /// By cell of a row: spans of the page before it; one more entry at the end.
    let spansBefore: [Int]

    /// The windows that have rows, ascending; a page can reach over very many that have none.
    let distinctWindows: [UInt64]

    /// Memory held.
    var byteCount: Int {
        8 * (6 * groups.count + 3 * edges.count + calls.count + counts.count + spansBefore.count)
    }

    /// Reads which rows there are and how many spans each cell has. Any bytes are safe: everything
    /// that numbers something else is checked here.
    init(
        _ page: TotalsIndex.Page,
        of index: TotalsIndex,
        _ source: any TotalsSource,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) {
        self.page = page
        let bytes = try source.chunk(page.chunks[TotalsChunk.counts.rawValue])
        do throws(CorruptBytes) {
            var reader = ByteReader(bytes)
            let rows = page.rowCount
            let requests = page.requestRowCount
            windows = try Self.windows(try Self.packed(&reader, rows, decompressor), page)
            groups = try Self.packed(&reader, rows, decompressor)
            let all = windows
            distinctWindows = all.indices.filter { $0 == 0 || all[$0] != all[$0 - 1] }
                .map { all[$0] }
            let lows = try Self.packed(&reader, rows, decompressor)
            lowCells = lows
            let lengths = try Self.packed(&reader, rows, decompressor)
            requestWindows = try Self.windows(
                try Self.packed(&reader, requests, decompressor),
                page
            )
            edges = try Self.packed(&reader, requests, decompressor)
            let requestLengths = try Self.packed(&reader, requests, decompressor)
            let cellLimit = UInt64(TotalsFormat.cellCount)
            guard groups.allSatisfy({ $0 < index.groups.count }),
                edges.allSatisfy({ $0 < index.edges.count }),
                lows.allSatisfy({ $0 < cellLimit }),
                lengths.indices.allSatisfy({ lengths[$0] <= cellLimit - lows[$0] })
            else { throw CorruptBytes(what: "a row of totals counts what is not there") }
            firstCell = Self.starts(lengths, from: 0)
            firstRequestCell = Self.starts(requestLengths, from: firstCell[rows])
            let cellCount = firstRequestCell[requests]
            calls = try Self.packed(&reader, cellCount - firstCell[rows], decompressor)
            counts = try Self.packed(&reader, cellCount, decompressor)
            sums = try Self.packed(&reader, rows, decompressor)
            longest = try Self.packed(&reader, rows, decompressor)
            spansBefore = try Self.sums(counts[..<firstCell[rows]], to: page.spanCount)
            guard reader.remaining == 0,
                counts[firstCell[rows]...].allSatisfy({ $0 <= UInt64(UInt32.max) }),
                calls.allSatisfy({ $0 <= UInt64(UInt32.max) })
            else { throw CorruptBytes(what: "a page of totals counts too much") }
        } catch { throw source.damage(error.what) }
    }

    /// Exactly `count` numbers.
    private static func packed(
        _ reader: inout ByteReader,
        _ count: Int,
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) -> [UInt64] {
        let numbers = try PackedIntegers(parsing: &reader, decompressor, limit: count)
        guard numbers.count == count else {
            throw CorruptBytes(what: "a column of totals has the wrong length")
        }
        return numbers.values
    }

    private static func windows(
        _ deltas: [UInt64],
        _ page: TotalsIndex.Page
    ) throws(CorruptBytes) -> [UInt64] {
        let most = page.windows.upperBound - page.windows.lowerBound
        var last: UInt64 = 0
        for delta in deltas {
            guard delta <= most, delta >= last else {
                throw CorruptBytes(what: "rows of totals are out of order")
            }
            last = delta
        }
        return deltas.map { page.windows.lowerBound + $0 }
    }

    /// Where each of several runs begins. Lengths that are too large give a sum that no column has.
    private static func starts(_ lengths: [UInt64], from first: Int) -> [Int] {
        var starts: [Int] = [first]
        starts.reserveCapacity(lengths.count + 1)
        var next = first
        for length in lengths {
            next = min(next &+ Int(min(length, UInt64(UInt32.max))), Limits.chunkBytes)
            starts.append(next)
        }
        return starts
    }

    /// The sums of ever more of `counts`, from none to all, which must be `total`.
    private static func sums(
        _ counts: ArraySlice<UInt64>,
        to total: UInt64
    ) throws(CorruptBytes) -> [Int] {
        let damage = CorruptBytes(what: "a page of totals counts other spans than its own")
        guard total <= UInt64(Limits.chunkBytes) else { throw damage }
        var sums: [Int] = [0]
        sums.reserveCapacity(counts.count + 1)
        var sum: UInt64 = 0
        for count in counts {
            guard count <= total - sum else { throw damage }
            sum += count
            sums.append(Int(sum))
        }
        guard sum == total else { throw damage }
        return sums
    }

    /// How the spans of each cell are spread over the minutes.
    ///
    /// - Parameter hasExactSums: of the section's index.
    func minutes(
        _ source: any TotalsSource,
        hasExactSums: Bool,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> TotalsMinuteCounts {
        let bytes = try source.chunk(page.chunks[TotalsChunk.minutes.rawValue])
        do throws(CorruptBytes) {
            var reader = ByteReader(bytes)
            let masks = try Self.packed(&reader, page.rowCount, decompressor)
            guard masks.allSatisfy({ $0 < 1 << 10 }) else {
                throw CorruptBytes(what: "minutes of totals are out of range")
            }
            let sumCount = masks.reduce(0) { $0 + $1.nonzeroBitCount }
            let sums = try Self.packed(&reader, sumCount, decompressor)
            var frames: [Frame] = []
            for _ in TotalsCellKind.framed { frames.append(try reader.frame()) }
            var ends: [Int] = []
            for frame in frames { ends.append((ends.last ?? 0) + frame.byteCount) }
            let restCount = counts.count { TotalsCellKind($0) == .rest && $0 > 0 } * 10
            let rest = try Self.packed(&reader, restCount, decompressor)
            guard reader.remaining == 0 else {
                throw CorruptBytes(what: "minutes of totals are left over")
            }
            return try TotalsMinuteCounts(
                counts,
                masks: masks,
                sums: hasExactSums ? sums : sums.map { TotalsSum.decode($0) },
                frames: try Frame.unpack(frames, of: bytes, decompressor),
                ends: ends,
                rest: rest
            )
        } catch { throw source.damage(error.what) }
    }

    /// The fine steps of all spans.
    func steps(_ source: any TotalsSource) throws(PartDamage) -> TotalsSteps {
        let bytes = try source.chunk(page.chunks[TotalsChunk.fine.rawValue])
        guard UInt64(bytes.count) == (page.spanCount + 1) / 2 else {
            throw source.damage("a page of totals has the wrong number of steps")
        }
        return TotalsSteps(bytes)
    }
}
