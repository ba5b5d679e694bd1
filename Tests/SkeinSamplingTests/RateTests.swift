// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinSampling
import Testing

/// A span of `name` at a moment in seconds, with randomness that follows from `number`.
private func input(_ name: String = "op", at seconds: Double, _ number: UInt64 = 0) -> SamplingInput
{
    var random = number &* 0x9E37_79B9_7F4A_7C15 &+ 0xD1B5_4A32_D192_ED03
    random = (random ^ random >> 32) &* 0xD6E8_FEB8_6659_FD93
    return SamplingInput(
        traceID: TraceID(high: 1, low: random ^ random >> 32),
        parent: nil,
        name: name,
        kind: .server,
        time: 1_000_000_000_000 + UInt64(seconds * 1e9)
    )
}

/// How many of `rate` spans a second, over `seconds` from `start` on, are recorded.
private func recorded(
    _ sampler: some Sampler,
    rate: Int,
    from start: Double,
    seconds: Double,
    name: String = "op"
) -> Int {
    var count = 0
    for number in 0..<Int(Double(rate) * seconds) {
        let time = start + Double(number) / Double(rate)
        let span = input(name, at: time, UInt64(number) + UInt64(start * 1000))
        if sampler.decision(for: span).isSampled { count += 1 }
    }
    return count
}

@Suite struct RateLimitSamplerTests {
    @Test func `lets a second's worth through at once, then the rate`() {
        let sampler = RateLimitSampler(tracesPerSecond: 5)
        #expect(recorded(sampler, rate: 1_000_000, from: 0, seconds: 0.001) == 5)
        let later = recorded(sampler, rate: 1_000, from: 1, seconds: 10)
        #expect((50...56).contains(later))
    }

    @Test func `rates below one a second hold over time`() {
        let sampler = RateLimitSampler(tracesPerSecond: 0.1)
        let count = recorded(sampler, rate: 100, from: 0, seconds: 100)
        #expect((10...11).contains(count))
    }

    @Test(arguments: [0.0, -1.0, Double.nan, -Double.infinity])
    func `no rate records nothing`(rate: Double) {
        #expect(
            recorded(RateLimitSampler(tracesPerSecond: rate), rate: 100, from: 0, seconds: 10) == 0
        )
    }

    @Test func `a clock that goes back gives nothing away`() {
        let sampler = RateLimitSampler(tracesPerSecond: 1)
        #expect(sampler.decision(for: input(at: 100)).isSampled)
        for second in stride(from: 99.0, to: 0, by: -1) {
            #expect(!sampler.decision(for: input(at: second)).isSampled)
        }
        #expect(sampler.decision(for: input(at: 101.1)).isSampled)
    }
}

@Suite struct BoundedRateSamplerTests {
    @Test func `records a rare operation that the share would miss`() {
        let sampler = BoundedRateSampler(ratio: 0, atLeast: 0.5)
        let count = recorded(sampler, rate: 10, from: 0, seconds: 100)
        #expect((50...51).contains(count))
    }

    @Test func `what the share records uses up the guarantee`() {
        let sampler = BoundedRateSampler(ratio: 1, atLeast: 1)
        #expect(recorded(sampler, rate: 10, from: 0, seconds: 10) == 100)
        let share = BoundedRateSampler(ratio: 0.1, atLeast: 0.01)
        let count = recorded(share, rate: 1_000, from: 0, seconds: 100)
        #expect((9_500...10_500).contains(count))
    }

    @Test func `records no more than its bound`() {
        let sampler = BoundedRateSampler(ratio: 1, atLeast: 0, atMost: 3)
        let count = recorded(sampler, rate: 1_000, from: 0, seconds: 10)
        #expect((30...33).contains(count))
    }
}

@Suite struct PerOperationSamplerTests {
    @Test func `each operation has its own`() {
        let sampler = PerOperationSampler(["a": AlwaysSampler(), "b": NeverSampler()]) {
            RateLimitSampler(tracesPerSecond: 1)
        }
        #expect(recorded(sampler, rate: 100, from: 0, seconds: 1, name: "a") == 100)
        #expect(recorded(sampler, rate: 100, from: 0, seconds: 1, name: "b") == 0)
        for name in ["c", "d", "e"] {
            #expect(recorded(sampler, rate: 100, from: 0, seconds: 0.5, name: name) == 1)
        }
    }

    @Test func `names without end share one`() {
        let sampler = PerOperationSampler([:]) { RateLimitSampler(tracesPerSecond: 1) }
        var count = 0
        for number in 0..<10_000 where sampler.decision(for: input("op \(number)", at: 0)).isSampled
        {
            count += 1
        }
        #expect(count == 2_001)
    }
}

@Suite struct AdaptiveSamplerTests {
    @Test(arguments: [1, 10, 1_000, 20_000])
    func `comes to the wanted rate whatever the traffic`(rate: Int) {
        let sampler = AdaptiveSampler(tracesPerSecond: 2)
        _ = recorded(sampler, rate: rate, from: 0, seconds: 20)
        let count = recorded(sampler, rate: rate, from: 20, seconds: 60)
        #expect(
            (Double(min(rate, 2)) * 60 * 0.7...Double(min(rate, 2)) * 60 * 1.3).contains(
                Double(count)
            )
        )
    }

    @Test func `records the first traces of a new operation`() {
        let sampler = AdaptiveSampler(tracesPerSecond: 2)
        _ = recorded(sampler, rate: 1_000, from: 0, seconds: 30, name: "busy")
        #expect(recorded(sampler, rate: 1, from: 30, seconds: 5, name: "new") == 5)
    }

    @Test func `a rush is not recorded whole`() {
        let sampler = AdaptiveSampler(tracesPerSecond: 2)
        _ = recorded(sampler, rate: 1, from: 0, seconds: 30)
        let count = recorded(sampler, rate: 100_000, from: 31, seconds: 2)
        #expect(count <= 60)
    }

    @Test func `says by which threshold it decided`() throws {
        let sampler = AdaptiveSampler(tracesPerSecond: 1)
        _ = recorded(sampler, rate: 100, from: 0, seconds: 30)
        let decisions = (0..<1_000).map { sampler.decision(for: input(at: 31, $0)) }
        let threshold = try #require(decisions.first { $0.isSampled }?.threshold)
        let kept = Double((1 << 56) - threshold.rawValue) * 0x1p-56
        #expect((0.008...0.0125).contains(kept))
        #expect(decisions.filter(\.isSampled).allSatisfy { $0.threshold == threshold })
    }

    @Test func `operations without end do not grow it`() {
        let sampler = AdaptiveSampler(tracesPerSecond: 1)
        var count = 0
        for number in 0..<20_000 where sampler.decision(for: input("op \(number)", at: 0)).isSampled
        {
            count += 1
        }
        #expect(count == 2_001)
    }

    @Test func `nothing wanted, nothing recorded`() {
        #expect(recorded(AdaptiveSampler(tracesPerSecond: 0), rate: 100, from: 0, seconds: 60) == 0)
    }
}

@Suite struct SamplingStrategyTests {
    @Test func `shares by operation count first, then the share, then the rate`() throws {
        let rate = try #require(SamplingStrategy(tracesPerSecond: 3).sampler)
        #expect(rate is RateLimitSampler)
        let share = try #require(SamplingStrategy(ratio: 0.5, tracesPerSecond: 3).sampler)
        #expect((share as? RatioSampler)?.threshold == SamplingThreshold(ratio: 0.5))
        let all = SamplingStrategy(
            ratio: 0.5,
            tracesPerSecond: 3,
            operations: .init(
                otherwise: 0,
                leastPerSecond: 1,
                mostPerSecond: 10,
                ratios: ["hot": 1]
            )
        )
        let sampler = try #require(all.sampler)
        #expect(sampler is PerOperationSampler)
        var hot = 0
        var cold = 0
        for number in 0..<1_000 {
            let seconds = Double(number) / 100
            if sampler.decision(for: input("hot", at: seconds)).isSampled { hot += 1 }
            if sampler.decision(for: input("cold", at: seconds)).isSampled { cold += 1 }
        }
        #expect((100...110).contains(hot))
        #expect((10...11).contains(cold))
        #expect(SamplingStrategy().sampler == nil)
    }

    @Test func `what decides can be exchanged`() {
        let sampler = ReplaceableSampler(NeverSampler())
        #expect(!sampler.decision(for: input(at: 0)).isSampled)
        sampler.replace(with: AlwaysSampler())
        #expect(sampler.decision(for: input(at: 0)).isSampled)
    }
}
