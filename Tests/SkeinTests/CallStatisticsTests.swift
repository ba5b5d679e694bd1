// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinSampling
import Synchronization
import Testing
import Tracing

@Suite struct CallStatisticsTests {
    private typealias Key = StatisticsExporter.Key
    private struct Oops: Error {}

    private func setUp(
        _ exporter: StatisticsExporter,
        sampler: any Sampler = NeverSampler(),
        _ change: (inout TracerOptions) -> Void = { _ in }
    ) -> (SkeinTracer, SpanPipeline) {
        var options = PipelineOptions()
        options.retry.firstDelay = .milliseconds(1)
        options.onWarning = { _ in }
        let pipeline = SpanPipeline(exporter: exporter, options: options)
        var tracer = TracerOptions()
        tracer.sampler = ParentBasedSampler(root: sampler)
        change(&tracer)
        let made = SkeinTracer(
            resource: Resource(serviceName: "test"),
            pipeline: pipeline,
            options: tracer
        )
        return (made, pipeline)
    }

    private func counts(_ exporter: StatisticsExporter) -> [Key: UInt64] {
        exporter.totals.mapValues(\.callCount)
    }

    @Test(arguments: [true, false])
    func `calls are counted whether their trace is recorded or not`(isSampled: Bool) async {
        let exporter = StatisticsExporter()
        let sampler: any Sampler = isSampled ? AlwaysSampler() : NeverSampler()
        let (tracer, pipeline) = setUp(exporter, sampler: sampler)
        for _ in 0..<3 {
            tracer.span("GET /", .server) { _ in
                tracer.span("ask", .client, peer: "stock") { _ in }
                tracer.span("work") { _ in tracer.span("write", .producer) { _ in } }
            }
        }
        for _ in 0..<2 {
            tracer.withSpan("POST /", ofKind: .server) { _ in
                tracer.withSpan("inside") { _ in }
                tracer.withSpan("take", ofKind: .consumer) {
                    $0.attributes["peer.service"] = "queue"
                }
                tracer.withSpan("dial", ofKind: .client) {
                    $0.attributes["server.address"] = "db:1"
                }
            }
        }
        #expect(await pipeline.shutdown())
        #expect(
            counts(exporter) == [
                Key(operation: "GET /", kind: .server): 3,
                Key(operation: "ask", peer: "stock"): 3,
                Key(operation: "write", kind: .producer): 3,
                Key(operation: "POST /", kind: .server): 2,
                Key(operation: "take", kind: .consumer, peer: "queue"): 2,
                Key(operation: "dial", peer: "db:1"): 2,
            ]
        )
        #expect(exporter.spanCount == (isSampled ? 3 * 4 + 2 * 4 : 0))
    }

    @Test(arguments: [true, false])
    func `errors are counted apart, also where nothing is recorded`(isSampled: Bool) async {
        let exporter = StatisticsExporter()
        let sampler: any Sampler = isSampled ? AlwaysSampler() : NeverSampler()
        let (tracer, pipeline) = setUp(exporter, sampler: sampler)
        tracer.span("root", .server) { _ in
            try? tracer.span("a", .client) { _ in throw Oops() }
            tracer.span("a", .client) { $0.fail("it went wrong") }
            tracer.span("a", .client) { span in
                span.fail("it went wrong, and was repaired")
                span.succeed()
            }
        }
        tracer.withSpan("b", ofKind: .client) { $0.setStatus(SpanStatus(code: .error)) }
        tracer.withSpan("b", ofKind: .client) { $0.setStatus(SpanStatus(code: .ok)) }
        #expect(await pipeline.shutdown())
        #expect(
            counts(exporter) == [
                Key(operation: "root", kind: .server): 1,
                Key(operation: "a"): 1, Key(operation: "a", isError: true): 2,
                Key(operation: "b"): 1, Key(operation: "b", isError: true): 1,
            ]
        )
    }

    @Test(arguments: [true, false])
    func `a call is counted under the last name it got`(isSampled: Bool) async {
        let exporter = StatisticsExporter()
        let sampler: any Sampler = isSampled ? AlwaysSampler() : NeverSampler()
        let (tracer, pipeline) = setUp(exporter, sampler: sampler)
        for id in 0..<3 {
            tracer.span("GET", .client, peer: "stock") { $0.rename("GET /{id}") }
            let span = tracer.startSpan("GET /\(id)", ofKind: .server)
            span.operationName = "GET /{id}"
            span.end()
        }
        #expect(await pipeline.shutdown())
        #expect(
            counts(exporter) == [
                Key(operation: "GET /{id}", peer: "stock"): 3,
                Key(operation: "GET /{id}", kind: .server): 3,
            ]
        )
    }

    /// Numbers are powers of two, zero, and what lies around them.
    @Test func `durations come out within one percent, their sum and the longest exactly`() async {
        let exporter = StatisticsExporter()
        let (tracer, pipeline) = setUp(exporter)
        var durations: [UInt64] = [0, 1, 2, 3]
        for exponent in 8..<40 { durations += [(1 << exponent) - 1, 1 << exponent, 3 << exponent] }
        for duration in durations {
            let span = tracer.startSpan("a", ofKind: .server, at: Fixed(nanoseconds: 1_000))
            span.end(at: Fixed(nanoseconds: 1_000 + duration))
        }
        #expect(await pipeline.shutdown())
        let rows = exporter.windows.flatMap(\.services).flatMap(\.rows)
        #expect(rows.reduce(0) { $0 + $1.zeroCount } == 1)
        #expect(rows.reduce(0) { $0 + $1.durationSum } == durations.reduce(0, +))
        #expect(rows.map(\.longest).max() == durations.max())
        var found: [UInt64] = []
        for row in rows {
            for (place, count) in row.bucketCounts.enumerated() {
                let middle = LatencyBucket.representative(max(row.bucketOffset + place, 0))
                found += Array(repeating: middle, count: Int(count))
            }
        }
        found.sort()
        let sorted = durations.filter { $0 > 0 }.sorted()
        #expect(found.count == sorted.count)
        for (middle, duration) in zip(found, sorted) {
            let error = abs(Double(middle) - Double(duration))
            #expect(error <= 0.5 + Double(duration) * LatencyBucket.relativeError * 1.0001)
        }
    }

    @Test func `a call that ends later than now is not lost at the end`() async {
        let exporter = StatisticsExporter()
        let (tracer, pipeline) = setUp(exporter)
        let span = tracer.startSpan("a", ofKind: .server, at: Fixed(nanoseconds: 1))
        span.end(at: Fixed(nanoseconds: 4_000_000_000_000_000_000))
        #expect(await pipeline.shutdown())
        #expect(counts(exporter) == [Key(operation: "a", kind: .server): 1])
    }

    @Test func `past the bound operations of a kind are counted together, which is counted`() async
    {
        let exporter = StatisticsExporter()
        let (tracer, pipeline) = setUp(exporter)
        for number in 0..<3_000 {
            tracer.startSpan("operation \(number)", ofKind: .client).end()
        }
        #expect(await pipeline.shutdown())
        let counts = counts(exporter)
        let overflow = counts[Key(operation: nil)] ?? 0
        #expect(counts.values.reduce(0, +) == 3_000)
        #expect(counts.count < 2_000)
        #expect(overflow > 1_000)
        #expect(pipeline.callCounters.overflowCount == Int(overflow))
    }

    @Test func `no call is lost between windows and threads`() async {
        let exporter = StatisticsExporter()
        let (tracer, pipeline) = setUp(exporter)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for round in 0..<4_000 {
                        tracer.span("a", .client) { if round % 10 == 0 { $0.fail("no") } }
                        tracer.startSpan("b", ofKind: .server).end()
                    }
                }
            }
            group.addTask { for _ in 0..<20 { await pipeline.flush() } }
        }
        #expect(await pipeline.shutdown())
        #expect(
            counts(exporter) == [
                Key(operation: "a"): 28_800, Key(operation: "a", isError: true): 3_200,
                Key(operation: "b", kind: .server): 32_000,
            ]
        )
        let numbers = exporter.windows.map(\.number)
        #expect(numbers == Array(1...UInt64(numbers.count)))
        #expect(Set(exporter.windows.map(\.sender)).count == 1)
        // How long a window is, is the machine's to say: where this process did not run for ten
        // seconds, calls of several tens are in one.
        for window in exporter.windows { #expect(window.start < window.end) }
        for (window, next) in zip(exporter.windows, exporter.windows.dropFirst()) {
            #expect(window.end <= next.start)
        }
    }

    @Test func `a window is sent again until it is taken, and settled as spans are`() async {
        let no = ExportOutcome.retryable(message: "not now")
        let exporter = StatisticsExporter([no, no, .delivered, .refused(message: "never")])
        let (tracer, pipeline) = setUp(exporter)
        for _ in 0..<3 {
            tracer.span("a", .client) { _ in }
            #expect(await pipeline.flush())
        }
        let counters = pipeline.callCounters
        #expect(exporter.attempts == [1, 1, 1, 2, 3])
        #expect(exporter.windows.map(\.number) == [1, 3])
        #expect(counters.startedWindowCount == 3)
        #expect(counters.exportedWindowCount == 2)
        #expect(counters.droppedWindowCounts == [.refused: 1])
        #expect(counters.waitingWindowCount == 0)
        #expect(await pipeline.shutdown())
    }

    @Test func `a shutdown without time drops what waits, and says so`() async {
        let exporter = StatisticsExporter(
            Array(repeating: .retryable(after: .seconds(100), message: "later"), count: 10)
        )
        let (tracer, pipeline) = setUp(exporter)
        tracer.span("a", .client) { _ in }
        #expect(await pipeline.shutdown(timeout: .milliseconds(50)) == false)
        let counters = pipeline.callCounters
        #expect(counters.startedWindowCount == 1)
        #expect(counters.droppedWindowCounts == [.shutDown: 1])
        #expect(counters.waitingWindowCount == 0)
    }

    @Test func `windows are sent at a shutdown whatever becomes of the spans`() async {
        let exporter = StatisticsExporter(ofSpans: .retryable(after: .seconds(100), message: "no"))
        let (tracer, pipeline) = setUp(exporter, sampler: AlwaysSampler())
        tracer.span("a", .client) { _ in }
        #expect(await pipeline.shutdown(timeout: .milliseconds(300)) == false)
        #expect(counts(exporter) == [Key(operation: "a"): 1])
        #expect(pipeline.callCounters.exportedWindowCount == 1)
        #expect(pipeline.counters.droppedCounts == [.shutDown: 1])
    }

    @Test func `what a receiver rejects of a window is counted and said`() async {
        let warnings = Mutex<[String]>([])
        var options = PipelineOptions()
        options.onWarning = { text in warnings.withLock { $0.append(text) } }
        let exporter = StatisticsExporter([.delivered(rejectedCount: 2, message: "too long")])
        let pipeline = SpanPipeline(exporter: exporter, options: options)
        let tracer = SkeinTracer(resource: Resource(serviceName: "test"), pipeline: pipeline)
        tracer.span("a", .client) { _ in }
        #expect(await pipeline.flush())
        #expect(pipeline.callCounters.exportedWindowCount == 1)
        #expect(pipeline.callCounters.rejectedPointCount == 2)
        #expect(warnings.withLock { $0 }.count { $0.contains("too long") } == 1)
        #expect(await pipeline.shutdown())
    }

    @Test func `flushing often makes no call old`() async {
        let exporter = StatisticsExporter()
        let (tracer, pipeline) = setUp(exporter)
        let long = tracer.startSpan("long", ofKind: .server)
        for _ in 0..<500 { await pipeline.flush() }
        long.end()
        #expect(await pipeline.shutdown())
        #expect(counts(exporter) == [Key(operation: "long", kind: .server): 1])
        #expect(pipeline.callCounters.abandonedCount == 0)
    }

    @Test func `a row tells every bucket between its shortest and its longest call`() async throws {
        let exporter = StatisticsExporter()
        let (tracer, pipeline) = setUp(exporter)
        for (start, end) in [(1, 1_001), (1, 10_000_000_001), (1, 1)] as [(UInt64, UInt64)] {
            tracer.startSpan("a", ofKind: .client, at: Fixed(nanoseconds: start))
                .end(at: Fixed(nanoseconds: end))
        }
        #expect(await pipeline.shutdown())
        let row = try #require(exporter.windows.first?.services.first?.rows.first)
        #expect(row.callCount == 3 && row.zeroCount == 1)
        #expect(row.bucketCounts.count > 1_400)
        #expect(row.bucketCounts.first == 1 && row.bucketCounts.last == 1)
        #expect(row.bucketCounts.reduce(0, +) == 2)
    }

    @Test func `who switches statistics or recording off counts nothing`() async {
        let exporter = StatisticsExporter()
        let (silent, pipeline) = setUp(exporter) { $0.countsCalls = false }
        let stopped = SkeinTracer(resource: Resource(serviceName: "test"), pipeline: pipeline)
        stopped.isRecording = false
        for tracer in [silent, stopped] {
            tracer.span("a", .client) { _ in }
            tracer.startSpan("b", ofKind: .server).end()
        }
        #expect(await pipeline.shutdown())
        #expect(exporter.windows.isEmpty)
        #expect(pipeline.callCounters == CallCounters())
    }

    @Test func `what is said of a call after its end is not heard`() async {
        let exporter = StatisticsExporter()
        let (tracer, pipeline) = setUp(exporter)
        let own = tracer.span("a", .client) { $0 }
        let foreign = tracer.startSpan("b", ofKind: .client)
        foreign.end()
        for _ in 0..<100 { tracer.span("c", .client) { _ in own.fail("late") } }
        foreign.setStatus(SpanStatus(code: .error))
        foreign.end()
        #expect(await pipeline.shutdown())
        #expect(
            counts(exporter) == [
                Key(operation: "a"): 1, Key(operation: "b"): 1, Key(operation: "c"): 100,
            ]
        )
    }

    @Test(arguments: [("on", true), ("OFF", false), ("maybe", true)])
    func `a variable switches statistics`(text: String, isOn: Bool) {
        let environment = TracingEnvironment(["SKEIN_CALL_STATISTICS": text])
        var configuration = SkeinConfiguration()
        configuration.pipeline.onWarning = { _ in }
        #expect(configuration.applying(environment).tracer.countsCalls == isOn)
    }

    @Test func `statistics go beside spans, unless a variable says where`() {
        #expect(OTLPEndpoint(baseURL: "http://a:1/").metricsURL == "http://a:1/v1/metrics")
        #expect(OTLPEndpoint(tracesURL: "http://a:1/x/traces").metricsURL == "http://a:1/x/metrics")
        let environment = TracingEnvironment([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://b:2/v1/metrics",
        ])
        let endpoint = SkeinConfiguration().applying(environment).exporter
        #expect(endpoint.tracesURL == "http://a:1/v1/traces")
        #expect(endpoint.metricsURL == "http://b:2/v1/metrics")
    }
}

/// A time of the test's own.
private struct Fixed: TracerInstant {
    var nanoseconds: UInt64
    var nanosecondsSinceEpoch: UInt64 { nanoseconds }

    static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
}
