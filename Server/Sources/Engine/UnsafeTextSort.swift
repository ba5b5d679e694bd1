// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Sorts distinct texts by bytes.
///
/// Eight bytes at a time as one number: most comparisons are of two numbers that lie side by side.
/// Texts that share the eight are sorted by the next eight.
enum TextSort {
    private struct Item: BitwiseCopyable {
        /// The eight bytes from the depth in hand, the first most significant, zeros behind the end.
        var word: UInt64
        var id: UInt32
        /// Bytes of the text from the depth in hand, 9 for more than eight: tells a text that ends
        /// from one that goes on with zeros.
        var rest: UInt32

        @inline(__always)
        static func isBefore(_ a: Item, _ b: Item) -> Bool {
            a.word == b.word ? a.rest < b.rest : a.word < b.word
        }
    }

    /// The places of `texts` in ascending order.
    static func order(_ texts: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> [UInt32] {
        let items = UnsafeMutableBufferPointer<Item>.allocate(capacity: texts.count)
        defer { items.deallocate() }
        for id in texts.indices {
            items.initializeElement(at: id, to: item(UInt32(id), texts[id], 0))
        }
        // Ranges whose texts share all bytes before a depth; no recursion, for texts are long.
        var open = [(range: 0..<items.count, depth: 0)]
        while let (range, depth) = open.popLast() {
            // Bound: ranges are cut from 0..<items.count.
            var part = UnsafeMutableBufferPointer(rebasing: items[range])
            part.sort(by: Item.isBefore)
            var first = range.lowerBound
            while first < range.upperBound {
                var end = first + 1
                while end < range.upperBound, items[end].word == items[first].word,
                    items[end].rest == items[first].rest
                {
                    end += 1
                }
                if end - first > 1, items[first].rest > 8 {
                    for index in first..<end {
                        let id = items[index].id
                        items[index] = item(id, texts[Int(id)], depth + 8)
                    }
                    open.append((first..<end, depth + 8))
                }
                first = end
            }
        }
        return items.map(\.id)
    }

    @inline(__always)
    private static func item(_ id: UInt32, _ text: UnsafeRawBufferPointer, _ depth: Int) -> Item {
        let rest = text.count - depth
        // Bound: eight bytes from depth where there are so many.
        if rest >= 8 {
            let word = text.loadUnaligned(fromByteOffset: depth, as: UInt64.self).bigEndian
            return Item(word: word, id: id, rest: rest > 8 ? 9 : 8)
        }
        var word: UInt64 = 0
        for index in 0..<max(rest, 0) {
            word |= UInt64(text[depth + index]) << UInt64(56 - 8 * index)
        }
        return Item(word: word, id: id, rest: UInt32(max(rest, 0)))
    }
}
