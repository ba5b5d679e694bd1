// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct PathGraphTests {
    private func graph(_ trace: PlacedTrace, limit: Int = 2_000) -> PathGraph {
        let path = CriticalPath(trace)
        return PathGraph(trace, path, TraceStatistics(trace, path), limit: limit)
    }

    private let calls = [
        Call(1, 0, 100, "root"),
        Call(2, of: 1, 0, 20, "a"), Call(3, of: 1, 30, 60, "a", isError: true),
        Call(4, of: 2, 5, 10, "b"), Call(5, of: 2, 12, 18, "b"), Call(6, of: 3, 30, 40, "b"),
        Call(7, of: 1, 70, 90, "b"),
    ]

    @Test func `spans of one call path are one node`() {
        let trace = PlacedTrace(calls)
        let graph = graph(trace)
        #expect(graph.nodes.map { trace.operations[$0.operation].name } == ["root", "a", "b", "b"])
        #expect(graph.nodes.map(\.parent) == [nil, 0, 1, 0])
        #expect(graph.nodes.map(\.count) == [1, 2, 3, 1])
        #expect(graph.nodes.map(\.callerCount) == [0, 1, 2, 1])
        #expect(graph.nodes.map(\.errorCount) == [0, 1, 0, 0])
        #expect(graph.nodes.map(\.total) == [100, 50, 21, 20])
        #expect(graph.nodes.map(\.selfTime) == [30, 29, 21, 20])
        #expect(graph.nodes.map(\.pathTime) == [30, 29, 21, 20])
        #expect(graph.nodes.map(\.first) == [0, 1, 2, 6])
        #expect(graph.others.pathCount == 0 && graph.others.spanCount == 0)
    }

    @Test func `past the limit those of least self time are others`() {
        let graph = graph(PlacedTrace(calls), limit: 2)
        #expect(graph.nodes.map(\.parent) == [nil, 0])
        #expect(graph.others.pathCount == 2 && graph.others.spanCount == 4)
        #expect(graph.others.selfTime == 41)
    }

    @Test func `any trace: nodes and others hold each span once, and parents come first`() {
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(seed: seed)
            let trace = PlacedTrace.any(&generator, spans: 1...60)
            let graph = graph(trace, limit: Int.random(in: 0...20, using: &generator))
            #expect(graph.nodes.map(\.count).reduce(graph.others.spanCount, +) == trace.count)
            #expect(
                graph.nodes.map(\.errorCount).reduce(graph.others.errorCount, +)
                    == trace.isError.count { $0 }
            )
            for (number, node) in graph.nodes.enumerated() {
                #expect(node.parent.map { $0 < number } ?? true, "SEED=\(seed)")
                let above = Int(trace.parent[node.first])
                #expect(
                    node.parent.map { graph.nodes[$0].operation }
                        == (above >= 0 ? Int(trace.operation[above]) : nil)
                )
            }
        }
    }

    @Test func `a chain of a million spans is a chain of paths, and most are others`() {
        let graph = graph(.longChain)
        #expect(graph.nodes.count == 2_000)
        #expect(graph.others.spanCount == 998_000)
        #expect(self.graph(.longSequence).nodes.map(\.count) == [1, 1_000_000])
    }
}
