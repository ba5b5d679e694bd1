// SPDX-License-Identifier: Apache-2.0

import Client
import Foundation
import Logging
import Receivers
import Server
import Skein
import SkeinModel
import SkeinSampling
import SkeinWire
import Store
import Testing
import Tracing

/// A whole server and the SDK, over sockets of this machine.
@Suite(.timeLimit(.minutes(2))) struct CallStatisticsTests {
    /// Runs a server on a folder while `body` runs.
    private func withServer<Result: Sendable>(
        _ folder: String,
        _ body: @escaping @Sendable (BoundAddresses) async throws -> Result
    ) async throws -> Result {
        var configuration = ServerConfiguration()
        configuration.dataDirectory = folder
        let free = ListenAddress(host: "127.0.0.1", port: 0)
        for listener in Listener.allCases { configuration[listener] = free }
        let (results, continuation) = AsyncStream<Swift.Result<Result, any Error>>.makeStream()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try await withThrowingTaskGroup(of: Void.self) { [configuration, logger] group in
            group.addTask {
                do {
                    try await runServer(configuration, stopsOnSignals: false, logger: logger) {
                        addresses in
                        do {
                            continuation.yield(.success(try await body(addresses)))
                        } catch {
                            continuation.yield(.failure(error))
                        }
                    }
                } catch {
                    // It is cancelled below; one that could not start is told here.
                    continuation.yield(.failure(error))
                }
            }
            var iterator = results.makeAsyncIterator()
            let result = await iterator.next()
            group.cancelAll()
            try await group.waitForAll()
            return try #require(result).get()
        }
    }

    private struct Measured: Sendable {
        var durations: [UInt64] = []
        var errorCount: UInt64 = 0
        var recordedCount = 0
    }

    /// 20,480 calls of which one in 1,024 is recorded, and one in 16 fails.
    private func work(_ tracer: SkeinTracer) -> Measured {
        var measured = Measured()
        var mixed: UInt64 = 1
        for number in UInt64(0)..<20_480 {
            mixed = mixed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let duration = 50_000 + (mixed >> 40) * (number % 7 + 1)
            let start = DefaultTracerClock.now.nanosecondsSinceEpoch
            let span = tracer.startSpan("GET /", ofKind: .server, at: At(nanoseconds: start))
            if number % 16 == 0 {
                span.setStatus(SpanStatus(code: .error))
                measured.errorCount += 1
            }
            if span.isRecording { measured.recordedCount += 1 }
            span.end(at: At(nanoseconds: start + duration))
            measured.durations.append(duration)
            if number % 20 == 0 { tracer.span("ask", .client, peer: "stock") { _ in } }
        }
        return measured
    }

    @Test func `counts are exact and quantiles within one percent while few traces are kept`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("skein-calls-" + UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let measured = try await withServer(folder) { addresses in
            var options = TracerOptions()
            options.sampler = ParentBasedSampler(root: RatioSampler(1.0 / 1_024))
            let endpoint = OTLPEndpoint(baseURL: "http://\(addresses[.otlpHTTP])")
            let pipeline = SpanPipeline(exporter: OTLPHTTPExporter(endpoint))
            let tracer = SkeinTracer(
                resource: Resource(serviceName: "shop"),
                pipeline: pipeline,
                options: options
            )
            let measured = self.work(tracer)
            #expect(await pipeline.shutdown())
            let counters = pipeline.callCounters
            #expect(counters.startedWindowCount == counters.exportedWindowCount)
            #expect(counters.exportedWindowCount > 0)
            try await self.check(measured, addresses)
            return measured
        }
        // The same after a start: what was acknowledged is on disk.
        _ = try await withServer(folder) { try await self.check(measured, $0) }
    }

    private func check(_ measured: Measured, _ addresses: BoundAddresses) async throws {
        let api = try NativeAPI(address: addresses.page)
        var search = TotalsSearch(.operations)
        search.service = "shop"
        search.operation = "GET /"
        search.last = "1h"
        search.quantiles = "0.5,0.95,0.99"
        let line = try #require(try await api.totals(search).operations?.first)
        let sorted = measured.durations.sorted()
        #expect(line.callCount == UInt64(sorted.count))
        #expect(line.reportedCount == line.callCount)
        #expect(line.errorCount == measured.errorCount)
        #expect(line.durationSumNanos.value == sorted.reduce(0, +))
        #expect(measured.recordedCount < 200)
        for (q, found) in zip([0.5, 0.95, 0.99], line.quantileNanos) {
            let wanted = Double(sorted[Int((q * Double(sorted.count)).rounded(.up)) - 1])
            #expect(abs(Double(found.value) - wanted) <= wanted / 100, "\(q): \(found)")
        }
        var edges = TotalsSearch(.edges)
        edges.last = "1h"
        let edge = try #require(try await api.totals(edges).edges?.first)
        #expect(edge.parent == "shop" && edge.child == "stock")
        #expect(edge.callCount == 1_024 && edge.reportedCount == 1_024)
    }

    private struct At: TracerInstant {
        var nanoseconds: UInt64
        var nanosecondsSinceEpoch: UInt64 { nanoseconds }

        static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    }

    // MARK: Requests

    /// Takes payloads of statistics as the SDK makes them.
    private final class Recorder: CallStatisticsExporter {
        let payloads = AsyncStream<[UInt8]>.makeStream()
        func encode(_ spans: [SpanRecord]) -> [UInt8] { [] }
        func encode(_ window: CallWindow) -> [UInt8] { OTLPRequest.encode(window) }
        func send(_ payload: [UInt8]) async -> ExportOutcome { .delivered }
        func send(statistics payload: [UInt8]) async -> ExportOutcome {
            payloads.continuation.yield(payload)
            return .delivered
        }
    }

    private func payload() async throws -> [UInt8] {
        let recorder = Recorder()
        let pipeline = SpanPipeline(exporter: recorder)
        let tracer = SkeinTracer(resource: Resource(serviceName: "shop"), pipeline: pipeline)
        tracer.span("GET /", .server) { _ in }
        await pipeline.shutdown()
        var iterator = recorder.payloads.stream.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    @Test func `a window is stored before the answer, over HTTP`() async throws {
        let body = try await payload()
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send(
                "/v1/metrics",
                type: "application/x-protobuf",
                body
            )
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
            let batch = try #require(receiver.store.batches.first)
            #expect(batch.payload.format == .callsProtobuf)
            #expect(batch.payload.bytes == body)
            #expect(batch.calls?.rows.map(\.operation) == ["GET /"])
            let broken = try await receiver.send(
                "/v1/metrics",
                type: "application/x-protobuf",
                Array(body.dropLast())
            )
            #expect(broken.status == 400)
            #expect(receiver.store.batches.count == 1)
        }
    }

    @Test func `a point that is not as documented is rejected, and said so`() async throws {
        let text = """
            {"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":\
            {"stringValue":"shop"}}]},"scopeMetrics":[{"scope":{"name":"skein.calls","attributes":\
            [{"key":"skein.sender","value":{"stringValue":"0000000000000000000000000000000a"}},\
            {"key":"skein.window","value":{"intValue":"1"}}]},"metrics":[{"name":\
            "traces.span.metrics.duration","unit":"ns","exponentialHistogram":{\
            "aggregationTemporality":1,"dataPoints":[{"count":1,"scale":3}]}}]}]}]}
            """
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send("/v1/metrics", Array(text.utf8))
            #expect(answer.status == 200)
            #expect(answer.text.contains(#""rejectedDataPoints":"1""#))
            #expect(receiver.store.batches.isEmpty)
        }
    }
}
