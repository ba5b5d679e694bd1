// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Passes trouble on in words, one sentence in ten seconds at most, so that a receiver that stays
/// away does not flood the application's log. What is held back is counted in the next sentence.
final class FailureReport: Sendable {
    private struct State {
        var lastReport: Duration?
        var heldBackCount = 0
    }

    private let state = Mutex(State())
    /// The time since the report was made.
    private let elapsed: @Sendable () -> Duration
    private let report: @Sendable (String) -> Void

    init(clock: any Clock<Duration>, report: @escaping @Sendable (String) -> Void) {
        elapsed = Self.stopwatch(clock)
        self.report = report
    }

    func note(_ message: String) {
        let now = elapsed()
        let heldBackCount: Int? = state.withLock { state in
            if let last = state.lastReport, now - last < Limits.reportInterval {
                state.heldBackCount += 1
                return nil
            }
            defer { state = State(lastReport: now) }
            return state.heldBackCount
        }
        guard let heldBackCount else { return }
        report(heldBackCount == 0 ? message : "\(message) (and \(heldBackCount) more reports)")
    }

    private static func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
