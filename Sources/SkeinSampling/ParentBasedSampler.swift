// SPDX-License-Identifier: Apache-2.0

/// Does what the parent did; a root is left to another sampler. Traces stay whole.
public struct ParentBasedSampler: Sampler {
    /// Decides about spans without a parent.
    public var root: any Sampler
    /// Decides under a parent of another process that is recorded.
    public var remoteSampled: any Sampler
    /// Decides under a parent of another process that is not recorded.
    public var remoteNotSampled: any Sampler

    /// Makes a sampler that follows the parent and asks `root` where there is none.
    ///
    /// - Parameters:
    ///   - root: Decides about spans without a parent.
    ///   - remoteSampled: Give another one where callers are not to be trusted with the decision.
    ///   - remoteNotSampled: As `remoteSampled`.
    public init(
        root: any Sampler,
        remoteSampled: any Sampler = AlwaysSampler(),
        remoteNotSampled: any Sampler = NeverSampler()
    ) {
        self.root = root
        self.remoteSampled = remoteSampled
        self.remoteNotSampled = remoteNotSampled
    }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        guard let parent = span.parent else { return root.decision(for: span) }
        guard parent.isRemote else { return parent.isSampled ? .sample : .drop }
        return parent.isSampled
            ? remoteSampled.decision(for: span) : remoteNotSampled.decision(for: span)
    }
}
