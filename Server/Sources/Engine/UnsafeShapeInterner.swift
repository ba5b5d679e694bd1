// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Each distinct list of attribute keys and types once; 0 is the empty one.
struct ShapeInterner: ~Copyable {
    /// Key << 8 | type, list after list.
    private var entries = Column<UInt64>(capacity: 256)
    private var ends = Column<Int>(capacity: 64)
    private var hashes = Column<UInt64>(capacity: 64)
    private var slots = Column<UInt32>(capacity: 256)
    private var hash: UInt64 = 0
    private let hashing = TextHash()

    init() {
        ends.append(0)
        hashes.append(0)
        clearSlots(256)
    }

    /// Begins a list; it is kept behind the others until `finish` knows whether it is new.
    @inline(__always)
    mutating func begin() { hash = 0 }

    @inline(__always)
    mutating func add(_ key: UInt32, _ type: UInt8) {
        let entry = UInt64(key) << 8 | UInt64(type)
        entries.append(entry)
        hash = hashing.combine(hash, entry)
    }

    mutating func finish() -> UInt32 {
        let first = ends[ends.count - 1]
        let count = entries.count - first
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let id = Int(slots[slot])
            if hashes[id] == hash, isSame(id, first, count) {
                entries.truncate(to: first)
                return UInt32(id)
            }
            slot = (slot &+ 1) & mask
        }
        slots[slot] = UInt32(ends.count)
        ends.append(entries.count)
        hashes.append(hash)
        if ends.count * 2 > slots.count { rehash(to: slots.count * 4) }
        return UInt32(ends.count - 1)
    }

    @inline(__always)
    private func isSame(_ id: Int, _ first: Int, _ count: Int) -> Bool {
        let start = ends[id - 1]
        guard ends[id] - start == count else { return false }
        for index in 0..<count where entries[start + index] != entries[first + index] {
            return false
        }
        return true
    }

    private mutating func clearSlots(_ count: Int) {
        slots.truncate(to: 0)
        slots.append(count: count) { $0.initialize(repeating: 0) }
    }

    private mutating func rehash(to size: Int) {
        clearSlots(size)
        for id in 1..<ends.count {
            var slot = Int(truncatingIfNeeded: hashes[id]) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(id)
        }
    }

    /// All lists with the vocabulary's name ids, sorted, and where each went.
    func sorted(_ nameRanks: [UInt32]) -> (shapes: [[PartVocabulary.Entry]], ranks: [UInt32]) {
        var all: [(id: UInt32, shape: [PartVocabulary.Entry])] = []
        for id in 0..<ends.count {
            var shape: [PartVocabulary.Entry] = []
            for index in (id == 0 ? 0 : ends[id - 1])..<ends[id] {
                let entry = entries[index]
                let type = AttributeType(rawValue: UInt8(truncatingIfNeeded: entry)) ?? .empty
                shape.append(PartVocabulary.Entry(key: nameRanks[Int(entry >> 8)], type: type))
            }
            all.append((UInt32(id), shape))
        }
        all.sort { $0.shape.lexicographicallyPrecedes($1.shape) }
        return (all.map(\.shape), FlushVocabulary.ranks(all.map(\.id)))
    }
}
