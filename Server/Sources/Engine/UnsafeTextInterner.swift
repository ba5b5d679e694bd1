// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Each distinct text once, numbered in order of appearance. Texts are not copied: who gave them
/// keeps them where they are.
///
/// Open addressing, at most half full; keyed, so that a sender cannot choose texts that all fall
/// into one slot.
struct TextInterner: ~Copyable {
    private(set) var texts = Column<UnsafeRawBufferPointer>(capacity: 64)
    /// High 32 bits: upper half of the hash; low 32 bits: id plus one, 0 for an empty slot.
    private var slots = Column<UInt64>(capacity: 128)

    private let hashing = TextHash()

    init() { clearSlots(128) }

    var count: Int { texts.count }

    /// The id of `text`, which is added if it is new.
    @inline(__always)
    mutating func intern(_ text: UnsafeRawBufferPointer) -> UInt32 {
        intern(text, hash: hashing.of(text))
    }

    /// - Parameter hash: of the text, by `TextHash`.
    @inline(__always)
    mutating func intern(_ text: UnsafeRawBufferPointer, hash: UInt64) -> UInt32 {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return add(text, hash, slot) }
            let id = UInt32(truncatingIfNeeded: entry) &- 1
            if entry >> 32 == hash >> 32, ByteOrder.isSame(texts[Int(id)], text) { return id }
            slot = (slot &+ 1) & mask
        }
    }

    @inline(never)
    private mutating func add(_ text: UnsafeRawBufferPointer, _ hash: UInt64, _ slot: Int) -> UInt32
    {
        texts.append(text)
        slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(texts.count)
        if texts.count * 2 > slots.count { rehash(to: slots.count * 4) }
        return UInt32(texts.count - 1)
    }

    private mutating func clearSlots(_ count: Int) {
        slots.truncate(to: 0)
        slots.append(count: count) { $0.initialize(repeating: 0) }
    }

    private mutating func rehash(to size: Int) {
        clearSlots(size)
        let mask = size - 1
        for id in 0..<texts.count {
            let hash = hashing.of(texts[id])
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id + 1)
        }
    }
}

/// Each distinct record of whole numbers once, numbered in order of appearance.
struct RecordInterner<Record: BitwiseCopyable & Hashable>: ~Copyable {
    private(set) var records = Column<Record>(capacity: 64)
    /// High 32 bits: upper half of the hash; low 32 bits: id plus one, 0 for an empty slot.
    private var slots = Column<UInt64>(capacity: 128)
    private var hashes = Column<UInt64>(capacity: 64)

    init() { clearSlots(128) }

    var count: Int { records.count }

    /// - Parameter hash: equal for equal records, and keyed.
    @inline(__always)
    mutating func intern(_ record: Record, hash: UInt64) -> UInt32 {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return add(record, hash, slot) }
            let id = UInt32(truncatingIfNeeded: entry) &- 1
            if entry >> 32 == hash >> 32, records[Int(id)] == record { return id }
            slot = (slot &+ 1) & mask
        }
    }

    @inline(never)
    private mutating func add(_ record: Record, _ hash: UInt64, _ slot: Int) -> UInt32 {
        records.append(record)
        hashes.append(hash)
        slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(records.count)
        if records.count * 2 > slots.count { rehash(to: slots.count * 4) }
        return UInt32(records.count - 1)
    }

    private mutating func clearSlots(_ count: Int) {
        slots.truncate(to: 0)
        slots.append(count: count) { $0.initialize(repeating: 0) }
    }

    private mutating func rehash(to size: Int) {
        clearSlots(size)
        let mask = size - 1
        for id in 0..<records.count {
            let hash = hashes[id]
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id + 1)
        }
    }
}

/// Hashing in memory, keyed by the process. Not for anything on disk: see `ValueHash`.
struct TextHash: BitwiseCopyable {
    private let seed = UInt64(bitPattern: Int64(0x536B_6569.hashValue))

    @inline(__always)
    func of(_ text: UnsafeRawBufferPointer) -> UInt64 {
        let count = text.count
        var state = seed ^ UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
        guard count >= 8 else {
            return Self.fold(state ^ Self.short(text), 0xE703_7ED1_A0B4_28DB ^ seed)
        }
        var offset = 0
        // Bound: offset + 8 <= count in the loop; the last load ends at count.
        while offset < count &- 8 {
            let word = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = Self.fold(state ^ word, 0xA076_1D64_78BD_642F)
            offset &+= 8
        }
        let last = text.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        return Self.fold(state ^ last, 0xE703_7ED1_A0B4_28DB ^ seed)
    }

    /// Fewer than eight bytes as one number.
    @inline(__always)
    private static func short(_ text: UnsafeRawBufferPointer) -> UInt64 {
        let count = text.count
        if count >= 4 {
            // Bound: 4 <= count < 8, the two loads overlap.
            let first = UInt64(text.loadUnaligned(as: UInt32.self))
            let last = text.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            return first << 32 | UInt64(last)
        }
        guard count > 0 else { return 0 }
        // Bound: 1 <= count < 4; the middle is the first or the last again.
        return UInt64(text[0]) << 16 | UInt64(text[count / 2]) << 8 | UInt64(text[count &- 1])
    }

    /// Takes one more number into a hash; begin with 0.
    @inline(__always)
    func combine(_ hash: UInt64, _ number: UInt64) -> UInt64 {
        Self.fold(hash ^ number ^ seed, 0xA076_1D64_78BD_642F &+ (seed | 1))
    }

    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
