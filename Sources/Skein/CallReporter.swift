// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import Synchronization

/// Cuts time into windows, reads at the end of each what the tracers of a pipeline counted, and has it
/// sent, in tasks of its own: a receiver that takes spans and no statistics, or the other way round,
/// gets all of what it takes.
final class CallReporter: Sendable {
    fileprivate struct State {
        /// Nanoseconds since 1970.
        var start: UInt64
        var edge: UInt64
        var bank = 0
        var statistics: [CallStatistics] = []
        var nextNumber: UInt64 = 1
        /// Oldest first; the first may be under way.
        var waiting: [CallWindow] = []
        var waitingByteCount = 0
        var isClosed = false
        var flushes: [(number: UInt64, completion: Completion)] = []
        var wasRefused = false
        var started = 0
        var exported = 0
        var rejected = 0
        var dropped: [TracingCounters.DropReason: Int] = [:]
    }

    private let exporter: any CallStatisticsExporter
    private let options: PipelineOptions
    private let failures: FailureReport
    private let jitter = IDGenerator(random: Transport.random)
    private let sender = TraceID(high: Transport.random(), low: Transport.random())
    private let wake: AsyncStream<Void>.Continuation
    private let state: Mutex<State>
    private let tasks = Mutex<[Task<Void, Never>]>([])

    init(exporter: any CallStatisticsExporter, options: PipelineOptions, failures: FailureReport) {
        self.exporter = exporter
        self.options = options
        self.failures = failures
        let now = Transport.wallNanoseconds()
        state = Mutex(State(start: now, edge: Self.edge(after: now)))
        let (wakeups, wake) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        self.wake = wake
        // Detached: no trace context and no task-local of the caller may reach the exporter.
        let sending = Task.detached {
            await LocalSpan.binding.withValue(.exporting) {
                for await _ in wakeups { await self.sendWaiting() }
                await self.sendWaiting()
            }
        }
        let cutting = Task.detached {
            while (try? await options.clock.sleep(for: self.timeToEnd)) != nil { self.endWindow() }
        }
        tasks.withLock { $0 = [sending, cutting] }
    }

    /// The counters for a tracer of this pipeline.
    func makeStatistics(for resource: Resource) -> CallStatistics {
        state.withLock { state in
            let made = CallStatistics(resource: resource, edge: state.edge | UInt64(state.bank))
            state.statistics.append(made)
            return made
        }
    }

    // MARK: Windows

    /// The first full ten seconds after a time.
    private static func edge(after time: UInt64) -> UInt64 {
        (time / Limits.callWindowLength &+ 1) &* Limits.callWindowLength
    }

    private var timeToEnd: Duration {
        let now = Transport.wallNanoseconds()
        let due = state.withLock { $0.edge } &+ Limits.callWindowGrace
        // No longer than one window, should somebody set the clock back.
        let wait = due > now ? min(due - now, Limits.callWindowLength) : 0
        return .nanoseconds(Int64(clamping: wait)) + .milliseconds(1)
    }

    /// Ends the current window if its time is over.
    private func endWindow() {
        guard !Transport.isForkedCopy else { return }
        let now = Transport.wallNanoseconds()
        let hasEnded = state.withLock { state in
            guard now >= state.edge || now < state.start else { return false }
            take(&state, until: state.edge)
            // Calls that ended after the edge were counted in the other bank, now the current one.
            state.start = now >= state.edge ? state.edge : now
            state.edge = Self.edge(after: now)
            state.bank ^= 1
            for statistics in state.statistics {
                statistics.setEdge(state.edge | UInt64(state.bank))
            }
            return true
        }
        guard hasEnded else { return }
        OpenCalls.shared.endTick()
        wake.yield()
    }

    /// Ends the current window now, and has it sent.
    func cutWindow() {
        endWindow()
        let now = Transport.wallNanoseconds()
        state.withLock { state in
            take(&state, until: max(now, state.start + 1), withNext: true)
            state.start = max(now, state.start + 1)
        }
        wake.yield()
    }

    /// - Parameter withNext: takes what was counted for the next window too: calls that are said to
    ///   have ended later than now.
    private func take(_ state: inout State, until end: UInt64, withNext: Bool = false) {
        let banks = withNext ? [state.bank, state.bank ^ 1] : [state.bank]
        let services = state.statistics.flatMap { statistics in
            banks.compactMap { statistics.take(bank: $0) }
        }
        guard !services.isEmpty else { return }
        let window = CallWindow(
            sender: sender,
            number: state.nextNumber,
            start: state.start,
            end: end,
            services: services
        )
        state.nextNumber += 1
        state.started += 1
        guard !state.isClosed else { return state.drop(.shutDown) }
        let byteCount = window.byteCount
        guard
            state.waiting.isEmpty
                || state.waitingByteCount + byteCount <= Limits.callWindowByteCount
        else { return state.drop(.bufferFull) }
        state.waiting.append(window)
        state.waitingByteCount += byteCount
    }

    // MARK: Sending

    private func sendWaiting() async {
        while let window = state.withLock({ $0.waiting.first }) {
            let reason = await send(window, by: exporter)
            let done: [Completion] = state.withLock { state in
                state.waiting.removeFirst()
                state.waitingByteCount -= window.byteCount
                if let reason { state.drop(reason) } else { state.exported += 1 }
                return state.takeFlushes()
            }
            done.forEach { $0.complete(!Task.isCancelled) }
        }
        state.withLock { $0.takeFlushes() }.forEach { $0.complete(!Task.isCancelled) }
    }

    /// - Returns: why the window was dropped; `nil` where the receiver has it.
    private func send<Exporter: CallStatisticsExporter>(
        _ window: CallWindow,
        by exporter: Exporter
    ) async -> TracingCounters.DropReason? {
        guard !Task.isCancelled else { return .shutDown }
        let payload = exporter.encode(window)
        var attempt = 0
        while true {
            attempt += 1
            let outcome = await exporter.send(statistics: payload)
            switch outcome.code {
            case .delivered(let rejectedCount):
                state.withLock { state in
                    state.wasRefused = false
                    state.rejected += max(rejectedCount, 0)
                }
                if rejectedCount > 0 {
                    failures.note(
                        "The receiver rejected \(rejectedCount) call statistics: \(outcome.message)"
                    )
                }
                return nil
            case .refused:
                noteRefusal(outcome.message)
                return .refused
            case .retryable(let requested):
                failures.note("Call statistics could not be sent: \(outcome.message)")
                let delay = options.retry.delay(
                    afterAttempt: attempt,
                    requested: requested,
                    jitter: jitter.fraction()
                )
                guard let delay else { return .attemptsUsedUp }
                guard (try? await options.clock.sleep(for: delay)) != nil else { return .shutDown }
            }
        }
    }

    /// Many receivers of spans take no metrics: that is said once.
    private func noteRefusal(_ message: String) {
        let isFirst = state.withLock { state in
            defer { state.wasRefused = true }
            return !state.wasRefused
        }
        guard isFirst else { return }
        options.onWarning(
            """
            The receiver takes no call statistics: \(message). SKEIN_CALL_STATISTICS=off switches \
            them off.
            """
        )
    }

    // MARK: Ends

    /// Ends the current window and waits until all that were started are settled.
    func flush(timeout: Duration) async -> Bool {
        cutWindow()
        let completion = Completion()
        let isSettled: Bool? = state.withLock { state in
            guard let last = state.waiting.last?.number else { return true }
            guard state.flushes.count < Limits.flushWaiterCount else { return false }
            state.flushes.append((last, completion))
            return nil
        }
        if let isSettled { return isSettled }
        return await completion.wait(atMost: timeout, clock: options.clock)
    }

    /// Sends what is left; what a cancelled caller did not see sent is dropped.
    func finish() async {
        cutWindow()
        state.withLock { $0.isClosed = true }
        let tasks = tasks.withLock { $0 }
        tasks.last?.cancel()
        wake.finish()
        await withTaskCancellationHandler {
            for task in tasks { await task.value }
        } onCancel: {
            tasks.forEach { $0.cancel() }
        }
    }

    /// What became of windows and calls. In a copy of the process, where a thread that is gone may hold
    /// the lock for ever, nothing if it does.
    var counters: CallCounters {
        guard Transport.isForkedCopy else { return state.withLock { $0.counters } }
        var result = state.withLockIfAvailable { $0.counters } ?? CallCounters()
        if result.waitingWindowCount > 0 {
            result.droppedWindowCounts[.forked, default: 0] += result.waitingWindowCount
            result.waitingWindowCount = 0
        }
        return result
    }
}

extension CallReporter.State {
    fileprivate var counters: CallCounters {
        var result = CallCounters()
        result.startedWindowCount = started
        result.exportedWindowCount = exported
        result.rejectedPointCount = rejected
        result.waitingWindowCount = waiting.count
        result.droppedWindowCounts = dropped
        for statistics in statistics {
            result.overflowCount += statistics.overflowed.load(ordering: .relaxed)
            result.missedCount += statistics.missed.load(ordering: .relaxed)
            result.abandonedCount += statistics.abandoned.load(ordering: .relaxed)
        }
        return result
    }

    fileprivate mutating func drop(_ reason: TracingCounters.DropReason) {
        dropped[reason, default: 0] += 1
    }

    /// The flushes that have nothing left to wait for.
    fileprivate mutating func takeFlushes() -> [Completion] {
        let first = waiting.first?.number ?? .max
        let done = flushes.filter { $0.number < first }.map(\.completion)
        flushes.removeAll { $0.number < first }
        return done
    }
}

/// What became of call statistics since the pipeline was made.
///
/// `startedWindowCount` = `exportedWindowCount` + the sum of `droppedWindowCounts` +
/// `waitingWindowCount`. A window without a call is none.
public struct CallCounters: Sendable, Hashable {
    /// Windows that ended and had calls.
    public var startedWindowCount = 0
    /// Windows the receiver took.
    public var exportedWindowCount = 0
    /// Rows of these windows that the receiver rejected one by one.
    public var rejectedPointCount = 0
    /// Windows that were not exported, by reason.
    public var droppedWindowCounts: [TracingCounters.DropReason: Int] = [:]
    /// Windows waiting for export or under way.
    public var waitingWindowCount = 0
    /// Calls counted together, because too many operations and peers were told apart before.
    public var overflowCount = 0
    /// Calls not counted, because too many ran at a time without a recorded span.
    public var missedCount = 0
    /// Calls not counted, because they ran for more than an hour without a recorded span.
    public var abandonedCount = 0

    /// Makes counters of zero.
    public init() {}
}
