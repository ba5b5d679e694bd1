// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Numbers small keys 0, 1, 2, ... in the order in which they are first seen: a dictionary without
/// objects.
///
/// Open addressing on 64-bit keys; the multiplier is secret, so that a sender cannot choose keys that
/// all fall into one slot.
/// ```
/// index(of: 70) -> 0        keys   [70, 12]
/// index(of: 12) -> 1        slots  [·, 2, ·, 1]     (number + 1, at the key's slot or behind it)
/// ```
struct PackedTable: ~Copyable {
    private(set) var keys = Column<UInt64>(capacity: 16)
    private var slots = Column<UInt32>(capacity: 32)
    private var shift: UInt64 = 64 - 5
    private static let multiplier = secretMultiplier()

    init() { resetSlots(to: 32) }

    var count: Int { keys.count }

    /// The number of `key`, and whether it was not known yet.
    @inline(__always)
    mutating func insert(_ key: UInt64) -> (index: Int, isNew: Bool) {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: (key &* Self.multiplier) &>> shift)
        while true {
            let number = slots[slot]
            if number == 0 { return (add(key, at: slot), true) }
            if keys[Int(number) &- 1] == key { return (Int(number) &- 1, false) }
            slot = (slot &+ 1) & mask
        }
    }

    /// The number of `key` if it is known.
    @inline(__always)
    func find(_ key: UInt64) -> Int? {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: (key &* Self.multiplier) &>> shift)
        while true {
            let number = slots[slot]
            if number == 0 { return nil }
            if keys[Int(number) &- 1] == key { return Int(number) &- 1 }
            slot = (slot &+ 1) & mask
        }
    }

    /// Forgets everything but keeps the memory.
    mutating func removeAll() {
        if keys.isEmpty { return }
        keys.truncate(to: 0)
        // A table that was large once must not cost its size for every small trace that follows.
        resetSlots(to: min(slots.count, 128))
    }

    @inline(never)
    private mutating func add(_ key: UInt64, at slot: Int) -> Int {
        keys.append(key)
        slots[slot] = UInt32(keys.count)
        if keys.count &* 2 > slots.count { grow() }
        return keys.count - 1
    }

    private mutating func grow() {
        resetSlots(to: slots.count * 2)
        let mask = slots.count - 1
        for index in 0..<keys.count {
            var slot = Int(truncatingIfNeeded: (keys[index] &* Self.multiplier) &>> shift)
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(index + 1)
        }
    }

    private mutating func resetSlots(to count: Int) {
        slots.truncate(to: 0)
        slots.append(count: count) { $0.initialize(repeating: 0) }
        shift = UInt64(64 - count.trailingZeroBitCount)
    }

    /// An odd number that differs from process to process.
    private static func secretMultiplier() -> UInt64 {
        UInt64(truncatingIfNeeded: Hasher().finalize()) | 1
    }
}
