// SPDX-License-Identifier: Apache-2.0

/// Records a fixed share of all traces, the same ones in every service.
///
/// It looks at the trace's randomness alone, not at the parent: use it as the root of a
/// `ParentBasedSampler` to keep traces whole.
public struct RatioSampler: Sampler {
    /// What decides.
    public let threshold: SamplingThreshold

    /// Records `ratio` of all traces, 0 to 1.
    public init(_ ratio: Double) { threshold = SamplingThreshold(ratio: ratio) }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        threshold.keeps(span.randomness) ? .sample(by: threshold) : .drop
    }
}
