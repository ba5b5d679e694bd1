// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinSampling
import Testing

@Suite struct SamplerTests {
    private func input(
        low: UInt64,
        parent: SamplingInput.Parent? = nil,
        randomness: UInt64? = nil
    ) -> SamplingInput {
        SamplingInput(
            traceID: TraceID(high: .max, low: low),
            randomness: randomness,
            parent: parent,
            name: "operation",
            kind: .server
        )
    }

    @Test(
        arguments: [
            (1, UInt64(0)), (0.5, 0x80_0000_0000_0000), (0.25, 0xc0_0000_0000_0000),
            (0.01, 0xfd_70a4_0000_0000), (0.1, 0xe6_6660_0000_0000), (0, 1 << 56),
            (-1, 1 << 56), (2, 0), (.infinity, 0), (.nan, 0), (0x1p-56, (1 << 56) - 1),
            (0x1p-60, 1 << 56), (.leastNonzeroMagnitude, 1 << 56),
        ] as [(Double, UInt64)]
    )
    func `turns a ratio into a threshold`(ratio: Double, threshold: UInt64) {
        #expect(SamplingThreshold(ratio: ratio).rawValue == threshold)
    }

    @Test func `every ratio keeps its share within a thousandth of it`() {
        var ratio = 1.0
        while ratio > 0x1p-40 {
            let kept = Double((1 << 56) - SamplingThreshold(ratio: ratio).rawValue) * 0x1p-56
            #expect(abs(kept - ratio) <= ratio / 1_000)
            ratio *= 0.7
        }
    }

    @Test func `samples from the threshold on, by the low 56 bits`() {
        let sampler = RatioSampler(0.5)
        let half: UInt64 = 0x80_0000_0000_0000
        #expect(sampler.decision(for: input(low: half)) == .sample(by: sampler.threshold))
        #expect(sampler.decision(for: input(low: half - 1)) == .drop)
        #expect(sampler.decision(for: input(low: 0xFF00_0000_0000_0000)) == .drop)
        #expect(sampler.decision(for: input(low: 0, randomness: half)).isSampled)
        #expect(!sampler.decision(for: input(low: .max, randomness: 0)).isSampled)
    }

    @Test func `a smaller ratio keeps a subset`() {
        var generator = SystemRandomNumberGenerator()
        let small = RatioSampler(0.1)
        let large = RatioSampler(0.3)
        for _ in 0..<10_000 {
            let span = input(low: generator.next())
            if small.decision(for: span).isSampled {
                #expect(large.decision(for: span).isSampled)
            }
        }
    }

    @Test func `always and never do what they say`() {
        #expect(AlwaysSampler().decision(for: input(low: 0)) == .sample)
        #expect(NeverSampler().decision(for: input(low: .max)) == .drop)
        #expect(!RatioSampler(0).decision(for: input(low: .max)).isSampled)
        #expect(RatioSampler(1).decision(for: input(low: 0)).isSampled)
    }

    @Test(arguments: [
        (nil, true), (SamplingInput.Parent(isSampled: true, isRemote: true), true),
        (SamplingInput.Parent(isSampled: false, isRemote: true), false),
        (SamplingInput.Parent(isSampled: true, isRemote: false), true),
        (SamplingInput.Parent(isSampled: false, isRemote: false), false),
    ])
    func `follows the parent`(parent: SamplingInput.Parent?, isSampled: Bool) {
        let sampler = ParentBasedSampler(root: AlwaysSampler())
        #expect(sampler.decision(for: input(low: 1, parent: parent)).isSampled == isSampled)
        let never = ParentBasedSampler(root: NeverSampler())
        let expected = parent != nil && isSampled
        #expect(never.decision(for: input(low: 1, parent: parent)).isSampled == expected)
    }

    @Test func `callers need not be trusted`() {
        let sampler = ParentBasedSampler(
            root: NeverSampler(),
            remoteSampled: NeverSampler(),
            remoteNotSampled: AlwaysSampler()
        )
        let sampled = SamplingInput.Parent(isSampled: true, isRemote: true)
        let notSampled = SamplingInput.Parent(isSampled: false, isRemote: true)
        let local = SamplingInput.Parent(isSampled: true, isRemote: false)
        #expect(!sampler.decision(for: input(low: 1, parent: sampled)).isSampled)
        #expect(sampler.decision(for: input(low: 1, parent: notSampled)).isSampled)
        #expect(sampler.decision(for: input(low: 1, parent: local)).isSampled)
    }
}
