// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct PathComparisonTests {
    /// The operations from the root down to a path.
    private func chain(_ paths: [PathComparison.Path], _ number: Int) -> String {
        let own = "\(paths[number].operation.service):\(paths[number].operation.name)"
        return paths[number].parent.map { chain(paths, $0) + " " + own } ?? own
    }

    @Test func `spans are matched by call path, and what one side lacks is told`() throws {
        var comparison = PathComparison()
        comparison.add(
            PlacedTrace([
                Call(1, 0, 100, "GET", in: "web"), Call(2, of: 1, 0, 30, "q", in: "db"),
                Call(3, of: 1, 40, 60, "q", in: "db", isError: true),
                Call(4, of: 1, 70, 75, "old"),
            ]),
            to: .a
        )
        comparison.add(
            PlacedTrace([
                Call(9, 1_000, 1_300, "GET", in: "web"),
                Call(8, of: 9, 1_000, 1_200, "q", in: "db"),
                Call(7, of: 8, 1_000, 1_050, "q", in: "db"),
            ]),
            to: .b
        )
        let result = comparison.result()
        #expect(
            result.paths.indices.map { chain(result.paths, $0) }
                == ["web:GET", "web:GET db:q", "web:GET shop:old", "web:GET db:q db:q"]
        )
        #expect(result.paths.map(\.a.spanCount) == [1, 2, 1, 0])
        #expect(result.paths.map(\.b.spanCount) == [1, 1, 0, 1])
        #expect(result.paths.map(\.a.total) == [100, 50, 5, 0])
        #expect(result.paths.map(\.b.total) == [300, 200, 0, 50])
        #expect(result.paths.map(\.b.selfTime) == [100, 150, 0, 50])
        #expect(result.paths.map(\.a.errorCount) == [0, 1, 0, 0])
        #expect(result.traceCountOfA == 1 && result.traceCountOfB == 1)
        #expect(result.otherPathCount == 0)
    }

    @Test func `sets of traces add up, and traces with a path are counted`() {
        var comparison = PathComparison()
        for number in UInt64(0)..<10 {
            let root = Call(1, 0, 100 + number, "GET")
            let query = Call(2, of: 1, 0, 10, "q")
            comparison.add(PlacedTrace(number < 3 ? [root, query] : [root]), to: .a)
            comparison.add(PlacedTrace([root]), to: .b)
        }
        let result = comparison.result()
        #expect(result.traceCountOfA == 10 && result.traceCountOfB == 10)
        #expect(result.paths.map(\.a.traceCount) == [10, 3])
        #expect(result.paths.map(\.a.total) == [1_045, 30])
        #expect(result.paths.map(\.b.traceCount) == [10, 0])
    }

    @Test func `attributes of matched spans that differ are told`() {
        var comparison = PathComparison()
        func add(_ side: PathComparison.Side, _ pairs: [AttributeValue.KeyValue]) {
            comparison.add(PlacedTrace([Call(1, 0, 1)]), to: side) { _ in pairs }
        }
        add(
            .a,
            [pair("same", .int(1)), pair("region", .string("eu")), pair("only.a", .bool(true))]
        )
        add(.a, [pair("same", .int(1)), pair("region", .string("eu"))])
        add(.b, [pair("region", .string("us")), pair("same", .int(1))])
        let found = comparison.result().differences
        #expect(found.map(\.key) == ["only.a", "region"])
        #expect(found.map(\.path) == [0, 0])
        #expect(found[0].a.map(\.value) == [.bool(true)] && found[0].b.isEmpty)
        #expect(found[1].a.map(\.value) == [.string("eu")])
        #expect(found[1].a.map(\.count) == [2])
        #expect(found[1].b.map(\.value) == [.string("us")])
    }

    @Test func `what is told is bounded, and the rest is counted`() {
        var comparison = PathComparison()
        let calls =
            [Call(1, 0, 5_000)]
            + (0..<3_000).map { Call($0 + 2, of: 1, $0, $0 + 1, "op\($0)") }
        for side in PathComparison.Side.allCases {
            comparison.add(PlacedTrace(calls), to: side) { place in
                (0..<30).map { pair("key\($0)", .int(Int64(side.rawValue * 100_000 + place))) }
            }
        }
        let result = comparison.result(limit: 100)
        #expect(result.paths.count == 100 && result.otherPathCount == 2_901)
        #expect(result.otherA.spanCount == 2_901 && result.otherB.selfTime == 2_901)
        #expect(result.differences.count == AnalysisLimits.differenceCount.all)
        let byPath = Dictionary(grouping: result.differences, by: \.path)
        #expect(byPath.values.allSatisfy { $0.count <= AnalysisLimits.differenceCount.path })
    }

    @Test func `any traces: a trace beside itself has no difference`() {
        for seed in UInt64(0)..<100 {
            var generator = SeededGenerator(seed: seed)
            let trace = PlacedTrace.any(&generator, spans: 1...40)
            var comparison = PathComparison()
            for side in PathComparison.Side.allCases {
                comparison.add(trace, to: side) { [pair("place", .int(Int64($0)))] }
            }
            let result = comparison.result()
            #expect(result.paths.allSatisfy { $0.a == $0.b }, "SEED=\(seed)")
            #expect(result.differences.isEmpty, "SEED=\(seed)")
            #expect(result.paths.map(\.a.spanCount).reduce(0, +) == trace.count)
        }
    }

    @Test func `a million spans a side are compared`() {
        var comparison = PathComparison()
        comparison.add(.longSequence, to: .a)
        comparison.add(.longChain, to: .b)
        let result = comparison.result()
        #expect(result.paths[1].a.spanCount == 1_000_000)
        let told = result.paths.map(\.b.spanCount).reduce(0, +)
        #expect(told + result.otherB.spanCount == 1_000_000)
        #expect(result.paths.count == AnalysisLimits.pathCount)
    }
}
