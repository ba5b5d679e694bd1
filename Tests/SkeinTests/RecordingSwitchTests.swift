// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

@Suite struct RecordingSwitchTests {
    let spans = SpanCollector()

    @Test func `switched off, nothing that starts is recorded`() {
        var options = TracerOptions()
        options.propagators = [B3()]
        let tracer = spans.makeTracer(options: options)
        tracer.isRecording = false
        #expect(!tracer.isRecording)
        var context = InstrumentationContext.topLevel
        tracer.extract(["b3": "d"], into: &context, using: DictionaryCarrier())
        tracer.startSpan("debug", context: context).end()
        tracer.startSpan("root").end()
        tracer.span("own") { span in
            #expect(!span.isRecording)
            tracer.span("inner") { #expect(!$0.isRecording) }
        }
        #expect(spans.spans.isEmpty)
        #expect(tracer.counters.startedCount == 0)
        #expect(tracer.counters.notSampledCount == 3)
        tracer.isRecording = true
        tracer.startSpan("later").end()
        #expect(spans.spans.map(\.name) == ["later"])
    }

    @Test func `spans that run are finished, what is below them is not recorded`() {
        let tracer = spans.makeTracer()
        tracer.span("own") { own in
            tracer.isRecording = false
            tracer.span("below") { below in
                #expect(!below.isRecording)
                #expect(below.traceID == own.traceID)
                var carrier: [String: String] = [:]
                tracer.inject { carrier[$0] = $1 }
                #expect(carrier["traceparent"]?.hasSuffix("-02") == true, "\(carrier)")
                tracer.span("deeper") { #expect(!$0.isRecording) }
            }
            own.set("finished", true)
        }
        #expect(spans.spans.map(\.name) == ["own"])
        #expect(spans.first(named: "own")?.attributes.get("finished") == true)
    }

    @Test(arguments: [("off", false, 0), ("OFF", false, 0), ("on", true, 0), ("maybe", true, 1)])
    func `the environment sets it`(text: String, isRecording: Bool, count: Int) {
        let warnings = Warnings()
        var configuration = SkeinConfiguration()
        configuration.pipeline.onWarning = { warnings.add($0) }
        let read = configuration.applying(TracingEnvironment(["SKEIN_RECORDING": text]))
        #expect(spans.makeTracer(options: read.tracer).isRecording == isRecording)
        #expect(warnings.all.count == count)
    }

    @Test(arguments: [("1", true), ("anything", true), ("0", false), ("false", false), ("", false)])
    func `a header asks for one request`(text: String, isRecorded: Bool) {
        var options = TracerOptions()
        options.sampler = NeverSampler()
        options.propagators = [W3CTraceContext(), DebugHeader()]
        let tracer = spans.makeTracer(options: options)
        var context = InstrumentationContext.topLevel
        tracer.extract(["x-trace-debug": text], into: &context, using: DictionaryCarrier())
        let span = tracer.startSpan("entry", context: context)
        var carrier: [String: String] = [:]
        tracer.inject(span.context, into: &carrier, using: DictionaryCarrier())
        span.end()
        #expect(spans.spans.count == (isRecorded ? 1 : 0))
        #expect(carrier["x-trace-debug"] == (isRecorded ? "1" : nil))
    }
}
