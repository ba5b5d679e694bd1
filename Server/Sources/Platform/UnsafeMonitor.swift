// SPDX-License-Identifier: Apache-2.0

import CPlatform
import Glibc

/// State under a lock, with threads that wait for it to change.
///
/// `Mutex` where nobody waits; this where a dedicated thread sleeps until there is work.
public final class Monitor<State>: @unchecked Sendable {
    // Sendable: `state` is touched only between lock and unlock of `mutex`.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    /// Guards `state`.
    public init(_ state: sending State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Reads or changes the state; wakes nobody.
    public func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state and wakes every waiting thread.
    public func update<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return body(&state)
    }

    /// Waits until `body` gives a result, asking it again after every `update`.
    public func wait<Result>(for body: (inout State) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// Waits as `wait(for:)` does, but gives up after `limit`.
    public func wait<Result>(upTo limit: Duration, for body: (inout State) -> Result?) -> Result? {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let parts = limit.components
        deadline.tv_sec += Int(clamping: parts.seconds)
        deadline.tv_nsec += Int(parts.attoseconds / 1_000_000_000)
        if deadline.tv_nsec >= 1_000_000_000 {
            deadline.tv_sec += 1
            deadline.tv_nsec -= 1_000_000_000
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
                return body(&state)
            }
        }
    }
}

/// Threads of their own for work that blocks.
public enum DedicatedThread {
    /// How much a thread's work may wait for others'.
    public enum Urgency: Sendable {
        /// Many wait for each of its short steps, such as the answers to clients: it does not wait for
        /// others to end their turn on the processor.
        case prompt
        /// Somebody waits for it.
        case normal
        /// Nobody does: it runs when the processor has nothing better to do, but never starves.
        case background
    }

    /// Starts a thread that runs `body` once and ends.
    ///
    /// Who must know that it ended lets the body say so through a `Monitor`.
    ///
    /// - Parameters:
    ///   - name: what tools such as `top -H` call it; at most 15 bytes are shown.
    ///   - urgency: whether others go first.
    ///   - body: the work.
    public static func start(
        named name: String,
        urgency: Urgency = .normal,
        _ body: @escaping @Sendable () -> Void
    ) {
        var handle = pthread_t()
        let work = Unmanaged.passRetained(Work(name: name, urgency: urgency, body: body))
        let code = pthread_create(
            &handle,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            work.toOpaque()
        )
        precondition(code == 0, "cannot start a thread: \(ErrorCode.text(code))")
        pthread_detach(handle)
    }

    /// Sets how much the work of the calling thread may wait for others'. Not worth failing for.
    public static func setUrgency(_ urgency: Urgency) {
        switch urgency {
        case .prompt: skein_take_short_turns()
        case .normal: break
        case .background:
            // On Linux, 0 means the calling thread alone.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, backgroundNiceness)
        }
    }

    /// Between 0 and 19; each step gives up about a tenth of the processor to who competes.
    private static let backgroundNiceness: Int32 = 5

    private final class Work: Sendable {
        /// What the kernel keeps of a name, without its end mark.
        private static let nameByteCount = 15

        private let name: String
        private let urgency: Urgency
        private let body: @Sendable () -> Void

        init(name: String, urgency: Urgency, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.urgency = urgency
            self.body = body
        }

        /// Runs on the new thread. Its name is not worth failing for.
        func run() {
            skein_name_thread(String(name.prefix(Self.nameByteCount)))
            DedicatedThread.setUrgency(urgency)
            body()
        }
    }
}
