// SPDX-License-Identifier: Apache-2.0

/// When a request is sent again, as OTLP has it. Pure: it neither waits nor sends.
public struct SendPolicy: Sendable {
    /// Times a request is sent at most.
    public var attempts: Int

    /// Allows `attempts` in all.
    public init(attempts: Int) { self.attempts = attempts }

    /// Whether a receiver that answered `status` may take the same request later.
    public static func isRetryable(status: Int) -> Bool {
        [429, 502, 503, 504].contains(status)
    }

    /// The wait before the next attempt.
    ///
    /// - Parameters:
    ///   - attempt: Attempts made so far, at least 1.
    ///   - retryAfter: The header `Retry-After`, of which the form in seconds is honoured.
    /// - Returns: `nil` when there is no further attempt.
    public func wait(afterAttempt attempt: Int, retryAfter: String? = nil) -> Duration? {
        guard attempt < attempts else { return nil }
        if let text = retryAfter, let seconds = Int(text), seconds >= 0 {
            return .seconds(min(seconds, Limits.longestRetryAfterSeconds))
        }
        let doublings = min(max(attempt - 1, 0), 20)
        let milliseconds = Limits.firstWaitMilliseconds << doublings
        return .milliseconds(min(milliseconds, Limits.longestWaitMilliseconds))
    }
}
