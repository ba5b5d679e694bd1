// SPDX-License-Identifier: Apache-2.0

/// How long to wait before a batch is sent again.
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts in all, the first one included; then the batch is dropped.
    public var attemptCount = 8
    /// The wait after the first attempt; it doubles with each further one.
    public var firstDelay = Duration.milliseconds(500)
    /// The longest wait, unless the receiver asks for a longer one.
    public var delayMax = Duration.seconds(30)

    /// Makes a policy that gives up after about a minute.
    public init() {}

    /// The wait after an attempt that failed.
    ///
    /// - Parameters:
    ///   - attempt: Attempts made so far, at least 1.
    ///   - requested: The wait that the receiver asked for: the least there is, up to 5 minutes.
    ///   - jitter: 0 ..< 1, spreads the senders: the wait is 50 % to 150 % of what it would be, or
    ///     100 % to 110 % of what was asked for.
    /// - Returns: `nil` once the attempts are used up.
    public func delay(
        afterAttempt attempt: Int,
        requested: Duration?,
        jitter: Double
    ) -> Duration? {
        guard attempt < attemptCount else { return nil }
        if let requested, requested > .zero {
            return min(requested, Limits.retryAfterMax) * (1 + jitter / 10)
        }
        let doublings = min(max(attempt - 1, 0), 30)
        return min(firstDelay * (1 << doublings), delayMax) * (0.5 + jitter)
    }
}
