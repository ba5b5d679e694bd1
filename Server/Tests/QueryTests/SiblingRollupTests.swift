// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct SiblingRollupTests {
    @Test func `equal siblings are told as one, wherever they stand among others`() throws {
        var calls = [Call(1, 0, 1000, "root")]
        for number in UInt64(0)..<6 {
            let start = number * 100
            calls.append(
                Call(10 + number, of: 1, start, start + 10 + number, "a", isError: number == 2)
            )
            calls.append(Call(20 + number, of: 1, start + 20, start + 30, "b\(number % 3)"))
        }
        let trace = PlacedTrace(calls)
        let rollup = SiblingRollup(trace)
        let run = try #require(rollup.runs.first)
        #expect(rollup.runs.count == 1)
        #expect(rollup.places[run.members] == [1, 3, 5, 7, 9, 11])
        #expect(run.parent == 0)
        #expect(trace.operations[run.operation] == .init(service: "shop", name: "a"))
        #expect(run.count == 6 && run.errorCount == 1)
        #expect(run.sum == 75 && run.coveredTime == 75)
        #expect(run.p50 == 12 && run.p99 == 15 && run.longest == 15)
        #expect(run.firstStart == 0 && run.lastStart == 500)
        #expect(run.isSequential)
    }

    @Test func `four are not a run, nor are equal names of two services`() {
        let four = [Call(1, 0, 99, "root")] + (2...5).map { Call($0, of: 1, $0, $0 + 1, "a") }
        #expect(SiblingRollup(PlacedTrace(four)).runs.isEmpty)
        let mixed = four + [Call(6, of: 1, 6, 7, "a", in: "other")]
        #expect(SiblingRollup(PlacedTrace(mixed)).runs.isEmpty)
        #expect(SiblingRollup(PlacedTrace(mixed), minimum: 4).runs.count == 1)
    }

    @Test func `calls that overlap by more than a tenth are parallel`() {
        func isSequential(_ step: UInt64) -> Bool? {
            let calls = (1...10).map { Call($0, of: 99, $0 * step, $0 * step + 100) }
            return SiblingRollup(PlacedTrace(calls)).runs.first?.isSequential
        }
        #expect(isSequential(100) == true)
        #expect(isSequential(90) == true)
        #expect(isSequential(80) == false)
        #expect(isSequential(0) == false)
    }

    @Test func `spans without a parent are siblings too`() {
        let orphans = (1...7).map { Call($0, of: 99, $0, $0 + 1) }
        #expect(SiblingRollup(PlacedTrace(orphans)).runs.map(\.parent) == [-1])
    }

    @Test func `any trace: runs are all equal siblings there are`() {
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(seed: seed)
            let trace = PlacedTrace.any(&generator, spans: 1...60)
            let rollup = SiblingRollup(trace, minimum: 3)
            let byStart = (0..<trace.count).sorted {
                (trace.start[$0], $0) < (trace.start[$1], $1)
            }
            let groups = Dictionary(grouping: byStart) {
                [trace.parent[$0], trace.operation[$0]]
            }
            let expected = groups.values.filter { $0.count >= 3 }
                .sorted {
                    (trace.parent[$0[0]], trace.start[$0[0]], $0[0])
                        < (trace.parent[$1[0]], trace.start[$1[0]], $1[0])
                }
            #expect(rollup.runs.count == expected.count, "SEED=\(seed)")
            for (run, places) in zip(rollup.runs, expected) {
                #expect(rollup.places[run.members].map { Int($0) } == places, "SEED=\(seed)")
                #expect(run.sum == places.map { trace.duration($0) }.reduce(0, +))
                let instants = Set(places.flatMap { trace.start[$0]..<trace.end[$0] })
                #expect(run.coveredTime == UInt64(instants.count), "SEED=\(seed)")
            }
        }
    }

    @Test func `a million siblings are one run`() {
        let runs = SiblingRollup(.longSequence).runs
        #expect(runs.map(\.count) == [1_000_000])
        #expect(runs.map(\.coveredTime) == [9_000_000])
    }
}
