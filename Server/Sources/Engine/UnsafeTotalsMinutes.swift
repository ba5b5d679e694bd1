// SPDX-License-Identifier: Apache-2.0

/// How the spans of each cell of a page are spread over the ten minutes of its window.
struct TotalsMinuteCounts: Sendable {
    /// Minutes of a window that are asked for, as masks of bytes.
    struct Wanted: Sendable {
        fileprivate let range: Range<Int>
        fileprivate let low: UInt64
        fileprivate let high: UInt64

        /// - Parameter range: of 0..<10.
        init(_ range: Range<Int>) {
            self.range = range
            low = Self.mask(min(range.lowerBound, 8), min(range.upperBound, 8))
            high = Self.mask(max(range.lowerBound, 8) - 8, max(range.upperBound, 8) - 8)
        }

        /// Bytes `first..<end` of a word.
        private static func mask(_ first: Int, _ end: Int) -> UInt64 {
            (UInt64.max << UInt64(8 * first)) & ~(UInt64.max << UInt64(8 * end))
        }
    }

    /// By cell: the counts of minutes 0...7, a byte each, and of 8 and 9; of cells with more than 255
    /// spans: their place in `rest`, and `isRest`.
    private var low: [UInt64] = []
    private var high: [UInt64] = []
    private let rest: [UInt64]
    private static let isRest: UInt64 = 1 << 63
    /// By row: the minutes with spans as bits; its first place in `sums`.
    private let masks: [UInt64]
    private var firstSum: [Int] = []
    private let sums: [UInt64]

    /// The counts of a list of one, two or three minutes; 256 entries each, those beyond the lists
    /// are zero.
    private static let lists: [(low: UInt64, high: UInt64)] = TotalsMinutes.lists.flatMap { lists in
        let packed = lists.map { counts in
            counts.withUnsafeBytes { pack($0, 0) }
        }
        return packed + Array(repeating: (0, 0), count: 256 - packed.count)
    }

    /// Memory held.
    var byteCount: Int {
        8 * (low.count + high.count + rest.count + masks.count + firstSum.count + sums.count)
    }

    /// Any bytes are safe: what does not add up is refused.
    ///
    /// - Parameters:
    ///   - counts: by cell, spans in it.
    ///   - masks: by row, the minutes with spans as bits.
    ///   - sums: for each of those minutes, nanoseconds.
    ///   - frames: the bytes of the frames one after another.
    ///   - ends: by `TotalsCellKind` with a frame, where it ends there.
    ///   - rest: ten numbers for each cell that has none in the frames.
    init(
        _ counts: [UInt64],
        masks: [UInt64],
        sums: [UInt64],
        frames: [UInt8],
        ends: [Int],
        rest: [UInt64]
    ) throws(CorruptBytes) {
        self.masks = masks
        self.rest = rest
        self.sums = sums
        firstSum.reserveCapacity(masks.count)
        var sumCount = 0
        for mask in masks {
            firstSum.append(sumCount)
            sumCount += mask.nonzeroBitCount
        }
        guard sumCount == sums.count else {
            throw CorruptBytes(what: "minutes of totals have other sums than they need")
        }
        high = Array(repeating: 0, count: counts.count)
        var isWhole = false
        low = Array(unsafeUninitializedCapacity: counts.count) { low, filled in
            high.withUnsafeMutableBufferPointer { high in
                frames.withUnsafeBytes { frames in
                    isWhole = Self.unpack(counts, frames, ends, rest, low, high)
                }
            }
            // What was not reached is uninitialised: nothing is given out then.
            filled = isWhole ? counts.count : 0
        }
        guard isWhole else { throw CorruptBytes(what: "minutes of totals do not add up") }
    }

    /// - Returns: whether every cell was found to be as large as it should, and nothing is left over.
    private static func unpack(
        _ counts: [UInt64],
        _ frames: UnsafeRawBufferPointer,
        _ ends: [Int],
        _ rest: [UInt64],
        _ low: UnsafeMutableBufferPointer<UInt64>,
        _ high: UnsafeMutableBufferPointer<UInt64>
    ) -> Bool {
        var places = [0] + ends.dropLast()
        var restPlace = 0
        for cell in counts.indices {
            let count = counts[cell]
            guard count > 0 else {
                low.initializeElement(at: cell, to: 0)
                continue
            }
            let kind = TotalsCellKind(count).rawValue
            var packed: (low: UInt64, high: UInt64)
            if kind < 3 {
                let place = places[kind]
                guard place < ends[kind] else { return false }
                packed = lists[kind &* 256 &+ Int(frames[place])]
                places[kind] = place &+ 1
                if packed.low | packed.high == 0 { return false }
            } else if kind < places.count {
                let place = places[kind]
                // Bound: ten bytes from `place` lie before `ends[kind]`, which is inside `frames`.
                guard ends[kind] &- place >= 10 else { return false }
                packed = pack(frames, place)
                places[kind] = place &+ 10
                if sum(packed.low, packed.high) != count { return false }
            } else {
                guard isSum(rest, restPlace, count) else { return false }
                packed = (UInt64(restPlace), isRest)
                restPlace += 10
            }
            // Bound: both have room for `counts.count`.
            low.initializeElement(at: cell, to: packed.low)
            high[cell] = packed.high
        }
        return places == ends && restPlace == rest.count
    }

    private static func isSum(_ rest: [UInt64], _ place: Int, _ count: UInt64) -> Bool {
        guard rest.count - place >= 10 else { return false }
        var left = count
        for times in rest[place..<place + 10] {
            guard times <= left else { return false }
            left -= times
        }
        return left == 0
    }

    @inline(__always)
    private static func pack(
        _ bytes: UnsafeRawBufferPointer,
        _ place: Int
    ) -> (low: UInt64, high: UInt64) {
        // Bound: the caller has seen to ten bytes. The machine is little-endian, as the format.
        let low = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        let high = bytes.loadUnaligned(fromByteOffset: place &+ 8, as: UInt16.self)
        return (UInt64(littleEndian: low), UInt64(UInt16(littleEndian: high)))
    }

    /// All ten bytes together, each added in lanes of sixteen bits, so that nothing carries over.
    @inline(__always)
    private static func sum(_ low: UInt64, _ high: UInt64) -> UInt64 {
        let lanes = (low & 0x00FF_00FF_00FF_00FF) &+ (low &>> 8 & 0x00FF_00FF_00FF_00FF)
        let eight = (lanes &* 0x0001_0001_0001_0001) &>> 48
        return eight &+ (high & 0xFF) &+ (high &>> 8)
    }

    /// Spans of cell `cell` in the wanted minutes.
    @inline(__always)
    func count(_ cell: Int, _ wanted: Wanted) -> UInt64 {
        if high[cell] & Self.isRest != 0 {
            let place = Int(low[cell])
            return rest[place + wanted.range.lowerBound..<place + wanted.range.upperBound]
                .reduce(0, &+)
        }
        return Self.sum(low[cell] & wanted.low, high[cell] & wanted.high)
    }

    /// Spans of `cells` together by minute; the last six lanes are zero.
    func byMinute(_ cells: Range<Int>) -> SIMD16<UInt64> {
        var sums = SIMD16<UInt64>()
        var first = cells.lowerBound
        while first < cells.upperBound {
            // Lanes of sixteen bits hold 257 times a byte.
            let end = min(first + 256, cells.upperBound)
            var (even, odd): (UInt64, UInt64) = (0, 0)
            for cell in first..<end {
                if high[cell] & Self.isRest != 0 {
                    let place = Int(low[cell])
                    for minute in 0..<10 { sums[minute] &+= rest[place + minute] }
                    continue
                }
                even &+= low[cell] & 0x00FF_00FF_00FF_00FF
                odd &+= low[cell] &>> 8 & 0x00FF_00FF_00FF_00FF
                sums[8] &+= high[cell] & 0xFF
                sums[9] &+= high[cell] &>> 8
            }
            for lane in 0..<4 {
                let shift = UInt64(16 * lane)
                sums[2 * lane] &+= even &>> shift & 0xFFFF
                sums[2 * lane + 1] &+= odd &>> shift & 0xFFFF
            }
            first = end
        }
        return sums
    }

    /// Nanoseconds of the spans of row `row` in the wanted minutes.
    func sum(_ row: Int, _ wanted: Wanted) -> UInt64 {
        let before = masks[row] & (1 << UInt64(wanted.range.lowerBound) - 1)
        let until = masks[row] & (1 << UInt64(wanted.range.upperBound) - 1)
        let first = firstSum[row] + before.nonzeroBitCount
        return sums[first..<firstSum[row] + until.nonzeroBitCount].reduce(0) { total, next in
            let (sum, overflow) = total.addingReportingOverflow(next)
            return overflow ? .max : sum
        }
    }
}
