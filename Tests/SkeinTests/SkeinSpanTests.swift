// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinTesting
import Testing
import Tracing

@Suite struct SkeinSpanTests {
    let spans = SpanCollector()

    private struct CardDeclined: Error, CustomStringConvertible {
        var description: String { "card declined" }
    }

    @Test func `keeps all that it was told`() throws {
        let tracer = spans.makeTracer()
        let other = tracer.startSpan("other")
        let span = tracer.startSpan("first name", at: FixedInstant(1_000))
        span.operationName = "POST /orders"
        #expect(span.operationName == "POST /orders")
        span.attributes["order.id"] = "42"
        span.attributes["count"] = 3
        span.attributes["gone"] = true
        span.attributes["gone"] = nil
        span.updateAttributes { $0["count"] = 4 }
        span.addEvent(SpanEvent(name: "queued", at: FixedInstant(1_500), attributes: ["n": 1]))
        span.addLink(SpanLink(context: other.context, attributes: ["why": "batch"]))
        span.addLink(SpanLink(context: .topLevel, attributes: [:]))
        span.setStatus(SpanStatus(code: .error, message: "no stock"))
        span.end(at: FixedInstant(2_000))
        let record = try #require(spans.spans.first)
        #expect(record.name == "POST /orders")
        #expect(record.start == 1_000 && record.end == 2_000)
        #expect(record.attributes == ["order.id": "42", "count": 4])
        #expect(record.events.map(\.name) == ["queued"])
        #expect(record.events.map(\.time) == [1_500])
        #expect(record.events.first?.attributes == ["n": 1])
        #expect(record.links.map(\.context) == [other.context.traceContext])
        #expect(record.links.first?.attributes == ["why": "batch"])
        #expect(record.status == SpanStatus(code: .error, message: "no stock"))
        #expect(record.dropped == SpanRecord.DroppedCounts())
        other.end()
    }

    @Test func `an error that is thrown shows as event and status`() throws {
        let tracer = spans.makeTracer()
        #expect(throws: CardDeclined.self) {
            try tracer.withSpan("charge") { _ in throw CardDeclined() }
        }
        let record = try #require(spans.spans.first)
        #expect(record.status?.code == .error)
        let event = try #require(record.events.first)
        #expect(event.name == "exception")
        #expect(event.attributes.get("exception.message") == "card declined")
        guard case .string(let type) = event.attributes.get("exception.type") else {
            Issue.record("exception.type is missing")
            return
        }
        #expect(type.hasSuffix("CardDeclined"))
    }

    @Test func `own attributes of an error win`() throws {
        let span = spans.makeTracer().startSpan("span")
        span.recordError(
            CardDeclined(),
            attributes: ["exception.message": "hidden", "retry": 2],
            at: FixedInstant(7)
        )
        span.end()
        let event = try #require(spans.spans.first?.events.first)
        #expect(event.attributes.get("exception.message") == "hidden")
        #expect(event.attributes.get("retry") == .int64(2))
        #expect(event.time == 7)
        #expect(spans.spans.first?.status == nil)
    }

    @Test func `the first end counts and later ones are counted`() {
        let tracer = spans.makeTracer()
        let span = tracer.startSpan("span", at: FixedInstant(1))
        span.end(at: FixedInstant(2))
        span.end(at: FixedInstant(3))
        span.end(at: FixedInstant(4))
        #expect(spans.spans.map(\.end) == [2])
        #expect(tracer.counters.endedCount == 1)
        #expect(tracer.counters.repeatedEndCount == 2)
    }

    @Test func `changes after the end have no effect and are counted`() throws {
        let tracer = spans.makeTracer()
        let span = tracer.startSpan("span")
        span.attributes["a"] = 1
        #expect(span.isRecording)
        span.end()
        #expect(!span.isRecording)
        span.attributes = ["a": 2]
        span.operationName = "late"
        span.addEvent("late")
        span.recordError(CardDeclined())
        span.setStatus(.init(code: .error))
        span.addLink(span)
        let record = try #require(spans.spans.first)
        #expect(record.name == "span")
        #expect(record.attributes == ["a": 1])
        #expect(record.events.isEmpty && record.links.isEmpty && record.status == nil)
        #expect(span.operationName == "span")
        #expect(tracer.counters.lateChangeCount == 6)
    }

    @Test func `a span that is never ended is counted and not exported`() {
        let tracer = spans.makeTracer()
        do {
            let span = tracer.startSpan("forgotten")
            span.attributes["a"] = 1
            #expect(tracer.counters.abandonedCount == 0)
        }
        #expect(tracer.counters.abandonedCount == 1)
        #expect(tracer.counters.startedCount == 1)
        #expect(tracer.counters.endedCount == 0)
        #expect(spans.spans.isEmpty)
    }

    @Test func `a clock that went back gives no negative duration`() {
        let span = spans.makeTracer().startSpan("span", at: FixedInstant(100))
        span.end(at: FixedInstant(50))
        #expect(spans.spans.map(\.end) == [100])
    }

    @Test func `the extremes of time are kept`() {
        let span = spans.makeTracer().startSpan("span", at: FixedInstant(0))
        span.end(at: FixedInstant(.max))
        #expect(spans.spans.map(\.start) == [0])
        #expect(spans.spans.map(\.end) == [.max])
    }

    @Test func `copies of a handle mean the same span`() {
        let span = spans.makeTracer().startSpan("span")
        let copy = span
        copy.attributes["a"] = 1
        #expect(span.attributes.get("a") == .int64(1))
        copy.end()
        #expect(!span.isRecording)
    }
}

@Suite struct SpanLimitsTests {
    let spans = SpanCollector()

    private func tracer(_ change: (inout SpanLimits) -> Void = { _ in }) -> SkeinTracer {
        var options = TracerOptions()
        change(&options.limits)
        return spans.makeTracer(options: options)
    }

    @Test func `128 attributes, events and links are kept and the others counted exactly`() throws {
        let tracer = tracer()
        let span = tracer.startSpan("span")
        let other = tracer.startSpan("other")
        for number in 0..<200 {
            span.attributes["k\(number)"] = number
            span.addEvent(SpanEvent(name: "e\(number)"))
            span.addLink(SpanLink(context: other.context, attributes: ["n": .int64(Int64(number))]))
        }
        span.attributes["k0"] = "new value"
        span.end()
        let record = try #require(spans.spans.first)
        #expect(record.attributes.count == 128)
        #expect(record.attributes.get("k0") == "new value")
        #expect(record.attributes.get("k127") == .int64(127))
        #expect(record.attributes.get("k128") == nil)
        #expect(record.events.map(\.name) == (0..<128).map { "e\($0)" })
        #expect(record.links.last?.attributes.get("n") == .int64(127))
        #expect(record.dropped.attributes == 72)
        #expect(record.dropped.events == 72)
        #expect(record.dropped.links == 72)
    }

    @Test func `attributes of events and links are limited too`() throws {
        let tracer = tracer {
            $0.attributeCountPerEvent = 2
            $0.attributeCountPerLink = 1
        }
        let span = tracer.startSpan("span")
        span.addEvent(SpanEvent(name: "e", attributes: ["a": 1, "b": 2, "c": 3]))
        span.addLink(SpanLink(context: span.context, attributes: ["a": 1, "b": 2, "c": 3]))
        span.end()
        let record = try #require(spans.spans.first)
        #expect(record.events.first?.attributes == ["a": 1, "b": 2])
        #expect(record.events.first?.droppedAttributeCount == 1)
        #expect(record.links.first?.attributes == ["a": 1])
        #expect(record.links.first?.droppedAttributeCount == 2)
    }

    @Test(arguments: [(0, ""), (3, "Grö"), (5, "Größe"), (9, "Größe")])
    func `texts are cut at a character`(length: Int, expected: String) throws {
        let span = tracer { $0.attributeValueLength = length }.startSpan("span")
        span.attributes["text"] = "Größe"
        span.attributes["texts"] = ["Größe", "a"]
        span.attributes.set("convertible", value: .stringConvertible("Größe"))
        span.attributes["number"] = 123_456
        span.addEvent(SpanEvent(name: "e", attributes: ["text": "Größe"]))
        span.end()
        let record = try #require(spans.spans.first)
        #expect(record.attributes.get("text") == .string(expected))
        #expect(
            record.attributes.get("texts") == .stringArray([expected, String("a".prefix(length))])
        )
        #expect(record.attributes.get("number") == .int64(123_456))
        #expect(record.events.first?.attributes.get("text") == .string(expected))
        #expect(record.dropped.attributes == 0)
    }

    @Test func `limits of zero keep nothing and count all`() throws {
        let tracer = tracer {
            $0.attributeCount = 0
            $0.eventCount = 0
            $0.linkCount = 0
        }
        let span = tracer.startSpan("span")
        span.attributes["a"] = 1
        span.addEvent("e")
        span.addLink(span)
        span.end()
        let record = try #require(spans.spans.first)
        #expect(record.attributes.isEmpty && record.events.isEmpty && record.links.isEmpty)
        #expect(record.dropped.attributes == 1)
        #expect(record.dropped.events == 1 && record.dropped.links == 1)
    }
}
