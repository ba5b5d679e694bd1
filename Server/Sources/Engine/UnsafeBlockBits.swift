// SPDX-License-Identifier: Apache-2.0

/// A set of rows of one block (or of its events): a bit a row, 64 rows a word.
///
/// Bits past the last row stay zero, so that counting and walking need no mask.
struct BlockBits: Equatable, Sendable {
    private(set) var words: [UInt64]
    /// Rows there are, in the set or not.
    let rowCount: Int

    /// No row.
    init(rowCount: Int) {
        self.rowCount = rowCount
        words = Array(repeating: 0, count: (rowCount + 63) / 64)
    }

    /// Every row.
    init(allOf rowCount: Int) {
        self.rowCount = rowCount
        words = Array(repeating: .max, count: (rowCount + 63) / 64)
        clearRest()
    }

    /// The rows that `isHit` holds for.
    @inline(__always)
    init(rowCount: Int, where isHit: (Int) -> Bool) {
        self.rowCount = rowCount
        words = Array(repeating: 0, count: (rowCount + 63) / 64)
        words.withUnsafeMutableBufferPointer { words in
            var row = 0
            for word in words.indices {
                var bits: UInt64 = 0
                let end = min(row &+ 64, rowCount)
                var mask: UInt64 = 1
                while row < end {
                    if isHit(row) { bits |= mask }
                    mask <<= 1
                    row &+= 1
                }
                words[word] = bits
            }
        }
    }

    /// Bytes of memory held.
    var byteCount: Int { words.count * 8 }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Rows in the set.
    var count: Int { words.reduce(0) { $0 &+ $1.nonzeroBitCount } }

    /// Whether `row`, which must be below `rowCount`, is in the set.
    subscript(row: Int) -> Bool {
        @inline(__always) get { words[row >> 6] & 1 << UInt64(row & 63) != 0 }
    }

    mutating func insert(_ row: Int) { words[row >> 6] |= 1 << UInt64(row & 63) }

    mutating func remove(_ row: Int) { words[row >> 6] &= ~(1 << UInt64(row & 63)) }

    /// Whether a row of `rows`, which lie below `rowCount`, is in the set.
    func intersects(_ rows: Range<Int>) -> Bool {
        guard let row = first(from: rows.lowerBound) else { return false }
        return row < rows.upperBound
    }

    /// The first row of the set that is not before `row`.
    func first(from row: Int) -> Int? {
        guard row < rowCount else { return nil }
        var word = row >> 6
        var bits = words[word] & UInt64.max << UInt64(row & 63)
        while bits == 0 {
            word += 1
            guard word < words.count else { return nil }
            bits = words[word]
        }
        return word << 6 | bits.trailingZeroBitCount
    }

    /// The last row of the set that is not behind `row`.
    func last(upTo row: Int) -> Int? {
        guard row >= 0 else { return nil }
        var word = row >> 6
        var bits = words[word] & UInt64.max >> UInt64(63 - row & 63)
        while bits == 0 {
            word -= 1
            guard word >= 0 else { return nil }
            bits = words[word]
        }
        return word << 6 | (63 - bits.leadingZeroBitCount)
    }

    /// Calls `body` with every row of the set, ascending.
    @inline(__always)
    func forEach<Failure: Error>(_ body: (Int) throws(Failure) -> Void) throws(Failure) {
        for word in words.indices {
            var bits = words[word]
            while bits != 0 {
                try body(word << 6 | bits.trailingZeroBitCount)
                bits &= bits &- 1
            }
        }
    }

    mutating func formIntersection(_ other: BlockBits) {
        precondition(rowCount == other.rowCount, "sets of \(rowCount) and \(other.rowCount) rows")
        for word in words.indices { words[word] &= other.words[word] }
    }

    mutating func formUnion(_ other: BlockBits) {
        precondition(rowCount == other.rowCount, "sets of \(rowCount) and \(other.rowCount) rows")
        for word in words.indices { words[word] |= other.words[word] }
    }

    mutating func subtract(_ other: BlockBits) {
        precondition(rowCount == other.rowCount, "sets of \(rowCount) and \(other.rowCount) rows")
        for word in words.indices { words[word] &= ~other.words[word] }
    }

    private mutating func clearRest() {
        if rowCount & 63 != 0 { words[words.count - 1] = 1 << UInt64(rowCount & 63) &- 1 }
    }
}
