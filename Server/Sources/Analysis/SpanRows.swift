// SPDX-License-Identifier: Apache-2.0

/// The rows of a trace by span id: open addressing over the rows, for loops over every span.
///
/// ```
/// ids  0: 7    first(7) 0    repeats [2]    rows whose id an earlier one has
///      1: 9    first(9) 1
///      2: 7    first(4) nil
/// ```
/// Nearly every trace repeats no id, so what is about spans of one id costs it nothing.
public struct SpanRows: Sendable {
    private let ids: [UInt64]
    /// A row plus one, or 0. At most half full, so that a probe stays short.
    private var slots: [Int32]
    /// Keyed so that a sender cannot choose ids that all fall into one slot.
    private let seed: UInt64
    /// Rows whose id an earlier row carries, as they came.
    public private(set) var repeats: [Int] = []

    /// - Parameters:
    ///   - ids: By row.
    ///   - order: Every row once: where it is not given, as they stand. The first of it that carries
    ///     an id is the one that `first` finds.
    public init(_ ids: [UInt64], order: [Int]? = nil) {
        self.ids = ids
        var size = 16
        while size < ids.count * 2 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        seed = UInt64(bitPattern: Int64(Hasher().finalize())) | 1
        if let order {
            for row in order { add(row) }
        } else {
            for row in ids.indices { add(row) }
        }
    }

    /// The first row that carries `id`.
    public func first(_ id: UInt64) -> Int? {
        let found = slots[slot(of: id)]
        return found == 0 ? nil : Int(found) - 1
    }

    @inline(__always)
    private mutating func add(_ row: Int) {
        let slot = slot(of: ids[row])
        if slots[slot] == 0 {
            slots[slot] = Int32(truncatingIfNeeded: row + 1)
        } else {
            repeats.append(row)
        }
    }

    /// Where `id` is, or would be.
    @inline(__always)
    private func slot(of id: UInt64) -> Int {
        let mask = slots.count &- 1
        let product = (id ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15 ^ seed)
        var slot = Int(truncatingIfNeeded: product.high ^ product.low) & mask
        while slots[slot] != 0, ids[Int(slots[slot]) - 1] != id { slot = (slot &+ 1) & mask }
        return slot
    }
}
