// SPDX-License-Identifier: Apache-2.0

/// A value for each of many 64-bit keys: open addressing, for loops that look up one a span.
struct KeyedSlots<Value: BitwiseCopyable> {
    private struct Slot: BitwiseCopyable {
        var key: UInt64
        var value: Value
    }

    /// A key below `UInt64.max`, or that for an empty slot.
    private var slots: [Slot]
    private let empty: Value
    private(set) var count = 0
    private let limit: Int
    /// Keyed so that a sender cannot choose values that all fall into one slot.
    private let seed: UInt64

    /// No keys; `limit` at most.
    init(_ empty: Value, limit: Int) {
        self.empty = empty
        self.limit = limit
        slots = Array(repeating: Slot(key: .max, value: empty), count: 64)
        seed = UInt64(bitPattern: Int64(Hasher().finalize())) | 1
    }

    /// The value of `key`.
    func value(_ key: UInt64) -> Value? {
        let place = place(of: key)
        return slots[place].key == key ? slots[place].value : nil
    }

    /// Calls `change` with the value of `key`, which is `empty` where the key is new.
    ///
    /// - Returns: `false` where it is new and there is no room.
    @inline(__always)
    mutating func change(_ key: UInt64, _ change: (inout Value) -> Void) -> Bool {
        var place = place(of: key)
        if slots[place].key != key {
            guard count < limit else { return false }
            // At most half full, so that a probe stays short.
            if (count + 1) * 2 > slots.count {
                grow()
                place = self.place(of: key)
            }
            slots[place].key = key
            count += 1
        }
        change(&slots[place].value)
        return true
    }

    /// Calls `body` with every key and its value, in no order.
    func forEach(_ body: (UInt64, Value) -> Void) {
        for slot in slots where slot.key != .max { body(slot.key, slot.value) }
    }

    /// Where `key` is, or would be.
    @inline(__always)
    private func place(of key: UInt64) -> Int {
        let mask = slots.count &- 1
        let product = (key ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15 ^ seed)
        var place = Int(truncatingIfNeeded: product.high ^ product.low) & mask
        while slots[place].key != key, slots[place].key != .max { place = (place &+ 1) & mask }
        return place
    }

    @inline(never)
    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(key: .max, value: empty), count: old.count * 2)
        for slot in old where slot.key != .max { slots[place(of: slot.key)] = slot }
    }
}
