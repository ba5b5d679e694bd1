// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinTesting
import Testing
import Tracing

@Suite struct TravelTests {
    let spans = SpanCollector()

    private func tracer(copying keys: [String] = []) -> SkeinTracer {
        var options = TracerOptions()
        options.copiedBaggageKeys = keys
        return spans.makeTracer(options: options)
    }

    private func headers(_ tracer: SkeinTracer) -> [String: String] {
        var carrier: [String: String] = [:]
        tracer.inject { carrier[$0] = $1 }
        return carrier
    }

    @Test func `what is put travels the whole chain, what is put once one hop`() async {
        let (gateway, order, stock) = (tracer(), tracer(), tracer())
        let first = gateway.span("gateway") { _ in
            gateway.sending {
                $0.put("order.id", "47 11")
                $0.putOnce("attempt", "2")
            } around: {
                gateway.span("call order", .client) { _ in headers(gateway) }
            }
        }
        #expect(first["baggage"] == "order.id=47%2011")
        #expect(first["baggage-once"] == "attempt=2")
        let second = await order.span("order", continuing: order.extract { first[$0] }) { _ in
            #expect(order.traveling.value("attempt") == "2")
            #expect(order.traveling.value("order.id") == "47 11")
            return order.span("call stock", .client) { _ in headers(order) }
        }
        #expect(second["baggage"] == "order.id=47%2011")
        #expect(second["baggage-once"] == nil)
        await stock.span("stock", continuing: stock.extract { second[$0] }) { _ in
            #expect(stock.traveling.value("attempt") == nil)
            #expect(stock.traveling.value("order.id") == "47 11")
        }
        #expect(Set(spans.spans.map(\.traceID)).count == 1)
    }

    @Test func `spans of swift-distributed-tracing carry the same`() {
        let tracer = tracer()
        tracer.sending {
            $0.put("order.id", "4711")
            $0.putOnce("attempt", "2")
        } around: {
            tracer.withSpan("outer") { outer in
                tracer.span("own") { _ in
                    tracer.withSpan("inner") { inner in
                        var carrier: [String: String] = [:]
                        tracer.inject(
                            inner.context,
                            into: &carrier,
                            using: DictionaryCarrier()
                        )
                        #expect(carrier["baggage"] == "order.id=4711")
                        #expect(carrier["baggage-once"] == "attempt=2")
                        #expect(inner.context.onceBaggage.sent["attempt"] == "2")
                    }
                }
            }
        }
        var context = InstrumentationContext.topLevel
        tracer.extract(["baggage-once": "attempt=2"], into: &context, using: DictionaryCarrier())
        #expect(context.onceBaggage.received["attempt"] == "2")
        var carrier: [String: String] = [:]
        tracer.inject(context, into: &carrier, using: DictionaryCarrier())
        #expect(carrier["baggage-once"] == nil)
        context.onceBaggage.sent.set("3", forKey: "attempt")
        tracer.inject(context, into: &carrier, using: DictionaryCarrier())
        #expect(carrier["baggage-once"] == "attempt=3")
    }

    @Test func `sending keeps the trace and the parent, and ends with its body`() throws {
        let tracer = tracer()
        tracer.span("own") { own in
            tracer.sending {
                $0.put("k", "v")
            } around: {
                #expect(tracer.traveling.trace?.spanID == own.spanID)
                tracer.span("own child") { $0.set("n", 1) }
                tracer.startSpan("child").end()
            }
            #expect(tracer.traveling.value("k") == nil)
        }
        tracer.withSpan("foreign") { foreign in
            tracer.sending {
                $0.put("k", "v")
            } around: {
                tracer.span("foreign's child") { _ in }
                #expect(tracer.activeSpan(identifiedBy: .current ?? .topLevel) != nil)
            }
        }
        let own = try #require(spans.first(named: "own"))
        #expect(Set(spans.children(of: own).map(\.name)) == ["own child", "child"])
        let foreign = try #require(spans.first(named: "foreign"))
        #expect(spans.children(of: foreign).map(\.name) == ["foreign's child"])
    }

    @Test func `it works without any span, and where nothing is sampled`() {
        var options = TracerOptions()
        options.isRecording = false
        for tracer in [tracer(), spans.makeTracer(options: options)] {
            tracer.sending {
                $0.put("k", "v")
            } around: {
                #expect(headers(tracer)["baggage"] == "k=v")
                tracer.span("root") { _ in #expect(headers(tracer)["baggage"] == "k=v") }
            }
        }
    }

    @Test func `it crosses awaits and child tasks`() async {
        let tracer = tracer()
        await tracer.span("root") { _ in
            await tracer.sending {
                $0.put("k", "v")
            } around: {
                await Task.yield()
                async let child = headers(tracer)["baggage"]
                #expect(await child == "k=v")
            }
        }
    }

    @Test func `limits are counted apart and bad keys are refused`() {
        let tracer = tracer()
        tracer.sending { context in
            var taken = [
                context.put("a b", "v"), context.putOnce("", "v"),
                context.put("long", String(repeating: "x", count: 9_000)),
            ]
            #expect(taken == [false, false, false])
            taken = (0..<65).map { context.put("k\($0)", "v") }
            #expect(taken.filter { $0 }.count == 64)
            context.putOnce("k64", "v")
        } around: {
            #expect(headers(tracer)["baggage-once"] == "k64=v")
        }
        let hostile = String(repeating: "a=b,", count: 1 << 20)
        let found = tracer.extract { $0 == "baggage-once" ? hostile : nil }
        #expect(found.once.received.members.count <= 64)
        #expect(tracer.counters.droppedBaggageMemberCount > 0)
    }

    @Test func `chosen keys become attributes of every recorded span`() async throws {
        let tracer = tracer(copying: ["order.id", "attempt", "absent"])
        let caller = tracer.extract {
            ["baggage": "order.id=4711,user=ada", "baggage-once": "attempt=2"][$0]
        }
        await tracer.span("own entry", continuing: caller) { _ in
            tracer.span("own child") { $0.set("n", 1) }
            tracer.withSpan("foreign child") { _ in tracer.span("own grandchild") { _ in } }
        }
        var context = InstrumentationContext.topLevel
        tracer.extract(
            ["baggage": "order.id=4712"],
            into: &context,
            using: DictionaryCarrier()
        )
        tracer.startSpan("foreign entry", context: context).end()
        tracer.span("without") { _ in }
        #expect(spans.spans.count == 6)
        for name in ["own entry", "own child", "foreign child", "own grandchild"] {
            let span = try #require(spans.first(named: name))
            #expect(span.attributes.get("order.id") == "4711", "\(name)")
            #expect(span.attributes.get("attempt") == "2", "\(name)")
            #expect(span.attributes.get("user") == nil, "\(name)")
            #expect(span.attributes.get("absent") == nil, "\(name)")
        }
        let entry = try #require(spans.first(named: "foreign entry"))
        #expect(entry.attributes.get("order.id") == "4712")
        let without = try #require(spans.first(named: "without"))
        #expect(without.attributes.get("order.id") == nil)
    }
}
