// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

private let methods = ["shop.Stock/Reserve", "shop.Shop/Buy"]

/// Clients and servers of gRPC that are traced, each with a tracer of its own.
@Suite(.timeLimit(.minutes(1))) struct GRPCTracingTests {
    let spans = SpanCollector()

    private func call(
        _ method: String,
        at server: LoopbackGRPCServer,
        tracedBy tracer: SkeinTracer,
        metadata: Metadata = [:],
        reading count: Int = .max
    ) async throws -> Int {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: server.port),
            transportSecurity: .plaintext
        )
        let interceptors = [GRPCClientTracing(tracer)]
        return try await withGRPCClient(
            transport: transport,
            interceptors: interceptors
        ) { client in
            try await client.bidirectionalStreaming(
                request: StreamingClientRequest(metadata: metadata) { writer in
                    for number in UInt8(0)..<3 { try await writer.write([number]) }
                },
                descriptor: MethodDescriptor(method),
                serializer: Bytes(),
                deserializer: Bytes(),
                options: .defaults
            ) { response in
                var read = 0
                guard count > 0 else { return 0 }
                for try await _ in response.messages {
                    read += 1
                    if read == count { break }
                }
                return read
            }
        }
    }

    @Test func `calls across two servers are one trace`() async throws {
        let shopTracer = spans.makeTracer(serviceName: "shop")
        let stockTracer = spans.makeTracer(serviceName: "stock")
        let stock = try await LoopbackGRPCServer(
            methods: methods,
            interceptors: [GRPCServerTracing(stockTracer)]
        ) { call in
            stockTracer.span("look up") { _ in }
            return call.messages
        }
        let shop = try await LoopbackGRPCServer(
            methods: methods,
            interceptors: [GRPCServerTracing(shopTracer)]
        ) { call in
            _ = try await self.call("shop.Stock/Reserve", at: stock, tracedBy: shopTracer)
            return call.messages
        }
        let tracer = spans.makeTracer(serviceName: "browser")
        let count = try await tracer.withSpan("click") { _ in
            try await call("shop.Shop/Buy", at: shop, tracedBy: tracer)
        }
        #expect(count == 3)
        try await shop.stop()
        try await stock.stop()

        // From the outermost span to the innermost: each the only child of the one before.
        let walk: [(name: String, kind: Tracing.SpanKind, service: String)] = [
            ("click", .internal, "browser"), ("shop.Shop/Buy", .client, "browser"),
            ("shop.Shop/Buy", .server, "shop"), ("shop.Stock/Reserve", .client, "shop"),
            ("shop.Stock/Reserve", .server, "stock"), ("look up", .internal, "stock"),
        ]
        #expect(spans.spans.count == walk.count)
        var span = try #require(spans.roots.first)
        for (depth, expected) in walk.enumerated() {
            #expect(span.name == expected.name)
            #expect(span.kind == expected.kind)
            #expect(span.resource.serviceName == expected.service)
            #expect(span.parentIsRemote == (span.kind == .server))
            if span.kind != .internal {
                #expect(span.attributes.get("rpc.system") == "grpc")
                #expect(span.attributes.get("rpc.grpc.status_code") == .int64(0))
                #expect(span.status == nil)
            }
            guard depth + 1 < walk.count else { break }
            let children = spans.children(of: span)
            #expect(children.count == 1)
            span = try #require(children.first)
        }
        let client = try #require(spans.first(named: "shop.Stock/Reserve"))
        #expect(client.attributes.get("rpc.service") == "shop.Stock")
        #expect(client.attributes.get("rpc.method") == "Reserve")
        let caller = try #require(
            spans.spans.first { $0.name == "shop.Shop/Buy" && $0.kind == .client }
        )
        #expect(caller.attributes.get("server.address") == "127.0.0.1")
        #expect(caller.attributes.get("server.port") == .int64(Int64(shop.port)))
    }

    @Test(arguments: [
        (RPCError.Code.notFound, 5, false), (.invalidArgument, 3, false),
        (.internalError, 13, true), (.unavailable, 14, true),
    ])
    func `a status is an error of the caller, and of the server where it is one`(
        code: RPCError.Code,
        number: Int64,
        isOfServer: Bool
    ) async throws {
        let tracer = spans.makeTracer()
        let server = try await LoopbackGRPCServer(
            methods: methods,
            interceptors: [GRPCServerTracing(tracer)]
        ) { _ in throw RPCError(code: code, message: "no") }
        await #expect(throws: RPCError.self) {
            try await call("shop.Shop/Buy", at: server, tracedBy: tracer)
        }
        try await server.stop()
        let client = try #require(spans.spans.first { $0.kind == .client })
        let answered = try #require(spans.spans.first { $0.kind == .server })
        for span in [client, answered] {
            #expect(span.attributes.get("rpc.grpc.status_code") == .int64(number))
        }
        #expect(client.status?.code == .error)
        #expect((answered.status?.code == .error) == isOfServer)
    }

    @Test func `an error that is none of gRPC's is told as it is`() async throws {
        struct Broken: Error {}
        let tracer = spans.makeTracer()
        let server = try await LoopbackGRPCServer(
            methods: methods,
            interceptors: [GRPCServerTracing(tracer)]
        ) { _ in throw Broken() }
        await #expect(throws: RPCError.self) {
            try await call("shop.Shop/Buy", at: server, tracedBy: tracer)
        }
        try await server.stop()
        let answered = try #require(spans.spans.first { $0.kind == .server })
        #expect(answered.attributes.get("rpc.grpc.status_code") == .int64(2))
        #expect(answered.attributes.get("error.type") == .string(String(reflecting: Broken.self)))
    }

    @Test(arguments: [0, 1])
    func `an answer that nobody reads to its end still ends the span`(count: Int) async throws {
        let tracer = spans.makeTracer()
        let server = try await LoopbackGRPCServer(methods: methods) { $0.messages }
        let read = try await call(
            "shop.Shop/Buy",
            at: server,
            tracedBy: tracer,
            reading: count
        )
        #expect(read == count)
        try await server.stop()
        #expect(spans.spans.map(\.name) == ["shop.Shop/Buy"])
        #expect(tracer.counters.abandonedCount == 0)
    }

    @Test func `what a caller wrote is replaced by the trace`() async throws {
        let tracer = spans.makeTracer()
        let server = try await LoopbackGRPCServer(methods: methods) { $0.messages }
        _ = try await call(
            "shop.Shop/Buy",
            at: server,
            tracedBy: tracer,
            metadata: ["traceparent": "stale", "other": "kept"]
        )
        try await server.stop()
        let metadata = try #require(server.calls.first?.metadata)
        let client = try #require(spans.spans.first)
        let parents = metadata[stringValues: "traceparent"].map { $0 }
        #expect(parents == ["00-\(client.traceID)-\(client.spanID)-03"])
        #expect(metadata[stringValues: "other"].map { $0 } == ["kept"])
    }

    @Test func `a trace that nobody records is passed on`() async throws {
        var options = TracerOptions()
        options.sampler = NeverSampler()
        let silent = spans.makeTracer(options: options)
        let server = try await LoopbackGRPCServer(
            methods: methods,
            interceptors: [GRPCServerTracing(spans.makeTracer())]
        ) { $0.messages }
        _ = try await call("shop.Shop/Buy", at: server, tracedBy: silent)
        try await server.stop()
        #expect(spans.spans.isEmpty)
        #expect(server.calls.first?.metadata[stringValues: "traceparent"].map { $0 }.count == 1)
    }

    @Test(arguments: [true, false])
    func `calls of both sides are counted, recorded or not`(isRecorded: Bool) async throws {
        let counter = CallCounter()
        let (tracer, pipeline) = counting(by: counter, isRecorded: isRecorded)
        let server = try await LoopbackGRPCServer(
            methods: methods,
            interceptors: [GRPCServerTracing(tracer)]
        ) { call in
            switch call.metadata[stringValues: "fail"].first(where: { _ in true }) {
            case "theirs": throw RPCError(code: .notFound, message: "no")
            case "ours": throw RPCError(code: .internalError, message: "no")
            default: return call.messages
            }
        }
        let buy = "shop.Shop/Buy"
        for metadata: Metadata in [[:], ["fail": "theirs"], ["fail": "ours"], [:]] {
            _ = try? await call(buy, at: server, tracedBy: tracer, metadata: metadata)
        }
        _ = try await call("shop.Stock/Reserve", at: server, tracedBy: tracer, reading: 0)
        try await server.stop()
        #expect(await pipeline.shutdown())
        typealias Key = CallCounter.Key
        #expect(
            counter.counts == [
                Key(operation: buy, peer: "127.0.0.1"): 2,
                Key(operation: buy, peer: "127.0.0.1", isError: true): 2,
                Key(operation: buy, kind: .server): 3,
                Key(operation: buy, kind: .server, isError: true): 1,
                Key(operation: "shop.Stock/Reserve", peer: "127.0.0.1"): 1,
                Key(operation: "shop.Stock/Reserve", kind: .server): 1,
            ]
        )
    }

    @Test(arguments: [true, false])
    func `an answer that is never sent ends the span of the server`(isRecorded: Bool) async throws {
        let counter = CallCounter()
        let (tracer, pipeline) = counting(by: counter, isRecorded: isRecorded)
        do {
            // gRPC lets go of an answer where the caller hung up before it began.
            _ = try await GRPCServerTracing(tracer).intercept(
                request: StreamingServerRequest(
                    metadata: [:],
                    messages: RPCAsyncSequence<[UInt8], any Error>(
                        wrapping: AsyncThrowingStream { $0.finish() }
                    )
                ),
                context: ServerContext(
                    descriptor: MethodDescriptor("shop.Shop/Buy"),
                    remotePeer: "ipv4:127.0.0.1:1",
                    localPeer: "ipv4:127.0.0.1:2",
                    cancellation: ServerContext.RPCCancellationHandle()
                )
            ) { _, _ in StreamingServerResponse<[UInt8]> { _ in [:] } }
        }
        #expect(await pipeline.shutdown())
        #expect(
            counter.counts == [CallCounter.Key(operation: "shop.Shop/Buy", kind: .server): 1]
        )
        #expect(tracer.counters.abandonedCount == 0)
    }

    private func counting(
        by counter: CallCounter,
        isRecorded: Bool
    ) -> (SkeinTracer, SpanPipeline) {
        let pipeline = SpanPipeline(exporter: counter)
        var options = TracerOptions()
        options.sampler = isRecorded ? AlwaysSampler() : NeverSampler()
        let tracer = SkeinTracer(
            resource: Resource(serviceName: "test"),
            pipeline: pipeline,
            options: options
        )
        return (tracer, pipeline)
    }

    @Test func `a hostile trace of a caller begins a trace of one's own`() async throws {
        let tracer = spans.makeTracer()
        let server = try await LoopbackGRPCServer(
            methods: methods,
            interceptors: [GRPCServerTracing(tracer)]
        ) { $0.messages }
        var options = TracerOptions()
        options.propagators = []
        let headers = String(repeating: "k=v,", count: 1_000)
        _ = try await call(
            "shop.Shop/Buy",
            at: server,
            tracedBy: SpanCollector().makeTracer(options: options),
            metadata: [
                "traceparent": "00-00000000000000000000000000000000-0000000000000000-ff",
                "baggage": .string(headers),
            ]
        )
        try await server.stop()
        #expect(spans.spans.count == 1)
        #expect(spans.roots.count == 1)
    }
}
