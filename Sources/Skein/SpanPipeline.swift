// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Takes finished spans from any number of tracers and exports them in batches, in a task of its own.
///
/// The application's threads only put spans in a bounded buffer. Where the exporter cannot keep up,
/// or nobody answers, spans are dropped and counted. A pipeline lives until `shutdown` is called.
public final class SpanPipeline: SpanSink {
    let cells = CounterCells()
    private let exporter: any SpanExporter
    private let options: PipelineOptions
    private let buffer: SpanBuffer
    private let jitter = IDGenerator(random: Transport.random)
    private let failures: FailureReport
    /// Sends what tracers counted of calls, where the exporter carries that.
    private let calls = Mutex<CallReporter?>(nil)
    /// Wakes the task that exports; one pending wake-up is as good as many.
    private let wake: AsyncStream<Void>.Continuation
    /// What tracers record in, and whose spans those are.
    private let slabs = Mutex<[(slab: SpanSlab, resource: Resource)]>([])
    /// Spans that were taken out of a slab and are not yet settled.
    private let underWay = Atomic(0)
    private let flushes = Mutex<[Completion]>([])
    private let worker: Mutex<Task<Void, Never>?>
    private let finished = Completion()
    private let isShuttingDown = Atomic(false)

    /// Makes a pipeline and starts its task.
    ///
    /// - Parameters:
    ///   - exporter: Where the spans go.
    ///   - options: Limits, retries and where trouble is reported.
    public init(exporter: any SpanExporter, options: PipelineOptions = PipelineOptions()) {
        var options = options
        options.limits = options.limits.workable
        self.exporter = exporter
        self.options = options
        buffer = SpanBuffer(limits: options.limits)
        failures = FailureReport(clock: options.clock, report: options.onWarning)
        let (wakeups, wake) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        self.wake = wake
        worker = Mutex(nil)
        Transport.watchForks()
        // Detached: no trace context and no task-local of the caller may reach the exporter.
        let task = Task.detached {
            await LocalSpan.binding.withValue(.exporting) { await self.run(wakeups) }
        }
        worker.withLock { $0 = task }
    }

    /// What became of the spans of all tracers that use this pipeline.
    public var counters: TracingCounters {
        settleLeftovers()
        return cells.snapshot(queuedCount: queuedCount)
    }

    /// What became of call statistics; all zero where there are none.
    public var callCounters: CallCounters { calls.withLock { $0 }?.counters ?? CallCounters() }

    /// Counts what ended too late for anybody to export it.
    func settleLeftovers() {
        let reason: TracingCounters.DropReason
        if Transport.isForkedCopy {
            reason = .forked
        } else if finished.isComplete {
            reason = .shutDown
        } else {
            return
        }
        for (slab, _) in slabs.withLock({ $0 }) {
            var count = 0
            slab.drain { _ in count += 1 }
            if count > 0 { cells.drop(count, reason) }
        }
    }

    var queuedCount: Int {
        let held = buffer.spanCount + underWay.load(ordering: .relaxed)
        return slabs.withLock { $0 }.reduce(held) { $0 + $1.slab.endedCount }
    }

    /// Where a tracer of this pipeline records its own spans.
    func makeSlab(for resource: Resource) -> SpanSlab {
        let slab = SpanSlab(
            spanCount: options.limits.spanCount,
            byteCount: options.limits.byteCount
        )
        slabs.withLock { $0.append((slab, resource)) }
        return slab
    }

    /// What a tracer of this pipeline counts its calls with; `nil` where the exporter does not carry
    /// statistics.
    func makeStatistics(for resource: Resource) -> CallStatistics? {
        guard let exporter = exporter as? any CallStatisticsExporter else { return nil }
        // Made by the first that needs it: no task runs for nothing.
        let reporter = calls.withLock { calls in
            let reporter =
                calls ?? CallReporter(exporter: exporter, options: options, failures: failures)
            calls = reporter
            return reporter
        }
        return reporter.makeStatistics(for: resource)
    }

    /// Ended spans in one shard of a slab at which an export begins: half of what a shard holds, or a
    /// whole batch.
    var slabWakeCount: Int {
        max(1, min(options.limits.batchSpanCount, options.limits.spanCount / 16))
    }

    public func accept(_ span: consuming SpanRecord) {
        // Before any lock: the thread that held it may not exist here.
        guard !Transport.isForkedCopy else { return cells.drop(1, .forked) }
        note(buffer.offer(OTLPRequest.encode(span), of: span.resource))
    }

    /// Takes a span from its recorder, as `accept` takes a record.
    func accept(
        _ recorder: SpanRecorder,
        _ content: borrowing SpanRecorder.State,
        endedAt end: UInt64
    ) {
        guard !Transport.isForkedCopy else { return cells.drop(1, .forked) }
        let admission = SpanScratch.withEncoded(recorder, content, end) {
            buffer.offer($0, of: recorder.owner.resource)
        }
        note(admission)
    }

    private func note(_ admission: SpanBuffer.Admission) {
        switch admission {
        case .taken: break
        case .takenCompletingBatch: wake.yield()
        case .refusedFull: cells.drop(1, .bufferFull)
        case .refusedClosed: cells.drop(1, .shutDown)
        }
    }

    /// Exports all spans that ended before the call, and what was counted of calls.
    ///
    /// - Parameter timeout: Longest wait.
    /// - Returns: Whether each of them was taken by the exporter or dropped for good before the
    ///   timeout; `counters` tells which.
    @discardableResult
    public func flush(timeout: Duration = .seconds(10)) async -> Bool {
        guard !Transport.isForkedCopy else { return false }
        let reporter = isShuttingDown.load(ordering: .acquiring) ? nil : calls.withLock { $0 }
        async let counts = reporter?.flush(timeout: timeout) ?? true
        let spans = await flushSpans(timeout)
        return await counts && spans
    }

    private func flushSpans(_ timeout: Duration) async -> Bool {
        let request = Completion()
        let isTaken = flushes.withLock { flushes in
            guard flushes.count < Limits.flushWaiterCount else { return false }
            flushes.append(request)
            return true
        }
        guard isTaken else { return false }
        // After the end of the worker nobody would take the request up.
        if isShuttingDown.load(ordering: .acquiring) {
            return await finished.wait(atMost: timeout, clock: options.clock)
        }
        wake.yield()
        return await request.wait(atMost: timeout, clock: options.clock)
    }

    /// Starts a flush and does not wait for it.
    func startFlush() {
        if !Transport.isForkedCopy { wake.yield() }
    }

    /// Exports what has ended, lets go of the exporter and drops every span that ends later.
    ///
    /// A second call waits for the first.
    ///
    /// - Parameter timeout: Longest wait for the export; what is not sent by then is dropped.
    /// - Returns: Whether nothing had to be dropped for want of time. In the copy of a process that
    ///   `fork` made nothing is exported: `false`, at once.
    @discardableResult
    public func shutdown(timeout: Duration = .seconds(5)) async -> Bool {
        guard !Transport.isForkedCopy else { return false }
        let isFirst = isShuttingDown.compareExchange(
            expected: false,
            desired: true,
            ordering: .acquiringAndReleasing
        ).exchanged
        if isFirst {
            buffer.close()
            // Beside the spans, whose receiver may be the one that is in trouble.
            calls.withLock { $0 }?.cutWindow()
            // The stream still delivers a pending wake-up, then ends; the worker drains once more.
            wake.finish()
        }
        if await finished.wait(atMost: timeout, clock: options.clock) { return true }
        worker.withLock { $0 }?.cancel()
        // Until the exporter has noticed, so that the counters read afterwards are final.
        return await finished.wait(atMost: Limits.cancellationGrace, clock: options.clock)
    }
}

extension SpanPipeline {
    private func run(_ wakeups: AsyncStream<Void>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while (try? await self.options.clock.sleep(for: self.options.limits.delay)) != nil {
                    self.wake.yield()
                }
            }
            for await _ in wakeups { await drain() }
            await drain()
            group.cancelAll()
        }
        await calls.withLock { $0 }?.finish()
        await exporter.shutdown()
        finished.complete(!Task.isCancelled)
        takeFlushes().forEach { $0.complete(!Task.isCancelled) }
    }

    private func takeFlushes() -> [Completion] {
        flushes.withLock { flushes in
            defer { flushes = [] }
            return flushes
        }
    }

    /// Exports what waits, until less than a batch is left.
    private func drain() async {
        repeat {
            // In this order: a span that ended before its flush was asked for is taken below.
            let requests = takeFlushes()
            // Taken from the end: what is settled must not be held any longer.
            var spans = buffer.take()
            spans.reverse()
            while let batch = spans.popLast() {
                let (spanCount, byteCount) = (batch.spanCount, batch.encoded.count)
                await export(consume batch, by: exporter)
                buffer.settle(spanCount: spanCount, byteCount: byteCount)
            }
            for (slab, resource) in slabs.withLock({ $0 }) {
                var batches = slab.take(resource, limit: options.limits.batchSpanCount)
                underWay.add(batches.reduce(0) { $0 + $1.spanCount }, ordering: .relaxed)
                batches.reverse()
                while let batch = batches.popLast() {
                    let (spanCount, byteCount) = (batch.spanCount, batch.encoded.count)
                    await export(consume batch, by: exporter)
                    underWay.subtract(spanCount, ordering: .relaxed)
                    slab.release(byteCount)
                }
            }
            requests.forEach { $0.complete(!Task.isCancelled) }
        } while buffer.holdsBatch
    }

    /// Sends a batch as often as it takes; of its two forms only the one that is sent is held.
    private func export<Exporter: SpanExporter>(
        _ batch: consuming RecordedSpans,
        by exporter: Exporter
    ) async {
        let count = batch.spanCount
        guard !Task.isCancelled else { return cells.drop(count, .shutDown) }
        let payload = exporter.encode(batch)
        _ = consume batch
        var attempt = 0
        while true {
            attempt += 1
            let outcome = await exporter.send(payload)
            switch outcome.code {
            case .delivered(let rejectedCount):
                let rejected = min(max(rejectedCount, 0), count)
                cells.rejected.add(rejected, ordering: .relaxed)
                cells.exported.add(count - rejected, ordering: .relaxed)
                if rejected > 0 {
                    failures.note("The receiver rejected \(rejected) spans: \(outcome.message)")
                }
                return
            case .refused:
                failures.note("The receiver refused \(count) spans: \(outcome.message)")
                return cells.drop(count, .refused)
            case .retryable(let requested):
                failures.note("Spans could not be sent: \(outcome.message)")
                let delay = options.retry.delay(
                    afterAttempt: attempt,
                    requested: requested,
                    jitter: jitter.fraction()
                )
                guard let delay else { return cells.drop(count, .attemptsUsedUp) }
                guard (try? await options.clock.sleep(for: delay)) != nil else {
                    return cells.drop(count, .shutDown)
                }
            }
        }
    }
}

/// How a pipeline buffers, repeats and reports.
public struct PipelineOptions: Sendable {
    /// How much waits, and how long.
    public var limits = PipelineLimits()
    /// When a batch is sent again.
    public var retry = RetryPolicy()
    /// Measures delays and time limits; tests give one of their own.
    public var clock: any Clock<Duration> = Transport.clock
    /// Takes sentences about trouble, one in ten seconds at most; writes to standard error by default.
    public var onWarning: @Sendable (String) -> Void = Transport.warn

    /// Makes the default options.
    public init() {}
}
