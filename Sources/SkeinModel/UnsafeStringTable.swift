// SPDX-License-Identifier: Apache-2.0

/// Each distinct byte string once, named by a small number: service, operation and key names.
///
/// Open addressing over an arena of bytes. Id 0 is always the empty string.
/// ```
/// intern("GET /") -> 1        arena  "GET /order.id"
/// intern("order.id") -> 2     ends   [0, 5, 13]
/// intern("GET /") -> 1        slots  [·, 2, ·, 1]   (hash of the bytes picks the slot)
/// ```
/// Strings are bytes as they came; they need not be valid UTF-8 (`text` repairs).
public struct StringTable: ~Copyable, Sendable {
    /// The bytes of all strings, one after another.
    @usableFromInline
    var arena: Column<UInt8>
    /// `ends[id]` is where string `id` ends in the arena; it begins at `ends[id - 1]`.
    @usableFromInline
    var ends: Column<UInt32>
    /// High 32 bits: the hash's upper half; low 32 bits: id, 0 for an empty slot.
    @usableFromInline
    var slots: Column<UInt64>
    /// Keyed so that a sender cannot choose strings that all fall into one slot.
    @usableFromInline
    let seed: UInt64

    /// The strings of another table without its slots, which are made anew should one be added.
    init(packing source: borrowing StringTable, _ packer: inout SlabPacker) {
        arena = packer.column(source.arena)
        ends = packer.column(source.ends)
        slots = Column()
        seed = source.seed
    }

    /// Makes a table that holds the empty string only.
    public init() {
        arena = Column(capacity: 1024)
        ends = Column(capacity: 64)
        ends.append(0)
        slots = Column(capacity: 128)
        seed = UInt64.random(in: .min ... .max)
        resetSlots(to: 128)
    }

    /// Distinct strings, the empty one included.
    @inlinable
    public var count: Int { ends.count }

    /// Bytes of memory held.
    public var allocatedByteCount: Int {
        arena.allocatedByteCount + ends.allocatedByteCount + slots.allocatedByteCount
    }

    /// The id of `bytes`, which is added if it is new.
    ///
    /// - Precondition: all strings together stay below 4 GiB (a request is at most 64 MiB).
    @inlinable
    public mutating func intern(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        if bytes.isEmpty { return 0 }
        if slots.isEmpty { rehash(to: Self.slotCount(for: count)) }
        let hash = hashOf(bytes)
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            let id = UInt32(truncatingIfNeeded: entry)
            if id == 0 { return add(bytes, hash: hash, at: slot) }
            if entry >> 32 == hash >> 32, equals(id, bytes) { return id }
            slot = (slot &+ 1) & mask
        }
    }

    /// The id of `text`, which is added if it is new.
    public mutating func intern(_ text: String) -> UInt32 {
        var text = text
        return text.withUTF8 { intern(UnsafeRawBufferPointer($0)) }
    }

    /// The id of `bytes` if it is there.
    public func find(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        if bytes.isEmpty { return 0 }
        // A packed table has no slots, and few strings.
        if slots.isEmpty { return (1..<UInt32(count)).first { equals($0, bytes) } }
        let hash = hashOf(bytes)
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            let id = UInt32(truncatingIfNeeded: entry)
            if id == 0 { return nil }
            if entry >> 32 == hash >> 32, equals(id, bytes) { return id }
            slot = (slot &+ 1) & mask
        }
    }

    /// The id of `text` if it is there.
    public func find(_ text: String) -> UInt32? {
        var text = text
        return text.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    /// Calls `body` with the bytes of string `id`; the buffer is valid only during the call.
    @inlinable
    public func withBytes<Result: ~Copyable, Failure: Error>(
        of id: UInt32,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let end = Int(ends[Int(id)])
        let start = id == 0 ? 0 : Int(ends[Int(id) &- 1])
        return try arena.withElements { (all) throws(Failure) in
            // Bound: ends is ascending and its last entry is arena.count.
            try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[start..<end]))
        }
    }

    /// String `id` as text; bytes that are not UTF-8 read as U+FFFD.
    public func text(_ id: UInt32) -> String {
        withBytes(of: id) { String(decoding: $0, as: UTF8.self) }
    }

    @inlinable
    @inline(__always)
    func equals(_ id: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        withBytes(of: id) {
            guard $0.count == bytes.count else { return false }
            guard let ours = $0.baseAddress, let theirs = bytes.baseAddress else { return true }
            return ShortBytes.equal(ours, theirs, bytes.count)
        }
    }

    @usableFromInline
    @inline(never)
    mutating func add(_ bytes: UnsafeRawBufferPointer, hash: UInt64, at slot: Int) -> UInt32 {
        let id = UInt32(ends.count)
        bytes.withMemoryRebound(to: UInt8.self) { arena.append(contentsOf: $0) }
        ends.append(UInt32(arena.count))
        slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id)
        // At most half full, so that a probe stays short.
        if ends.count * 2 > slots.count { rehash(to: slots.count * 2) }
        return id
    }

    private mutating func resetSlots(to size: Int) {
        slots.truncate(to: 0)
        slots.append(count: size) { $0.initialize(repeating: 0) }
    }

    /// Slots for `count` strings: a power of two, at most half of them taken.
    @usableFromInline
    static func slotCount(for count: Int) -> Int {
        var size = 128
        while size < count * 2 { size *= 2 }
        return size
    }

    /// Forgets all strings but the empty one, keeping the room.
    public mutating func removeAll() {
        arena.truncate(to: 0)
        ends.truncate(to: 1)
        resetSlots(to: max(slots.count, 128))
    }

    @usableFromInline
    mutating func rehash(to size: Int) {
        resetSlots(to: size)
        let mask = size - 1
        for id in 1..<UInt32(ends.count) {
            let hash = withBytes(of: id) { hashOf($0) }
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id)
        }
    }

    /// A keyed multiply-and-fold hash in the manner of wyhash: 8 bytes a step, the last overlapping.
    @inlinable
    @inline(__always)
    func hashOf(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard let place = bytes.baseAddress else { return seed }
        let count = bytes.count
        var state = seed ^ UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
        guard count >= 8 else {
            return Self.fold(state ^ ShortBytes.short(place, count), 0xE703_7ED1_A0B4_28DB ^ seed)
        }
        var offset = 0
        // Bound: offset + 8 <= count in the loop; the last load ends at count.
        while offset < count &- 8 {
            state = Self.fold(state ^ ShortBytes.word(place + offset), 0xA076_1D64_78BD_642F)
            offset &+= 8
        }
        let last = ShortBytes.word(place + (count &- 8))
        return Self.fold(state ^ last, 0xE703_7ED1_A0B4_28DB ^ seed)
    }

    @inlinable
    @inline(__always)
    static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
