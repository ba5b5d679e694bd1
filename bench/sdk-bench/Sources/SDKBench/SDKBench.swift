// SPDX-License-Identifier: Apache-2.0
// CPU nanoseconds of one thread for each thing an application does with the tracer, best of seven
// rounds, as JSON lines.   usage: swift run -c release --package-path bench/sdk-bench SDKBench [CASE]
//
// With the name of a case it runs that one alone, 200,000 times and without measuring: for counting
// instructions and allocations with valgrind.

import Glibc
import Skein
import SkeinPropagation
import SkeinSampling
import Tracing

@main
enum SDKBench {
    static func main() async {
        let only = CommandLine.arguments.dropFirst().first
        await Task.detached { Cases(only: only).run() }.value
    }
}

/// Takes batches and forgets them; calls are counted, as they are by default.
private struct Nowhere: CallStatisticsExporter {
    func encode(_ spans: [SpanRecord]) -> [UInt8] { OTLPRequest.encode(spans) }
    func encode(_ spans: RecordedSpans) -> [UInt8] { OTLPRequest.encode(spans) }
    func encode(_ window: CallWindow) -> [UInt8] { OTLPRequest.encode(window) }
    func send(statistics payload: [UInt8]) async -> ExportOutcome { .delivered }
    func send(_ payload: [UInt8]) async -> ExportOutcome { .delivered }
}

private struct DictionaryCarrier: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
        carrier[key] = value
    }
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}

private struct Cases {
    let only: String?
    let recorded: SkeinTracer
    let unrecorded: SkeinTracer
    let uncounted: SkeinTracer
    private let pipeline: SpanPipeline

    init(only: String?) {
        self.only = only
        var options = PipelineOptions()
        options.limits.batchSpanCount = 512
        pipeline = SpanPipeline(exporter: Nowhere(), options: options)
        let resource = Resource(serviceName: "bench")
        recorded = SkeinTracer(resource: resource, pipeline: pipeline)
        var never = TracerOptions()
        never.sampler = ParentBasedSampler(root: NeverSampler())
        unrecorded = SkeinTracer(resource: resource, pipeline: pipeline, options: never)
        never.countsCalls = false
        uncounted = SkeinTracer(resource: resource, pipeline: pipeline, options: never)
    }

    func run() {
        own()
        foreign()
        carriers()
        let counters = recorded.counters
        print(
            "{\"started\": \(counters.startedCount), \"dropped\": \(counters.droppedCounts.values.reduce(0, +))}"
        )
    }

    private func measure(_ name: String, _ count: Int = 100_000, _ body: () -> Void) {
        if let only {
            if only == name { for _ in 0..<200_000 { body() } }
            return
        }
        for _ in 0..<count / 10 { body() }
        var best = Double.infinity
        for _ in 0..<7 {
            let start = cpuNanoseconds()
            for _ in 0..<count { body() }
            best = min(best, (cpuNanoseconds() - start) / Double(count))
        }
        print("{\"case\": \"\(name)\", \"ns\": \((best * 10).rounded() / 10)}")
    }

    private func cpuNanoseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    // MARK: Spans of our own

    private func own() {
        let (recorded, unrecorded) = (recorded, unrecorded)
        measure("own unsampled root") { unrecorded.span("root") { _ in } }
        unrecorded.span("parent") { _ in
            measure("own unsampled child") { unrecorded.span("child") { $0.set("n", 1) } }
            measure("own unsampled call") { unrecorded.span("child", .client) { _ in } }
            measure("own unsampled call, peer") {
                unrecorded.span("child", .client, peer: "stock") { _ in }
            }
            let uncounted = uncounted
            measure("own unsampled call, not counted") {
                uncounted.span("child", .client) { _ in }
            }
        }
        measure("own sampled root") { recorded.span("root") { _ in } }
        recorded.span("parent") { _ in
            measure("own sampled child") { recorded.span("child") { _ in } }
            measure("own sampled call") { recorded.span("child", .client) { _ in } }
            measure("own sampled child, 10 attributes") {
                recorded.span("GET /api/v1/order/{id}", .server) { span in
                    span.set("http.request.method", static: "GET")
                    span.set("http.route", static: "/api/v1/order/{id}")
                    span.set("url.path", "/api/v1/order/12345")
                    span.set("url.scheme", static: "http")
                    span.set("http.response.status_code", 200)
                    span.set("network.peer.address", "10.0.0.12")
                    span.set("network.peer.port", 6_200)
                    span.set("server.address", static: "order-service")
                    span.set("thread.id", 8_200)
                    span.set("user_agent.original", "Apache-HttpClient/5.2.1")
                }
            }
        }
    }

    // MARK: Spans of swift-distributed-tracing

    private func foreign() {
        let (recorded, unrecorded) = (recorded, unrecorded)
        let noOp = NoOpTracer()
        measure("NoOpTracer") { noOp.withSpan("child") { _ in } }
        measure("tracing unsampled root") { unrecorded.withSpan("root") { _ in } }
        unrecorded.withSpan("parent") { _ in
            measure("tracing unsampled child") { unrecorded.withSpan("child") { _ in } }
            measure("tracing unsampled call") {
                unrecorded.withSpan("child", ofKind: .client) { _ in }
            }
            measure("own unsampled child of tracing") { unrecorded.span("child") { _ in } }
        }
        recorded.withSpan("parent") { _ in
            measure("tracing sampled child", 40_000) { recorded.withSpan("child") { _ in } }
            measure("tracing sampled child, 3 attributes", 40_000) {
                recorded.withSpan("child") { span in
                    span.attributes["a"] = 1
                    span.attributes["b"] = "two"
                    span.attributes["c"] = true
                }
            }
            measure("own sampled child of tracing") { recorded.span("child") { _ in } }
        }
    }

    // MARK: Carriers

    private func carriers() {
        let recorded = recorded
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        recorded.span("parent") { _ in
            var count = 0
            measure("own inject") { recorded.inject { count &+= $0.utf8.count &+ $1.utf8.count } }
        }
        measure("own extract") {
            _ = recorded.extract { $0 == "traceparent" ? header : nil }
        }
        recorded.withSpan("parent") { span in
            var carrier: [String: String] = [:]
            measure("tracing inject") {
                recorded.inject(span.context, into: &carrier, using: DictionaryCarrier())
            }
            measure("tracing extract") {
                var context = InstrumentationContext.topLevel
                recorded.extract(carrier, into: &context, using: DictionaryCarrier())
            }
        }
    }
}
