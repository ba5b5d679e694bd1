// SPDX-License-Identifier: Apache-2.0

/// Records a share of all traces, but at least and at most so many a second.
public struct BoundedRateSampler: Sampler {
    private let ratio: RatioSampler
    private let least: RateLimitSampler
    private let most: RateLimitSampler?

    /// Makes the sampler.
    ///
    /// - Parameters:
    ///   - ratio: 0 to 1.
    ///   - least: Traces a second to record in any case, as far as there are that many.
    ///   - most: Traces a second that are recorded at most; `nil` for no bound.
    public init(ratio: Double, atLeast least: Double, atMost most: Double? = nil) {
        self.ratio = RatioSampler(ratio)
        self.least = RateLimitSampler(tracesPerSecond: least)
        self.most = most.map { RateLimitSampler(tracesPerSecond: $0) }
    }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        // The guarantee is asked first: what the ratio records uses it up.
        let isGuaranteed = least.decision(for: span).isSampled
        let decision = ratio.decision(for: span)
        guard decision.isSampled || isGuaranteed else { return .drop }
        if let most, !most.decision(for: span).isSampled { return .drop }
        return decision.isSampled ? decision : .sample
    }
}
