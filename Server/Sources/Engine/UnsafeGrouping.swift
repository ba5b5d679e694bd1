// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Puts the rows of a block in the order of their forms, keeping the order inside a form.
struct Grouping: ~Copyable {
    /// Rows of the block.
    private(set) var order = Column<UInt32>()
    private var next = Column<UInt32>()

    /// - Parameter form: of a row, below `formCount`.
    @inline(__always)
    mutating func sort(_ count: Int, formCount: Int, form: (Int) -> UInt32) {
        next.truncate(to: 0)
        next.append(count: formCount + 1) { $0.initialize(repeating: 0) }
        for row in 0..<count { next[Int(form(row)) + 1] &+= 1 }
        for index in 0..<formCount { next[index + 1] &+= next[index] }
        order.truncate(to: 0)
        order.append(count: count) { target in
            for row in 0..<count {
                let place = Int(form(row))
                // Bound: the counts add up to `count`.
                target[Int(next[place])] = UInt32(row)
                next[place] &+= 1
            }
        }
    }
}
