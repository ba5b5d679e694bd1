// SPDX-License-Identifier: Apache-2.0

/// Records every span.
public struct AlwaysSampler: Sampler {
    /// Makes the sampler.
    public init() {}

    public func decision(for span: SamplingInput) -> SamplingDecision { .sample }
}

/// Records no span.
public struct NeverSampler: Sampler {
    /// Makes the sampler.
    public init() {}

    public func decision(for span: SamplingInput) -> SamplingDecision { .drop }
}
