// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Something that happens once, and that tasks wait for with a limit.
final class Completion: Sendable {
    private struct State {
        var result: Bool?
        var waiters: [Int: Waiter] = [:]
        var nextTicket = 0
    }

    /// A ticket is taken before its continuation is known, so that the limit may pass in between.
    private enum Waiter {
        case arriving
        case waiting(CheckedContinuation<Bool, Never>)
    }

    private let state = Mutex(State())

    /// Whether it has happened.
    var isComplete: Bool { state.withLock { $0.result != nil } }

    /// Lets all go that wait, now and later. Only the first call counts.
    func complete(_ result: Bool) {
        let waiters: [Int: Waiter] = state.withLock { state in
            guard state.result == nil else { return [:] }
            state.result = result
            let waiters = state.waiters
            state.waiters = [:]
            return waiters
        }
        for case .waiting(let continuation) in waiters.values {
            continuation.resume(returning: result)
        }
    }

    /// Waits for the completion.
    ///
    /// - Returns: Its result, or `false` once `limit` has passed.
    func wait(atMost limit: Duration, clock: any Clock<Duration>) async -> Bool {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            state.waiters[state.nextTicket] = .arriving
            return state.nextTicket
        }
        let timer = Task {
            // Cancelled means that the wait is over.
            guard (try? await clock.sleep(for: limit)) != nil else { return }
            self.giveUp(ticket)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            let result: Bool? = state.withLock { state in
                if let result = state.result { return result }
                // Gone already: the limit has passed.
                guard state.waiters[ticket] != nil else { return false }
                state.waiters[ticket] = .waiting(continuation)
                return nil
            }
            if let result { continuation.resume(returning: result) }
        }
    }

    private func giveUp(_ ticket: Int) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: ticket) }
        if case .waiting(let continuation) = waiter { continuation.resume(returning: false) }
    }
}
