// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

/// What spans of our own keep where much is said of them.
@Suite struct OwnSpanBoundTests {
    private struct Wordy: Error, CustomStringConvertible {
        var description: String { String(repeating: "wörter ", count: 20_000) }
    }

    private let spans = SpanCollector()

    private func tracer(_ change: (inout TracerOptions) -> Void = { _ in }) -> SkeinTracer {
        var options = TracerOptions()
        options.sampler = AlwaysSampler()
        change(&options)
        return spans.makeTracer(serviceName: "order", options: options)
    }

    @Test func `the message of a failure is cut at a character`() throws {
        let tracer = tracer()
        tracer.span("said") { $0.fail(String(repeating: "é", count: 50_000)) }
        try? tracer.span("thrown") { _ in throw Wordy() }
        for name in ["said", "thrown"] {
            let message = try #require(spans.first(named: name)?.status?.message)
            #expect(message.utf8.count <= 1_024 && message.utf8.count > 1_000)
            #expect(!message.contains("\u{FFFD}"))
        }
    }

    @Test(arguments: [0, 1, 2, 3])
    func `a name is cut at a character`(lead: Int) throws {
        let tracer = tracer()
        let name = String(repeating: "x", count: lead) + String(repeating: "路", count: 2_000)
        tracer.span("short") { $0.rename(name) }
        let span = try #require(spans.spans.first)
        #expect(name.hasPrefix(span.name) && span.name.utf8.count > 1_020)
        #expect(span.name.utf8.count <= 1_024)
    }

    @Test func `a name that changes often takes the room of one`() throws {
        let tracer = tracer()
        tracer.span("first") { span in
            for number in 0..<5_000 {
                span.rename("\(number) " + String(repeating: "n", count: 900))
            }
            span.set("text", String(repeating: "x", count: 5_000))
            span.rename("last")
        }
        let span = try #require(spans.spans.first)
        #expect(span.name == "last")
        #expect(span.attributes.count == 1 && span.dropped == .init())
    }

    @Test func `an attribute that is set often counts once towards the limit`() throws {
        let tracer = tracer()
        tracer.span("job") { span in
            for number in 0..<500 { span.set("progress", number) }
            span.set("order.id", "4711")
        }
        let span = try #require(spans.spans.first)
        #expect(span.attributes.get("progress") == .int64(499))
        #expect(span.attributes.get("order.id") != nil)
        #expect(span.attributes.count == 2 && span.dropped == .init())
    }

    @Test func `at the limit what is there may change, and what is new is counted`() throws {
        let tracer = tracer { $0.limits.attributeCount = 3 }
        tracer.span("job") { span in
            span.set("a", 1)
            span.set("b", 1)
            span.set("c", 1)
            for number in 0..<10 { span.set("b", number) }
            span.set("d", 1)
            span.set("e", true)
            span.set("a", "last")
        }
        let span = try #require(spans.spans.first)
        #expect(span.attributes.count == 3)
        #expect(span.attributes.get("a") == .string("last"))
        #expect(span.attributes.get("b") == .int64(9))
        #expect(span.attributes.get("c") == .int64(1))
        #expect(span.dropped.attributes == 2)
    }

    @Test func `a sampler's threshold travels from a span that continues, too`() async throws {
        let tracer = tracer { $0.sampler = ParentBasedSampler(root: RatioSampler(0.999_9)) }
        var sent: [String: String] = [:]
        await tracer.span("root", continuing: PropagatedContext()) { _ in
            tracer.inject { sent[$0] = $1 }
        }
        #expect(sent["tracestate"]?.hasPrefix("ot=th:") == true)
    }
}
