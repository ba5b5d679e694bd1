// SPDX-License-Identifier: Apache-2.0

/// How long a request waits for room before it is refused.
///
/// OTLP clients send again what was pushed back, so that they need not wait. Zipkin clients throw
/// it away: their request waits, looking again at a steady pace, and is refused only after that.
public struct Patience: Sendable {
    private let attempts: Int

    /// Does not wait.
    public static let none = Patience(attempts: 1)

    /// Waits for about `milliseconds`.
    public static func milliseconds(_ milliseconds: Int) -> Patience {
        Patience(attempts: 1 + milliseconds / IngestLimits.patiencePauseMilliseconds)
    }

    /// Pauses before the next attempt; false when there is none, or the request was cancelled.
    func pause(after attemptCount: Int) async -> Bool {
        guard attemptCount < attempts else { return false }
        do {
            try await Task.sleep(for: .milliseconds(IngestLimits.patiencePauseMilliseconds))
            return true
        } catch {
            return false
        }
    }
}
