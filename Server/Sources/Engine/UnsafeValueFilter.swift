// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Says which blocks surely do not hold a value: for every block a Bloom filter, cut into pages by
/// the value's hash, so that one value's question to all blocks reads one page.
///
/// The high bits of the hash choose the page. In it each block has `slotByteCount` bytes, in which
/// five probes choose bits. 8 bits a distinct value: about 2.5 % false hits. The index is one chunk:
/// pages, blocks, slotByteCount (varints), then each page's `ChunkReference`. A page is stored as
/// it is.
struct ValueFilter: Sendable {
    let blockCount: Int
    let slotByteCount: Int
    let pages: [ChunkReference]
    static let probes = 5

    init(chunk bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        let count = try reader.count(ofAtLeast: 6)
        blockCount = try reader.index(below: 1 << 32)
        slotByteCount = try reader.index(below: Limits.chunkBytes)
        var pages: [ChunkReference] = []
        for _ in 0..<count { pages.append(try ChunkReference(parsing: &reader)) }
        self.pages = pages
        guard count > 0, slotByteCount > 0 else { throw CorruptBytes(what: "a filter is damaged") }
    }

    /// The place in `pages` that answers for values of this hash.
    func page(of hash: UInt64) -> Int { Self.page(of: hash, pages.count) }

    static func page(of hash: UInt64, _ count: Int) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Whether block `block` may hold a value of this hash, by the bytes of its page.
    func mayHold(_ hash: UInt64, block: Int, page: [UInt8]) -> Bool {
        let slot = block * slotByteCount
        guard slot >= 0, slot + slotByteCount <= page.count else { return true }
        for probe in 0..<Self.probes {
            let bit = Self.bit(hash, probe, of: slotByteCount * 8)
            if page[slot + bit >> 3] & 1 << UInt8(bit & 7) == 0 { return false }
        }
        return true
    }

    @inline(__always)
    static func bit(_ hash: UInt64, _ probe: Int, of count: Int) -> Int {
        // The page took the high bits; the probes take others, mixed anew.
        let first = hash &* 0x9E37_79B9_7F4A_7C15
        let step = (hash << 32 | hash >> 32) &* 0xC2B2_AE3D_27D4_EB4F | 1
        let mixed = first &+ UInt64(truncatingIfNeeded: probe) &* step
        return Int(truncatingIfNeeded: mixed.multipliedFullWidth(by: UInt64(count)).high)
    }
}

/// The hash by which `ValueFilter` knows a value. On disk: it never changes.
enum ValueHash {
    @inline(__always)
    static func of(_ number: UInt64) -> UInt64 {
        fold(number ^ 0x8EBC_6AF0_9C88_C6E3, 0x5897_89E6_5E96_C2F1)
    }

    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    static func of(_ text: UnsafeRawBufferPointer) -> UInt64 {
        var state = UInt64(text.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        // Bound: offset + 8 <= text.count.
        while offset &+ 8 <= text.count {
            let word = UInt64(
                littleEndian: text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            )
            state = fold(state ^ word, 0xA076_1D64_78BD_642F)
            offset &+= 8
        }
        var rest: UInt64 = 0
        var shift: UInt64 = 0
        while offset < text.count {
            rest |= UInt64(text[offset]) << shift
            shift &+= 8
            offset &+= 1
        }
        return fold(state ^ rest, 0xE703_7ED1_A0B4_28DB)
    }
}

/// Builds a `ValueFilter` as the blocks go by.
struct ValueFilterBuilder: ~Copyable {
    private let blockCount: Int
    private let slotByteCount: Int
    private let pageCount: Int
    private var bits: Column<UInt8>

    /// - Parameters:
    ///   - values: distinct values of each block, added up over the blocks; an estimate will do.
    ///   - blockCount: blocks of the part, at least 1.
    init(values: Int, blockCount: Int) {
        let total = max(values, blockCount * 8)
        let slot = max(8, Limits.filterPageBytes / blockCount)
        pageCount = max(1, (total + slot * blockCount / 2) / (slot * blockCount))
        slotByteCount = max(8, (total + pageCount * blockCount - 1) / (pageCount * blockCount))
        self.blockCount = blockCount
        bits = Column()
        bits.append(count: pageCount * blockCount * slotByteCount) {
            $0.initialize(repeating: 0)
        }
    }

    /// Takes the numbers of a block in; repeated ones next to each other cost nothing.
    mutating func insert(_ numbers: UnsafeBufferPointer<UInt64>, block: Int) {
        guard var last = numbers.first else { return }
        insert(ValueHash.of(last), block: block)
        for number in numbers where number != last {
            insert(ValueHash.of(number), block: block)
            last = number
        }
    }

    @inline(__always)
    mutating func insert(_ hash: UInt64, block: Int) {
        let page = ValueFilter.page(of: hash, pageCount)
        let slot = (page &* blockCount &+ block) &* slotByteCount
        let bitCount = slotByteCount &* 8
        for probe in 0..<ValueFilter.probes {
            let bit = ValueFilter.bit(hash, probe, of: bitCount)
            bits[slot &+ bit >> 3] |= 1 << UInt8(truncatingIfNeeded: bit & 7)
        }
    }

    consuming func finish(to output: inout PartOutput) throws(DiskError) -> ChunkReference {
        var index = ByteWriter()
        index.append(varint: pageCount)
        index.append(varint: blockCount)
        index.append(varint: slotByteCount)
        let pageBytes = blockCount * slotByteCount
        for page in 0..<pageCount {
            let reference = try bits.withElements { (all) throws(DiskError) in
                // Bound: the filter has pageCount pages of pageBytes.
                let run = UnsafeBufferPointer(
                    rebasing: all[page * pageBytes..<(page + 1) * pageBytes]
                )
                output.encoder.append(raw: UnsafeRawBufferPointer(run))
                return try output.finishChunk()
            }
            reference.encode(to: &index)
        }
        output.encoder.append(raw: index.bytes)
        return try output.finishChunk()
    }
}
