// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Texts of a chunk: their lengths as `PackedIntegers`, then a frame of their bytes.
///
/// In memory one array of bytes and one of ends, whatever the texts came from.
struct PackedTexts: Sendable {
    /// `ends[i]` is where text `i` ends in `bytes`; it begins at `ends[i - 1]`.
    private let ends: [Int]
    private let bytes: [UInt8]

    var count: Int { ends.count }

    /// Bytes of all texts.
    var byteCount: Int { bytes.count }

    init() {
        ends = []
        bytes = []
    }

    /// Takes texts over that were gathered to be written.
    init(_ run: borrowing TextRun) {
        var ends: [Int] = []
        var bytes: [UInt8] = []
        ends.reserveCapacity(run.count)
        bytes.reserveCapacity(run.byteCount)
        run.forEach { text in
            bytes.append(contentsOf: text)
            ends.append(bytes.count)
        }
        self.ends = ends
        self.bytes = bytes
    }

    init(_ texts: [[UInt8]]) {
        var ends: [Int] = []
        var bytes: [UInt8] = []
        for text in texts {
            bytes += text
            ends.append(bytes.count)
        }
        self.ends = ends
        self.bytes = bytes
    }

    /// Reads texts at the reader's place.
    init(
        parsing reader: inout ByteReader,
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) {
        let lengths = try PackedIntegers(parsing: &reader, decompressor).values
        bytes = try reader.frame(decompressor)
        ends = try Self.ends(lengths, of: bytes.count)
    }

    /// Reads texts that stand alone in a chunk.
    init(
        chunk bytes: [UInt8],
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        try self.init(parsing: &reader, decompressor)
        guard reader.remaining == 0 else { throw CorruptBytes(what: "texts go on too long") }
    }

    /// Reads sorted texts, as `append(sorted:)` of `ChunkEncoder` writes them: for each how many
    /// bytes it shares with the one before, and how many follow; then a frame of those.
    init(
        sorted reader: inout ByteReader,
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) {
        let shared = try PackedIntegers(parsing: &reader, decompressor).values
        let own = try PackedIntegers(parsing: &reader, decompressor).values
        let tails = try reader.frame(decompressor)
        guard shared.count == own.count else { throw CorruptBytes(what: "texts are damaged") }
        var ends: [Int] = []
        ends.reserveCapacity(own.count)
        var end = 0
        var previous = 0
        var used = 0
        for index in own.indices {
            guard shared[index] <= UInt64(previous), own[index] <= UInt64(tails.count - used) else {
                throw CorruptBytes(what: "a text is cut short")
            }
            previous = Int(shared[index]) + Int(own[index])
            used += Int(own[index])
            end += previous
            guard end <= Limits.chunkBytes else { throw CorruptBytes(what: "texts are too long") }
            ends.append(end)
        }
        guard used == tails.count else { throw CorruptBytes(what: "texts are damaged") }
        bytes = Self.expand(tails, ends, shared)
        self.ends = ends
    }

    private static func expand(_ tails: [UInt8], _ ends: [Int], _ shared: [UInt64]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: ends.last ?? 0) { target, filled in
            tails.withUnsafeBytes { tails in
                let target = UnsafeMutableRawBufferPointer(target)
                var begin = 0
                var used = 0
                var previous = 0
                for index in ends.indices {
                    // Bound: `init` checked that the shared bytes lie in the text before, the
                    // others in `tails`, and that all end at `ends`.
                    let same = Int(shared[index])
                    let rest = ends[index] - begin - same
                    if same > 0 {
                        UnsafeMutableRawBufferPointer(rebasing: target[begin..<begin + same])
                            .copyMemory(
                                from: UnsafeRawBufferPointer(
                                    rebasing: target[previous..<previous + same]
                                )
                            )
                    }
                    if rest > 0 {
                        UnsafeMutableRawBufferPointer(
                            rebasing: target[begin + same..<begin + same + rest]
                        )
                        .copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: tails[used..<used + rest])
                        )
                    }
                    used += rest
                    previous = begin
                    begin = ends[index]
                }
                filled = begin
            }
        }
    }

    private static func ends(_ lengths: [UInt64], of total: Int) throws(CorruptBytes) -> [Int] {
        var ends: [Int] = []
        ends.reserveCapacity(lengths.count)
        var end = 0
        for length in lengths {
            guard length <= UInt64(total - end) else {
                throw CorruptBytes(what: "a text is cut short")
            }
            end += Int(length)
            ends.append(end)
        }
        guard end == total else { throw CorruptBytes(what: "texts are damaged") }
        return ends
    }

    func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

    func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

    /// Calls `body` with the bytes of text `index`, valid only during the call.
    func withBytes<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let range = range(index)
        // Bound: `init` checked that every text lies inside `bytes`.
        return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// The same with a body that may throw.
    func withText<Failure: Error>(
        _ index: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let range = range(index)
        // Bound: `init` checked that every text lies inside `bytes`.
        try bytes.withUnsafeBufferPointer { (all) throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[range])))
        }
    }

    /// In sorted texts: the first that is not before `text`; `count` where all are.
    func lowerBound(_ text: UnsafeRawBufferPointer) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if withBytes(middle, { ByteOrder.isBefore($0, text) }) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// In sorted texts: the place of `text`, if it is there.
    func find(_ text: UnsafeRawBufferPointer) -> Int? {
        let index = lowerBound(text)
        guard index < count, withBytes(index, { ByteOrder.isSame($0, text) }) else { return nil }
        return index
    }
}

/// Comparing runs of bytes: the order of everything sorted in a part.
enum ByteOrder {
    /// Whether `a` stands before `b`; a prefix stands before what it begins.
    static func isBefore(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        let shared = commonPrefix(a, b)
        if shared == a.count || shared == b.count { return a.count < b.count }
        return a[shared] < b[shared]
    }

    /// Made for short texts: words that overlap at the end instead of single bytes.
    @inline(__always)
    static func isSame(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        guard let first = a.baseAddress, let second = b.baseAddress else { return true }
        return isSame(first, second, a.count)
    }

    @inline(__always)
    private static func isSame(
        _ a: UnsafeRawPointer,
        _ b: UnsafeRawPointer,
        _ count: Int
    ) -> Bool {
        if count >= 8 {
            var index = 0
            // Bound: index + 8 <= count in the loop; the last load ends at count.
            while index < count &- 8 {
                if word(a + index) != word(b + index) { return false }
                index &+= 8
            }
            return word(a + (count &- 8)) == word(b + (count &- 8))
        }
        if count >= 4 {
            let first = a.loadUnaligned(as: UInt32.self) == b.loadUnaligned(as: UInt32.self)
            let x = (a + (count &- 4)).loadUnaligned(as: UInt32.self)
            return first && x == (b + (count &- 4)).loadUnaligned(as: UInt32.self)
        }
        for index in 0..<count
        where a.load(fromByteOffset: index, as: UInt8.self)
            != b.load(fromByteOffset: index, as: UInt8.self)
        {
            return false
        }
        return true
    }

    @inline(__always)
    private static func word(_ place: UnsafeRawPointer) -> UInt64 {
        place.loadUnaligned(as: UInt64.self)
    }

    /// How many bytes both begin with.
    static func commonPrefix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let count = min(a.count, b.count)
        var index = 0
        // Bound: eight bytes from index lie below count.
        while index &+ 8 <= count {
            let x = a.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let y = b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if x != y { return index + (x ^ y).littleEndian.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count, a[index] == b[index] { index &+= 1 }
        return index
    }
}

extension ChunkEncoder {
    /// Sorted texts; see `PackedTexts.init(sorted:)`.
    mutating func append(sorted texts: borrowing SortedTextRun) {
        texts.shared.withElements { append(integers: $0) }
        texts.own.withElements { append(integers: $0) }
        texts.tails.withElements { append(frame: UnsafeRawBufferPointer($0)) }
    }
}

/// Ascending texts gathered to be written together.
struct SortedTextRun: ~Copyable {
    fileprivate var shared = Column<UInt64>()
    fileprivate var own = Column<UInt64>()
    fileprivate var tails = Column<UInt8>()
    private(set) var last = Column<UInt8>()
    /// Bytes of all texts in full.
    private(set) var byteCount = 0

    var count: Int { own.count }

    /// - Parameter text: stands behind the last one.
    mutating func append(_ text: UnsafeRawBufferPointer) {
        let same =
            count == 0
            ? 0 : last.withElements { ByteOrder.commonPrefix(UnsafeRawBufferPointer($0), text) }
        shared.append(UInt64(same))
        own.append(UInt64(text.count - same))
        // Bound: same <= text.count.
        let rest = UnsafeRawBufferPointer(rebasing: text[same...])
        tails.append(raw: rest)
        last.truncate(to: min(same, last.count))
        last.append(raw: rest)
        byteCount += text.count
    }

    /// Forgets the texts. `last` stays, for what comes next is compared with it.
    mutating func removeAll() {
        shared.truncate(to: 0)
        own.truncate(to: 0)
        tails.truncate(to: 0)
        byteCount = 0
    }
}
