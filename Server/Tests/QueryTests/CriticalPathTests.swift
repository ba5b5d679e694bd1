// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct CriticalPathTests {
    /// The main path as `place from-to`.
    private func path(_ calls: [Call]) -> [String] {
        CriticalPath(PlacedTrace(calls)).mainSegments.map { "\($0.place) \($0.from)-\($0.to)" }
    }

    @Test func `a span alone is its own path`() {
        #expect(path([Call(1, 5, 9)]) == ["0 5-9"])
    }

    @Test func `calls one after another are all on it`() {
        #expect(
            path([Call(1, 0, 100), Call(2, of: 1, 10, 40), Call(3, of: 1, 50, 90)])
                == ["0 0-10", "1 10-40", "0 40-50", "2 50-90", "0 90-100"]
        )
    }

    @Test func `of calls side by side the last to finish decides`() {
        #expect(
            path([Call(1, 0, 100), Call(2, of: 1, 10, 40), Call(3, of: 1, 10, 90)])
                == ["0 0-10", "2 10-90", "0 90-100"]
        )
    }

    @Test func `what overlaps the one that decides was not waited for`() {
        #expect(
            path([
                Call(1, 0, 100), Call(2, of: 1, 5, 20), Call(3, of: 1, 15, 60),
                Call(4, of: 1, 50, 95),
            ]) == ["0 0-5", "1 5-20", "0 20-50", "3 50-95", "0 95-100"]
        )
    }

    @Test func `calls inside calls are followed`() {
        #expect(
            path([Call(1, 0, 100), Call(2, of: 1, 10, 90), Call(3, of: 2, 20, 80)])
                == ["0 0-10", "1 10-20", "2 20-80", "1 80-90", "0 90-100"]
        )
    }

    @Test func `a child that hangs out of its parent is cut off`() {
        #expect(
            path([Call(1, 10, 100), Call(2, of: 1, 5, 30), Call(3, of: 1, 60, 110)])
                == ["1 10-30", "0 30-60", "2 60-100"]
        )
    }

    @Test func `what goes on long after its parent was not waited for`() {
        #expect(path([Call(1, 0, 100), Call(2, of: 1, 80, 121)]) == ["0 0-100"])
        #expect(path([Call(1, 0, 100), Call(2, of: 1, 80, 120)]) == ["0 0-80", "1 80-100"])
        #expect(path([Call(1, 0, 100), Call(2, of: 1, 100, 120)]) == ["0 0-100"])
        #expect(path([Call(1, 0, 100), Call(2, of: 1, 300, 400)]) == ["0 0-100"])
    }

    @Test func `a client that gave up had waited for its server`() {
        #expect(
            path([
                Call(1, 0, 100, kind: .client), Call(2, of: 1, 10, 900, kind: .server),
                Call(3, of: 2, 50, 800),
            ]) == ["0 0-10", "1 10-50", "2 50-100"]
        )
    }

    @Test func `clocks a hundredth apart do not hide a call`() {
        #expect(
            path([Call(1, 0, 2000), Call(2, of: 1, 0, 1000), Call(3, of: 1, 990, 2000)])
                == ["1 0-990", "2 990-2000"]
        )
        #expect(
            path([Call(1, 0, 2000), Call(2, of: 1, 0, 1000), Call(3, of: 1, 989, 2000)])
                == ["0 0-989", "2 989-2000"]
        )
    }

    @Test func `each piece has its own path, and the longest is the main one`() {
        let path = CriticalPath(
            PlacedTrace([Call(1, 0, 10), Call(2, of: 99, 20, 80), Call(3, of: 2, 30, 40)])
        )
        #expect(path.root == 1)
        #expect(path.pieces.map(\.root) == [0, 1])
        #expect(path.pieces.map(\.segments) == [0..<1, 1..<4])
        #expect(path.time == [10, 50, 10])
    }

    @Test func `nothing has no path`() {
        let path = CriticalPath(PlacedTrace([]))
        #expect(path.main == nil && path.segments.isEmpty && path.mainSegments.isEmpty)
    }

    @Test func `a root of no duration has an empty path`() {
        let path = CriticalPath(PlacedTrace([Call(1, 7, 7), Call(2, of: 1, 7, 50)]))
        #expect(path.root == 0 && path.segments.isEmpty)
    }

    @Test func `any trace: each instant of each root belongs to one span that ran then`() {
        for seed in UInt64(0)..<400 {
            var generator = SeededGenerator(seed: seed)
            let trace = PlacedTrace.any(&generator, spans: 1...25)
            let path = CriticalPath(trace)
            #expect(path.pieces.map(\.root) == trace.roots.map { Int($0) }, "SEED=\(seed)")
            var time = Array(repeating: UInt64(0), count: trace.count)
            for piece in path.pieces {
                var now = trace.start[piece.root]
                for segment in path.segments[piece.segments] {
                    #expect(segment.from == now && segment.to > now, "SEED=\(seed)")
                    #expect(trace.start[segment.place] <= segment.from, "SEED=\(seed)")
                    #expect(trace.end[segment.place] >= segment.to, "SEED=\(seed)")
                    let place = Int32(segment.place)
                    #expect(piece.root <= place && place < trace.subtreeEnd[piece.root])
                    time[segment.place] += segment.to - segment.from
                    now = segment.to
                }
                #expect(now == trace.end[piece.root], "SEED=\(seed)")
            }
            #expect(path.time == time, "SEED=\(seed)")
            let longest = trace.roots.map { trace.duration(Int($0)) }.max()
            #expect(path.root.map { trace.duration($0) } == longest, "SEED=\(seed)")
        }
    }

    /// The definition read aloud: of all children the candidate that ended last, again and again.
    private func slowPath(
        _ trace: PlacedTrace,
        _ place: Int,
        _ low: UInt64,
        _ high: UInt64
    ) -> [CriticalPath.Segment] {
        var time = high
        var result: [CriticalPath.Segment] = []
        var used: Set<Int> = []
        func until(_ child: Int) -> UInt64 { min(trace.end[child], high) }
        while true {
            let candidates = trace.children(of: place).map { Int($0) }.filter { child in
                let from = max(trace.start[child], low)
                let isCall = trace.kind[child] == .server && trace.kind[place] == .client
                let inside =
                    Int(trace.end[place]) - Int(max(trace.start[child], trace.start[place]))
                let outside = Int(trace.end[child]) - Int(trace.end[place])
                let isWaitedFor =
                    outside <= 0 || isCall && inside >= 0 || inside > 0 && outside <= inside
                return !used.contains(child) && isWaitedFor && from < time && from < until(child)
                    && Int(until(child)) - Int(time) <= Int(trace.duration(child)) / 100
            }
            let child = candidates.min {
                (Int.max - Int(until($0)), trace.start[$0], $0)
                    < (Int.max - Int(until($1)), trace.start[$1], $1)
            }
            let to = child.map { min(until($0), time) } ?? low
            if to < time { result.insert(.init(place: place, from: to, to: time), at: 0) }
            guard let child else { return result }
            used.insert(child)
            let from = max(trace.start[child], low)
            result = slowPath(trace, child, from, to) + result
            time = from
        }
    }

    @Test func `any trace: the walk finds what the definition says`() {
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            let trace = PlacedTrace.any(&generator, spans: 1...20)
            let path = CriticalPath(trace)
            let slow = trace.roots.flatMap {
                slowPath(trace, Int($0), trace.start[Int($0)], trace.end[Int($0)])
            }
            #expect(path.segments == slow, "SEED=\(seed)")
        }
    }

    @Test func `a million calls one after another are all on it`() {
        let path = CriticalPath(.longSequence)
        #expect(path.segments.count == 2_000_000)
        #expect(path.time[0] == 1_000_001)
        #expect(path.time.dropFirst().allSatisfy { $0 == 9 })
    }

    @Test func `a chain of a million spans is walked without recursion`() {
        let path = CriticalPath(.longChain)
        #expect(path.segments.count == 1_999_999)
        #expect(path.segments.first?.place == 0)
        #expect(path.segments[999_999].place == 999_999)
    }
}
