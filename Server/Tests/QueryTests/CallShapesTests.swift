// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct CallShapesTests {
    private func id(_ number: UInt64) -> TraceID { TraceID(high: 0xA, low: number) }

    /// Trees of the calls named `buy`, of traces in this order.
    private func shapes(_ traces: [[Call]], limit: Int = 10) -> CallShapes.Result {
        var shapes = CallShapes()
        for (number, calls) in traces.enumerated() {
            let placed = PlacedTrace(calls)
            let roots = placed.topmost { name(placed, $0) == "buy" }
            shapes.add(placed, id(UInt64(number) + 1), roots: roots) { SpanID(UInt64($0) + 1) }
        }
        return shapes.result(limit: limit)
    }

    private func name(_ trace: PlacedTrace, _ place: Int) -> String {
        trace.operations[Int(trace.operation[place])].name
    }

    /// `parent.name ×fewest–most`, and what is extra or failed.
    private func text(_ tree: CallShapes.Tree) -> [String] {
        tree.lines.map { line in
            let parent = line.parent.map { "\($0)." } ?? ""
            let extra = line.isExtra ? " extra" : ""
            return "\(parent)\(line.operation.name) \(line.fewest)-\(line.most)\(extra)"
        }
    }

    private let usual = [
        Call(1, 0, 100, "buy"), Call(2, of: 1, 0, 10, "SELECT"), Call(3, of: 1, 20, 30, "SELECT"),
        Call(4, of: 1, 50, 60, "charge"),
    ]
    private var more: [Call] {
        [Call(1, 0, 200, "buy"), Call(9, of: 1, 1, 2, "charge")]
            + (2...5).map { Call($0, of: 1, $0 * 10, $0 * 10 + 5, "SELECT") }
    }
    private let retried = [
        Call(1, 0, 900, "buy", isError: true), Call(2, of: 1, 0, 10, "SELECT"),
        Call(3, of: 1, 20, 400, "retry", isError: true), Call(4, of: 3, 30, 40, "SELECT"),
        Call(5, of: 3, 50, 60, "SELECT"),
    ]

    @Test func `calls are told apart by the operations they lead to, not by how often`() throws {
        let result = shapes([usual, retried, more])
        #expect(result.traceCount == 3 && result.callCount == 3 && result.treeCount == 2)
        let (first, second) = (try #require(result.trees.first), try #require(result.trees.last))
        #expect(text(first) == ["buy 1-1", "0.SELECT 2-4", "0.charge 1-1"])
        #expect(first.callCount == 2 && first.errorCount == 0 && first.usual == nil)
        #expect(first.p50 == 100 && first.p99 == 200 && first.longest == 200)
        #expect(first.lines.map(\.spanCount) == [2, 6, 2])
        #expect(first.typical.traceID == id(1) && first.slowest.traceID == id(3))
        #expect(
            text(second)
                == ["buy 1-1", "0.SELECT 1-1", "0.retry 1-1 extra", "2.SELECT 2-2 extra"]
        )
        #expect(second.callCount == 1 && second.errorCount == 1 && second.usual == 0)
        #expect(second.lines.map(\.errorCount) == [1, 0, 1, 0])
        #expect(second.missing.map(\.name) == ["charge"])
        #expect(second.typical == second.slowest && second.typical.duration == 900)
    }

    @Test func `trees of equally many calls stand as their newest came`() {
        let result = shapes([retried, usual, retried, usual])
        #expect(result.trees.map(\.callCount) == [2, 2])
        #expect(result.trees.map(\.lines.count) == [4, 3])
        // Of calls that took as long, the newest is the example.
        #expect(result.trees.map(\.typical.traceID) == [id(1), id(2)])
        #expect(result.trees[1].missing.map(\.name) == ["retry"])
    }

    @Test func `a tree is compared with the most frequent one of the same root`() {
        var shapes = CallShapes()
        let other = [Call(1, 0, 9, "sell"), Call(2, of: 1, 0, 5, "SELECT")]
        for (number, calls) in [usual, usual, other, usual].enumerated() {
            let placed = PlacedTrace(calls)
            shapes.add(placed, id(UInt64(number)), roots: [0]) { _ in SpanID(1) }
        }
        let result = shapes.result(limit: 10)
        #expect(result.trees.map(\.usual) == [nil, nil])
        #expect(result.trees.flatMap(\.lines).allSatisfy { !$0.isExtra })
    }

    @Test func `of calls below one another the topmost counts`() {
        let result = shapes([
            [
                Call(1, 0, 100, "GET"), Call(2, of: 1, 0, 40, "buy"), Call(3, of: 2, 5, 30, "buy"),
                Call(4, of: 1, 50, 60, "buy"),
            ]
        ])
        #expect(result.callCount == 2 && result.treeCount == 2 && result.traceCount == 1)
        #expect(result.trees.map { text($0) } == [["buy 1-1", "0.buy 1-1"], ["buy 1-1"]])
        #expect(result.trees.map(\.typical.spanID) == [SpanID(2), SpanID(4)])
    }

    @Test func `only so many trees and lines are told, and how many there are`() {
        let wide = [Call(1, 0, 9, "buy")] + (2...500).map { Call($0, of: 1, 0, 1, "op\($0)") }
        let result = shapes([wide, usual, usual], limit: 1)
        #expect(result.treeCount == 2 && result.trees.count == 1)
        let all = shapes([wide, usual, usual])
        #expect(all.trees[1].lineCount == 500)
        #expect(all.trees[1].lines.count == AnalysisLimits.shapeLineCount)
        let few = shapes([usual, usual, wide, wide, wide])
        #expect(few.trees[1].missing.count == AnalysisLimits.missingLineCount)
        #expect(shapes([]).trees.isEmpty)
    }

    /// Paths from the root of a call down to each span of it, as text: the plain meaning of a tree.
    private func naive(_ trace: PlacedTrace) -> [(paths: Set<String>, duration: UInt64)] {
        func path(_ place: Int, _ root: Int) -> String {
            let operation = trace.operations[Int(trace.operation[place])]
            let own = "\(operation.service)/\(operation.name)"
            return place == root ? own : path(Int(trace.parent[place]), root) + ">" + own
        }
        func isBelow(_ place: Int, _ root: Int) -> Bool {
            var at = place
            while at > root { at = Int(trace.parent[at]) }
            return at == root
        }
        func hasOneAbove(_ place: Int) -> Bool {
            var at = Int(trace.parent[place])
            while at >= 0 {
                if name(trace, at) == "op0" { return true }
                at = Int(trace.parent[at])
            }
            return false
        }
        return (0..<trace.count).filter { name(trace, $0) == "op0" && !hasOneAbove($0) }
            .map { root in
                let below = (root..<trace.count).filter { isBelow($0, root) }
                return (Set(below.map { path($0, root) }), trace.duration(root))
            }
    }

    @Test(arguments: UInt64(1)...40)
    func `any traces come to what counting by hand comes to`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var shapes = CallShapes()
        var wanted: [Set<String>: [UInt64]] = [:]
        for number in UInt64(1)...12 {
            let trace = PlacedTrace.any(&generator, spans: 1...8)
            shapes.add(
                trace,
                id(number),
                roots: trace.topmost { name(trace, $0) == "op0" }
            ) { SpanID(UInt64($0)) }
            for call in naive(trace) { wanted[call.paths, default: []].append(call.duration) }
        }
        let result = shapes.result(limit: 1_000)
        var found: [Set<String>: [UInt64]] = [:]
        for tree in result.trees {
            var paths: [String] = []
            for line in tree.lines {
                let own = "\(line.operation.service)/\(line.operation.name)"
                paths.append(line.parent.map { paths[$0] + ">" + own } ?? own)
            }
            found[Set(paths)] = [UInt64(tree.callCount), tree.p50, tree.longest]
            #expect(Set(paths).count == tree.lineCount)
        }
        let counted = wanted.mapValues { durations in
            let sorted = durations.sorted()
            return [
                UInt64(sorted.count), sorted[(sorted.count + 1) / 2 - 1], sorted.last ?? 0,
            ]
        }
        #expect(found == counted, "SEED=\(seed)")
        #expect(result.trees.map(\.callCount) == result.trees.map(\.callCount).sorted(by: >))
    }

    @Test func `a chain of a million spans is one tree of as many lines`() {
        var shapes = CallShapes()
        shapes.add(.longSequence, id(1), roots: [0]) { _ in SpanID(1) }
        shapes.add(.longChain, id(2), roots: [0]) { _ in SpanID(1) }
        let result = shapes.result(limit: 10)
        // The chain has more paths than are kept: it is counted, and said to be in no tree.
        #expect(result.callCount == 2 && result.untoldCallCount == 1)
        #expect(result.trees.map(\.lineCount) == [2])
        #expect(result.trees[0].lines[1].most == 1_000_000)
    }
}
