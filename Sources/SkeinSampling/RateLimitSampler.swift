// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Records at most so many traces a second, evenly: a leaky bucket that holds one second's worth.
///
/// Which traces those are is chance of time, not of the trace id: counts of such traces cannot be
/// scaled up.
public final class RateLimitSampler: Sampler {
    private let bucket: Mutex<LeakyBucket>

    /// Makes the sampler.
    ///
    /// - Parameter tracesPerSecond: May be a fraction; 0 or less records none.
    public init(tracesPerSecond: Double) {
        bucket = Mutex(LeakyBucket(perSecond: tracesPerSecond))
    }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        bucket.withLock { $0.take(at: span.time) } ? .sample : .drop
    }
}
