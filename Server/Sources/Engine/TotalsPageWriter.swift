// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// The columns of one page while it is filled.
struct TotalsPageWriter {
    let firstWindow: UInt64
    private(set) var lastWindow: UInt64
    private(set) var rowCount = 0
    private var requestRowCount = 0
    private(set) var spanCount: UInt64 = 0

    private var windows: [UInt64] = []
    private var groups: [UInt64] = []
    private var lows: [UInt64] = []
    private var lengths: [UInt64] = []
    private var cells: [UInt64] = []
    private var sums: [UInt64] = []
    private var longest: [UInt64] = []
    private var masks: [UInt64] = []
    private var minuteSums: [UInt64] = []

    private var requestWindows: [UInt64] = []
    private var edges: [UInt64] = []
    private var requestLengths: [UInt64] = []
    private var requestCells: [UInt64] = []
    private var calls: [UInt64] = []

    /// By `TotalsCellKind`.
    private var frames: [[UInt8]] = Array(repeating: [], count: TotalsCellKind.framed.count)
    private var rest: [UInt64] = []
    private var fine: [UInt8] = []
    private var hasHalfByte = false

    private let hasExactSums: Bool

    /// - Parameter hasExactSums: of the section.
    init(firstWindow: UInt64, hasExactSums: Bool = false) {
        self.firstWindow = firstWindow
        self.hasExactSums = hasExactSums
        lastWindow = firstWindow
    }

    /// Adds a row.
    ///
    /// - Parameters:
    ///   - entries: its spans, ascending: cell (9 bits), minute (4), fine step (4).
    ///   - minuteSums: nanoseconds of each of the ten minutes.
    ///   - sum: of all of them; `nil` where it is the sum of `minuteSums`.
    mutating func add(
        window: UInt64,
        group: Int,
        entries: ArraySlice<UInt32>,
        minuteSums: [UInt64],
        sum: UInt64? = nil,
        longest: UInt64
    ) {
        lastWindow = window
        rowCount += 1
        windows.append(window - firstWindow)
        groups.append(UInt64(group))
        sums.append(
            sum
                ?? minuteSums.reduce(0) { sum, next in
                    let (sum, overflow) = sum.addingReportingOverflow(next)
                    return overflow ? .max : sum
                }
        )
        self.longest.append(longest)
        let low = UInt64((entries.first ?? 0) >> 8)
        lows.append(low)
        var mask: UInt64 = 0
        var next = low
        var first = entries.startIndex
        while first < entries.endIndex {
            let cell = UInt64(entries[first] >> 8)
            var minutes = [UInt64](repeating: 0, count: 10)
            var end = first
            while end < entries.endIndex, UInt64(entries[end] >> 8) == cell {
                let minute = UInt64(entries[end] >> 4 & 0xF)
                minutes[Int(minute)] += 1
                mask |= 1 << minute
                add(step: UInt8(entries[end] & 0xF))
                end += 1
            }
            while next < cell {
                cells.append(0)
                next += 1
            }
            cells.append(UInt64(end - first))
            next += 1
            add(minutes, of: UInt64(end - first))
            first = end
        }
        lengths.append(next - low)
        masks.append(mask)
        for minute in 0..<10 where mask >> UInt64(minute) & 1 == 1 {
            self.minuteSums.append(
                hasExactSums ? minuteSums[minute] : TotalsSum.encode(minuteSums[minute])
            )
        }
        spanCount += UInt64(entries.count)
    }

    /// Adds a request row; all rows stand already.
    ///
    /// - Parameter entries: its requests, ascending, of which the low 36 bits count: calls (32 bits),
    ///   minute (4).
    mutating func add(requestWindow window: UInt64, edge: Int, entries: ArraySlice<UInt64>) {
        requestRowCount += 1
        requestWindows.append(window - firstWindow)
        edges.append(UInt64(edge))
        var length: UInt64 = 0
        var first = entries.startIndex
        while first < entries.endIndex {
            let count = entries[first] >> 4 & 0xFFFF_FFFF
            var minutes = [UInt64](repeating: 0, count: 10)
            var end = first
            while end < entries.endIndex, entries[end] >> 4 & 0xFFFF_FFFF == count {
                minutes[Int(entries[end] & 0xF)] += 1
                end += 1
            }
            requestCells.append(UInt64(end - first))
            calls.append(count)
            add(minutes, of: UInt64(end - first))
            length += 1
            first = end
        }
        requestLengths.append(length)
    }

    private mutating func add(step: UInt8) {
        if hasHalfByte {
            fine[fine.count - 1] |= step << 4
        } else {
            fine.append(step)
        }
        hasHalfByte.toggle()
    }

    private mutating func add(_ minutes: [UInt64], of count: UInt64) {
        let kind = TotalsCellKind(count)
        switch kind {
        case .rest: rest += minutes
        case .one, .two, .three:
            var digits = 0
            for minute in 0..<10 {
                for _ in 0..<minutes[minute] { digits = digits * 10 + minute }
            }
            frames[kind.rawValue].append(TotalsMinutes.places[kind.rawValue][digits])
        default:
            for times in minutes { frames[kind.rawValue].append(UInt8(times)) }
        }
    }

    /// Writes the chunks, and the page's entry to the index.
    ///
    /// - Parameter lastWindow: of the page before.
    /// - Returns: where the chunks lie.
    func finish(
        after lastWindow: UInt64,
        to index: inout ByteWriter,
        _ output: inout PartOutput
    ) throws(DiskError) -> [ChunkReference] {
        index.append(varint: firstWindow - lastWindow)
        index.append(varint: self.lastWindow - firstWindow)
        index.append(varint: rowCount)
        index.append(varint: requestRowCount)
        index.append(varint: spanCount)
        var chunks: [ChunkReference] = []
        for chunk in TotalsChunk.allCases {
            switch chunk {
            case .counts:
                for column in [
                    windows, groups, lows, lengths, requestWindows, edges, requestLengths, calls,
                    cells + requestCells, sums, longest,
                ] {
                    output.encoder.append(integers: column)
                }
            case .minutes:
                output.encoder.append(integers: masks)
                output.encoder.append(integers: minuteSums)
                for frame in frames { output.encoder.append(frame: frame) }
                output.encoder.append(integers: rest)
            case .fine: output.encoder.append(raw: fine)
            }
            let reference = try output.finishChunk()
            reference.encode(to: &index, after: chunks.last?.end ?? 0)
            chunks.append(reference)
        }
        return chunks
    }
}
