// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

@Suite struct SkeinTracerTests {
    let spans = SpanCollector()

    private func tracer(_ sampler: any Sampler) -> SkeinTracer {
        var options = TracerOptions()
        options.sampler = sampler
        return spans.makeTracer(options: options)
    }

    @Test func `a child has its parent's trace and a new id`() throws {
        let tracer = spans.makeTracer(serviceName: "order")
        tracer.withSpan("parent", ofKind: .server) { _ in
            tracer.withSpan("child", ofKind: .client) { _ in }
        }
        let parent = try #require(spans.first(named: "parent"))
        let child = try #require(spans.first(named: "child"))
        #expect(parent.isRoot && !child.isRoot)
        #expect(child.traceID == parent.traceID)
        #expect(child.parentSpanID == parent.spanID)
        #expect(child.spanID != parent.spanID)
        #expect(parent.context.flags == [.sampled, .random])
        #expect(parent.traceID.isValid && parent.spanID.isValid)
        #expect(child.start >= parent.start && child.end <= parent.end)
        #expect(parent.resource.serviceName == "order")
        #expect(spans.children(of: parent).map(\.name) == ["child"])
        #expect(spans.spans(of: parent.traceID).count == 2)
        #expect(spans.roots.map(\.name) == ["parent"])
    }

    @Test func `roots have traces of their own`() {
        let tracer = spans.makeTracer()
        for _ in 0..<1_000 { tracer.startSpan("root").end() }
        #expect(Set(spans.spans.map(\.traceID)).count == 1_000)
        #expect(Set(spans.spans.map(\.spanID)).count == 1_000)
    }

    @Test func `works through the global functions`() async throws {
        await withTracer(spans.makeTracer()) {
            await withSpan("outer") { outer in
                outer.attributes["a"] = 1
                await withSpan("inner") { _ in await Task.yield() }
            }
        }
        let outer = try #require(spans.first(named: "outer"))
        #expect(spans.children(of: outer).map(\.name) == ["inner"])
        #expect(outer.attributes.get("a") == .int64(1))
        #expect(spans.spans(withAttribute: "a", equalTo: 1).count == 1)
        #expect(spans.spans(withAttribute: "a", equalTo: 2).isEmpty)
        #expect(spans.spans(withAttribute: "a").count == 1)
    }

    @Test(arguments: [
        Tracing.SpanKind.internal, .server, .client, .producer, .consumer,
    ])
    func `keeps the kind`(kind: Tracing.SpanKind) {
        spans.makeTracer().startSpan("span", ofKind: kind).end()
        #expect(spans.spans.map(\.kind) == [kind])
    }

    @Test func `children of an unsampled span stay unsampled, in the same trace`() throws {
        let tracer = tracer(ParentBasedSampler(root: NeverSampler()))
        let root = tracer.startSpan("root")
        #expect(!root.isRecording)
        let context = try #require(root.context.traceContext)
        #expect(context.traceID.isValid && context.spanID.isValid && !context.isSampled)
        let child = tracer.startSpan("child", context: root.context)
        #expect(child.context.traceContext == context)
        var carrier: [String: String] = [:]
        tracer.inject(child.context, into: &carrier, using: DictionaryCarrier())
        #expect(carrier["traceparent"] == "00-\(context.traceID)-\(context.spanID)-02")
        child.end()
        root.end()
        #expect(spans.spans.isEmpty)
        #expect(tracer.counters.notSampledCount == 2)
        #expect(tracer.counters.startedCount == 0)
    }

    @Test func `an unsampled span takes everything and keeps nothing`() {
        let span = tracer(NeverSampler()).startSpan("span")
        span.attributes["a"] = 1
        span.operationName = "other"
        span.addEvent("event")
        span.recordError(CancellationError())
        span.setStatus(.init(code: .error))
        span.addLink(span)
        #expect(span.attributes.isEmpty)
        #expect(span.operationName.isEmpty)
        span.end()
        span.end()
        #expect(spans.spans.isEmpty)
    }

    @Test func `continues a trace from a carrier`() throws {
        let tracer = spans.makeTracer()
        let carrier = [
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tracestate": "rojo=1", "baggage": "order.id=42,bad",
        ]
        var context = InstrumentationContext.topLevel
        tracer.extract(carrier, into: &context, using: DictionaryCarrier())
        #expect(context.traceContext?.isRemote == true)
        #expect(context.baggage["order.id"] == "42")
        #expect(tracer.counters.droppedBaggageMemberCount == 1)
        let span = tracer.startSpan("server", context: context, ofKind: .server)
        var sent: [String: String] = [:]
        tracer.inject(span.context, into: &sent, using: DictionaryCarrier())
        span.end()
        let record = try #require(spans.spans.first)
        #expect(record.traceID.hex == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(record.parentSpanID.hex == "00f067aa0ba902b7")
        #expect(record.parentIsRemote && !record.context.isRemote)
        #expect(sent["traceparent"] == "00-\(record.traceID)-\(record.spanID)-01")
        #expect(sent["tracestate"] == "rojo=1")
        #expect(sent["baggage"] == "order.id=42")
    }

    @Test func `an unsampled caller is followed under an id of our own`() throws {
        let tracer = spans.makeTracer()
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        var context = InstrumentationContext.topLevel
        tracer.extract(["traceparent": header], into: &context, using: DictionaryCarrier())
        let span = tracer.startSpan("server", context: context)
        let own = try #require(span.context.traceContext)
        #expect(own.traceID.hex == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(own.spanID.hex != "00f067aa0ba902b7")
        #expect(!own.isSampled && !own.isRemote)
    }

    @Test func `a malformed carrier starts a new trace`() {
        let tracer = spans.makeTracer()
        var context = InstrumentationContext.topLevel
        let carrier = ["traceparent": "00-zz", "tracestate": "=", "baggage": ";;;"]
        tracer.extract(carrier, into: &context, using: DictionaryCarrier())
        #expect(context.isEmpty)
        tracer.startSpan("server", context: context).end()
        #expect(spans.roots.count == 1)
    }

    @Test func `what a carrier does not say stays as it was`() {
        let tracer = spans.makeTracer()
        let span = tracer.startSpan("span")
        var context = span.context
        tracer.extract(["baggage": "a=1"], into: &context, using: DictionaryCarrier())
        #expect(context.traceContext == span.context.traceContext)
        #expect(context.baggage["a"] == "1")
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        tracer.extract(["traceparent": header], into: &context, using: DictionaryCarrier())
        #expect(context.traceContext?.isRemote == true)
        #expect(context.baggage["a"] == "1")
        #expect(tracer.activeSpan(identifiedBy: context) == nil)
        span.end()
    }

    @Test func `baggage reaches what is started inside`() {
        let tracer = spans.makeTracer()
        var context = InstrumentationContext.topLevel
        context.baggage.set("42", forKey: "order.id")
        #expect(context.traceContext == nil)
        let span = tracer.startSpan("span", context: context)
        #expect(span.context.baggage["order.id"] == "42")
        var carrier: [String: String] = [:]
        tracer.inject(span.context, into: &carrier, using: DictionaryCarrier())
        #expect(carrier["baggage"] == "order.id=42")
    }

    @Test func `notes the ratio it sampled by`() throws {
        let tracer = tracer(ParentBasedSampler(root: RatioSampler(0.5)))
        var sampled: SkeinSpan?
        while sampled == nil {
            let span = tracer.startSpan("root")
            if span.isRecording { sampled = span }
        }
        let span = try #require(sampled)
        #expect(span.context.traceContext?.state.text == "ot=th:8")
        let child = tracer.startSpan("child", context: span.context)
        #expect(child.context.traceContext?.state.text == "ot=th:8")
        child.end()
        span.end()
    }

    @Test func `samples by the randomness that travels`() {
        let tracer = tracer(RatioSampler(0.5))
        for (randomness, isSampled) in [("80000000000000", true), ("7fffffffffffff", false)] {
            var context = InstrumentationContext.topLevel
            let carrier = [
                "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "tracestate": "ot=th:4;rv:\(randomness)",
            ]
            tracer.extract(carrier, into: &context, using: DictionaryCarrier())
            let span = tracer.startSpan("span", context: context)
            #expect(span.isRecording == isSampled)
            // Below a span that was dropped no threshold holds any more.
            let threshold = span.context.traceContext?.state.samplingThreshold
            #expect(threshold == (isSampled ? 0x80_0000_0000_0000 : nil))
            span.end()
        }
    }

    @Test func `finds the span a context belongs to while it runs`() {
        let tracer = spans.makeTracer()
        let other = SpanCollector().makeTracer()
        let span = tracer.startSpan("span")
        #expect(tracer.activeSpan(identifiedBy: span.context)?.operationName == "span")
        #expect(other.activeSpan(identifiedBy: span.context) == nil)
        #expect(tracer.activeSpan(identifiedBy: .topLevel) == nil)
        span.end()
        #expect(tracer.activeSpan(identifiedBy: span.context) == nil)
    }

    @Test func `switched off it passes contexts on untouched`() {
        var options = TracerOptions()
        options.isEnabled = false
        let tracer = spans.makeTracer(options: options)
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        var context = InstrumentationContext.topLevel
        tracer.extract(["traceparent": header], into: &context, using: DictionaryCarrier())
        let span = tracer.startSpan("span", context: context)
        #expect(!span.isRecording)
        var carrier: [String: String] = [:]
        tracer.inject(span.context, into: &carrier, using: DictionaryCarrier())
        #expect(carrier["traceparent"] == header)
        span.end()
        #expect(spans.spans.isEmpty)
        #expect(tracer.startSpan("root").context.isEmpty)
    }

    @Test func `links every one of many concurrent children to its own parent`() async {
        let tracer = spans.makeTracer()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<100 {
                group.addTask {
                    await tracer.withSpan("parent \(task)") { parent in
                        for _ in 0..<10 {
                            await tracer.withSpan("child \(task)") { child in
                                child.attributes["task"] = task
                                parent.addEvent("called")
                                await Task.yield()
                            }
                        }
                    }
                }
            }
        }
        #expect(spans.spans.count == 1_100)
        for root in spans.roots {
            let children = spans.children(of: root)
            let number = root.name.dropFirst("parent ".count)
            #expect(children.count == 10)
            #expect(children.allSatisfy { $0.name == "child \(number)" })
            #expect(root.events.count == 10)
        }
        #expect(tracer.counters.startedCount == 1_100)
        #expect(tracer.counters.endedCount == 1_100)
    }
}
