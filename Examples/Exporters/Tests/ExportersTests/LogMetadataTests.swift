// SPDX-License-Identifier: Apache-2.0

import Logging
import Skein
import SkeinModel
import SkeinTesting
import Testing
import Tracing

@Suite struct LogMetadataTests {
    private func ids() -> [String: String] {
        Logger.MetadataProvider.skein.get().mapValues { "\($0)" }
    }

    @Test func `lines carry the ids of the innermost span of either kind`() throws {
        let spans = SpanCollector()
        let tracer = spans.makeTracer()
        #expect(ids().isEmpty)
        let own = tracer.span("own") { _ in ids() }
        let both = tracer.withSpan("foreign") { _ in [ids(), tracer.span("inner") { _ in ids() }] }
        for (name, found) in [("own", own), ("foreign", both[0]), ("inner", both[1])] {
            let span = try #require(spans.first(named: name))
            #expect(found == ["trace_id": "\(span.traceID)", "span_id": "\(span.spanID)"])
        }
        #expect(own["trace_id"]?.count == 32)
        #expect(own["span_id"]?.count == 16)
    }
}
