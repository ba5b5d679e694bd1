// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct TraceStatisticsTests {
    private func statistics(_ trace: PlacedTrace) -> TraceStatistics {
        TraceStatistics(trace, CriticalPath(trace))
    }

    @Test func `operations and services are counted`() {
        let trace = PlacedTrace([
            Call(1, 1_000, 1_100, "GET /", in: "web", host: 1),
            Call(2, of: 1, 1_010, 1_040, "q", in: "db", isError: true, host: 2),
            Call(3, of: 1, 1_030, 1_060, "q", in: "db", host: 2),
            Call(4, of: 3, 1_035, 1_045, "page", in: "db", host: 2),
        ])
        let found = statistics(trace)
        #expect(trace.operations.map(\.name) == ["GET /", "q", "page"])
        let q = found.operations[1]
        #expect(q.count == 2 && q.errorCount == 1)
        #expect(q.total == 60 && q.average == 30 && q.longest == 30)
        #expect(q.selfTime == 50 && q.activeTime == 50)
        // The second overlaps the first, so the path is the second's, but for its child.
        #expect(q.pathTime == 20)
        #expect(found.operations[0].selfTime == 50)
        #expect(found.operations[0].pathTime == 70)
        #expect(found.services.map(\.count) == [1, 3])
        #expect(found.services[1].activeTime == 50 && found.services[1].total == 70)
        #expect(found.start == 1_000 && found.duration == 100)
        #expect(found.levelCount == 3 && found.hostCount == 2 && found.errorCount == 1)
    }

    @Test func `quantiles are exact`() {
        let trace = PlacedTrace((1...200).map { Call($0, 0, 1 + ($0 * 7) % 200) })
        let figures = statistics(trace).operations[0]
        #expect(figures.p50 == 100 && figures.p95 == 190 && figures.p99 == 198)
        #expect(figures.longest == 200 && figures.activeTime == 200)
    }

    @Test func `orphans, moved clocks and dropped parts are counted`() {
        let trace = PlacedTrace(
            [
                Call(1, 100, 200, kind: .client, host: 1),
                Call(2, of: 1, 50, 90, kind: .server, host: 2),
                Call(3, of: 77, 0, 10),
            ],
            isSkewCorrected: true,
            droppedPartCount: 5
        )
        let found = statistics(trace)
        #expect(found.orphanCount == 1 && found.movedCount == 1 && found.droppedPartCount == 5)
    }

    @Test func `nothing counts nothing`() {
        let found = statistics(PlacedTrace([]))
        #expect(found.operations.isEmpty && found.duration == 0 && found.levelCount == 0)
    }

    @Test func `times of any size add up without a trap`() {
        let trace = PlacedTrace((1...3).map { Call($0, 0, .max) })
        #expect(statistics(trace).operations[0].total == .max)
        #expect(statistics(trace).duration == .max)
    }

    @Test func `any trace: counts add up to the whole`() {
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(seed: seed)
            let trace = PlacedTrace.any(&generator, spans: 1...40)
            let path = CriticalPath(trace)
            let found = TraceStatistics(trace, path)
            for figures in [found.operations, found.services] {
                #expect(figures.map(\.count).reduce(0, +) == trace.count)
                #expect(figures.map(\.errorCount).reduce(0, +) == found.errorCount)
                #expect(
                    figures.map(\.selfTime).reduce(0, +) == found.selfTime.reduce(0, +)
                )
                #expect(
                    figures.map(\.pathTime).reduce(0, +)
                        == trace.roots.map { trace.duration(Int($0)) }.reduce(0, +)
                )
            }
            for place in 0..<trace.count {
                let own = (trace.start[place]..<trace.end[place]).count { instant in
                    !trace.children(of: place).contains {
                        trace.start[Int($0)] <= instant && instant < trace.end[Int($0)]
                    }
                }
                #expect(found.selfTime[place] == UInt64(own), "SEED=\(seed)")
            }
            for (number, figures) in found.operations.enumerated() {
                let places = (0..<trace.count).filter { Int(trace.operation[$0]) == number }
                let instants = Set(places.flatMap { trace.start[$0]..<trace.end[$0] })
                #expect(figures.activeTime == UInt64(instants.count), "SEED=\(seed)")
            }
        }
    }

    @Test func `a million spans are counted`() {
        let found = statistics(.longSequence)
        #expect(found.operations.map(\.count) == [1, 1_000_000])
        #expect(found.operations.map(\.selfTime) == [1_000_001, 9_000_000])
        #expect(statistics(.longChain).levelCount == 1_000_000)
    }
}
