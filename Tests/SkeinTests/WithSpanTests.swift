// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

/// `withSpan` of a `SkeinTracer` that is held itself: the same as the general form, by fewer steps.
@Suite struct WithSpanTests {
    private let spans = SpanCollector()

    private func tracer(_ sampler: any Sampler) -> SkeinTracer {
        var options = TracerOptions()
        options.sampler = sampler
        return spans.makeTracer(serviceName: "test", options: options)
    }

    private var never: SkeinTracer { tracer(ParentBasedSampler(root: NeverSampler())) }

    private struct Carrier: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
            carrier[key] = value
        }
    }

    private func header(_ tracer: SkeinTracer) -> String? {
        var carrier: [String: String] = [:]
        tracer.inject(InstrumentationContext.current ?? .topLevel, into: &carrier, using: Carrier())
        return carrier["traceparent"]
    }

    /// The general form, as who holds `any Tracer` gets it.
    private func general(_ tracer: some Tracer, _ name: String, _ body: () -> Void) {
        tracer.withSpan(name) { _ in body() }
    }

    @Test func `all forms keep one trace that is not recorded`() async throws {
        let tracer = never
        try await tracer.withSpan("root") { root in
            let trace = try #require(root.context.traceContext)
            #expect(!trace.isSampled)
            let expected = header(tracer)
            #expect(expected?.contains("\(trace.traceID)") == true)
            tracer.withSpan("child") { child in
                #expect(child.context.traceContext == trace)
                #expect(header(tracer) == expected)
                general(tracer, "grandchild") { #expect(header(tracer) == expected) }
                tracer.span("own") { #expect($0.traceID == trace.traceID) }
            }
            await tracer.withSpan("waiting") { child in
                await Task.yield()
                #expect(child.context.traceContext == trace)
                await Task { #expect(header(tracer) == expected) }.value
            }
        }
        #expect(InstrumentationContext.current?.traceContext == nil)
        #expect(spans.spans.isEmpty)
        #expect(tracer.counters.notSampledCount == 4)
    }

    @Test func `baggage that is added on the way goes along`() {
        let tracer = never
        tracer.withSpan("root") { _ in
            var context = InstrumentationContext.current ?? .topLevel
            context.baggage.set("7", forKey: "order.id")
            InstrumentationContext.withValue(context) {
                tracer.withSpan("child") { child in
                    #expect(child.context.baggage["order.id"] == "7")
                    #expect(child.context.traceContext == context.traceContext)
                }
            }
            tracer.withSpan("other") { #expect($0.context.baggage["order.id"] == nil) }
        }
    }

    @Test func `an own span between two is the parent of the inner one`() throws {
        let tracer = never
        try tracer.withSpan("root") { root in
            let trace = try #require(root.context.traceContext)
            tracer.span("own") { own in
                tracer.withSpan("inner") { inner in
                    #expect(inner.context.traceContext?.traceID == trace.traceID)
                    #expect(inner.context.traceContext?.isSampled == false)
                }
                #expect(own.traceID == trace.traceID)
            }
        }
        #expect(spans.spans.isEmpty)
    }

    @Test func `a sampler that does not follow parents is asked for each span`() throws {
        let unrecorded = never
        let recorded = tracer(AlwaysSampler())
        unrecorded.withSpan("root") { _ in recorded.withSpan("child") { _ in } }
        let child = try #require(spans.first(named: "child"))
        #expect(spans.spans.count == 1)
        #expect(child.parentSpanID.isValid)
    }

    @Test func `an error is noted and thrown on`() async throws {
        struct Broken: Error {}
        let tracer = tracer(AlwaysSampler())
        #expect(throws: Broken.self) { try tracer.withSpan("a") { _ in throw Broken() } }
        await #expect(throws: Broken.self) {
            try await tracer.withSpan("b") { _ in
                await Task.yield()
                throw Broken()
            }
        }
        for name in ["a", "b"] {
            let span = try #require(spans.first(named: name))
            #expect(span.status?.code == .error)
            #expect(span.events.map(\.name) == ["exception"])
        }
    }
}
