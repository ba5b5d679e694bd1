// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Synchronization
import Testing
import Tracing

private let orders: MessageDestination = {
    var orders = MessageDestination(system: "test", name: "orders")
    orders.consumerGroup = "billing"
    orders.serverAddress = "queue.example"
    orders.serverPort = 5_672
    return orders
}()

private struct Message: Sendable {
    var headers: [String: String] = [:]
}

@Suite struct MessagingTests {
    let spans = SpanCollector()
    let tracer: SkeinTracer

    init() { tracer = spans.makeTracer() }

    private func send() async -> Message {
        await tracer.enqueue(to: orders) { message in
            var sent = Message()
            message.inject { sent.headers[$0] = $1 }
            message.setID("7-1")
            return sent
        }
    }

    private func text(_ span: SpanRecord, _ key: String) -> SpanAttribute? {
        span.attributes.get(key)
    }

    @Test func `sending is a producer's span that the headers name`() async throws {
        let message = await tracer.withSpan("checkout") { _ in await send() }
        let span = try #require(spans.first(named: "send orders"))
        #expect(span.kind == .producer)
        #expect(span.parentSpanID == spans.first(named: "checkout")?.spanID)
        #expect(message.headers["traceparent"]?.contains("\(span.spanID)") == true)
        #expect(text(span, "messaging.system") == "test")
        #expect(text(span, "messaging.destination.name") == "orders")
        #expect(text(span, "messaging.operation.type") == "send")
        #expect(text(span, "messaging.operation.name") == "send")
        #expect(text(span, "messaging.consumer.group.name") == "billing")
        #expect(text(span, "messaging.message.id") == "7-1")
        #expect(text(span, "messaging.batch.message_count") == nil)
        #expect(text(span, "server.address") == "queue.example")
        #expect(text(span, "server.port") == .int64(5_672))
    }

    @Test func `a handler without a span around it goes on with the sender's trace`() async throws {
        let message = await send()
        await tracer.consume(from: orders, id: "7-1", header: { message.headers[$0] }) { _ in
            tracer.span("charge") { _ in }
            tracer.startSpan("post").end()
        }
        let sent = try #require(spans.first(named: "send orders"))
        let handled = try #require(spans.first(named: "process orders"))
        #expect(handled.kind == .consumer)
        #expect(handled.traceID == sent.traceID)
        #expect(handled.parentSpanID == sent.spanID)
        #expect(handled.parentIsRemote)
        #expect(handled.links.map(\.context.spanID) == [sent.spanID])
        #expect(text(handled, "messaging.operation.type") == "process")
        #expect(text(handled, "messaging.message.id") == "7-1")
        #expect(Set(spans.children(of: handled).map(\.name)) == ["charge", "post"])
        guard case .double(let wait) = text(handled, "skein.queue_time_ms") else {
            Issue.record("no time in the queue")
            return
        }
        #expect(wait >= 0)
    }

    @Test(arguments: MessageParent.allCases)
    func `whose child a handler is can be chosen`(parent: MessageParent) async throws {
        let message = await send()
        await tracer.withSpan("loop") { _ in
            await tracer.consume(
                from: orders,
                parent: parent,
                header: { message.headers[$0] }
            ) { _ in }
        }
        await tracer.consume(
            from: orders,
            parent: parent,
            operation: "alone",
            header: { message.headers[$0] }
        ) { _ in }
        let sent = try #require(spans.first(named: "send orders"))
        let loop = try #require(spans.first(named: "loop"))
        let inLoop = try #require(spans.first(named: "process orders"))
        let alone = try #require(spans.first(named: "alone orders"))
        let links = Set(inLoop.links.map(\.context.spanID))
        switch parent {
        case .current:
            #expect(inLoop.parentSpanID == loop.spanID)
            #expect(links == [sent.spanID])
            #expect(alone.parentSpanID == sent.spanID)
        case .sender:
            #expect(inLoop.parentSpanID == sent.spanID)
            #expect(inLoop.traceID == sent.traceID)
            #expect(links == [sent.spanID, loop.spanID])
            #expect(alone.parentSpanID == sent.spanID)
        case .none:
            #expect(inLoop.parentSpanID == loop.spanID)
            #expect(links == [sent.spanID])
            #expect(alone.isRoot)
            #expect(alone.traceID != sent.traceID)
        }
        #expect(alone.links.map(\.context.spanID) == [sent.spanID])
    }

    @Test func `receiving a batch links to everybody who sent`() async throws {
        let messages = [await send(), Message(headers: ["traceparent": "junk"]), await send()]
        let count = await tracer.dequeue(from: orders) { received in
            for (index, message) in messages.enumerated() {
                received.add(id: "\(index)") { message.headers[$0] }
            }
            return received.count
        }
        #expect(count == 3)
        let span = try #require(spans.first(named: "receive orders"))
        #expect(span.kind == .client)
        #expect(span.isRoot)
        #expect(span.links.map(\.context.spanID) == spans.spans(named: "send orders").map(\.spanID))
        #expect(
            span.links.map { $0.attributes.get("messaging.message.id") } == ["0", "2"]
        )
        #expect(text(span, "messaging.batch.message_count") == .int64(3))
        #expect(text(span, "messaging.operation.type") == "receive")
    }

    @Test func `of a huge batch the count is exact and the links are bounded`() async throws {
        let message = await send()
        await tracer.dequeue(from: orders) { received in
            for _ in 0..<1_000 { received.add { message.headers[$0] } }
        }
        let span = try #require(spans.first(named: "receive orders"))
        #expect(span.links.count == 128)
        #expect(text(span, "messaging.batch.message_count") == .int64(1_000))
    }

    @Test func `receiving nothing makes no span and failing makes one`() async throws {
        struct Broken: Error {}
        await tracer.dequeue(from: orders) { _ in }
        #expect(spans.spans.isEmpty)
        await #expect(throws: Broken.self) {
            try await tracer.dequeue(from: orders) { _ in throw Broken() }
        }
        let span = try #require(spans.first(named: "receive orders"))
        #expect(span.status?.code == .error)
        #expect(text(span, "error.type") == .string(String(reflecting: Broken.self)))
        #expect(span.events.map(\.name) == ["exception"])
    }

    @Test(arguments: ["send", "process", "ack"])
    func `an error is recorded and thrown on`(operation: String) async throws {
        struct Broken: Error {}
        await #expect(throws: Broken.self) {
            switch operation {
            case "send": try await tracer.enqueue(to: orders) { _ in throw Broken() }
            case "process":
                try await tracer.consume(from: orders, header: { _ in nil }) { _ in throw Broken() }
            default: try await tracer.settle(on: orders, count: 2) { _ in throw Broken() }
            }
        }
        let span = try #require(spans.first(named: "\(operation) orders"))
        #expect(span.status?.code == .error)
        #expect(span.events.map(\.name) == ["exception"])
    }

    @Test func `what the sender sends along reaches who handles the message`() async {
        let message = await tracer.sending {
            $0.put("order.id", "4711")
        } around: {
            await send()
        }
        let value = await tracer.consume(from: orders, header: { message.headers[$0] }) { _ in
            tracer.traveling.value("order.id")
        }
        #expect(value == "4711")
        #expect(tracer.traveling.value("order.id") == nil)
    }

    @Test func `a trace that nobody records stays one`() async throws {
        var options = TracerOptions()
        options.sampler = ParentBasedSampler(root: NeverSampler())
        let silent = spans.makeTracer(options: options)
        let message = await silent.enqueue(to: orders) { message in
            var sent = Message()
            message.inject { sent.headers[$0] = $1 }
            return sent
        }
        let parent = try #require(message.headers["traceparent"])
        #expect(parent.hasSuffix("-02") || parent.hasSuffix("-00"))
        let trace = await tracer.consume(from: orders, header: { message.headers[$0] }) { span in
            span.context.traceContext?.traceID
        }
        #expect(parent.contains("\(try #require(trace))"))
        #expect(spans.spans.isEmpty)
    }

    @Test(arguments: [true, false])
    func `calls are counted with their server and errors as such, recorded or not`(
        isRecorded: Bool
    ) async {
        struct Broken: Error {}
        let exporter = StatisticsExporter()
        let pipeline = SpanPipeline(exporter: exporter)
        var options = TracerOptions()
        options.sampler = isRecorded ? AlwaysSampler() : NeverSampler()
        let tracer = SkeinTracer(
            resource: Resource(serviceName: "test"),
            pipeline: pipeline,
            options: options
        )
        for isBroken in [false, true, true] {
            func act() throws { if isBroken { throw Broken() } }
            try? await tracer.enqueue(to: orders) { _ in try act() }
            try? await tracer.dequeue(from: orders) { received in
                received.add { _ in nil }
                try act()
            }
            try? await tracer.consume(from: orders, header: { _ in nil }) { _ in try act() }
            try? await tracer.settle(on: orders) { _ in try act() }
        }
        #expect(await pipeline.shutdown())
        let operations: [(name: String, kind: SkeinModel.SpanKind, peer: String)] = [
            ("send orders", .producer, "queue.example"),
            ("receive orders", .client, "queue.example"),
            // Who handles a message is called, and by whom nobody said.
            ("process orders", .consumer, ""),
            ("ack orders", .client, "queue.example"),
        ]
        var expected: [StatisticsExporter.Key: UInt64] = [:]
        for operation in operations {
            var key = StatisticsExporter.Key(
                operation: operation.name,
                kind: operation.kind,
                peer: operation.peer
            )
            expected[key] = 1
            key.isError = true
            expected[key] = 2
        }
        #expect(exporter.totals.mapValues(\.callCount) == expected)
        #expect(exporter.spanCount == (isRecorded ? 12 : 0))
    }

    @Test(arguments: [
        ("0", true), ("18446744073709551615", true), ("18446744073709551616", false),
        ("-1", false), ("", false), ("1e9", false),
    ])
    func `a time of sending that is none is left out`(header: String, isTime: Bool) async throws {
        await tracer.consume(
            from: orders,
            header: { $0 == "skein-sent-at" ? header : nil }
        ) { _ in }
        let span = try #require(spans.first(named: "process orders"))
        #expect((text(span, "skein.queue_time_ms") != nil) == isTime)
        if header.hasPrefix("1844") && isTime {
            #expect(text(span, "skein.queue_time_ms") == .double(0))
        }
    }

    @Test func `what the server says of the time of sending wins over headers`() async throws {
        await tracer.consume(from: orders, sentAt: .max, header: { _ in "0" }) { _ in }
        let span = try #require(spans.first(named: "process orders"))
        #expect(text(span, "skein.queue_time_ms") == .double(0))
    }
}
