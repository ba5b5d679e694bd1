// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinPropagation
import SkeinSampling
import Synchronization
import Testing
import Tracing

/// A pipeline with a clock and an exporter that the test moves, and a tracer in front of it.
private struct Bench {
    let clock = ManualClock()
    let exporter: ScriptedExporter
    let warnings = Warnings()
    let pipeline: SpanPipeline
    let tracer: SkeinTracer

    init(_ outcomes: [ExportOutcome] = [], change: (inout PipelineOptions) -> Void = { _ in }) {
        exporter = ScriptedExporter(outcomes)
        var options = PipelineOptions()
        options.clock = clock
        options.onWarning = { [warnings] in warnings.add($0) }
        change(&options)
        pipeline = SpanPipeline(exporter: exporter, options: options)
        tracer = SkeinTracer(resource: Resource(serviceName: "test"), pipeline: pipeline)
    }

    func endSpans(_ names: String...) {
        for name in names { tracer.startSpan(name).end() }
    }

    func endSpans(count: Int) {
        for number in 0..<count { tracer.startSpan("span \(number)").end() }
    }

    /// Counters of a bench at rest always add up.
    func checkSums() {
        let counters = pipeline.counters
        let dropped = counters.droppedCounts.values.reduce(0, +)
        #expect(counters.startedCount == counters.endedCount + counters.abandonedCount)
        #expect(
            counters.endedCount == counters.queuedCount + counters.exportedCount
                + counters.rejectedCount + dropped
        )
    }
}

@Suite(.timeLimit(.minutes(1))) struct SpanPipelineTests {
    @Test func `exports after the delay`() async {
        let bench = Bench()
        bench.endSpans("a", "b")
        await bench.clock.untilSleeping(1)
        #expect(bench.exporter.sent.isEmpty)
        bench.clock.advance(by: .seconds(5))
        await bench.exporter.untilAttempts(1)
        #expect(bench.exporter.sent == [["a", "b"]])
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `a full batch does not wait for the delay`() async {
        let bench = Bench { $0.limits.batchSpanCount = 3 }
        bench.endSpans(count: 3)
        await bench.exporter.untilAttempts(1)
        #expect(bench.exporter.sent.map(\.count) == [3])
        await bench.pipeline.shutdown()
    }

    @Test func `a flush exports everything in batches and returns`() async {
        let bench = Bench { $0.limits.batchSpanCount = 512 }
        bench.endSpans(count: 500)
        #expect(await bench.pipeline.flush())
        #expect(bench.exporter.sent.map(\.count) == [500])
        #expect(bench.pipeline.counters.exportedCount == 500)
        #expect(bench.pipeline.counters.queuedCount == 0)
        #expect(await bench.pipeline.flush())
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `a flush of the tracer only starts one`() async {
        let bench = Bench()
        bench.endSpans("a")
        bench.tracer.forceFlush()
        await bench.exporter.untilAttempts(1)
        await bench.pipeline.shutdown()
        #expect(bench.exporter.sent == [["a"]])
    }

    @Test func `a full buffer drops, counts and never waits`() async {
        let bench = Bench {
            $0.limits.spanCount = 8
            $0.limits.batchSpanCount = 4
        }
        bench.exporter.hold()
        bench.endSpans(count: 4)
        await bench.exporter.untilAttempts(1)
        // Four are under way and count; four more fit.
        bench.endSpans(count: 10)
        #expect(bench.pipeline.counters.queuedCount == 8)
        #expect(bench.pipeline.counters.droppedCounts == [.bufferFull: 6])
        bench.exporter.release()
        #expect(await bench.pipeline.flush())
        #expect(bench.pipeline.counters.exportedCount == 8)
        bench.endSpans(count: 1)
        #expect(bench.pipeline.counters.queuedCount == 1)
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `bytes are bounded too`() async {
        let bench = Bench { $0.limits.byteCount = 10_000 }
        for _ in 0..<5 {
            let span = bench.tracer.startSpan("span")
            span.attributes["body"] = String(repeating: "x", count: 4_000)
            span.end()
        }
        let giant = bench.tracer.startSpan("giant")
        giant.addEvent(
            SpanEvent(
                name: "event",
                attributes: ["list": .stringArray(.init(repeating: "", count: 700))]
            )
        )
        giant.end()
        #expect(bench.pipeline.counters.queuedCount == 2)
        #expect(bench.pipeline.counters.droppedCounts == [.bufferFull: 4])
        #expect(await bench.pipeline.flush())
        bench.endSpans("fits again")
        #expect(bench.pipeline.counters.queuedCount == 1)
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `bytes of own spans count until they are settled`() async throws {
        let bench = Bench { $0.limits.byteCount = 10_000 }
        let text = String(repeating: "x", count: 4_000)
        func end(_ name: StaticString) {
            bench.tracer.span(name) { $0.set("text", text) }
        }
        bench.exporter.hold()
        for _ in 0..<2 { end("under way") }
        bench.tracer.forceFlush()
        await bench.exporter.untilAttempts(1)
        // There are slots for it, but no room for its text.
        end("meanwhile")
        bench.exporter.release()
        #expect(await bench.pipeline.flush())
        end("fits again")
        #expect(await bench.pipeline.shutdown())
        let kept = bench.exporter.encoded.map { "\($0.name): \($0.attributes.count)" }
        #expect(kept == ["under way: 1", "under way: 1", "meanwhile: 0", "fits again: 1"])
        #expect(bench.exporter.encoded[2].dropped.attributes == 1)
        bench.checkSums()
    }

    @Test func `a batch has a bounded number of bytes`() async {
        let bench = Bench { $0.limits.byteCount = 8 << 20 }
        let text = String(repeating: "x", count: 200 << 10)
        for _ in 0..<3 {
            bench.tracer.span("own") { $0.set("text", text) }
            bench.tracer.withSpan("tracing") { $0.attributes["text"] = text }
        }
        for _ in 0..<3 { bench.tracer.span("small") { _ in } }
        #expect(await bench.pipeline.shutdown())
        #expect(bench.exporter.sent.allSatisfy { $0.filter { $0 != "small" }.count <= 1 })
        #expect(bench.exporter.sent.joined().count == 9)
        bench.checkSums()
    }

    @Test func `what can be repeated is repeated, encoded once`() async {
        let bench = Bench([.retryable(message: "HTTP 503"), .retryable(message: "HTTP 503")])
        bench.endSpans("a")
        async let isFlushed = bench.pipeline.flush(timeout: .seconds(1_000))
        for attempt in 1...2 {
            await bench.exporter.untilAttempts(attempt)
            // The ticker, the flush's limit, and the wait before the next attempt.
            await bench.clock.untilSleeping(3)
            bench.clock.advance(by: .seconds(5))
        }
        #expect(await isFlushed)
        #expect(bench.exporter.sent == [["a"], ["a"], ["a"]])
        #expect(bench.exporter.encodedBatchCount == 1)
        #expect(bench.pipeline.counters.exportedCount == 1)
        #expect(bench.warnings.all.count == 1)
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `attempts are bounded`() async {
        let outcomes = (0..<3).map { _ in ExportOutcome.retryable(message: "no route") }
        let bench = Bench(outcomes) { $0.retry.attemptCount = 3 }
        bench.endSpans("a")
        async let isFlushed = bench.pipeline.flush(timeout: .seconds(1_000))
        for attempt in 1...2 {
            await bench.exporter.untilAttempts(attempt)
            await bench.clock.untilSleeping(3)
            bench.clock.advance(by: .seconds(30))
        }
        #expect(await isFlushed)
        #expect(bench.exporter.sent.count == 3)
        #expect(bench.pipeline.counters.droppedCounts == [.attemptsUsedUp: 1])
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `waits as long as the receiver asks`() async {
        let bench = Bench([.retryable(after: .seconds(30), message: "HTTP 429")])
        bench.endSpans("a")
        async let isFlushed = bench.pipeline.flush(timeout: .seconds(1_000))
        await bench.exporter.untilAttempts(1)
        await bench.clock.untilSleeping(3)
        let waits = bench.clock.remaining.filter { $0 > .seconds(29) && $0 < .seconds(999) }
        #expect(waits.count == 1)
        #expect(waits.allSatisfy { $0 >= .seconds(30) && $0 <= .seconds(33) })
        bench.clock.advance(by: .seconds(33))
        #expect(await isFlushed)
        await bench.pipeline.shutdown()
    }

    @Test func `what is refused is dropped and what is rejected counted`() async {
        let bench = Bench([
            .refused(message: "HTTP 400"), .delivered(rejectedCount: 1, message: "too old"),
            .delivered(rejectedCount: 99, message: "nonsense"),
            .delivered(rejectedCount: -1, message: "nonsense"),
        ])
        for _ in 0..<4 {
            bench.endSpans("a", "b")
            #expect(await bench.pipeline.flush())
        }
        let counters = bench.pipeline.counters
        #expect(counters.droppedCounts == [.refused: 2])
        #expect(counters.rejectedCount == 3)
        #expect(counters.exportedCount == 3)
        #expect(bench.warnings.all.first?.contains("HTTP 400") == true)
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `lasting trouble does not flood the log`() async {
        let bench = Bench((0..<101).map { _ in .refused(message: "HTTP 404") })
        for _ in 0..<100 {
            bench.endSpans("a")
            await bench.pipeline.flush()
        }
        #expect(bench.warnings.all.count == 1)
        bench.clock.advance(by: .seconds(10))
        bench.endSpans("a")
        await bench.pipeline.flush()
        #expect(bench.warnings.all.count == 2)
        #expect(bench.warnings.all.last?.contains("99 more") == true)
        await bench.pipeline.shutdown()
        bench.checkSums()
    }

    @Test func `a flush gives up after its time`() async {
        let bench = Bench()
        bench.exporter.hold()
        bench.endSpans("a")
        async let isFlushed = bench.pipeline.flush(timeout: .seconds(2))
        await bench.exporter.untilAttempts(1)
        await bench.clock.untilSleeping(2)
        bench.clock.advance(by: .seconds(2))
        #expect(await !isFlushed)
        bench.exporter.release()
        #expect(await bench.pipeline.shutdown())
        #expect(bench.pipeline.counters.exportedCount == 1)
    }

    @Test func `an exporter that is traced itself makes no spans`() async {
        final class TracedExporter: SpanExporter {
            let tracer = Mutex<SkeinTracer?>(nil)
            let recordedCount = Mutex(0)

            func encode(_ spans: [SpanRecord]) -> Int { spans.count }

            func send(_ payload: Int) async -> ExportOutcome {
                guard let tracer = tracer.withLock({ $0 }) else { return .delivered }
                var count = 0
                await tracer.withSpan("request") { request in
                    await Task.yield()
                    if request.isRecording { count += 1 }
                    tracer.span("own below") { if $0.isRecording { count += 1 } }
                }
                tracer.span("own") { own in
                    if own.isRecording { count += 1 }
                    if tracer.startSpan("below").isRecording { count += 1 }
                }
                recordedCount.withLock { $0 += count }
                return .delivered
            }
        }
        let exporter = TracedExporter()
        let pipeline = SpanPipeline(exporter: exporter)
        var options = TracerOptions()
        options.sampler = AlwaysSampler()
        let tracer = SkeinTracer(
            resource: Resource(serviceName: "x"),
            pipeline: pipeline,
            options: options
        )
        exporter.tracer.withLock { $0 = tracer }
        for _ in 0..<3 {
            tracer.startSpan("of the application").end()
            tracer.span("its own") { _ in }
            #expect(await pipeline.flush())
        }
        #expect(await pipeline.shutdown())
        #expect(exporter.recordedCount.withLock { $0 } == 0)
        #expect(pipeline.counters.startedCount == 6)
        #expect(pipeline.counters.exportedCount == 6)
        exporter.tracer.withLock { $0 = nil }
    }

    @Test func `spans may end in deinit, in warnings and in each other`() async {
        final class Holder: Sendable {
            let span: SkeinSpan
            init(_ span: SkeinSpan) { self.span = span }
            deinit { span.end() }
        }
        let reporter = Mutex<SkeinTracer?>(nil)
        let bench = Bench([.refused(message: "no")]) { options in
            options.onWarning = { _ in
                // A log handler that is traced.
                reporter.withLock { $0 }?.span("warning") { _ in }
            }
        }
        reporter.withLock { $0 = bench.tracer }
        bench.tracer.withSpan("outer") { outer in
            let holder = Holder(bench.tracer.startSpan("held"))
            withExtendedLifetime(holder) { outer.attributes["k"] = "v" }
        }
        #expect(await bench.pipeline.flush())
        #expect(await bench.pipeline.shutdown())
        #expect(bench.tracer.counters.droppedCounts == [.refused: 2])
        bench.checkSums()
        reporter.withLock { $0 = nil }
    }

    @Test func `spans under way to a receiver that hangs count as queued`() async {
        let bench = Bench()
        bench.exporter.hold()
        bench.tracer.span("own") { _ in }
        bench.tracer.span("own too") { _ in }
        bench.tracer.forceFlush()
        await bench.exporter.untilAttempts(1)
        bench.endSpans("later")
        #expect(bench.pipeline.counters.queuedCount == 3)
        bench.checkSums()
        bench.exporter.release()
        #expect(await bench.pipeline.flush())
        #expect(bench.pipeline.counters.queuedCount == 0)
        #expect(bench.pipeline.counters.exportedCount == 3)
        #expect(await bench.pipeline.shutdown())
    }

    @Test(arguments: 0..<8)
    func `a shutdown amid load and trouble loses no count`(round: Int) async {
        let outcomes: [ExportOutcome] = [
            .delivered, .refused(message: "no"), .delivered(rejectedCount: 3, message: "some"),
            .delivered,
        ]
        let exporter = ScriptedExporter(Array(repeating: outcomes, count: 50).flatMap { $0 })
        var options = PipelineOptions()
        options.limits.spanCount = 64
        options.limits.batchSpanCount = 8
        options.onWarning = { _ in }
        let pipeline = SpanPipeline(exporter: exporter, options: options)
        let tracer = SkeinTracer(resource: Resource(serviceName: "x"), pipeline: pipeline)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<500 {
                        await tracer.span("own") { span in
                            span.set("number", number)
                            if number % 50 == task { await Task.yield() }
                            tracer.startSpan("foreign").end()
                        }
                    }
                }
            }
            group.addTask {
                // Somewhere amid the load, each round elsewhere.
                await exporter.untilAttempts(1 + round * 3)
                _ = await pipeline.shutdown()
                _ = await pipeline.shutdown()
            }
        }
        let counters = pipeline.counters
        #expect(counters.startedCount == 8_000)
        #expect(counters.endedCount == 8_000)
        #expect(counters.queuedCount == 0)
        let dropped = counters.droppedCounts.values.reduce(0, +)
        #expect(counters.exportedCount + counters.rejectedCount + dropped == 8_000)
    }

    @Test func `own spans that end after the shutdown are dropped and counted`() async {
        let bench = Bench()
        await bench.tracer.span("late") { late in
            bench.endSpans("early")
            #expect(await bench.pipeline.shutdown())
            #expect(await bench.pipeline.shutdown())
            late.set("n", 1)
        }
        bench.tracer.span("later") { _ in }
        bench.endSpans("latest")
        #expect(bench.exporter.sent == [["early"]])
        #expect(bench.tracer.counters.droppedCounts == [.shutDown: 3])
        #expect(bench.pipeline.counters.queuedCount == 0)
        bench.checkSums()
    }

    @Test func `a shutdown exports what is there and drops what comes later`() async {
        let bench = Bench()
        bench.endSpans("a")
        let late = bench.tracer.startSpan("late")
        #expect(await bench.pipeline.shutdown())
        #expect(bench.exporter.sent == [["a"]])
        #expect(bench.exporter.isShutDown)
        late.end()
        bench.endSpans("later")
        #expect(bench.pipeline.counters.droppedCounts == [.shutDown: 2])
        #expect(await bench.pipeline.shutdown())
        #expect(await bench.pipeline.flush())
        #expect(bench.exporter.sent.count == 1)
        bench.checkSums()
    }

    @Test func `a second shutdown waits for the first, and a later one has nothing to do`() async {
        let bench = Bench()
        bench.exporter.hold()
        bench.endSpans("one", "two")
        let first = Task { await bench.pipeline.shutdown() }
        await bench.exporter.untilAttempts(1)
        let second = Task { await bench.pipeline.shutdown() }
        // Both wait for the exporter, each with a time limit of its own, beside the export's delay.
        await bench.clock.untilSleeping(3)
        #expect(bench.pipeline.counters.queuedCount == 2)
        bench.exporter.release()
        #expect(await first.value)
        #expect(await second.value)
        #expect(await bench.pipeline.shutdown())
        #expect(await bench.pipeline.flush())
        #expect(bench.exporter.sent == [["one", "two"]])
        #expect(bench.exporter.isShutDown)
        bench.checkSums()
    }

    @Test func `a shutdown keeps to its time and counts what it leaves`() async {
        let bench = Bench { $0.limits.batchSpanCount = 2 }
        bench.exporter.hold()
        bench.endSpans("a", "b")
        await bench.exporter.untilAttempts(1)
        bench.endSpans("c")
        async let first = bench.pipeline.shutdown(timeout: .seconds(5))
        async let second = bench.pipeline.shutdown(timeout: .seconds(5))
        await bench.clock.untilSleeping(3)
        bench.clock.advance(by: .seconds(5))
        #expect(await [first, second] == [false, false])
        #expect(bench.pipeline.counters.droppedCounts == [.shutDown: 3])
        #expect(bench.exporter.isShutDown)
        bench.checkSums()
    }

    @Test func `a shutdown ends a wait before the next attempt`() async {
        let bench = Bench([.retryable(after: .seconds(200), message: "HTTP 503")])
        bench.endSpans("a")
        bench.tracer.forceFlush()
        await bench.exporter.untilAttempts(1)
        await bench.clock.untilSleeping(2)
        async let isClean = bench.pipeline.shutdown(timeout: .seconds(5))
        await bench.clock.untilSleeping(3)
        bench.clock.advance(by: .seconds(5))
        #expect(await !isClean)
        #expect(bench.pipeline.counters.droppedCounts == [.shutDown: 1])
        bench.checkSums()
    }

    @Test func `the exporter never runs in a span of the application`() async {
        var context = InstrumentationContext.topLevel
        context.baggage.set("1", forKey: "a")
        let bench = InstrumentationContext.withValue(context) {
            let bench = Bench()
            bench.endSpans("a")
            return bench
        }
        await InstrumentationContext.withValue(context) {
            await bench.pipeline.flush()
            await bench.pipeline.shutdown()
        }
        #expect(bench.exporter.sent == [["a"]])
        #expect(!bench.exporter.sawTraceContext)
    }

    @Test func `tracers of several services share a pipeline and its counters`() async {
        let bench = Bench()
        let stock = SkeinTracer(
            resource: Resource(serviceName: "stock"),
            pipeline: bench.pipeline
        )
        bench.endSpans("order")
        stock.startSpan("stock").end()
        #expect(await bench.pipeline.flush())
        // A batch speaks of one of them.
        #expect(bench.exporter.sent == [["order"], ["stock"]])
        #expect(stock.counters == bench.tracer.counters)
        #expect(stock.counters.exportedCount == 2)
        await bench.pipeline.shutdown()
    }

    /// Around the sizes at which a length takes another byte, and at which a span is encoded otherwise.
    @Test(arguments: [0, 1, 100, 127, 128, 300, 400, 420, 440, 460, 480, 900, 1_024, 20_000])
    func `a span of any size arrives whole`(length: Int) async throws {
        let bench = Bench()
        let text = String(repeating: "x", count: length)
        bench.tracer.withSpan("parent") { parent in
            bench.tracer.withSpan("child", ofKind: .client) { child in
                child.attributes["text"] = text
                child.attributes["negative"] = -1
                child.attributes["largest"] = Int64.max
                child.attributes["small"] = Int32(127)
                child.attributes["flag"] = true
                child.attributes["ratio"] = 0.5
                child.setStatus(SpanStatus(code: .error, message: text.isEmpty ? nil : text))
                #expect(parent.isRecording && child.isRecording)
            }
        }
        #expect(await bench.pipeline.shutdown())
        let (child, parent) = try (
            #require(bench.exporter.encoded.first), #require(bench.exporter.encoded.last)
        )
        #expect([child.name, parent.name] == ["child", "parent"])
        #expect(child.traceID == parent.traceID && child.parentSpanID == parent.spanID)
        #expect(parent.isRoot && child.spanID != parent.spanID && child.context.isSampled)
        #expect(parent.start <= child.start && child.start <= child.end && child.end <= parent.end)
        #expect(child.kind == .client && parent.kind == .internal)
        #expect(child.status == SpanStatus(code: .error, message: text.isEmpty ? nil : text))
        #expect(parent.status == nil)
        var wanted = SpanAttributes([:])
        wanted.set("text", value: .string(text))
        wanted.set("negative", value: .int64(-1))
        wanted.set("largest", value: .int64(.max))
        wanted.set("small", value: .int64(127))
        wanted.set("flag", value: .bool(true))
        wanted.set("ratio", value: .double(0.5))
        #expect(child.attributes == wanted)
        #expect(parent.attributes.isEmpty)
        bench.checkSums()
    }

    @Test func `counts exactly while many tasks end spans`() async {
        let bench = Bench {
            $0.limits.spanCount = 64
            $0.limits.batchSpanCount = 16
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    for _ in 0..<200 {
                        await bench.tracer.withSpan("span") { _ in await Task.yield() }
                    }
                }
            }
        }
        #expect(await bench.pipeline.flush())
        let counters = bench.pipeline.counters
        #expect(counters.startedCount == 10_000)
        #expect(counters.queuedCount == 0)
        #expect(counters.exportedCount == bench.exporter.sent.reduce(0) { $0 + $1.count })
        #expect(bench.exporter.sent.allSatisfy { $0.count <= 16 })
        bench.checkSums()
        await bench.pipeline.shutdown()
    }
}

@Suite struct RetryPolicyTests {
    @Test func `doubles up to its maximum and then gives up`() {
        let policy = RetryPolicy()
        let delays = (1...8).map { policy.delay(afterAttempt: $0, requested: nil, jitter: 0.5) }
        let expected: [Duration?] = [
            .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16),
            .seconds(30), nil,
        ]
        #expect(delays == expected)
    }

    @Test func `spreads the waits`() {
        let policy = RetryPolicy()
        #expect(policy.delay(afterAttempt: 1, requested: nil, jitter: 0) == .milliseconds(250))
        let longest = policy.delay(afterAttempt: 1, requested: nil, jitter: 0.999)
        #expect(longest.map { $0 > .milliseconds(740) && $0 < .milliseconds(750) } == true)
    }

    @Test func `believes a request up to five minutes`() {
        let policy = RetryPolicy()
        let asked = policy.delay(afterAttempt: 7, requested: .seconds(60), jitter: 0)
        #expect(asked == .seconds(60))
        let absurd = policy.delay(afterAttempt: 1, requested: .seconds(1 << 40), jitter: 0)
        #expect(absurd == .seconds(300))
        let negative = policy.delay(afterAttempt: 1, requested: .seconds(-5), jitter: 0.5)
        #expect(negative == .milliseconds(500))
        #expect(policy.delay(afterAttempt: 8, requested: .seconds(1), jitter: 0) == nil)
    }

    @Test func `any number of attempts is safe`() {
        var policy = RetryPolicy()
        policy.attemptCount = .max
        let delay = policy.delay(afterAttempt: .max - 1, requested: nil, jitter: 0.5)
        #expect(delay == .seconds(30))
    }
}
