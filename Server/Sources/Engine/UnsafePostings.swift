// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// For each of a run of values (texts of a dictionary page, forms, resources) the blocks that hold
/// it, ascending.
///
/// | field | coding |
/// |---|---|
/// | length of each list, 0 for "in many blocks: look everywhere" | `PackedIntegers` |
/// | lists: first block, then steps from block to block | frame of varints |
struct Postings: Sendable {
    private let lengths: [UInt64]
    private let lists: [UInt8]
    private let blockCount: Int

    init(
        chunk bytes: [UInt8],
        blockCount: Int,
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        lengths = try PackedIntegers(parsing: &reader, decompressor).values
        lists = try reader.frame(decompressor)
        self.blockCount = blockCount
        guard lengths.allSatisfy({ $0 <= UInt64(blockCount) }) else {
            throw CorruptBytes(what: "a list of blocks is damaged")
        }
    }

    var count: Int { lengths.count }

    /// The blocks of value `index` of the run; `nil` for "look everywhere".
    func blocks(of index: Int) throws(CorruptBytes) -> [Int]? {
        guard lengths[index] > 0 else { return nil }
        var reader = ByteReader(lists)
        for length in lengths[..<index] { for _ in 0..<length { _ = try reader.varint() } }
        return try list(&reader, lengths[index])
    }

    /// The lists of all values, `nil` for "look everywhere".
    func all() throws(CorruptBytes) -> [[Int]?] {
        var reader = ByteReader(lists)
        var result: [[Int]?] = []
        result.reserveCapacity(lengths.count)
        for length in lengths { result.append(length == 0 ? nil : try list(&reader, length)) }
        return result
    }

    private func list(
        _ reader: inout ByteReader,
        _ length: UInt64
    ) throws(CorruptBytes) -> [Int] {
        var blocks: [Int] = []
        var block = 0
        for _ in 0..<length {
            block += try reader.index(below: blockCount - block)
            blocks.append(block)
        }
        return blocks
    }
}

/// Gathers, block by block, which values a block holds.
struct PostingsBuilder: ~Copyable {
    /// Distinct values of block after block.
    private var values = Column<UInt32>()
    /// Where each block's values end.
    private var ends = Column<Int>()
    /// By value: the last block it was seen in, plus one.
    private var seen: [UInt32]

    /// - Parameter valueCount: values are below this.
    init(valueCount: Int) { seen = Array(repeating: 0, count: valueCount) }

    /// Notes the values of the next block.
    mutating func append(block numbers: UnsafeBufferPointer<UInt64>) {
        let stamp = UInt32(ends.count + 1)
        seen.withUnsafeMutableBufferPointer { seen in
            for number in numbers {
                let value = Int(number)
                // Bound: checked by the buffer's subscript only in debug, so checked here.
                guard value < seen.count, seen[value] != stamp else { continue }
                seen[value] = stamp
                values.append(UInt32(number))
            }
        }
        ends.append(values.count)
    }

    /// Sorted by value, as counting sort does.
    func finish() -> Lists {
        var starts = [Int](repeating: 0, count: seen.count + 1)
        for index in 0..<values.count { starts[Int(values[index]) + 1] += 1 }
        for value in 0..<seen.count { starts[value + 1] += starts[value] }
        var next = starts
        var blocks = [UInt32](repeating: 0, count: values.count)
        var first = 0
        for block in 0..<ends.count {
            for index in first..<ends[block] {
                let value = Int(values[index])
                blocks[next[value]] = UInt32(block)
                next[value] += 1
            }
            first = ends[block]
        }
        // More than a quarter of the blocks: a list saves little reading.
        return Lists(starts: starts, blocks: blocks, many: ends.count / 4)
    }

    /// The lists of all values.
    struct Lists {
        var starts: [Int]
        var blocks: [UInt32]
        var many: Int

        /// Whether no value of the range has a list that would be written.
        private func isEverywhere(_ range: Range<Int>) -> Bool {
            range.allSatisfy { starts[$0 + 1] - starts[$0] > many }
        }

        /// Writes one chunk for each of `ranges`; none where no list would be in it.
        func write(
            _ ranges: [Range<Int>],
            to output: inout PartOutput
        ) throws(DiskError) -> [ChunkReference] {
            var references: [ChunkReference] = []
            for range in ranges {
                if isEverywhere(range) {
                    references.append(.none)
                    continue
                }
                encode(range, to: &output.encoder)
                references.append(try output.finishChunk())
            }
            return references
        }

        private func encode(_ range: Range<Int>, to encoder: inout ChunkEncoder) {
            var lengths: [UInt64] = []
            lengths.reserveCapacity(range.count)
            var steps = ByteWriter()
            for value in range {
                let list = blocks[starts[value]..<starts[value + 1]]
                guard list.count <= many, !list.isEmpty else {
                    lengths.append(0)
                    continue
                }
                lengths.append(UInt64(list.count))
                var last: UInt32 = 0
                for block in list {
                    steps.append(varint: block - last)
                    last = block
                }
            }
            encoder.append(integers: lengths)
            encoder.append(frame: steps.bytes)
        }
    }
}
