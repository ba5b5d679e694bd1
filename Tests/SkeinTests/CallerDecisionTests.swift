// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

@Suite struct CallerDecisionTests {
    let spans = SpanCollector()
    private static let ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

    private func context(_ tracer: SkeinTracer, _ header: String) -> InstrumentationContext {
        var context = InstrumentationContext.topLevel
        tracer.extract(["b3": header], into: &context, using: DictionaryCarrier())
        return context
    }

    private func tracer(root: any Sampler) -> SkeinTracer {
        var options = TracerOptions()
        options.sampler = ParentBasedSampler(root: root)
        options.propagators = [B3()]
        return spans.makeTracer(options: options)
    }

    @Test(
        arguments: [
            ("\(ids)-1", true, true), ("\(ids)-0", false, false), ("\(ids)-d", true, true),
            ("\(ids)", false, true), ("1", true, true), ("0", false, false), ("d", true, true),
        ] as [(String, Bool, Bool)]
    )
    func `is followed`(header: String, underNever: Bool, underAlways: Bool) {
        for (sampler, expected) in [
            (NeverSampler() as any Sampler, underNever), (AlwaysSampler(), underAlways),
        ] {
            let tracer = tracer(root: sampler)
            let before = spans.spans.count
            tracer.startSpan("entry", context: context(tracer, header), ofKind: .server).end()
            #expect(spans.spans.count - before == (expected ? 1 : 0), "\(header)")
        }
    }

    @Test func `a wish to debug travels on, any other is in the flags`() {
        let tracer = tracer(root: NeverSampler())
        for (header, tail) in [
            ("d", "-d"), ("\(Self.ids)-d", "-d"), ("1", "-1"), ("\(Self.ids)-1", "-1"),
        ] {
            let span = tracer.startSpan("entry", context: context(tracer, header), ofKind: .server)
            let child = tracer.startSpan("call", context: span.context, ofKind: .client)
            var carrier: [String: String] = [:]
            tracer.inject(child.context, into: &carrier, using: DictionaryCarrier())
            #expect(carrier["b3"]?.hasSuffix(tail) == true, "\(header)")
            child.end()
            span.end()
        }
        #expect(spans.spans.count == 8)
    }

    @Test func `rates count time`() {
        let tracer = tracer(root: RateLimitSampler(tracesPerSecond: 0.001))
        for _ in 0..<100 {
            tracer.withSpan("root") { _ in tracer.withSpan("child") { _ in } }
        }
        // The first trace, whole; the next in a thousand seconds.
        #expect(spans.spans.count == 2)
    }

    @Test(arguments: [
        ("b3", ["b3"]), ("b3multi", ["x-b3-traceid"]), ("jaeger", ["uber-trace-id"]),
        ("xray", ["x-amzn-trace-id"]), ("sw8", ["sw8"]),
        ("tracecontext,b3", ["traceparent", "b3"]),
    ])
    func `formats are chosen by the environment`(names: String, headers: [String]) {
        let configuration = SkeinConfiguration(serviceName: "shop")
            .applying(TracingEnvironment(["OTEL_PROPAGATORS": names]))
        let tracer = spans.makeTracer(options: configuration.tracer)
        tracer.withSpan("call") { span in
            var carrier: [String: String] = [:]
            tracer.inject(span.context, into: &carrier, using: DictionaryCarrier())
            for header in headers { #expect(carrier[header] != nil, "\(carrier)") }
        }
    }
}
