// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinTesting
import SkeinWire
import Testing
import Tracing

@Suite struct OTLPRequestTests {
    let spans = SpanCollector()

    private func encoded() throws -> ProtobufMessage {
        try ProtobufMessage(OTLPRequest.encode(spans.spans))
    }

    private func firstSpan() throws -> ProtobufMessage {
        try #require(try encoded().message(1)?.message(2)?.message(2))
    }

    private func bigEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
    }

    @Test func `no spans make an empty request`() {
        #expect(OTLPRequest.encode([]).isEmpty)
    }

    @Test func `a span without anything writes only what it has`() throws {
        let span = spans.makeTracer(serviceName: "order").startSpan("", at: FixedInstant(1))
        span.end(at: FixedInstant(2))
        let message = try firstSpan()
        #expect(message.numbers == [1, 2, 6, 7, 8, 16])
        let resource = try #require(try encoded().message(1)?.message(1))
        #expect(try resource.attributes(1)["service.name"]?.text(1) == "order")
        #expect(try resource.attributes(1)["telemetry.sdk.name"]?.text(1) == "skein")
        let scope = try #require(try encoded().message(1)?.message(2)?.message(1))
        #expect(scope.text(1) == "skein")
    }

    @Test func `every field stands under its number`() throws {
        var options = TracerOptions()
        options.limits.attributeCount = 1
        options.limits.eventCount = 1
        options.limits.linkCount = 1
        let tracer = spans.makeTracer(options: options)
        var context = InstrumentationContext.topLevel
        let carrier = [
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tracestate": "rojo=1",
        ]
        tracer.extract(carrier, into: &context, using: DictionaryCarrier())
        let span = tracer.startSpan(
            "GET /",
            context: context,
            ofKind: .server,
            at: FixedInstant(0x0102_0304_0506_0708)
        )
        span.attributes["a"] = "x"
        span.attributes["b"] = "y"
        span.attributes["c"] = "z"
        span.addEvent(SpanEvent(name: "e", at: FixedInstant(77), attributes: ["n": 1, "o": 2]))
        span.addEvent("f")
        span.addLink(SpanLink(context: context, attributes: ["why": "retry"]))
        for _ in 0..<3 { span.addLink(span) }
        span.setStatus(SpanStatus(code: .error, message: "no"))
        span.end(at: FixedInstant(.max))

        let record = try #require(spans.spans.first)
        let message = try firstSpan()
        #expect(message.bytes(1) == bigEndian(record.traceID.high) + bigEndian(record.traceID.low))
        #expect(message.bytes(2) == bigEndian(record.spanID.raw))
        #expect(message.text(3) == "rojo=1")
        #expect(message.bytes(4) == bigEndian(0x00f0_67aa_0ba9_02b7))
        #expect(message.text(5) == "GET /")
        #expect(message[6] == .varint(2))
        #expect(message[7] == .fixed64(0x0102_0304_0506_0708))
        #expect(message[8] == .fixed64(.max))
        #expect(try message.attributes(9).keys.sorted() == ["a"])
        #expect(message[10] == .varint(2))
        #expect(message[12] == .varint(1))
        #expect(message[14] == .varint(3))
        #expect(message[16] == .fixed32(0x301))

        let event = try #require(try message.message(11))
        #expect(event[1] == .fixed64(77))
        #expect(event.text(2) == "e")
        #expect(try event.attributes(3)["n"]?[3] == .varint(1))
        let link = try #require(try message.message(13))
        #expect(link.bytes(1) == message.bytes(1))
        #expect(link.bytes(2) == bigEndian(0x00f0_67aa_0ba9_02b7))
        #expect(link.text(3) == "rojo=1")
        #expect(try link.attributes(4)["why"]?.text(1) == "retry")
        #expect(link[6] == .fixed32(0x301))
        let status = try #require(try message.message(15))
        #expect(status.text(2) == "no" && status[3] == .varint(2))
    }

    @Test(arguments: [
        (Tracing.SpanKind.internal, UInt64(1)), (.server, 2), (.client, 3), (.producer, 4),
        (.consumer, 5),
    ])
    func `kinds have OTLP's numbers`(kind: Tracing.SpanKind, number: UInt64) throws {
        spans.makeTracer().startSpan("span", ofKind: kind).end()
        #expect(try firstSpan()[6] == .varint(number))
    }

    @Test(
        arguments: [
            ("text", [1: .bytes(Array("text".utf8))]), ("", [1: .bytes([])]),
            (.bool(true), [2: .varint(1)]), (.bool(false), [2: .varint(0)]),
            (.int32(-1), [3: .varint(.max)]), (.int64(.min), [3: .varint(1 << 63)]),
            (0, [3: .varint(0)]), (.double(-0.5), [4: .fixed64(0xBFE0_0000_0000_0000)]),
            (.double(.infinity), [4: .fixed64(0x7FF0_0000_0000_0000)]),
            (.stringConvertible("Größe"), [1: .bytes(Array("Größe".utf8))]),
        ] as [(SpanAttribute, [Int: ProtobufMessage.Field])]
    )
    func `values keep their type`(
        value: SpanAttribute,
        expected: [Int: ProtobufMessage.Field]
    ) throws {
        let span = spans.makeTracer().startSpan("span")
        span.attributes.set("k", value: value)
        span.end()
        let found = try #require(try firstSpan().attributes(9)["k"])
        #expect(
            Dictionary(uniqueKeysWithValues: found.fields.map { ($0.number, $0.field) })
                == expected
        )
    }

    @Test(
        arguments: [
            (.stringArray(["a", ""]), [1: [.bytes(Array("a".utf8)), .bytes([])]]),
            (.boolArray([true, false]), [2: [.varint(1), .varint(0)]]),
            (.int32Array([-1]), [3: [.varint(.max)]]),
            (.int64Array([1, 2]), [3: [.varint(1), .varint(2)]]),
            (.doubleArray([0]), [4: [.fixed64(0)]]), (.stringArray([]), [1: []]),
            (.stringConvertibleArray(["x"]), [1: [.bytes(Array("x".utf8))]]),
        ] as [(SpanAttribute, [Int: [ProtobufMessage.Field]])]
    )
    func `arrays keep their elements`(
        value: SpanAttribute,
        expected: [Int: [ProtobufMessage.Field]]
    ) throws {
        let span = spans.makeTracer().startSpan("span")
        span.attributes.set("k", value: value)
        span.end()
        let array = try #require(try firstSpan().attributes(9)["k"]?.message(5))
        let number = try #require(expected.keys.first)
        let elements = try array.messages(1)
        #expect(elements.flatMap(\.fields).map(\.field) == expected[number])
        #expect(elements.allSatisfy { $0.numbers == [number] })
    }

    @Test(arguments: [0, 1, 126, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152])
    func `lengths of any size are canonical`(count: Int) throws {
        let span = spans.makeTracer().startSpan("span")
        span.attributes["k"] = String(repeating: "x", count: count)
        span.end()
        #expect(try firstSpan().attributes(9)["k"]?.text(1)?.utf8.count == count)
    }

    @Test func `spans are grouped by resource in the order they came`() throws {
        let order = spans.makeTracer(serviceName: "order")
        let stock = spans.makeTracer(serviceName: "stock")
        for number in 0..<3 {
            order.startSpan("order \(number)").end()
            stock.startSpan("stock \(number)").end()
        }
        let groups = try encoded().messages(1)
        #expect(groups.count == 2)
        for (group, name) in zip(groups, ["order", "stock"]) {
            #expect(try group.message(1)?.attributes(1)["service.name"]?.text(1) == name)
            let scopes = try group.messages(2)
            #expect(scopes.count == 1)
            let names = try scopes.flatMap { try $0.messages(2) }.map { $0.text(5) }
            #expect(names == (0..<3).map { "\(name) \($0)" })
        }
    }
}

@Suite struct OTLPResponseTests {
    private func outcome(_ status: Int, retryAfter: String? = nil, body: [UInt8] = [])
        -> ExportOutcome
    {
        OTLPResponse(status: status, retryAfter: retryAfter, body: body).outcome
    }

    @Test(arguments: [200, 202, 204])
    func `success is delivered`(status: Int) {
        #expect(outcome(status) == .delivered)
    }

    @Test(arguments: [429, 502, 503, 504])
    func `four statuses are worth repeating`(status: Int) {
        #expect(outcome(status).isRetryable)
        #expect(outcome(status).message.contains("\(status)"))
    }

    @Test(arguments: [0, 100, 301, 307, 400, 401, 404, 413, 415, 500, 501, 999])
    func `no other status is`(status: Int) {
        let outcome = outcome(status)
        #expect(!outcome.isRetryable && !outcome.isDelivered)
    }

    @Test(arguments: [
        ("7", Duration.seconds(7)), (" 7 ", .seconds(7)), ("0", .zero), ("-3", .zero),
        ("Wed, 21 Oct 2015 07:28:00 GMT", .zero), ("1e3", nil), ("99999999999999999999", nil),
        ("", nil),
    ])
    func `reads how long to wait`(text: String, expected: Duration?) {
        #expect(outcome(503, retryAfter: text).requestedDelay == expected)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Fri, 31 Dec 2100 12:00:00 GMT", 4_133_937_600),
        ] as [(String, UInt64)]
    )
    func `a wish may be a date`(text: String, seconds: UInt64) {
        func delay(_ receivedAt: UInt64) -> Duration? {
            OTLPResponse(status: 503, retryAfter: text, body: [], receivedAt: receivedAt)
                .outcome.requestedDelay
        }
        let before = max(seconds, 90) - 90
        #expect(delay(before * 1_000_000_000) == .seconds(Int64(seconds - before)))
        // A date that has passed asks for nothing.
        #expect(delay((seconds + 1) * 1_000_000_000) == .zero)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 06 Neu 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:3٣ GMT",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
    ])
    func `what is no date is no wish`(text: String) {
        #expect(outcome(503, retryAfter: text).requestedDelay == nil)
    }

    @Test func `reads a partial success`() {
        let message = Array("too old".utf8)
        let partial: [UInt8] = [0x08, 0x96, 0x01, 0x12, 7] + message
        let body = [0x0A, UInt8(partial.count)] + partial
        let delivered = outcome(200, body: body)
        #expect(delivered.rejectedCount == 150)
        #expect(delivered.message == "too old")
        for count in body.indices {
            // A cut answer to a success is still a success.
            #expect(outcome(200, body: Array(body.prefix(count))).isDelivered)
        }
    }

    @Test(
        arguments: [
            [UInt8](repeating: 0xFF, count: 100), [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x0B],
            [0x0A],
            Array("<html>".utf8),
            [0x0A, 0x0B, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ] as [[UInt8]]
    )
    func `garbage after a success does no harm`(body: [UInt8]) {
        #expect(outcome(200, body: body).isDelivered)
    }
}

@Suite struct OTLPAgreementTests {
    @Test func `the server's decoder reads what the tracer writes`() throws {
        let spans = SpanCollector()
        let tracer = spans.makeTracer(serviceName: "order")
        tracer.withSpan("parent", ofKind: .server) { parent in
            parent.attributes["order.id"] = "42"
            parent.attributes["items"] = 3
            parent.addEvent("queued")
            tracer.withSpan("child", ofKind: .client) { child in
                child.setStatus(SpanStatus(code: .error, message: "no stock"))
                child.addLink(parent)
            }
        }
        let batch = try OTLP.decodeProtobuf(OTLPRequest.encode(spans.spans), receivedAt: 1)
        #expect(batch.rejected == 0)
        let columns = batch.columns
        #expect(columns.count == 2)
        for (row, record) in spans.spans.enumerated() {
            #expect(columns.traceHigh[row] == record.traceID.high)
            #expect(columns.traceLow[row] == record.traceID.low)
            #expect(columns.spanID[row] == record.spanID.raw)
            #expect(columns.parentID[row] == record.parentSpanID.raw)
            #expect(columns.start[row] == record.start)
            #expect(columns.end[row] == record.end)
            #expect(columns.strings.text(columns.name[row]) == record.name)
            #expect(columns.strings.text(columns.service(row)) == "order")
            #expect(Int(columns.spanAttributes[row].count) == record.attributes.count)
            #expect(Int(columns.spanEvents[row].count) == record.events.count)
            #expect(Int(columns.spanLinks[row].count) == record.links.count)
            #expect(columns.marks[row] == 0)
        }
        #expect(columns.kind[0] == SkeinModel.SpanKind.client.rawValue)
        #expect(columns.status[0] == StatusCode.error.rawValue)
        #expect(columns.strings.text(columns.statusMessage[0]) == "no stock")
    }
}
