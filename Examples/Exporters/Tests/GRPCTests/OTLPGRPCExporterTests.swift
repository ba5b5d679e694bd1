// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Skein
import SkeinSampling
import SkeinTesting
import SkeinWire
import Synchronization
import Testing
import Tracing

@Suite(.timeLimit(.minutes(1))) struct OTLPGRPCExporterTests {
    private func exporter(
        _ url: String,
        _ change: (inout OTLPEndpoint) -> Void = { _ in }
    ) -> OTLPGRPCExporter {
        var endpoint = OTLPEndpoint(grpcURL: url)
        change(&endpoint)
        return OTLPGRPCExporter(endpoint)
    }

    /// What one batch comes to where the server answers so.
    private func outcome(
        _ answer: @escaping @Sendable (LoopbackGRPCServer.Call) async throws -> [[UInt8]]
    ) async throws -> ExportOutcome {
        let server = try await LoopbackGRPCServer(answer)
        let exporter = exporter(server.url)
        let outcome = await exporter.send([1, 2, 3])
        await exporter.shutdown()
        await server.kill()
        return outcome
    }

    private func refusal(_ code: RPCError.Code, _ metadata: Metadata = [:]) async throws
        -> ExportOutcome
    {
        try await outcome { _ in throw RPCError(code: code, message: "no", metadata: metadata) }
    }

    @Test(arguments: OTLPEndpoint.Compression.allCases)
    func `spans of a traced program arrive once and whole`(
        compression: OTLPEndpoint.Compression
    ) async throws {
        let server = try await LoopbackGRPCServer { _ in [[]] }
        let exporter = exporter(server.url) {
            $0.compression = compression
            $0.headers = [
                .init(name: "Api-Key", value: "secret"), .init(name: ":path", value: "/"),
                .init(name: "grpc-timeout", value: "1n"), .init(name: "a b", value: "c"),
            ]
        }
        let pipeline = SpanPipeline(exporter: exporter)
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), pipeline: pipeline)
        for number in 0..<1_000 { tracer.span("pay") { $0.set("number", number) } }
        tracer.startSpan("post").end()
        #expect(await pipeline.shutdown())
        #expect(pipeline.counters.exportedCount == 1_001)
        try await server.stop()
        var names: [String] = []
        for call in server.calls {
            #expect(call.metadata[stringValues: "api-key"].map { $0 } == ["secret"])
            #expect(call.metadata[stringValues: "a b"].map { $0 }.isEmpty)
            let encoding = call.metadata[stringValues: "grpc-encoding"].map { $0 }
            #expect(encoding == (compression == .gzip ? ["gzip"] : []) || encoding == ["identity"])
            #expect(call.messages.count == 1)
            let batch = try OTLP.decodeProtobuf(call.messages[0], receivedAt: 0)
            for row in 0..<batch.columns.count {
                names.append(batch.columns.strings.text(batch.columns.name[row]))
            }
        }
        #expect(names.count == 1_001)
        #expect(names.count { $0 == "pay" } == 1_000)
    }

    private static let metrics = "opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    private static let traces = "opentelemetry.proto.collector.trace.v1.TraceService/Export"

    @Test func `calls are counted for the service of metrics, recorded or not`() async throws {
        let server = try await LoopbackGRPCServer(methods: [Self.traces, Self.metrics]) { _ in [[]]
        }
        let pipeline = SpanPipeline(exporter: exporter(server.url))
        var options = TracerOptions()
        options.sampler = NeverSampler()
        let tracer = SkeinTracer(
            resource: Resource(serviceName: "order"),
            pipeline: pipeline,
            options: options
        )
        for _ in 0..<100 { tracer.span("pay", .client, peer: "bank") { _ in } }
        #expect(await pipeline.shutdown())
        try await server.stop()
        #expect(server.calls.map(\.method) == [Self.metrics])
        let body = try #require(server.calls.first?.messages.first)
        let rows = try #require(try OTLP.decodeCalls(body, format: .protobuf).counts).rows
        #expect(rows.map(\.operation) == ["pay"])
        #expect(rows.map(\.peer) == ["bank"])
        #expect(rows.map(\.durations.count) == [100])
    }

    @Test func `statistics go to an address of their own where one is given`() async throws {
        let spans = try await LoopbackGRPCServer(methods: [Self.traces]) { _ in [[]] }
        let statistics = try await LoopbackGRPCServer(methods: [Self.metrics]) { _ in [[]] }
        let exporter = exporter(spans.url) { $0.metricsURL = statistics.url }
        #expect(await exporter.send([1]) == .delivered)
        #expect(await exporter.send(statistics: [2]) == .delivered)
        await exporter.shutdown()
        #expect(!(await exporter.send(statistics: [3]).isDelivered))
        try await spans.stop()
        try await statistics.stop()
        #expect(spans.calls.map(\.messages) == [[[1]]])
        #expect(statistics.calls.map(\.messages) == [[[2]]])
    }

    @Test(arguments: [
        (RPCError.Code.cancelled, true), (.deadlineExceeded, true), (.aborted, true),
        (.outOfRange, true), (.unavailable, true), (.dataLoss, true),
        (.resourceExhausted, false), (.invalidArgument, false), (.unknown, false),
        (.notFound, false), (.alreadyExists, false), (.permissionDenied, false),
        (.failedPrecondition, false), (.unimplemented, false), (.internalError, false),
        (.unauthenticated, false),
    ])
    func `a code says whether it is worth another try`(
        code: RPCError.Code,
        isRetryable: Bool
    ) async throws {
        let outcome = try await refusal(code)
        #expect(!outcome.isDelivered)
        #expect(outcome.isRetryable == isRetryable)
        #expect(outcome.requestedDelay == nil)
        #expect(outcome.message.contains("no"))
    }

    private func details(_ seconds: Int) -> Metadata {
        let status = OTLP.status(
            code: 14,
            message: "busy",
            retryDelaySeconds: seconds,
            format: .protobuf
        )
        return ["grpc-status-details-bin": .binary(status)]
    }

    @Test func `a receiver says when to come back`() async throws {
        let unavailable = try await refusal(.unavailable, details(7))
        #expect(unavailable.isRetryable)
        #expect(unavailable.requestedDelay == .seconds(7))
        // Only with a time is it worth trying again.
        let exhausted = try await refusal(.resourceExhausted, details(3))
        #expect(exhausted.isRetryable)
        #expect(exhausted.requestedDelay == .seconds(3))
        let pushback = try await refusal(.unavailable, ["grpc-retry-pushback-ms": "250"])
        #expect(pushback.requestedDelay == .milliseconds(250))
        let header = try await refusal(.resourceExhausted, ["retry-after": "2"])
        #expect(header.requestedDelay == .seconds(2))
    }

    @Test(
        arguments: [
            ["grpc-status-details-bin": .binary([])],
            ["grpc-status-details-bin": .binary([UInt8](repeating: 0xFF, count: 5_000))],
            ["grpc-status-details-bin": .binary([0x1A, 0x7F, 0x0A])],
            ["grpc-retry-pushback-ms": "-1"], ["grpc-retry-pushback-ms": "99999999999999999999"],
            ["retry-after": "soon"],
        ] as [Metadata]
    )
    func `a time that is none is no wish`(metadata: Metadata) async throws {
        let outcome = try await refusal(.unavailable, metadata)
        #expect(outcome.isRetryable)
        #expect(outcome.requestedDelay == nil)
    }

    @Test func `spans that the receiver rejects are told`() async throws {
        let body = OTLP.exportResponse(rejected: 3, message: "too old", format: .protobuf)
        let outcome = try await outcome { _ in [body] }
        #expect(outcome == .delivered(rejectedCount: 3, message: "too old"))
    }

    @Test func `an answer that is garbage has taken the spans`() async throws {
        #expect(try await outcome { _ in [[0xFF, 0xFF, 0x03]] } == .delivered)
    }

    @Test func `an answer without end is given up`() async throws {
        let outcome = try await outcome { _ in [[UInt8](repeating: 0, count: 5 << 20)] }
        #expect(!outcome.isDelivered)
        // Nor is one of many messages read.
        let many = try await self.outcome { _ in Array(repeating: [], count: 10_000) }
        #expect(!many.isDelivered)
    }

    @Test func `a receiver that does not answer ends with the time limit`() async throws {
        let (held, hold) = AsyncStream<Void>.makeStream()
        let server = try await LoopbackGRPCServer { _ in
            for await _ in held {}
            return [[]]
        }
        let exporter = exporter(server.url) { $0.timeout = .milliseconds(200) }
        let outcome = await exporter.send([1])
        #expect(outcome.isRetryable)
        await exporter.shutdown()
        hold.finish()
        await server.kill()
    }

    @Test func `nobody at the address is worth another try`() async throws {
        let server = try await LoopbackGRPCServer { _ in [[]] }
        await server.kill()
        let exporter = exporter(server.url) { $0.timeout = .seconds(20) }
        let outcome = await exporter.send([1])
        #expect(outcome.isRetryable)
        await exporter.shutdown()
    }

    @Test func `a receiver that comes back is found`() async throws {
        let first = try await LoopbackGRPCServer { _ in [[]] }
        let exporter = exporter(first.url)
        #expect(await exporter.send([1]) == .delivered)
        await first.kill()
        let second = try await LoopbackGRPCServer(port: first.port) { _ in [[]] }
        // The connection may notice its end only with the next call.
        var outcome = await exporter.send([2])
        while !outcome.isDelivered {
            #expect(outcome.isRetryable)
            outcome = await exporter.send([2])
        }
        #expect(second.calls.map(\.messages) == [[[2]]])
        await exporter.shutdown()
        try await second.stop()
    }

    @Test(arguments: [
        "ftp://host:1", "http://", "http://host:0", "http://host:70000", "http://host:x",
        "http://[::1", "http://[::1]4317", "http://u:p@host:4317", "no address", "http://:4317",
    ])
    func `an address that cannot be is said and not tried`(url: String) async {
        let exporter = exporter(url)
        let outcome = await exporter.send([1])
        #expect(!outcome.isDelivered)
        #expect(!outcome.isRetryable)
        #expect(!outcome.message.isEmpty)
        await exporter.shutdown()
    }

    @Test func `after the shutdown nothing is sent`() async throws {
        let server = try await LoopbackGRPCServer { _ in [[]] }
        let exporter = exporter(server.url + "/ignored/path?and=query")
        #expect(await exporter.send([1]) == .delivered)
        await exporter.shutdown()
        await exporter.shutdown()
        let outcome = await exporter.send([2])
        #expect(!outcome.isDelivered && !outcome.isRetryable)
        try await server.stop()
        #expect(server.calls.count == 1)
    }

    @Test func `a shutdown without a call has nothing to wait for`() async {
        await exporter("http://127.0.0.1:1").shutdown()
    }

    @Test func `a traced program makes no spans of its exports`() async throws {
        let spans = SpanCollector()
        let server = try await LoopbackGRPCServer { _ in [[]] }
        let exporter = exporter(server.url)
        _ = await withTracer(spans.makeTracer()) {
            await withSpan("around") { _ in await exporter.send([1]) }
        }
        await exporter.shutdown()
        try await server.stop()
        #expect(spans.spans.map(\.name) == ["around"])
        let keys = try #require(server.calls.first).metadata.map(\.key)
        #expect(!keys.contains("traceparent"))
    }

    // MARK: The environment

    private func configuration(_ variables: [String: String]) -> (OTLPEndpoint, [String]) {
        let log = WarningLog()
        var configuration = SkeinConfiguration()
        configuration.pipeline.onWarning = { log.add($0) }
        return (configuration.applying(TracingEnvironment(variables)).exporter, log.all)
    }

    @Test func `the environment chooses gRPC`() {
        let (plain, _) = configuration(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"])
        #expect(plain == OTLPEndpoint(grpcURL: "http://127.0.0.1:4317"))
        let (other, warnings) = configuration([
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:5000",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=k",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "250",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        ])
        var expected = OTLPEndpoint(grpcURL: "https://collector:5000")
        expected.headers = [.init(name: "api-key", value: "k")]
        expected.timeout = .milliseconds(250)
        expected.compression = .gzip
        #expect(other == expected)
        #expect(warnings.isEmpty)
        let (http, _) = configuration(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1"])
        #expect(http == OTLPEndpoint(baseURL: "http://c:1"))
    }

    @Test func `statistics follow the protocol, and stay where code sent them`() {
        var own = SkeinConfiguration()
        own.exporter = OTLPEndpoint(grpcURL: "http://spans:4317")
        own.exporter.metricsURL = "http://metrics:4317"
        #expect(own.applying(TracingEnvironment([:])).exporter == own.exporter)
        let http = own.applying(
            TracingEnvironment(["OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"])
        ).exporter
        #expect(http == OTLPEndpoint())
    }

    @Test func `a protocol that is not spoken is said`() {
        let (endpoint, warnings) = configuration(["OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"])
        #expect(endpoint == OTLPEndpoint())
        #expect(warnings.count == 1)
    }
}

private final class WarningLog: Sendable {
    private let state = Mutex<[String]>([])
    var all: [String] { state.withLock { $0 } }
    func add(_ warning: String) { state.withLock { $0.append(warning) } }
}
