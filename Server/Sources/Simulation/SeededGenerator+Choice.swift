// SPDX-License-Identifier: Apache-2.0

import StoreContract

extension SeededGenerator {
    /// True once in `count` times.
    mutating func happens(oneIn count: Int) -> Bool { number(below: count) == 0 }

    /// True so many times in a hundred.
    mutating func happens(percent: Int) -> Bool { number(below: 100) < percent }

    /// A number from 0 up to `bound`, which is not among them.
    mutating func number(below bound: Int) -> Int {
        // The product's high half is uniform enough for choices and costs no division.
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(max(bound, 1))).high)
    }

    mutating func pick<Element>(from elements: [Element]) -> Element {
        elements[number(below: elements.count)]
    }
}
