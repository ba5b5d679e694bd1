// SPDX-License-Identifier: Apache-2.0

/// The buckets that hold numbers, cell by cell, each cell's in the order of the numbers.
struct SketchCells: Sequence, IteratorProtocol {
    private let keys: [UInt64]
    private let counts: [Double]
    private var position = 0

    /// - Parameter buckets: by cell, above `NumberBucket.bitCount` bits of the bucket.
    init(_ buckets: inout BucketCounts) { (keys, counts) = buckets.all() }

    /// The buckets of one cell.
    struct Cell {
        let number: Int
        fileprivate let codes: ArraySlice<UInt64>
        fileprivate let counts: ArraySlice<Double>

        /// The bucket of the number that a part `q`, 0 to 1, of all does not exceed: the first at
        /// which as many are counted. Where each counts once, that is what `LatencySketch` says.
        func quantile(_ q: Double) -> UInt64 {
            let wanted = q * counts.reduce(0, +)
            var seen = 0.0
            for (code, count) in zip(codes, counts) {
                seen += count
                if seen >= wanted { return code & SketchCells.bucketMask }
            }
            // Sums of fractions may fall short by their rounding.
            return (codes.last ?? 0) & SketchCells.bucketMask
        }
    }

    private static let bucketMask = UInt64(1) << NumberBucket.bitCount - 1

    mutating func next() -> Cell? {
        guard position < keys.count else { return nil }
        let first = position
        let cell = keys[first] >> NumberBucket.bitCount
        while position < keys.count, keys[position] >> NumberBucket.bitCount == cell {
            position += 1
        }
        return Cell(
            number: Int(cell),
            codes: keys[first..<position],
            counts: counts[first..<position]
        )
    }
}
