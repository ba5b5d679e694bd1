// SPDX-License-Identifier: Apache-2.0
// The listings of the guides in Sources/*/*.docc, where they are compiled. `make docs` looks for each of
// them here.

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

private struct Order {
    var id = "4711"
    var cart: [(name: String, count: Int)] = []
}

private struct Bank {
    func charge(_ order: Order) async throws {}
}

// MARK: Instrument an application

private func setUp(serve: () async throws -> Void) async throws {
    var configuration = SkeinConfiguration(serviceName: "order")
    configuration.tracer.sampler = ParentBasedSampler(root: RateLimitSampler(tracesPerSecond: 100))
    configuration.tracer.copiedBaggageKeys = ["order.id"]
    let tracing = SkeinTracing.bootstrap(configuration)
    try await serve()
    await tracing.shutdown()
}

private func charge(_ order: Order, _ bank: Bank, _ tracer: SkeinTracer) async throws {
    try await tracer.span("charge card", .client) { span in
        span.set("order.id", order.id)
        span.set("cart", order.cart.map(\.name).joined(separator: ", "))
        try await bank.charge(order)
    }
    try await tracer.sending {
        $0.put("order.id", order.id)
    } around: {
        try await bank.charge(order)
    }
}

private func detach(_ warmCache: @escaping @Sendable () async -> Void) {
    let trace = CapturedTrace()
    Task.detached {
        await trace.run { await warmCache() }
    }
}

private func report(_ tracing: TracingHandle, _ log: (String) -> Void) {
    let counters = tracing.counters
    for (reason, count) in counters.droppedCounts {
        log("\(count) of \(counters.startedCount) spans were dropped: \(reason)")
    }
}

// MARK: Instrument a library

private struct Frame {
    var headers: [String: String] = [:]
}

private struct Connection {
    func get(_ key: String) async throws -> String? { nil }
}

private struct FrameHeaders: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into frame: inout Frame) {
        frame.headers[key] = value
    }

    func extract(key: String, from frame: Frame) -> String? { frame.headers[key] }
}

private struct Library {
    let connection = Connection()

    func fetch(_ key: String) async throws -> String? {
        try await withSpan("cache get", ofKind: .client) { span in
            span.updateAttributes { attributes in
                attributes["db.system.name"] = "kite-cache"
                attributes["db.operation.name"] = "get"
            }
            return try await connection.get(key)
        }
    }

    func receive(_ frame: Frame) async throws {
        var context = InstrumentationContext.topLevel
        InstrumentationSystem.instrument.extract(frame, into: &context, using: FrameHeaders())
        try await withSpan("handle frame", context: context, ofKind: .server) { _ in
            try await handle(frame)
        }
    }

    private func handle(_ frame: Frame) async throws {}
}

// MARK: Test your spans

private struct Shop {
    func placeOrder(_ number: Int) async {
        withSpan("place order") { span in
            span.attributes["order.id"] = number
            withSpan("reserve") { _ in }
            withSpan("charge card", ofKind: .client) { _ in }
            withSpan("ship") { _ in }
            let context = span.context
            Task { withSpan("send mail", context: context) { _ in } }
        }
    }
}

@Suite struct DocumentationListings {
    @Test func `an order charges the card once, below the order`() async throws {
        let spans = SpanCollector()
        await withTracer(spans.makeTracer()) { await Shop().placeOrder(4_711) }

        let trace = try await spans.trace(containing: .span("send mail"))
        let order = SpanPattern.span("place order").attribute("order.id", 4_711)
        #expect(trace.contains(exactly: 1, .span("charge card").kind(.client).child(of: order)))
        #expect(trace.contains(inOrder: .span("reserve"), .span("charge card"), .span("ship")))
        #expect(trace.containsNone(.anySpan.attribute("card.number")))
    }

    @Test func `a span may be looked at by itself`() throws {
        let spans = SpanCollector()
        spans.makeTracer().span("query") { $0.event("retry") }
        let trace = try spans.onlyTrace()
        let query = try trace.span(.span("query"))
        #expect(query.events.map(\.name) == ["retry"])
    }

    @Test func `a library's spans reach the tracer of its user`() async throws {
        let spans = SpanCollector()
        try await withTracer(spans.makeTracer()) {
            _ = try await Library().fetch("kite")
            try await Library().receive(Frame())
        }
        #expect(spans.spans.map(\.name) == ["cache get", "handle frame"])
    }
}
