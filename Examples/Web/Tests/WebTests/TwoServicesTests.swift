// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Hummingbird
import NIOCore
import NIOHTTP1
import Skein
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

/// A shop that asks a stock, each with a tracer of its own, as two processes have.
@Suite(.timeLimit(.minutes(1))) struct TwoServicesTests {
    let spans = SpanCollector()

    private func client(tracedBy tracer: (any Tracer)?) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.tracing.tracer = tracer
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Asks the shop, which asks the stock.
    ///
    /// - Returns: The header `X-Trace-Id` of the shop's answer.
    private func buy(
        path: String = "/buy/apple",
        by tracer: SkeinTracer,
        options: TracerOptions = TracerOptions()
    ) async throws -> (status: UInt, traceIDs: [String]) {
        let stockTracer = spans.makeTracer(serviceName: "stock", options: options)
        let shopTracer = spans.makeTracer(serviceName: "shop", options: options)
        let stock = router()
        stock.get("items/:name") { _, _ in
            stockTracer.span("look up") { span in
                span.set("shelf", 7)
                return stockTracer.traveling.value("order.id") ?? "none"
            }
        }
        return try await serving(stock, tracedBy: stockTracer) { stockURL in
            let inner = client(tracedBy: shopTracer)
            let shop = router()
            shop.get("buy/:name") { _, context in
                let name = try context.parameters.require("name")
                guard name != "pear" else { throw HTTPError(.gone, message: "no pears") }
                guard name != "plum" else { throw Broken() }
                let request = HTTPClientRequest(url: "\(stockURL)/items/\(name)")
                let answer = try await inner.execute(request, timeout: .seconds(30))
                return String(buffer: try await answer.body.collect(upTo: 1_024))
            }
            let answer = try await serving(shop, tracedBy: shopTracer) { shopURL in
                let outer = client(tracedBy: tracer)
                let request = HTTPClientRequest(url: shopURL + path)
                let answer = try await outer.execute(request, timeout: .seconds(30))
                _ = try await answer.body.collect(upTo: 1_024)
                try await outer.shutdown()
                return (answer.status.code, answer.headers["X-Trace-Id"])
            }
            try await inner.shutdown()
            return answer
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.middlewares.add(TracingMiddleware())
        router.middlewares.add(TraceIDMiddleware())
        return router
    }

    private struct Broken: Error {}

    @Test func `one request is one trace across two servers`() async throws {
        let tracer = spans.makeTracer(serviceName: "browser")
        let answer = try await withTracer(tracer) {
            try await withSpan("click") { _ in try await buy(by: tracer) }
        }
        // From the outermost span to the innermost: each the only child of the one before.
        let expected: [(name: String, kind: Tracing.SpanKind, service: String)] = [
            ("click", .internal, "browser"), ("GET", .client, "browser"),
            ("/buy/{name}", .server, "shop"), ("GET", .client, "shop"),
            ("/items/{name}", .server, "stock"), ("look up", .internal, "stock"),
        ]
        #expect(spans.spans.count == expected.count)
        var span = try #require(spans.roots.first)
        #expect(spans.roots.count == 1)
        for (depth, expected) in expected.enumerated() {
            #expect(span.name == expected.name)
            #expect(span.kind == expected.kind)
            #expect(span.resource.serviceName == expected.service)
            #expect(span.parentIsRemote == (span.kind == .server))
            guard depth + 1 < 6 else { break }
            let children = spans.children(of: span)
            #expect(children.count == 1)
            span = try #require(children.first)
        }
        #expect(answer.status == 200)
        #expect(answer.traceIDs == ["\(span.traceID)"])
        let shop = try #require(spans.first(named: "/buy/{name}"))
        #expect(shop.attributes.get("http.response.status_code") == 200)
    }

    @Test func `baggage reaches the last server`() async throws {
        let tracer = spans.makeTracer(serviceName: "browser")
        var options = TracerOptions()
        options.copiedBaggageKeys = ["order.id"]
        _ = try await withTracer(tracer) {
            try await withSpan("click") { _ in
                try await tracer.sending {
                    $0.put("order.id", "4711")
                } around: {
                    try await buy(by: tracer, options: options)
                }
            }
        }
        let stock = try #require(spans.first(named: "/items/{name}"))
        #expect(stock.attributes.get("order.id") == "4711")
    }

    @Test func `the answer names the trace that nobody records`() async throws {
        var options = TracerOptions()
        options.sampler = NeverSampler()
        let tracer = spans.makeTracer(serviceName: "browser", options: options)
        let (answer, trace) = try await withTracer(tracer) {
            try await withSpan("click") { span in
                (try await buy(by: tracer), span.context.traceContext?.traceID)
            }
        }
        #expect(spans.spans.isEmpty)
        #expect(answer.traceIDs == ["\(try #require(trace))"])
    }

    @Test(arguments: [("/buy/pear", 410), ("/buy/plum", 500), ("/elsewhere", 404)])
    func `an error is answered with the header and recorded as it is`(
        path: String,
        status: UInt
    ) async throws {
        let answer = try await buy(path: path, by: spans.makeTracer())
        #expect(answer.status == status)
        let server = try #require(spans.spans.first { $0.kind == .server })
        #expect(answer.traceIDs == ["\(server.traceID)"])
        let event = server.events.first
        switch path {
        case "/buy/pear":
            #expect(event?.attributes.get("exception.type") == "Hummingbird.HTTPError")
        case "/buy/plum":
            let type = String(reflecting: Broken.self)
            #expect(event?.attributes.get("exception.type") == .string(type))
        default: break
        }
    }

    @Test func `without a span there is no header`() async throws {
        let shop = Router()
        shop.middlewares.add(TraceIDMiddleware())
        shop.get("/") { _, _ in "hello" }
        let tracer = spans.makeTracer()
        let headers = try await serving(shop, tracedBy: tracer) { url in
            let client = client(tracedBy: nil)
            let answer = try await client.execute(
                HTTPClientRequest(url: url),
                timeout: .seconds(30)
            )
            _ = try await answer.body.collect(upTo: 1_024)
            try await client.shutdown()
            return answer.headers
        }
        #expect(headers["X-Trace-Id"].isEmpty)
        #expect(headers["Date"].count == 1)
    }
}
