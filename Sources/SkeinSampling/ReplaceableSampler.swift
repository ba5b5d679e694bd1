// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A sampler that can be exchanged while spans start: what a strategy from elsewhere is put into.
public final class ReplaceableSampler: Sampler {
    private let current: Mutex<any Sampler>

    /// Begins with `initial`.
    public init(_ initial: any Sampler) { current = Mutex(initial) }

    /// Spans that start from now on are decided by `sampler`.
    public func replace(with sampler: any Sampler) { current.withLock { $0 = sampler } }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        current.withLock { $0 }.decision(for: span)
    }
}
