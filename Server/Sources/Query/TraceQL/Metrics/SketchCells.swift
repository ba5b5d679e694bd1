// SPDX-License-Identifier: Apache-2.0

/// The buckets that hold numbers, cell by cell, each cell's in the order of the numbers.
struct SketchCells: Sequence {
    struct Buckets {
        fileprivate(set) var buckets: ArraySlice<(code: UInt64, count: Double)>

        /// The bucket of the number that a part `q`, 0 to 1, of all does not exceed: the first at
        /// which as many are counted. Where each counts once, that is what `LatencySketch` says.
        func quantile(_ q: Double) -> UInt64 {
            let wanted = q * buckets.reduce(0) { $0 + $1.count }
            var seen = 0.0
            for bucket in buckets {
                seen += bucket.count
                if seen >= wanted { return bucket.code }
            }
            // Sums of fractions may fall short by their rounding.
            return buckets.last?.code ?? 0
        }
    }

    private let buckets: [(code: UInt64, count: Double)]
    /// By cell: where its buckets begin; one more entry for the end of the last.
    private let starts: [Int]

    /// - Parameter counts: by cell, above `NumberBucket.bitCount` bits of the bucket.
    init(_ counts: KeyedSlots<Double>, cellCount: Int) {
        var starts = [Int](repeating: 0, count: cellCount + 1)
        counts.forEach { key, _ in starts[Int(key >> NumberBucket.bitCount) + 1] += 1 }
        for cell in 0..<cellCount { starts[cell + 1] += starts[cell] }
        var next = starts
        var buckets = [(code: UInt64, count: Double)](repeating: (0, 0), count: counts.count)
        let mask = UInt64(1) << NumberBucket.bitCount - 1
        counts.forEach { key, count in
            let cell = Int(key >> NumberBucket.bitCount)
            buckets[next[cell]] = (key & mask, count)
            next[cell] += 1
        }
        for cell in 0..<cellCount where starts[cell + 1] - starts[cell] > 1 {
            buckets[starts[cell]..<starts[cell + 1]].sort { $0.code < $1.code }
        }
        self.buckets = buckets
        self.starts = starts
    }

    /// Cells that hold numbers.
    func makeIterator() -> some IteratorProtocol<(Int, Buckets)> {
        (0..<starts.count - 1).lazy
            .filter { starts[$0] < starts[$0 + 1] }
            .map { ($0, Buckets(buckets: buckets[starts[$0]..<starts[$0 + 1]])) }
            .makeIterator()
    }
}
