// SPDX-License-Identifier: Apache-2.0

/// Sorts numbers by their low bits: 11 bits a pass, from the lowest.
enum PackedSort {
    private static let digitBits = 11

    /// Sorts ascending; bits from `bits` on must be zero in all numbers.
    static func sort(_ numbers: inout [UInt64], bits: Int) {
        let count = numbers.count
        guard count > 1 else { return }
        var other = [UInt64](repeating: 0, count: count)
        var starts = [Int](repeating: 0, count: 1 << digitBits)
        var shift = 0
        while shift < bits {
            numbers.withUnsafeMutableBufferPointer { from in
                other.withUnsafeMutableBufferPointer { to in
                    starts.withUnsafeMutableBufferPointer { starts in
                        pass(from, to, starts, shift: UInt64(shift))
                    }
                }
            }
            swap(&numbers, &other)
            shift += digitBits
        }
    }

    private static func pass(
        _ from: UnsafeMutableBufferPointer<UInt64>,
        _ to: UnsafeMutableBufferPointer<UInt64>,
        _ starts: UnsafeMutableBufferPointer<Int>,
        shift: UInt64
    ) {
        let mask = UInt64(1 << digitBits) - 1
        starts.update(repeating: 0)
        for number in from { starts[Int(truncatingIfNeeded: number &>> shift & mask)] &+= 1 }
        var sum = 0
        for digit in starts.indices {
            let count = starts[digit]
            starts[digit] = sum
            sum &+= count
        }
        for number in from {
            let digit = Int(truncatingIfNeeded: number &>> shift & mask)
            // Bound: the starts were counted from these numbers, so each place is below count.
            to[starts[digit]] = number
            starts[digit] &+= 1
        }
    }
}
