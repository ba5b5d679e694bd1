// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinTesting
import Testing
import Tracing

@Suite(.timeLimit(.minutes(1))) struct OTLPHTTPExporterTests {
    private func send(
        to endpoint: OTLPEndpoint,
        _ payload: [UInt8] = [1, 2, 3]
    ) async -> ExportOutcome {
        let exporter = OTLPHTTPExporter(endpoint)
        let outcome = await exporter.send(payload)
        await exporter.shutdown()
        return outcome
    }

    private func answered(_ text: String) async throws -> (
        outcome: ExportOutcome, requests: [String]
    ) {
        let server = try await ScriptedHTTPServer { _ in Array(text.utf8) }
        let outcome = await send(to: OTLPEndpoint(baseURL: server.baseURL))
        try await server.stop()
        return (outcome, server.requests)
    }

    @Test func `posts protobuf with the headers it was given`() async throws {
        let server = try await ScriptedHTTPServer { _ in
            Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8)
        }
        var endpoint = OTLPEndpoint(baseURL: server.baseURL)
        endpoint.headers = [.init(name: "X-Tenant", value: "shop")]
        #expect(await send(to: endpoint, Array("payload".utf8)) == .delivered)
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("POST /v1/traces HTTP/1.1\r\n"))
        #expect(request.lowercased().contains("content-type: application/x-protobuf\r\n"))
        #expect(request.lowercased().contains("x-tenant: shop\r\n"))
        #expect(request.hasSuffix("\r\n\r\npayload"))
        try await server.stop()
    }

    @Test func `spans travel from a tracer to the wire`() async throws {
        let server = try await ScriptedHTTPServer { _ in
            Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8)
        }
        let exporter = OTLPHTTPExporter(OTLPEndpoint(baseURL: server.baseURL))
        let pipeline = SpanPipeline(exporter: exporter)
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), pipeline: pipeline)
        for _ in 0..<3 {
            tracer.startSpan("charge card").end()
            #expect(await pipeline.flush())
        }
        #expect(await pipeline.shutdown())
        #expect(tracer.counters.exportedCount == 3)
        #expect(server.requests.count == 3)
        #expect(server.requests.allSatisfy { $0.contains("charge card") && $0.contains("order") })
        try await server.stop()
    }

    @Test func `a busy receiver is asked again when it says`() async throws {
        let (outcome, _) = try await answered(
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n"
        )
        #expect(outcome.isRetryable)
        #expect(outcome.requestedDelay == .seconds(3))
    }

    @Test func `a refusal is final`() async throws {
        let (outcome, _) = try await answered(
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno"
        )
        #expect(!outcome.isRetryable && !outcome.isDelivered)
        #expect(outcome.message.contains("400"))
    }

    @Test func `redirects are not followed`() async throws {
        let (outcome, requests) = try await answered(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"
        )
        #expect(!outcome.isRetryable && !outcome.isDelivered)
        #expect(requests.count == 1)
    }

    @Test(arguments: ["nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"])
    func `garbage is trouble that may pass`(text: String) async throws {
        #expect(try await answered(text).outcome.isRetryable)
    }

    @Test func `an answer without end is read up to the limit`() async throws {
        let (outcome, _) = try await answered(
            "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n"
                + String(repeating: "\u{0}", count: 6 << 20)
        )
        #expect(outcome.isDelivered)
    }

    @Test func `nobody there is trouble that may pass`() async throws {
        let server = try await ScriptedHTTPServer { _ in nil }
        try await server.stop()
        var endpoint = OTLPEndpoint(baseURL: server.baseURL)
        endpoint.timeout = .milliseconds(200)
        let outcome = await send(to: endpoint)
        #expect(outcome.isRetryable)
        #expect(outcome.message.contains(server.baseURL))
    }

    @Test func `no answer in time is trouble that may pass`() async throws {
        let server = try await ScriptedHTTPServer { _ in nil }
        var endpoint = OTLPEndpoint(baseURL: server.baseURL)
        endpoint.timeout = .milliseconds(100)
        #expect(await send(to: endpoint).isRetryable)
        try await server.stop()
    }

    @Test(arguments: ["", "no address", "ftp://127.0.0.1/", "http://"])
    func `an address that is none is refused`(url: String) async {
        let outcome = await send(to: OTLPEndpoint(tracesURL: url))
        #expect(!outcome.isRetryable && !outcome.isDelivered)
    }

    @Test func `its own requests are never traced`() async throws {
        let server = try await ScriptedHTTPServer { _ in
            Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8)
        }
        let spans = SpanCollector()
        await withTracer(spans.makeTracer()) {
            #expect(await send(to: OTLPEndpoint(baseURL: server.baseURL)) == .delivered)
        }
        #expect(spans.spans.isEmpty)
        #expect(server.requests.allSatisfy { !$0.lowercased().contains("traceparent") })
        try await server.stop()
    }

    @Test func `a shutdown does not wait for a receiver that says nothing`() async throws {
        let server = try await ScriptedHTTPServer { _ in nil }
        let exporter = OTLPHTTPExporter(OTLPEndpoint(baseURL: server.baseURL))
        let pipeline = SpanPipeline(exporter: exporter)
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), pipeline: pipeline)
        tracer.startSpan("lost").end()
        #expect(await !pipeline.shutdown(timeout: .milliseconds(200)))
        #expect(tracer.counters.droppedCounts == [.shutDown: 1])
        try await server.stop()
    }
}
