// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Sorts distinct texts by bytes: quicksort into three parts, eight bytes at a time.
///
/// The eight bytes lie as one number beside the text's id, so that most comparisons touch no text.
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

    /// Texts that share all bytes before `depth`.
    private struct Task {
        var first: Int
        var end: Int
        var depth: Int
    }

    private static let fewItems = 12

    /// The places of `texts` in ascending order.
    static func order(_ texts: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> [UInt32] {
        let items = UnsafeMutablePointer<Item>.allocate(capacity: texts.count)
        defer { items.deallocate() }
        for id in texts.indices {
            (items + id).initialize(to: item(UInt32(id), texts[id], 0))
        }
        // No recursion, for texts are long. A pivot that a sender cannot foresee.
        var open = [Task(first: 0, end: texts.count, depth: 0)]
        var random = TextHash().combine(0, UInt64(texts.count)) | 1
        // Bound: tasks are cut from 0..<texts.count.
        while let task = open.popLast() {
            let count = task.end - task.first
            if count <= fewItems {
                insertionSort(items + task.first, count, task.depth, texts)
                continue
            }
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            let pivot = pivot(items + task.first, count, random)
            var less = task.first
            var index = task.first
            var greater = task.end
            while index < greater {
                let item = items[index]
                if Item.isBefore(item, pivot) {
                    items[index] = items[less]
                    items[less] = item
                    less &+= 1
                    index &+= 1
                } else if Item.isBefore(pivot, item) {
                    greater &-= 1
                    items[index] = items[greater]
                    items[greater] = item
                } else {
                    index &+= 1
                }
            }
            open.append(Task(first: task.first, end: less, depth: task.depth))
            open.append(Task(first: greater, end: task.end, depth: task.depth))
            guard pivot.rest > 8, greater - less > 1 else { continue }
            for index in less..<greater {
                let id = items[index].id
                items[index] = item(id, texts[Int(id)], task.depth + 8)
            }
            open.append(Task(first: less, end: greater, depth: task.depth + 8))
        }
        return UnsafeBufferPointer(start: items, count: texts.count).map(\.id)
    }

    /// The middle one of three.
    @inline(__always)
    private static func pivot(_ items: UnsafePointer<Item>, _ count: Int, _ random: UInt64) -> Item
    {
        // Bound: the high word of a product with `count` is below it.
        let place = Int(truncatingIfNeeded: random.multipliedFullWidth(by: UInt64(count)).high)
        let (a, b, c) = (items[0], items[place], items[count - 1])
        if Item.isBefore(a, b) {
            return Item.isBefore(b, c) ? b : Item.isBefore(a, c) ? c : a
        }
        return Item.isBefore(a, c) ? a : Item.isBefore(b, c) ? c : b
    }

    private static func insertionSort(
        _ items: UnsafeMutablePointer<Item>,
        _ count: Int,
        _ depth: Int,
        _ texts: UnsafeBufferPointer<UnsafeRawBufferPointer>
    ) {
        var index = 1
        while index < count {
            let item = items[index]
            var place = index
            while place > 0, isBefore(item, items[place - 1], depth, texts) {
                items[place] = items[place - 1]
                place -= 1
            }
            items[place] = item
            index += 1
        }
    }

    @inline(__always)
    private static func isBefore(
        _ a: Item,
        _ b: Item,
        _ depth: Int,
        _ texts: UnsafeBufferPointer<UnsafeRawBufferPointer>
    ) -> Bool {
        if a.word != b.word { return a.word < b.word }
        if a.rest <= 8 || b.rest <= 8 { return a.rest < b.rest }
        // Bound: both go on behind depth + 8.
        return ByteOrder.isBefore(
            UnsafeRawBufferPointer(rebasing: texts[Int(a.id)][(depth + 8)...]),
            UnsafeRawBufferPointer(rebasing: texts[Int(b.id)][(depth + 8)...])
        )
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
