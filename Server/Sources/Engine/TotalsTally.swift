// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Adds up durations for the lines and columns of an answer, in two rounds: `add` counts by cell;
/// then, when `choose` has found the cells in which the quantiles lie, `refine` counts the fine steps
/// of those alone.
///
/// A *slot* is one column of one line. Counts may be taken away again (a trace that was counted in
/// two parts): only sums over everything must not be negative.
struct TotalsTally: ~Copyable {
    /// A cell of a slot whose fine steps matter.
    struct Choice: BitwiseCopyable {
        var cell: Int
        /// Spans of the slot in lower cells.
        var before: Int64
    }

    /// What the cells do not tell.
    struct Slot: BitwiseCopyable {
        var calls: Int64 = 0
        var errors: Int64 = 0
        /// Of the calls, those that applications counted themselves.
        var reported: Int64 = 0
        var sum: Int128 = 0
        var longest: UInt64 = 0
    }

    private let quantiles: [Double]
    /// The buckets of the bounds that were asked for.
    private let bounds: [Int]
    private let columnCount: Int
    private let ranges: [ClosedRange<Int>?]
    /// By line: where its counters begin, less its lowest cell.
    private var bases: [Int] = []
    private var widths: [Int] = []
    private var counts = Column<Int64>()
    private var slots = Column<Slot>()

    private var choices = Column<Choice>()
    /// By slot: its first choice; one more entry at the end.
    private var firstChoice = Column<Int32>()
    /// By choice: spans of each fine step.
    private var steps = Column<SIMD16<Int64>>()

    /// Makes the counters.
    ///
    /// - Parameter cells: by line, those that its durations lie in.
    /// - Throws: `StoreError.refused` where there would be too many.
    init(
        cells: [ClosedRange<Int>?],
        columnCount: Int,
        quantiles: [Double],
        bounds: [UInt64],
        _ sources: TotalsSources
    ) throws(StoreError) {
        self.quantiles = quantiles
        self.bounds = bounds.compactMap { LatencyBucket.index(of: $0) }
        self.columnCount = columnCount
        ranges = cells
        var next = 0
        for range in ranges {
            bases.append(next - (range?.lowerBound ?? 0))
            widths.append(range?.count ?? 0)
            next += (range?.count ?? 0) * columnCount
            guard next <= Limits.totalsCounters else {
                throw .refused(
                    "the answer has too many lines and steps; ask for one service, a shorter range "
                        + "or a larger step"
                )
            }
        }
        let slotCount = cells.count * columnCount
        try sources.charge(
            next * MemoryLayout<Int64>.stride + slotCount * MemoryLayout<Slot>.stride
        )
        slots.append(count: slotCount) { $0.initialize(repeating: Slot()) }
        counts.append(count: next) { $0.initialize(repeating: 0) }
    }

    @inline(__always)
    private func slot(_ line: Int, _ column: Int) -> Int { line &* columnCount &+ column }

    /// Where cell 0 of a slot would be.
    @inline(__always)
    private func base(_ line: Int, _ column: Int) -> Int {
        bases[line] &+ column &* widths[line]
    }

    // MARK: First round

    /// Counts `times` spans of a cell.
    @inline(__always)
    mutating func add(_ times: Int64, cell: Int, _ line: Int, _ column: Int) {
        counts[base(line, column) &+ cell] &+= times
    }

    /// Counts the cells of a row, the first of which is `cell`.
    ///
    /// - Returns: their sum.
    @inline(__always)
    mutating func add(
        _ row: ArraySlice<UInt64>,
        from cell: Int,
        _ line: Int,
        _ column: Int
    ) -> Int64 {
        var place = base(line, column) &+ cell
        var sum: Int64 = 0
        for count in row {
            let count = Int64(truncatingIfNeeded: count)
            counts[place] &+= count
            sum &+= count
            place &+= 1
        }
        return sum
    }

    /// Counts what the cells do not tell.
    ///
    /// - Parameters:
    ///   - calls: below zero to take them away again.
    ///   - sum: nanoseconds of all of them, whatever the sign of `calls`.
    mutating func add(
        calls: Int64,
        isError: Bool,
        sum: Int128,
        longest: UInt64,
        _ line: Int,
        _ column: Int
    ) {
        let place = slot(line, column)
        var slot = slots[place]
        slot.calls &+= calls
        if isError { slot.errors &+= calls }
        slot.sum &+= calls < 0 ? -sum : sum
        if calls > 0 { slot.longest = max(slot.longest, longest) }
        slots[place] = slot
    }

    /// The same for calls that an application counted itself.
    mutating func add(
        reported: Int64,
        isError: Bool,
        sum: Int128,
        longest: UInt64,
        _ line: Int,
        _ column: Int
    ) {
        add(calls: reported, isError: isError, sum: sum, longest: longest, line, column)
        slots[slot(line, column)].reported &+= reported
    }

    // MARK: Between the rounds

    /// Finds the cells of the quantiles, of the bounds and of the longest duration.
    ///
    /// - Throws: `StoreError.refused` where there are too many.
    mutating func choose(_ sources: TotalsSources) throws(StoreError) {
        let ascending = (quantiles + [1]).sorted()
        for line in ranges.indices {
            let before = choices.count
            for column in 0..<columnCount {
                firstChoice.append(Int32(choices.count))
                choose(line, column, ascending)
            }
            let size = MemoryLayout<Choice>.stride + MemoryLayout<SIMD16<Int64>>.stride
            try sources.charge((choices.count - before) * size)
        }
        firstChoice.append(Int32(choices.count))
        steps.append(count: choices.count) { $0.initialize(repeating: SIMD16()) }
    }

    private mutating func choose(_ line: Int, _ column: Int, _ quantiles: [Double]) {
        let total = slots[slot(line, column)].calls
        guard total > 0, let range = ranges[line] else { return }
        let base = base(line, column)
        var wanted = bounds.map { TotalsFormat.cell($0) }.filter { range.contains($0) }
        var cell = range.lowerBound
        var before: Int64 = 0
        for q in quantiles {
            let rank = Int64(clamping: LatencySketch.rank(q, of: UInt64(total)))
            while cell < range.upperBound, before &+ counts[base &+ cell] < rank {
                before &+= counts[base &+ cell]
                cell += 1
            }
            wanted.append(cell)
        }
        cell = range.lowerBound
        before = 0
        if !bounds.isEmpty { wanted.sort() }
        var last = -1
        for next in wanted where next != last {
            last = next
            while cell < next {
                before &+= counts[base &+ cell]
                cell += 1
            }
            choices.append(Choice(cell: cell, before: before))
        }
    }

    // MARK: Second round

    /// The choices of a slot, ascending by cell.
    @inline(__always)
    func choices(_ line: Int, _ column: Int) -> Range<Int> {
        let slot = slot(line, column)
        return Int(firstChoice[slot])..<Int(firstChoice[slot &+ 1])
    }

    @inline(__always)
    func cell(ofChoice choice: Int) -> Int { choices[choice].cell }

    /// Counts spans of the choice's cell by their fine steps.
    @inline(__always)
    mutating func refine(_ choice: Int, _ counts: SIMD16<Int64>) {
        steps[choice] = steps[choice] &+ counts
    }

    /// Counts `times` spans of one fine step.
    mutating func refine(_ choice: Int, step: Int, times: Int64) { steps[choice][step] &+= times }

    // MARK: The answer

    /// What a slot counted; `nil` for nothing.
    func total(_ line: Int, _ column: Int) -> CallTotals? {
        let place = slot(line, column)
        let slot = slots[place]
        guard slot.calls > 0 else { return nil }
        let count = UInt64(slot.calls)
        let top = bucket(place, count)
        // The exact number, unless minutes were cut out of a window or spans taken away.
        let isExact = LatencyBucket.index(of: slot.longest) == top
        return CallTotals(
            callCount: count,
            errorCount: UInt64(clamping: slot.errors),
            reportedCount: UInt64(clamping: slot.reported),
            durationSum: UInt64(clamping: slot.sum),
            longest: isExact ? slot.longest : LatencyBucket.duration(top),
            quantiles: quantiles.map { q in
                LatencyBucket.duration(bucket(place, LatencySketch.rank(q, of: count)))
            },
            boundCounts: bounds.map { self.count(line, upTo: $0, place, count) }
        )
    }

    /// Spans of a slot in buckets up to this one.
    private func count(_ line: Int, upTo bucket: Int, _ slot: Int, _ total: UInt64) -> UInt64 {
        let cell = TotalsFormat.cell(bucket)
        guard let range = ranges[line], cell >= range.lowerBound else { return 0 }
        guard cell <= range.upperBound else { return total }
        let own = Int(firstChoice[slot])..<Int(firstChoice[slot + 1])
        guard let choice = own.first(where: { choices[$0].cell == cell }) else { return 0 }
        var count = choices[choice].before
        for step in 0...bucket % TotalsFormat.fineSteps { count &+= steps[choice][step] }
        return UInt64(clamping: count)
    }

    /// The bucket of the span in place `rank` of a slot; `nil` for zero.
    private func bucket(_ slot: Int, _ rank: UInt64) -> Int? {
        let rank = Int64(clamping: rank)
        let own = Int(firstChoice[slot])..<Int(firstChoice[slot + 1])
        guard let choice = own.last(where: { choices[$0].before < rank }),
            choices[choice].cell > 0
        else { return nil }
        let counts = steps[choice]
        var rest = rank - choices[choice].before
        var step = 0
        while step < TotalsFormat.fineSteps - 1, counts[step] < rest {
            rest -= counts[step]
            step += 1
        }
        return (choices[choice].cell - 1) * TotalsFormat.fineSteps + step
    }
}

extension LatencyBucket {
    /// The duration that stands for a bucket (`nil`: zero).
    fileprivate static func duration(_ bucket: Int?) -> UInt64 {
        bucket.map { representative($0) } ?? 0
    }
}
