// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct TraceTreeTests {
    /// Spans as (id, parent, start).
    private func tree(_ spans: [(UInt64, UInt64, UInt64)]) -> (SpanFrame, TraceTree) {
        var frame = SpanFrame()
        for (id, parent, start) in spans {
            frame.append(spanID: id, parentID: parent, start: start, end: start &+ 1)
        }
        return (frame, TraceTree(frame))
    }

    private func ids(_ frame: SpanFrame, _ tree: TraceTree) -> [UInt64] {
        tree.order.map { frame.spanID[$0] }
    }

    @Test func `children follow their parent, earliest first`() {
        let (frame, tree) = tree([(1, 0, 0), (3, 1, 20), (2, 1, 10), (4, 2, 15)])
        #expect(ids(frame, tree) == [1, 2, 4, 3])
        #expect(tree.parent == [-1, 0, 1, 0])
        #expect(tree.depth == [0, 1, 2, 1])
        #expect(tree.isParentMissing == [false, false, false, false])
    }

    @Test func `a span without its parent is a marked root`() {
        let (frame, tree) = tree([(1, 0, 5), (2, 99, 1), (3, 2, 2)])
        #expect(ids(frame, tree) == [2, 3, 1])
        #expect(tree.parent == [-1, 0, -1])
        #expect(tree.isParentMissing == [true, false, false])
    }

    @Test func `a span that names itself is a marked root`() {
        let (frame, tree) = tree([(1, 1, 5), (2, 1, 6)])
        #expect(ids(frame, tree) == [1, 2])
        #expect(tree.isParentMissing == [true, false])
    }

    @Test func `a circle opens at its earliest span`() {
        let (frame, tree) = tree([(1, 3, 30), (2, 1, 10), (3, 2, 20), (4, 3, 40)])
        #expect(ids(frame, tree) == [2, 3, 1, 4])
        #expect(tree.parent == [-1, 0, 1, 1])
        #expect(tree.isParentMissing == [true, false, false, false])
    }

    @Test func `spans of one id all stand, children under the earliest`() {
        let (frame, tree) = tree([(1, 0, 2), (1, 0, 1), (2, 1, 3)])
        #expect(ids(frame, tree) == [1, 2, 1])
        #expect(frame.start[tree.order[0]] == 1)
        #expect(tree.parent == [-1, 0, -1])
    }

    @Test func `nothing gives nothing`() {
        #expect(tree([]).1.order.isEmpty)
    }

    @Test func `a chain of 100,000 spans is walked without recursion`() {
        let count: UInt64 = 100_000
        let (_, tree) = tree((1...count).map { ($0, $0 - 1, count - $0) })
        #expect(tree.depth.last == UInt32(count - 1))
        #expect(tree.order == Array(0..<Int(count)))
    }

    @Test func `a circle of 100,000 spans stands once each`() {
        let count: UInt64 = 100_000
        let (_, tree) = tree((1...count).map { ($0, $0 == 1 ? count : $0 - 1, 7) })
        #expect(tree.order.sorted() == Array(0..<Int(count)))
        #expect(tree.parent.count { $0 == -1 } == 1)
    }

    @Test func `any parents at all give each span exactly one place below an earlier one`() {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<500 {
            let count = Int.random(in: 1...12, using: &generator)
            let (frame, tree) = tree(
                (0..<count).map { _ in
                    (
                        UInt64.random(in: 1...8, using: &generator),
                        UInt64.random(in: 0...9, using: &generator),
                        UInt64.random(in: 0...3, using: &generator)
                    )
                }
            )
            #expect(tree.order.sorted() == Array(0..<count))
            for place in 0..<count where tree.parent[place] >= 0 {
                let parent = Int(tree.parent[place])
                #expect(parent < place)
                #expect(tree.depth[place] == tree.depth[parent] + 1)
                #expect(
                    frame.parentID[tree.order[place]] == frame.spanID[tree.order[parent]]
                )
            }
        }
    }
}

/// The same numbers for the same seed, so that a failure repeats.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
