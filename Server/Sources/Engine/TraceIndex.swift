// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// From a trace id to its trace row: entries sorted by the low half of the id, in blocks of as many
/// as a block of rows.
///
/// An entry is a row number (`PartField.indexRow`) and a key (`PartField.indexKey`): the high bits of
/// how far the low half lies behind the first one of the block. Ids are random, so a key of 16 bits
/// names one row, seldom two; the ids themselves stand in the trace rows.
enum TraceIndex {
    /// Bits of a key.
    static let keyBits = 16

    /// The key of `low` in a block whose ids reach from `first` to `last`; `nil` outside.
    static func key(of low: UInt64, in first: UInt64, _ last: UInt64) -> UInt64? {
        guard first <= low, low <= last else { return nil }
        return (low - first) >> shift(first, last)
    }

    private static func shift(_ first: UInt64, _ last: UInt64) -> UInt64 {
        let bits = 64 - (last - first).leadingZeroBitCount
        return UInt64(max(0, bits - keyBits))
    }

    /// The places in a block whose key is `key`, the keys being sorted.
    static func places(of key: UInt64, in keys: PackedIntegers) -> Range<Int> {
        func bound(_ isBehind: (UInt64) -> Bool) -> Int {
            var low = 0
            var high = keys.count
            while low < high {
                let middle = (low + high) / 2
                if isBehind(keys[middle]) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        return bound { $0 >= key }..<bound { $0 > key }
    }
}
