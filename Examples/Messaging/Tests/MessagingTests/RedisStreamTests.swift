// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinTesting
import Testing
import Tracing

@Suite(.timeLimit(.minutes(2))) struct RedisStreamTests {
    let redis: LoopbackRedis
    let spans = SpanCollector()
    let shop: SkeinTracer
    let billing: SkeinTracer

    init() throws {
        redis = try LoopbackRedis()
        shop = spans.makeTracer(serviceName: "shop")
        billing = spans.makeTracer(serviceName: "billing")
    }

    private func stream(
        _ tracer: SkeinTracer,
        on server: RedisServer? = nil,
        named name: String = "orders"
    ) -> RedisStream {
        RedisStream(
            named: name,
            group: "billing",
            consumer: "b-1",
            on: server ?? redis.server,
            tracer
        )
    }

    @Test func `a message is one trace from who sends to who handles it`() async throws {
        let producer = stream(shop)
        let consumer = stream(billing, on: redis.socket)
        try await consumer.makeGroup()
        let id = try await shop.withSpan("checkout") { _ in
            try await producer.send(["order": "4711", "note": ""])
        }
        let messages = try await consumer.receive(waiting: .seconds(30))
        #expect(messages.map(\.id) == [id])
        let message = try #require(messages.first)
        #expect(message.text("order") == "4711")
        #expect(message.text("note") == "")
        #expect(message.text("traceparent") != nil)
        try await consumer.handle(message) { _ in billing.span("charge") { _ in } }

        let sent = try #require(spans.first(named: "send orders"))
        let received = try #require(spans.first(named: "receive orders"))
        let handled = try #require(spans.first(named: "process orders"))
        let settled = try #require(spans.first(named: "ack orders"))
        let charged = try #require(spans.first(named: "charge"))
        #expect(sent.parentSpanID == spans.first(named: "checkout")?.spanID)
        #expect(sent.kind == .producer)
        #expect(sent.attributes.get("messaging.message.id") == .string(id))
        #expect(sent.attributes.get("messaging.system") == "redis")
        #expect(sent.attributes.get("server.port") == .int64(Int64(redis.port)))
        #expect(received.kind == .client)
        #expect(received.links.map(\.context.spanID) == [sent.spanID])
        #expect(received.attributes.get("messaging.batch.message_count") == .int64(1))
        #expect(handled.kind == .consumer)
        #expect(handled.traceID == sent.traceID)
        #expect(handled.parentSpanID == sent.spanID)
        #expect(handled.resource.serviceName == "billing")
        #expect(handled.attributes.get("messaging.consumer.group.name") == "billing")
        #expect(handled.attributes.get("skein.queue_time_ms") != nil)
        #expect(Set([charged, settled].map(\.parentSpanID)) == [handled.spanID])
        #expect(settled.attributes.get("messaging.operation.type") == "settle")
        #expect(try await consumer.receive(again: true).isEmpty)
    }

    @Test func `any bytes arrive as they were`() async throws {
        let stream = stream(shop)
        try await stream.makeGroup()
        let values: [[UInt8]] = [
            [], [0], Array(0...255), Array("\r\n$-1\r\n".utf8),
            [UInt8](repeating: 7, count: 100_000),
        ]
        let fields = values.enumerated().map {
            RedisMessage.Field(name: "f\($0.offset)", value: $0.element)
        }
        try await stream.send(fields)
        let message = try #require(try await stream.receive().first)
        #expect(Array(message.fields.prefix(values.count)) == fields)
    }

    @Test func `a batch links to all who sent and keeps their order`() async throws {
        let stream = stream(shop)
        try await stream.makeGroup()
        for number in 0..<20 { try await stream.send(["number": "\(number)"], lengthMax: 1_000) }
        let first = try await stream.receive(atMost: 15)
        let rest = try await stream.receive(atMost: 15)
        #expect((first + rest).map { $0.text("number") } == (0..<20).map { "\($0)" })
        let sent = spans.spans(named: "send orders").map(\.spanID)
        let linked = spans.spans(named: "receive orders").flatMap { $0.links }
        #expect(linked.map(\.context.spanID) == sent)
        #expect(try await stream.acknowledge(first + rest) == 20)
        #expect(try await stream.acknowledge(first) == 0)
        #expect(try await stream.acknowledge([]) == 0)
    }

    @Test func `what fails is not acknowledged and comes again`() async throws {
        struct Declined: Error {}
        let stream = stream(billing)
        try await stream.makeGroup()
        try await stream.send(["order": "1"])
        let message = try #require(try await stream.receive().first)
        await #expect(throws: Declined.self) {
            try await stream.handle(message) { _ in throw Declined() }
        }
        #expect(spans.first(named: "process orders")?.status?.code == .error)
        #expect(try await stream.receive().isEmpty)
        #expect(try await stream.receive(again: true) == [message])
    }

    @Test func `receiving nothing makes no span`() async throws {
        let stream = stream(billing)
        try await stream.makeGroup()
        try await stream.makeGroup()
        #expect(try await stream.receive(waiting: .milliseconds(1)).isEmpty)
        #expect(spans.spans.isEmpty)
    }

    @Test func `who is cancelled stops waiting for messages, and loses none`() async throws {
        let stream = stream(billing)
        try await stream.makeGroup()
        let receiving = Task { try await stream.receive(waiting: .seconds(3_600)) }
        try await redis.waitForWaiter()
        receiving.cancel()
        await #expect(throws: CancellationError.self) { try await receiving.value }
        #expect(spans.spans.isEmpty)
        try await self.stream(shop).send(["order": "1"])
        #expect(try await stream.receive().map { $0.text("order") } == ["1"])
    }

    @Test func `closing ends a wait for messages, which brings none`() async throws {
        let stream = stream(billing)
        try await stream.makeGroup()
        let receiving = Task { try await stream.receive(waiting: .seconds(3_600)) }
        try await redis.waitForWaiter()
        await stream.close()
        #expect(try await receiving.value.isEmpty)
        #expect(spans.spans.isEmpty)
    }

    @Test func `a message that comes late in a long wait is received`() async throws {
        let stream = stream(billing)
        try await stream.makeGroup()
        let receiving = Task { try await stream.receive(waiting: .seconds(3_600)) }
        try await redis.waitForWaiter()
        // By the same connection: it gets its turn while the other waits.
        try await stream.send(["order": "1"])
        #expect(try await receiving.value.map { $0.text("order") } == ["1"])
    }

    @Test func `a message of another client is handled in a trace of its own`() async throws {
        let stream = stream(billing)
        try await stream.makeGroup()
        // Sent by somebody who is not traced.
        var options = TracerOptions()
        options.isEnabled = false
        let foreign = self.stream(spans.makeTracer(options: options))
        try await foreign.send(["order": "1"])
        let message = try #require(try await stream.receive().first)
        #expect(message.fields.map(\.name) == ["order"])
        try await stream.handle(message) { _ in }
        let handled = try #require(spans.first(named: "process orders"))
        #expect(handled.isRoot)
        #expect(handled.links.isEmpty)
        // The id says when the server took it.
        #expect(handled.attributes.get("skein.queue_time_ms") != nil)
    }

    @Test func `what the server refuses is an error of the span`() async throws {
        let stream = stream(billing)
        let error = await #expect(throws: RedisError.self) { try await stream.receive() }
        #expect(error?.code == .server)
        #expect("\(try #require(error))".contains("NOGROUP"))
        #expect(spans.first(named: "receive orders")?.status?.code == .error)
    }

    @Test func `a server that went away is an error and one that came back is used`() async throws {
        let stream = stream(shop)
        try await stream.send(["order": "1"])
        redis.stop()
        for _ in 0..<2 {
            let error = await #expect(throws: RedisError.self) {
                try await stream.send(["order": "2"])
            }
            #expect(error?.code == .connection)
        }
        #expect(spans.spans.filter { $0.status?.code == .error }.count == 2)
        let again = try LoopbackRedis(port: redis.port)
        try await stream.send(["order": "3"])
        again.stop()
    }

    @Test func `a wait that takes too long gives the connection up`() async throws {
        var server = redis.server
        server.timeout = .milliseconds(50)
        let blocked = stream(shop, on: server)
        try await blocked.makeGroup()
        try await stream(shop).send(["order": "1"])
        redis.pause()
        let error = await #expect(throws: RedisError.self) {
            try await blocked.send(["order": "2"])
        }
        #expect(error?.code == .connection)
        redis.resume()
        #expect(try await stream(shop).receive().count >= 1)
    }

    @Test func `a password is given and a wrong one is said`() async throws {
        let closed = try LoopbackRedis(["--requirepass", "secret"])
        var server = closed.server
        server.password = "wrong"
        let error = await #expect(throws: RedisError.self) {
            try await stream(shop, on: server).send(["order": "1"])
        }
        #expect(error?.code == .server)
        server.password = "secret"
        try await stream(shop, on: server).send(["order": "1"])
        server.username = "default"
        try await stream(shop, on: server).send(["order": "1"])
    }

    @Test func `a server that hangs up while it is written to does not end the process`()
        async throws
    {
        let rude = try RudeServer()
        let stream = stream(shop, on: RedisServer(.address(host: "127.0.0.1", port: rude.port)))
        let field = RedisMessage.Field(name: "f", value: [UInt8](repeating: 7, count: 32 << 20))
        let error = await #expect(throws: RedisError.self) { try await stream.send([field]) }
        #expect(error?.code == .connection)
    }

    @Test func `more callers than may wait are refused at once`() async throws {
        var server = redis.server
        server.timeout = .seconds(60)
        let stream = stream(shop, on: server)
        try await stream.makeGroup()
        redis.pause()
        // One command is under way, 1,024 wait.
        await withTaskGroup(of: RedisError.Code?.self) { group in
            for number in 0..<1_030 {
                group.addTask {
                    do {
                        try await stream.send(["number": "\(number)"])
                        return nil
                    } catch {
                        return (error as? RedisError)?.code ?? .answer
                    }
                }
            }
            var refusedCount = 0
            for await code in group {
                if code == .busy { refusedCount += 1 } else { #expect(code == nil) }
                if refusedCount == 5 { redis.resume() }
            }
            #expect(refusedCount == 5)
        }
    }

    @Test func `many callers share one connection`() async throws {
        let stream = stream(shop)
        try await stream.makeGroup()
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<100 {
                group.addTask { try await stream.send(["number": "\(number)"]) }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 100)
        #expect(try await Set(stream.receive(atMost: 200).map(\.id)) == ids)
        await stream.close()
        try await stream.send(["number": "100"])
    }
}
