// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel

/// Who is whose parent in one trace. Every connected piece of it is a tree of its own: no root needs to
/// have come. The halves of a Zipkin span that share an id are two spans, one below the other.
///
/// ```
/// spans  0 a          parent  [-1, 0, 0, 1]     order [0, 1, 3, 2]     a
///        1 b (of a)   size    [ 4, 2, 1, 1]     left  [1, 2, 6, 3]     ├ b
///        2 c (of a)                             right [8, 5, 7, 4]     │ └ d
///        3 d (of b)                                                    └ c
/// ```
struct TraceShape {
    /// By span: its parent, or -1 at the top of a piece.
    let parent: [Int32]
    /// Spans in the order of a walk, each after its parent.
    let order: [Int]
    let childCount: [Int32]
    /// Spans on the longest way down.
    let deepest: Int
    /// By span: a number that siblings share and others do not; -1 where there is no parent.
    let family: [Int]
    private let place: [Int32]
    private let depth: [UInt32]
    private let size: [Int32]

    init(_ columns: borrowing SpanColumns, _ rows: Range<Int>) {
        var frame = SpanFrame(capacity: rows.count)
        for row in rows {
            frame.append(
                spanID: columns.spanID[row],
                parentID: columns.parentID[row],
                start: columns.start[row],
                end: columns.end[row],
                kind: SpanKind(rawValue: columns.kind[row]) ?? .unspecified,
                service: columns.service(row)
            )
        }
        frame.separateSharedSpans()
        let tree = TraceTree(frame)
        let count = rows.count
        var parent = [Int32](repeating: -1, count: count)
        var childCount = [Int32](repeating: 0, count: count)
        var place = [Int32](repeating: 0, count: count)
        var depth = [UInt32](repeating: 0, count: count)
        var size = [Int32](repeating: 1, count: count)
        for (at, span) in tree.order.enumerated() {
            place[span] = Int32(truncatingIfNeeded: at)
            depth[span] = tree.depth[at]
            guard tree.parent[at] >= 0 else { continue }
            let above = tree.order[Int(tree.parent[at])]
            parent[span] = Int32(truncatingIfNeeded: above)
            childCount[above] += 1
        }
        for span in tree.order.reversed() where parent[span] >= 0 {
            size[Int(parent[span])] += size[span]
        }
        self.parent = parent
        self.childCount = childCount
        self.place = place
        self.depth = depth
        self.size = size
        order = tree.order
        deepest = count == 0 ? 0 : Int(depth.max() ?? 0) + 1
        family = Self.families(frame, parent)
    }

    /// Siblings name one parent, whether it was received or not.
    private static func families(_ frame: SpanFrame, _ parent: [Int32]) -> [Int] {
        var missing: [UInt64: Int] = [:]
        return parent.indices.map { span in
            if parent[span] >= 0 { return Int(parent[span]) }
            let id = frame.parentID[span]
            // The earliest span of a circle names a parent and has none.
            guard id != 0, id != frame.spanID[span] else { return -1 }
            if let family = missing[id] { return family }
            let family = parent.count + missing.count
            missing[id] = family
            return family
        }
    }

    /// Steps of a walk, down and up, to the arrival at `span`, from 1.
    func left(_ span: Int) -> Int { 2 * Int(place[span]) - Int(depth[span]) + 1 }

    /// The same to the departure.
    func right(_ span: Int) -> Int { left(span) + 2 * Int(size[span]) - 1 }
}
