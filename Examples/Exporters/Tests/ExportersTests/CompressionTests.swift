// SPDX-License-Identifier: Apache-2.0

import CGunzip
import Skein
import SkeinTesting
import SkeinWire
import Testing
import Tracing

private let emptyAnswer = Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8)

@Suite(.timeLimit(.minutes(1))) struct CompressionTests {
    private func unpacked(_ packed: [UInt8], count: Int) throws -> [UInt8] {
        var packed = packed
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        try #require(inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, size) == Z_OK)
        defer { inflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: count + 1)
        let outputCount = output.withUnsafeMutableBufferPointer { output in
            packed.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                #expect(inflate(&stream, Z_FINISH) == Z_STREAM_END)
                return output.count - Int(stream.avail_out)
            }
        }
        return Array(output.prefix(outputCount))
    }

    @Test(arguments: [0, 1, 1_000, 5_000_000])
    func `a body arrives as it was`(count: Int) async throws {
        let server = try await ScriptedHTTPServer { _ in emptyAnswer }
        var endpoint = OTLPEndpoint(baseURL: server.baseURL)
        endpoint.compression = .gzip
        let exporter = OTLPHTTPExporter(endpoint)
        // Half of it repeats, half of it does not.
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 2 == 0 ? 7 : $0 &* $0 >> 9) }
        #expect(await exporter.send(payload) == .delivered)
        await exporter.shutdown()
        let request = try #require(server.requests.first)
        let parts = request.split(separator: "\r\n\r\n", maxSplits: 1)
        #expect(parts[0].lowercased().contains("content-encoding: gzip"))
        let body = parts[1].unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        #expect(try unpacked(body, count: count) == payload)
        if count > 1_000 { #expect(body.count < count) }
        try await server.stop()
    }

    @Test func `Zipkin's spans are posted as JSON`() async throws {
        let server = try await ScriptedHTTPServer { _ in
            Array("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".utf8)
        }
        let exporter = ZipkinExporter(ZipkinEndpoint(spansURL: server.baseURL + "/api/v2/spans"))
        let pipeline = SpanPipeline(exporter: exporter)
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), pipeline: pipeline)
        tracer.startSpan("pay").end()
        #expect(await pipeline.shutdown())
        #expect(pipeline.counters.exportedCount == 1)
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("POST /api/v2/spans HTTP/1.1\r\n"))
        #expect(request.lowercased().contains("content-type: application/json"))
        let body = try #require(request.split(separator: "\r\n\r\n", maxSplits: 1).last)
        let batch = try Zipkin.decodeJSON(Array(body.utf8), receivedAt: 0)
        #expect(batch.columns.strings.text(batch.columns.name[0]) == "pay")
        try await server.stop()
    }

    @Test(arguments: [(503, true), (400, false)])
    func `Zipkin's refusals are told apart`(status: Int, isRetryable: Bool) async throws {
        let server = try await ScriptedHTTPServer { _ in
            Array("HTTP/1.1 \(status) No\r\ncontent-length: 0\r\n\r\n".utf8)
        }
        let exporter = ZipkinExporter(ZipkinEndpoint(spansURL: server.baseURL + "/api/v2/spans"))
        let outcome = await exporter.send(Array("[]".utf8))
        await exporter.shutdown()
        #expect(!outcome.isDelivered)
        #expect(outcome.isRetryable == isRetryable)
        try await server.stop()
    }

    @Test func `the environment chooses Zipkin`() {
        let configuration = SkeinConfiguration().applying(
            TracingEnvironment([
                "OTEL_TRACES_EXPORTER": "zipkin",
                "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://zipkin:9411/api/v2/spans",
                "OTEL_EXPORTER_ZIPKIN_TIMEOUT": "100",
            ])
        )
        var endpoint = ZipkinEndpoint(spansURL: "http://zipkin:9411/api/v2/spans")
        endpoint.timeout = .milliseconds(100)
        #expect(configuration.destination == .zipkin(endpoint))
    }

    @Test func `an answer whose body never comes ends with the time limit`() async throws {
        let server = try await ScriptedHTTPServer { _ in
            Array("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n1".utf8)
        }
        var endpoint = OTLPEndpoint(baseURL: server.baseURL)
        endpoint.timeout = .milliseconds(200)
        let exporter = OTLPHTTPExporter(endpoint)
        let outcome = await exporter.send([1])
        await exporter.shutdown()
        #expect(outcome.isRetryable)
        try await server.stop()
    }
}
