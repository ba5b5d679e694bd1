// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct LatencyStandingTests {
    @Test func `any durations: the part that was faster lies between the bounds`() {
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            let durations = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
                UInt64.random(
                    in: 0...UInt64.random(in: 0...2_000_000, using: &generator),
                    using: &generator
                )
            }
            var sketch = LatencySketch()
            for duration in durations { sketch.add(duration) }
            func quantiles(_ parts: [Double]) -> [LatencyStanding.Quantile] {
                parts.map { .init(part: $0, duration: sketch.quantile($0) ?? 0) }
            }
            let duration = UInt64.random(in: 0...2_000_000, using: &generator)
            let first = quantiles(LatencyStanding.firstParts)
            let rough = LatencyStanding(of: duration, among: first)
            let close = LatencyStanding(
                of: duration,
                among: (first + quantiles(rough.closerParts())).sorted { $0.part < $1.part }
            )
            let faster = Double(durations.count { $0 < duration }) / Double(durations.count)
            // What is within the error of the sketch counts as equally fast.
            let near = durations.count {
                abs(Double($0) - Double(duration)) <= Double(duration) * 0.03 + 1
            }
            let slack = Double(near) / Double(durations.count)
            for standing in [rough, close] {
                #expect(standing.fasterAtLeast <= standing.fasterAtMost, "SEED=\(seed)")
                #expect(standing.fasterAtLeast <= faster + slack, "SEED=\(seed)")
                #expect(standing.fasterAtMost >= faster - slack, "SEED=\(seed)")
            }
            #expect(close.fasterAtLeast >= rough.fasterAtLeast, "SEED=\(seed)")
            #expect(close.fasterAtMost <= rough.fasterAtMost, "SEED=\(seed)")
        }
    }

    @Test func `slower than all, and faster than all, are told as such`() {
        let parts = LatencyStanding.firstParts.map {
            LatencyStanding.Quantile(part: $0, duration: 1_000 + UInt64($0 * 1_000))
        }
        #expect(LatencyStanding(of: 5_000, among: parts).fasterAtLeast == 1)
        #expect(LatencyStanding(of: 5_000, among: parts).fasterAtMost == 1)
        #expect(LatencyStanding(of: 10, among: parts).fasterAtMost == 0)
        #expect(LatencyStanding(of: 10, among: parts).closerParts().isEmpty)
        #expect(LatencyStanding(of: 10, among: []).fasterAtMost == 1)
    }
}
