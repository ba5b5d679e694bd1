// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Tracing

/// What came, and by which formats it is read and sent on.
struct Carrier: Codable {
    /// `OTEL_PROPAGATORS`.
    var propagators: String
    /// Whether a trace that begins here is recorded.
    var records = true
    /// Whether the span is one of swift-distributed-tracing, not one of our own.
    var isForeign = false
    /// Baggage keys that Jaeger's format is asked for.
    var baggageKeys: [String] = []
    /// Baggage that is added here.
    var put: [String: String] = [:]
    /// Names in lower case.
    var headers: [String: String] = [:]

    /// Starts a span that continues what came, and sends it on.
    func carry() async -> Carried {
        var configuration = SkeinConfiguration()
            .applying(TracingEnvironment(["OTEL_PROPAGATORS": propagators]))
        configuration.tracer.propagators = configuration.tracer.propagators.map {
            $0 is JaegerContext ? JaegerContext(baggageKeys: baggageKeys) : $0
        }
        configuration.tracer.sampler = ParentBasedSampler(
            root: records ? AlwaysSampler() : NeverSampler()
        )
        let tracer = SpanCollector().makeTracer(options: configuration.tracer)
        return isForeign ? carryForeign(tracer) : await carryOwn(tracer)
    }

    private func carryOwn(_ tracer: SkeinTracer) async -> Carried {
        var found = tracer.extract { headers[$0] }
        let baggage = found.baggage
        for (key, value) in put { found.put(key, value) }
        return await tracer.span("carried", continuing: found) { span in
            var carried = Carried(found.trace, baggage)
            carried.isRecorded = span.isRecording
            tracer.inject { carried.headers[$0] = $1 }
            return carried
        }
    }

    private func carryForeign(_ tracer: SkeinTracer) -> Carried {
        var context = InstrumentationContext.topLevel
        tracer.extract(headers, into: &context, using: Headers())
        var carried = Carried(context.traceContext, context.baggage)
        for (key, value) in put { context.baggage.set(value, forKey: key) }
        let span = tracer.startSpan("carried", context: context, ofKind: .server)
        carried.isRecorded = span.isRecording
        tracer.inject(span.context, into: &carried.headers, using: Headers())
        span.end()
        return carried
    }
}

/// What was read, and what is sent on.
struct Carried: Codable {
    var traceID: String?
    var spanID: String?
    var flags: UInt8?
    var state: String?
    var baggage: [String: String] = [:]
    /// Whether the span that continues it is recorded.
    var isRecorded = false
    /// What that span sends on.
    var headers: [String: String] = [:]

    init(_ trace: TraceContext?, _ baggage: Baggage) {
        traceID = trace?.traceID.hex
        spanID = trace?.spanID.hex
        flags = trace?.flags.rawValue
        state = trace?.state.text
        for member in baggage.members { self.baggage[member.key] = member.value }
    }
}

private struct Headers: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }

    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
        carrier[key] = value
    }
}
