// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel

/// Who is whose parent in one trace. Every connected piece of it is a tree of its own: no root needs to
/// have come. The halves of a Zipkin span that share an id are two spans, one below the other.
struct TraceParents {
    /// By span: its parent, or -1 at the top of a piece.
    let parent: [Int32]
    /// Spans in an order in which each stands after its parent.
    let downwards: [Int]
    /// By span: the id of the parent it names.
    private let parentID: [UInt64]
    /// By span: whether it names itself as its parent.
    private let isOwnParent: [Bool]

    init(_ columns: borrowing SpanColumns, _ rows: Range<Int>) {
        if let plain = TraceParents(plain: columns, rows) {
            self = plain
        } else {
            self.init(TraceFrame(columns, rows))
        }
    }

    init(_ tree: TraceFrame) {
        parent = tree.parent
        downwards = tree.tree.order
        parentID = tree.frame.parentID
        isOwnParent = tree.frame.parentID.indices.map {
            tree.frame.parentID[$0] == tree.frame.spanID[$0]
        }
    }

    /// Of a small trace in which no id is twice and each span stands behind its parent; `nil` for
    /// others. Such are nearly all, and comparing few ids costs less than a table of them.
    private init?(plain columns: borrowing SpanColumns, _ rows: Range<Int>) {
        guard rows.count <= 32 else { return nil }
        var parent = [Int32](repeating: -1, count: rows.count)
        for span in 0..<rows.count {
            let row = rows.lowerBound + span
            let (id, above) = (columns.spanID[row], columns.parentID[row])
            for other in rows.lowerBound..<row {
                if columns.spanID[other] == id { return nil }
                if columns.spanID[other] == above, above != 0 {
                    parent[span] = Int32(other - rows.lowerBound)
                }
            }
            if above == 0 || parent[span] >= 0 { continue }
            // A parent behind its child: a clock is off, or there is a circle.
            for other in row..<rows.upperBound where columns.spanID[other] == above { return nil }
        }
        self.parent = parent
        downwards = Array(0..<rows.count)
        parentID = rows.map { columns.parentID[$0] }
        isOwnParent = Array(repeating: false, count: rows.count)
    }

    /// By span: a number below twice the number of spans that siblings share and others do not; -1
    /// where there is no parent. Siblings name one parent, whether it was received or not.
    var families: [Int] {
        var missing: [UInt64: Int] = [:]
        return parent.indices.map { span in
            if parent[span] >= 0 { return Int(parent[span]) }
            let id = parentID[span]
            // The earliest span of a circle names a parent and has none.
            guard id != 0, !isOwnParent[span] else { return -1 }
            if let family = missing[id] { return family }
            let family = parent.count + missing.count
            missing[id] = family
            return family
        }
    }
}

/// The spans of one trace arranged as a forest, the halves of Zipkin spans apart.
struct TraceFrame {
    let frame: SpanFrame
    let tree: TraceTree
    /// By span: its parent, or -1 at the top of a piece.
    let parent: [Int32]

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
        var parent = [Int32](repeating: -1, count: rows.count)
        for (place, span) in tree.order.enumerated() where tree.parent[place] >= 0 {
            parent[span] = Int32(truncatingIfNeeded: tree.order[Int(tree.parent[place])])
        }
        self.frame = frame
        self.tree = tree
        self.parent = parent
    }
}

/// Where the spans of one trace stand in a walk through its trees.
///
/// ```
/// spans  0 a          parent  [-1, 0, 0, 1]     order [0, 1, 3, 2]     a
///        1 b (of a)   size    [ 4, 2, 1, 1]     left  [1, 2, 6, 3]     ├ b
///        2 c (of a)                             right [8, 5, 7, 4]     │ └ d
///        3 d (of b)                                                    └ c
/// ```
struct TraceShape {
    let parents: TraceParents
    let childCount: [Int32]
    /// Spans on the longest way down.
    let deepest: Int
    private let place: [Int32]
    private let depth: [UInt32]
    private let size: [Int32]

    init(_ columns: borrowing SpanColumns, _ rows: Range<Int>) {
        let arranged = TraceFrame(columns, rows)
        let (tree, parent) = (arranged.tree, arranged.parent)
        let count = rows.count
        var childCount = [Int32](repeating: 0, count: count)
        var place = [Int32](repeating: 0, count: count)
        var depth = [UInt32](repeating: 0, count: count)
        var size = [Int32](repeating: 1, count: count)
        for (at, span) in tree.order.enumerated() {
            place[span] = Int32(truncatingIfNeeded: at)
            depth[span] = tree.depth[at]
            if parent[span] >= 0 { childCount[Int(parent[span])] += 1 }
        }
        for span in tree.order.reversed() where parent[span] >= 0 {
            size[Int(parent[span])] += size[span]
        }
        self.childCount = childCount
        self.place = place
        self.depth = depth
        self.size = size
        deepest = count == 0 ? 0 : Int(depth.max() ?? 0) + 1
        parents = TraceParents(arranged)
    }

    /// Steps of a walk, down and up, to the arrival at `span`, from 1.
    func left(_ span: Int) -> Int { 2 * Int(place[span]) - Int(depth[span]) + 1 }

    /// The same to the departure.
    func right(_ span: Int) -> Int { left(span) + 2 * Int(size[span]) - 1 }
}
