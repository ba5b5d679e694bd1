// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import Tracing

/// Spans with everything that a span can have, of both kinds.
struct RichSpans {
    /// Ids of one span, in hexadecimal digits.
    struct IDs: Codable {
        var trace: String
        var span: String
    }

    private struct OutOfStock: Error, CustomStringConvertible {
        let description = "no kites left"
    }

    private struct Instant: TracerInstant {
        var nanosecondsSinceEpoch: UInt64

        static func < (left: Instant, right: Instant) -> Bool {
            left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
        }
    }

    private let tracer: SkeinTracer
    /// The caller, of another process, and the span that is linked to.
    private let caller: PropagatedContext
    private let base: UInt64 = 1_795_000_000_000_000_000

    init(_ pipeline: SpanPipeline) {
        var options = TracerOptions()
        options.limits.attributeCount = 14
        options.limits.eventCount = 2
        options.limits.linkCount = 2
        options.limits.attributeCountPerEvent = 3
        options.limits.attributeCountPerLink = 1
        options.limits.attributeValueLength = 40
        let resource = Resource(
            serviceName: "wire-peer",
            attributes: ["deployment.environment": "test", "host.cpu.count": 2]
        )
        tracer = SkeinTracer(resource: resource, pipeline: pipeline, options: options)
        caller = tracer.extract {
            switch $0 {
            case "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"
            case "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
            default: nil
            }
        }
    }

    /// Records all of them and gives their ids by name.
    func record() -> [String: IDs] {
        var ids: [String: IDs] = [:]
        foreignSpans(&ids)
        ownSpans(&ids)
        return ids
    }

    private func foreignSpans(_ ids: inout [String: IDs]) {
        var context = InstrumentationContext.topLevel
        tracer.extract(
            [
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
                "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
            ],
            into: &context,
            using: DictionaryExtractor()
        )
        let kinds: [(String, Tracing.SpanKind)] = [
            ("served", .server), ("called", .client), ("produced", .producer),
            ("consumed", .consumer), ("worked", .internal),
        ]
        for (index, (name, kind)) in kinds.enumerated() {
            let start = Instant(nanosecondsSinceEpoch: base + UInt64(index) * 1_000)
            let span = tracer.startSpan(name, context: context, ofKind: kind, at: start)
            ids[name] = span.context.traceContext.map {
                IDs(trace: $0.traceID.hex, span: $0.spanID.hex)
            }
            fill(span, index)
            span.end(at: Instant(nanosecondsSinceEpoch: start.nanosecondsSinceEpoch + 500))
            // The next one is a child of this one, in this process.
            context = span.context
        }
    }

    private func fill(_ span: SkeinSpan, _ index: Int) {
        switch index {
        case 0:
            span.updateAttributes { attributes in
                attributes["text"] = "收货地址 🛒 \"\\\n"
                attributes["empty"] = ""
                attributes["yes"] = true
                attributes["no"] = false
                attributes["least"] = SpanAttribute.int64(.min)
                attributes["most"] = SpanAttribute.int64(.max)
                attributes["small"] = SpanAttribute.int32(-7)
                attributes["ratio"] = 0.1
                attributes["huge"] = SpanAttribute.double(1e300)
                attributes["texts"] = SpanAttribute.stringArray(["a", "", "ü"])
                attributes["numbers"] = SpanAttribute.int64Array([1, -1, 0])
                attributes["ratios"] = SpanAttribute.doubleArray([0.5, -2])
                attributes["flags"] = SpanAttribute.boolArray([true, false])
                attributes["shown"] = SpanAttribute.stringConvertible(42)
            }
            // One too many.
            span.attributes["dropped"] = 1
        case 1:
            for number in 0..<4 {
                let time = Instant(nanosecondsSinceEpoch: base + 1_100 + UInt64(number))
                span.addEvent(
                    SpanEvent(
                        name: "event \(number)",
                        at: time,
                        attributes: ["number": .int64(Int64(number))]
                    )
                )
            }
            span.setStatus(SpanStatus(code: .error, message: "no kites left"))
        case 2:
            var other = InstrumentationContext.topLevel
            tracer.extract(
                [
                    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
                    "tracestate": "vendor=1",
                ],
                into: &other,
                using: DictionaryExtractor()
            )
            for number in 0..<3 {
                span.addLink(
                    SpanLink(
                        context: other,
                        attributes: ["why": "batch", "number": .int64(Int64(number))]
                    )
                )
            }
            span.setStatus(SpanStatus(code: .ok))
        case 3:
            span.recordError(
                OutOfStock(),
                attributes: ["item": "kite", "more": 1],
                at: Instant(nanosecondsSinceEpoch: base + 3_100)
            )
            span.attributes["long"] = SpanAttribute.string(String(repeating: "é", count: 60))
        default: break
        }
    }

    private func ownSpans(_ ids: inout [String: IDs]) {
        ids["own root"] = tracer.span("own root", .server) { span in
            span.set("text", "收货地址 🛒")
            span.set("fixed", static: "GET")
            span.set("count", -42)
            span.set("ratio", 0.5)
            span.set("yes", true)
            span.set(key: "raw", value: .bytes([0, 255]))
            span.set(key: "list", value: .array([.string("a"), .int(1), .bool(false)]))
            span.set(
                key: "map",
                value: .map([.init(key: "inner", value: .array([.double(1.5)]))])
            )
            span.set("count", 43)
            ids["own child"] = tracer.span("own child", .client) { child in
                for number in 0..<3 {
                    child.event("event \(number)", [("number", .int(Int64(number)))])
                }
                if let trace = caller.trace {
                    child.link(trace, [("why", .string("batch")), ("more", .int(1))])
                }
                child.fail("no kites left")
                for number in 0..<16 { child.set(key: "key \(number)", value: .int(Int64(number))) }
                return IDs(trace: child.traceID.hex, span: child.spanID.hex)
            }
            return IDs(trace: span.traceID.hex, span: span.spanID.hex)
        }
    }
}

private struct DictionaryExtractor: Extractor {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}
