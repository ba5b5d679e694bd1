// SPDX-License-Identifier: Apache-2.0

/// How often values stand on spans, by value, step and side.
///
/// The values that come first, mostly those that come often, have a row of their own; later ones a slot
/// for each step in which they come.
struct ComparedCounts {
    /// Steps, twice: by step the baseline, then the selection.
    private let width: Int
    private let rowCount: Int
    private var rows: [Double] = []
    private var slots = KeyedSlots(0.0, limit: RunLimits.comparedCountCount)

    init(stepCount: Int) {
        width = 2 * stepCount
        rowCount = RunLimits.measuredNumberCount / width
    }

    /// Counts a value in a cell, twice the step and one more for the selection.
    ///
    /// - Returns: `false` where there is no room.
    @inline(__always)
    mutating func add(_ value: UInt32, _ cell: Int, _ weight: Double) -> Bool {
        let value = Int(value)
        guard value < rowCount else {
            return slots.change(UInt64(value) << 15 | UInt64(cell)) { $0 += weight }
        }
        let missing = (value + 1) * width - rows.count
        if missing > 0 { rows.append(contentsOf: repeatElement(0, count: missing)) }
        rows[value &* width &+ cell] += weight
        return true
    }

    /// Calls `body` with every value, cell and count that is not zero.
    func forEach(_ body: (_ value: Int, _ cell: Int, _ count: Double) -> Void) {
        for (place, count) in rows.enumerated() where count != 0 {
            body(place / width, place % width, count)
        }
        slots.forEach { body(Int($0 >> 15), Int($0 & 0x7FFF), $1) }
    }
}
