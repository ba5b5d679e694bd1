// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Synchronization

/// The ends of a process, and its copies: `exit`, `SIGTERM`, `fork`.
extension Transport {
    /// Whether this is the copy of a process that traced, made by `fork` and not yet by `exec` another
    /// program. None of the threads that export, or that may hold a lock, came along: whatever would
    /// wait for one waits for ever.
    static var isForkedCopy: Bool { forked.load(ordering: .relaxed) }

    private static let forked = Atomic(false)
    private static let watchesForks = Mutex(false)
    /// Where the handler of `SIGTERM` writes; -1 before there is one.
    private static let signalPipe = Atomic<Int32>(-1)

    /// Lets `isForkedCopy` be told from now on.
    static func watchForks() {
        let isFirst = watchesForks.withLock { isWatching in
            defer { isWatching = true }
            return !isWatching
        }
        if isFirst {
            _ = pthread_atfork(nil, nil) { Transport.forked.store(true, ordering: .relaxed) }
        }
    }

    /// Calls `body` when the process ends by `exit` or by returning from its main function.
    static func atExit(_ body: @escaping @convention(c) () -> Void) { _ = atexit(body) }

    /// Waits, on the calling thread, until a task has run `body`.
    ///
    /// - Returns: `false` when the time is up first.
    @discardableResult
    static func waitForTask(
        atMost limit: Duration,
        _ body: @escaping @Sendable () async -> Void
    ) -> Bool {
        let isDone = DoneFlag()
        Task.detached {
            await body()
            isDone.value.store(true, ordering: .releasing)
        }
        let start = monotonicNanoseconds()
        let (seconds, attoseconds) = limit.components
        let bound = Double(seconds) * 1e9 + Double(attoseconds) * 1e-9
        while !isDone.value.load(ordering: .acquiring) {
            guard Double(monotonicNanoseconds() &- start) < bound else { return false }
            usleep(1_000)
        }
        return true
    }

    private final class DoneFlag: Sendable {
        let value = Atomic(false)
    }

    /// Calls `body` on a thread of its own when `SIGTERM` comes, and then lets the signal do what it
    /// would have done.
    ///
    /// - Returns: `false`, and nothing is changed, where the program handles or ignores the signal
    ///   itself.
    static func onTermination(_ body: @escaping @Sendable () -> Void) -> Bool {
        var current = sigaction()
        guard sigaction(SIGTERM, nil, &current) == 0, hasDefaultAction(current),
            signalPipe.load(ordering: .relaxed) < 0
        else { return false }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return false }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reader = ends[0]
        signalPipe.store(ends[1], ordering: .releasing)
        let isStarted = startThread {
            var byte: UInt8 = 0
            while read(reader, &byte, 1) < 0, errno == EINTR {}
            body()
            Transport.endBySignal()
        }
        guard isStarted else {
            signalPipe.store(-1, ordering: .relaxed)
            ends.forEach { _ = close($0) }
            return false
        }
        // Nothing but calls that are safe in a handler: an atomic load, a write.
        signal(SIGTERM) { _ in
            guard !Transport.isForkedCopy else { return Transport.endBySignal() }
            var byte: UInt8 = 1
            _ = write(Transport.signalPipe.load(ordering: .relaxed), &byte, 1)
        }
        return true
    }

    /// Ends the process as if nobody had handled the signal, so that whoever waits for it is told.
    private static func endBySignal() {
        signal(SIGTERM, SIG_DFL)
        kill(getpid(), SIGTERM)
    }

    private static func hasDefaultAction(_ action: sigaction) -> Bool {
        #if canImport(Darwin)
        action.__sigaction_u.__sa_handler == nil
        #else
        action.__sigaction_handler.sa_handler == nil
        #endif
    }
}
