// SPDX-License-Identifier: Apache-2.0

/// The rows of a frame as a forest, depth first, children by start.
///
/// ```
/// rows   0: a        order   [0, 2, 3, 1]        a
///        1: c (of a) parent  [-1, 0, 1, 0]       ├ b
///        2: b (of a)         (places in order)   │ └ d
///        3: d (of b) depth   [0, 1, 2, 1]        └ c
/// ```
/// Each row stands in it exactly once. A span whose parent was not received, and the earliest span
/// of a circle, are roots of their own and marked.
public struct TraceTree: Sendable {
    /// Frame rows in display order.
    public let order: [Int]
    /// By display place: the place of the parent, or -1.
    public let parent: [Int32]
    /// By display place: steps from the root.
    public let depth: [UInt32]
    /// By display place: the parent the span names is not where it hangs.
    public let isParentMissing: [Bool]

    /// Arranges `frame` in one pass over each of its rows after sorting by start.
    public init(_ frame: SpanFrame) {
        let count = frame.count
        let byStart = Self.sortedByStart(frame)
        let parentRow = Self.parentRows(frame, byStart: byStart)
        let children = ChildLists(parents: parentRow, byStart: byStart)
        var walk = Walk(count: count)
        for row in byStart where parentRow[row] < 0 {
            walk.descend(from: row, isParentMissing: frame.parentID[row] != 0, children)
        }
        // What is left hangs below circles: open each at its earliest span.
        if walk.order.count < count {
            for row in byStart where !walk.isVisited[row] {
                walk.descend(from: row, isParentMissing: true, children)
            }
        }
        order = walk.order
        parent = walk.parent
        depth = walk.depth
        isParentMissing = walk.isParentMissing
    }

    /// Rows by start, then span id, then row.
    private static func sortedByStart(_ frame: SpanFrame) -> [Int] {
        let rows = Array(0..<frame.count)
        let isBefore: (Int, Int) -> Bool = { left, right in
            if frame.start[left] != frame.start[right] {
                return frame.start[left] < frame.start[right]
            }
            if frame.spanID[left] != frame.spanID[right] {
                return frame.spanID[left] < frame.spanID[right]
            }
            return left < right
        }
        let isSorted = zip(rows, rows.dropFirst()).allSatisfy { isBefore($0, $1) }
        return isSorted ? rows : rows.sorted(by: isBefore)
    }

    /// By row: the row of its parent, or -1. Of spans with one id the earliest is the parent.
    private static func parentRows(_ frame: SpanFrame, byStart: [Int]) -> [Int] {
        let rows = SpanRows(frame.spanID, order: byStart)
        return (0..<frame.count).map { row in
            let parentID = frame.parentID[row]
            guard parentID != 0, parentID != frame.spanID[row] else { return -1 }
            return rows.first(parentID) ?? -1
        }
    }

    /// The children of each row, by start, as one flat list.
    private struct ChildLists {
        var rows: [Int]
        /// Children of row `r` are `rows[first[r]..<first[r + 1]]`.
        var first: [Int]

        init(parents: [Int], byStart: [Int]) {
            first = Array(repeating: 0, count: parents.count + 1)
            for parent in parents where parent >= 0 { first[parent + 1] += 1 }
            for row in 0..<parents.count { first[row + 1] += first[row] }
            var next = first
            rows = Array(repeating: 0, count: first[parents.count])
            for row in byStart where parents[row] >= 0 {
                rows[next[parents[row]]] = row
                next[parents[row]] += 1
            }
        }
    }

    /// The depth-first walk, with a stack of its own.
    private struct Walk {
        var order: [Int] = []
        var parent: [Int32] = []
        var depth: [UInt32] = []
        var isParentMissing: [Bool] = []
        var isVisited: [Bool]

        init(count: Int) {
            isVisited = Array(repeating: false, count: count)
            order.reserveCapacity(count)
            parent.reserveCapacity(count)
            depth.reserveCapacity(count)
            isParentMissing.reserveCapacity(count)
        }

        mutating func descend(from root: Int, isParentMissing: Bool, _ children: ChildLists) {
            var stack = [(row: root, parent: Int32(-1), depth: UInt32(0))]
            while let (row, parentPlace, level) = stack.popLast() {
                // Only a circle leads back to a span that stands already.
                if isVisited[row] { continue }
                isVisited[row] = true
                let place = Int32(truncatingIfNeeded: order.count)
                order.append(row)
                parent.append(parentPlace)
                depth.append(level)
                self.isParentMissing.append(row == root && isParentMissing)
                let range = children.first[row]..<children.first[row + 1]
                for child in children.rows[range].reversed() where !isVisited[child] {
                    stack.append((child, place, level &+ 1))
                }
            }
        }
    }
}
