// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Synchronization
import Testing
import Tracing

private struct Trouble: Error, CustomStringConvertible {
    let description: String
}

@Suite struct OwnSpanTests {
    let spans = SpanCollector()

    private func tracer(
        _ sampler: any Sampler = ParentBasedSampler(root: AlwaysSampler()),
        _ change: (inout TracerOptions) -> Void = { _ in }
    ) -> SkeinTracer {
        var options = TracerOptions()
        options.sampler = sampler
        change(&options)
        return spans.makeTracer(serviceName: "order", options: options)
    }

    // MARK: A sink

    @Test func `a sink is given whole spans however many it was given before`() throws {
        let sink = CountingSink()
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), sink: sink)
        for number in 0..<20_000 { tracer.span("small") { $0.set("number", number) } }
        tracer.span("large") { $0.set("text", String(repeating: "x", count: 5_000)) }
        let large = try #require(sink.last)
        #expect(sink.count == 20_001)
        #expect(large.name == "large" && large.attributes.count == 1)
        #expect(large.dropped.attributes == 0)
    }

    @Test func `a span is with the sink when its block is over`() async {
        let sink = CountingSink()
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), sink: sink)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<4 {
                group.addTask {
                    (0..<2_000).allSatisfy { round in
                        let name = "span \(task) \(round)"
                        tracer.span("x") { $0.rename(name) }
                        return sink.has(name)
                    }
                }
            }
            for await isThere in group { #expect(isThere) }
        }
    }

    @Test func `what a sink does is not recorded`() {
        let sink = CountingSink()
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), sink: sink)
        sink.onAccept { tracer.span("again") { _ in } }
        tracer.span("once") { _ in }
        #expect(sink.count == 1)
    }

    // MARK: Places in a trace

    @Test func `a child has its parent's trace and a new id`() throws {
        let tracer = tracer()
        let answer = tracer.span("parent", .server) { parent in
            tracer.span("child", .client) { child in
                #expect(child.traceID == parent.traceID)
                #expect(child.isRecording && parent.isRecording)
                return 17
            }
        }
        #expect(answer == 17)
        let parent = try #require(spans.first(named: "parent"))
        let child = try #require(spans.first(named: "child"))
        #expect(parent.isRoot && parent.kind == .server)
        #expect(child.parentSpanID == parent.spanID && child.kind == .client)
        #expect(child.traceID == parent.traceID && child.spanID != parent.spanID)
        #expect(parent.context.flags == [.sampled, .random])
        #expect(child.start >= parent.start && child.end <= parent.end)
        #expect(parent.resource.serviceName == "order")
    }

    @Test func `crosses awaits, task groups and child tasks`() async throws {
        let tracer = tracer()
        await tracer.span("outer") { _ in
            await Task.yield()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { await tracer.span("part") { _ in await Task.yield() } }
                }
            }
            async let last: Void = tracer.span("last") { _ in }
            await last
        }
        let outer = try #require(spans.first(named: "outer"))
        #expect(spans.children(of: outer).count == 9)
        #expect(Set(spans.spans.map(\.traceID)).count == 1)
    }

    @Test func `both kinds of spans see each other`() throws {
        let tracer = tracer()
        tracer.span("a") { _ in
            tracer.withSpan("b") { _ in
                tracer.span("c") { _ in
                    tracer.span("d") { _ in
                        tracer.withSpan("e") { _ in
                            tracer.withSpan("f") { _ in tracer.span("g") { _ in } }
                        }
                    }
                }
                tracer.span("h") { _ in }
            }
            tracer.withSpan("i") { _ in }
        }
        func parent(_ name: String) -> String? {
            guard let span = spans.first(named: name) else { return nil }
            return spans.spans.first { $0.spanID == span.parentSpanID }?.name
        }
        let found = ["b", "c", "d", "e", "f", "g", "h", "i"].map(parent)
        #expect(found == ["a", "b", "c", "d", "e", "f", "b", "a"])
        #expect(Set(spans.spans.map(\.traceID)).count == 1)
    }

    @Test func `a span that is not recorded keeps its place in the trace`() {
        let tracer = tracer(ParentBasedSampler(root: NeverSampler()))
        tracer.span("outer") { outer in
            #expect(!outer.isRecording && outer.traceID.isValid)
            tracer.span("inner") { inner in
                #expect(inner.traceID == outer.traceID)
                var carrier: [String: String] = [:]
                tracer.inject { carrier[$0] = $1 }
                #expect(carrier["traceparent"] == "00-\(outer.traceID)-\(outer.spanID)-02")
                tracer.withSpan("foreign") { foreign in
                    #expect(foreign.context.traceContext?.traceID == outer.traceID)
                    #expect(foreign.context.traceContext?.isSampled == false)
                }
            }
        }
        #expect(spans.spans.isEmpty)
        #expect(tracer.counters.startedCount == 0)
    }

    @Test func `nothing is evaluated for a span that is not recorded`() {
        let tracer = tracer(NeverSampler())
        func never<Value>(_ value: Value) -> Value {
            Issue.record("evaluated")
            return value
        }
        tracer.span("quiet") { span in
            span.set("text", never("x"))
            span.set("number", never(1))
            span.set("ratio", never(0.5))
            span.set("flag", never(true))
            span.set(key: never("k"), value: never(.empty))
            span.event(never("e"), never([]))
            span.fail(never(Trouble(description: "")) as any Error)
            span.fail(never("message"))
            span.link(never(TraceContext(traceID: .zero, spanID: SpanID(0), flags: [])))
            span.rename(never("other"))
        }
    }

    // MARK: What is said

    @Test func `keeps values of every type`() throws {
        let tracer = tracer()
        let text = String(repeating: "é", count: 300)
        tracer.span("all") { span in
            span.set("text", text)
            span.set("empty", "")
            span.set("static", static: "fixed")
            span.set("small", 1)
            span.set("negative", -1)
            span.set("large", Int.max)
            span.set("ratio", 0.25)
            span.set("yes", true)
            span.set("no", false)
            span.set(key: "list", value: .array([.int(1), .int(2)]))
            span.set(key: "words", value: .array([.string("a"), .string("b")]))
        }
        let found = try #require(spans.first(named: "all")).attributes
        #expect(found.get("text") == .string(text))
        #expect(found.get("empty") == .string(""))
        #expect(found.get("static") == .string("fixed"))
        #expect(found.get("small") == .int64(1))
        #expect(found.get("negative") == .int64(-1))
        #expect(found.get("large") == .int64(.max))
        #expect(found.get("ratio") == .double(0.25))
        #expect(found.get("yes") == .bool(true))
        #expect(found.get("no") == .bool(false))
        #expect(found.get("list") == .int64Array([1, 2]))
        #expect(found.get("words") == .stringArray(["a", "b"]))
        #expect(found.count == 11)
    }

    @Test func `of a key that is set twice the last value counts`() throws {
        tracer().span("twice") { span in
            for number in 0..<10 { span.set("n", number) }
            span.set("other", "x")
            span.set("n", "last")
        }
        let found = try #require(spans.first(named: "twice")).attributes
        #expect(found.count == 2)
        #expect(found.get("n") == .string("last"))
    }

    @Test func `keeps events, errors, links and a new name`() throws {
        let other = TraceContext(
            traceID: TraceID(high: 1, low: 2),
            spanID: SpanID(3),
            flags: .sampled
        )
        #expect(throws: Trouble.self) {
            try tracer().span("old") { span in
                span.rename("first")
                span.rename("new")
                span.event("tick", [("n", .int(1)), ("list", .array([.bool(true)]))])
                span.link(other, [("why", .string("batch"))])
                throw Trouble(description: "out of stock")
            }
        }
        let span = try #require(spans.first(named: "new"))
        #expect(span.events.map(\.name) == ["tick", "exception"])
        #expect(span.events[0].attributes.get("n") == .int64(1))
        #expect(span.events[0].time >= span.start && span.events[0].time <= span.end)
        #expect(span.events[1].attributes.get("exception.message") == .string("out of stock"))
        #expect(span.links.first?.context.spanID == SpanID(3))
        #expect(span.links.first?.attributes.get("why") == .string("batch"))
        #expect(span.status == SpanStatus(code: .error, message: "out of stock"))
    }

    @Test func `the last status counts`() throws {
        tracer().span("well") { span in
            span.fail("no")
            span.succeed()
        }
        #expect(try #require(spans.first(named: "well")).status == SpanStatus(code: .ok))
    }

    // MARK: Limits and wrong use

    @Test func `limits drop and count exactly`() throws {
        let tracer = tracer { options in
            options.limits.attributeCount = 3
            options.limits.eventCount = 2
            options.limits.linkCount = 1
            options.limits.attributeCountPerEvent = 1
            options.limits.attributeValueLength = 4
        }
        let other = TraceContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3), flags: [])
        tracer.span("much") { span in
            for key in ["a", "b", "c", "d", "e"] { span.set(key: key, value: .string("123456")) }
            for _ in 0..<5 { span.event("e", [("a", .int(1)), ("b", .int(2))]) }
            for _ in 0..<4 { span.link(other) }
        }
        let span = try #require(spans.first(named: "much"))
        #expect(span.attributes.count == 3 && span.dropped.attributes == 2)
        #expect(span.events.count == 2 && span.dropped.events == 3)
        #expect(span.events[0].droppedAttributeCount == 1)
        #expect(span.links.count == 1 && span.dropped.links == 3)
        #expect(span.attributes.get("a") == .string("1234"))
    }

    @Test func `a large span has room of its own, up to a limit`() throws {
        let tracer = tracer()
        let text = String(repeating: "x", count: 10_000)
        for _ in 0..<3 {
            tracer.span("large") { span in
                for index in 0..<20 { span.set(key: "k\(index)", value: .string(text)) }
            }
            let span = try #require(spans.first(named: "large"))
            #expect(span.attributes.count == 20 && span.dropped.attributes == 0)
            spans.removeAll()
        }
        tracer.span("huge") { span in
            for index in 0..<120 { span.set(key: "k\(index)", value: .string(text)) }
        }
        let huge = try #require(spans.first(named: "huge"))
        #expect(huge.dropped.attributes > 0)
        #expect(huge.attributes.count + Int(huge.dropped.attributes) == 120)
    }

    @Test func `what is said after the end has no effect and is counted`() throws {
        let tracer = tracer()
        let kept = tracer.span("done") { $0 }
        kept.set("late", 1)
        kept.event("late")
        kept.rename("late")
        let span = try #require(spans.first(named: "done"))
        #expect(span.attributes.isEmpty && span.events.isEmpty)
        #expect(tracer.counters.lateChangeCount == 3)
    }

    @Test func `a slab that is full drops and counts`() async {
        var options = PipelineOptions()
        options.limits.spanCount = 64
        options.limits.batchSpanCount = 64
        options.limits.delay = .seconds(3_600)
        let exporter = ScriptedExporter()
        let pipeline = SpanPipeline(exporter: exporter, options: options)
        let tracer = SkeinTracer(resource: Resource(serviceName: "x"), pipeline: pipeline)
        @Sendable func nest(_ depth: Int) {
            if depth > 0 { tracer.span("deep") { _ in nest(depth - 1) } }
        }
        nest(100)
        await pipeline.shutdown()
        let counters = tracer.counters
        #expect(counters.startedCount == 100)
        #expect(counters.endedCount == 100)
        #expect(counters.exportedCount + (counters.droppedCounts[.bufferFull] ?? 0) == 100)
        #expect(counters.exportedCount >= 56)
    }

    @Test func `a sampler's threshold travels`() throws {
        let tracer = tracer(ParentBasedSampler(root: RatioSampler(0.999_9)))
        var carriers: [[String: String]] = []
        tracer.span("root") { _ in
            tracer.span("call") { _ in
                var carrier: [String: String] = [:]
                tracer.inject { carrier[$0] = $1 }
                carriers.append(carrier)
            }
        }
        #expect(carriers.first?["tracestate"]?.hasPrefix("ot=th:") == true)
        let call = try #require(spans.first(named: "call"))
        #expect(spans.first(named: "root")?.spanID == call.parentSpanID)
    }

    @Test func `continues what a carrier brought`() async throws {
        let tracer = tracer()
        let carrier = [
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tracestate": "rojo=1", "baggage": "order.id=17",
        ]
        let caller = tracer.extract { carrier[$0] }
        var sent: [String: String] = [:]
        await tracer.span("handle", continuing: caller) { _ in
            tracer.span("call", .client) { _ in tracer.inject { sent[$0] = $1 } }
        }
        let span = try #require(spans.first(named: "handle"))
        #expect(span.traceID == TraceID(hex: "4bf92f3577b34da6a3ce929d0e0e4736"))
        #expect(span.parentSpanID == SpanID(hex: "00f067aa0ba902b7") && span.parentIsRemote)
        #expect(span.kind == .server)
        #expect(span.context.state.text == "rojo=1")
        let call = try #require(spans.first(named: "call"))
        #expect(sent["traceparent"] == "00-\(span.traceID)-\(call.spanID)-01")
        #expect(sent["tracestate"] == "rojo=1")
        #expect(sent["baggage"] == "order.id=17")
    }

    @Test func `a tracer that is switched off does nothing`() {
        let tracer = tracer { $0.isEnabled = false }
        tracer.span("off") { span in
            #expect(!span.isRecording)
            tracer.inject { key, _ in Issue.record("\(key)") }
        }
        #expect(spans.spans.isEmpty)
    }
}

@Suite struct OwnSpanLoadTests {
    @Test func `a sink is given every span, however many end at once`() async {
        for _ in 0..<20 {
            let spans = SpanCollector()
            let tracer = spans.makeTracer()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        // Started on one thread and ended on another.
                        for _ in 0..<50 { await tracer.span("span") { _ in await Task.yield() } }
                    }
                }
            }
            #expect(spans.spans.count == 800)
            #expect(tracer.counters.endedCount == 800)
        }
    }

    @Test func `many tasks on few slots lose no count`() async {
        var options = PipelineOptions()
        options.limits.spanCount = 128
        options.limits.batchSpanCount = 16
        options.limits.delay = .milliseconds(10)
        let exporter = ScriptedExporter()
        let pipeline = SpanPipeline(exporter: exporter, options: options)
        let tracer = SkeinTracer(resource: Resource(serviceName: "x"), pipeline: pipeline)
        let tasks = 50
        let each = 400
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    for number in 0..<each {
                        await tracer.span("outer") { outer in
                            outer.set("number", number)
                            tracer.span("inner") { inner in inner.set("number", number) }
                            if number % 50 == 0 { await Task.yield() }
                        }
                    }
                }
            }
        }
        await pipeline.shutdown()
        let counters = tracer.counters
        let dropped = counters.droppedCounts.values.reduce(0, +)
        #expect(counters.startedCount == tasks * each * 2)
        #expect(counters.endedCount == counters.startedCount)
        #expect(counters.queuedCount == 0)
        #expect(counters.exportedCount + dropped == counters.endedCount)
    }
}

/// Knows the names it was given, and the last span.
private final class CountingSink: SpanSink {
    private struct State {
        var names: Set<String> = []
        var count = 0
        var last: SpanRecord?
        var reaction: @Sendable () -> Void = {}
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }
    var last: SpanRecord? { state.withLock { $0.last } }

    func has(_ name: String) -> Bool { state.withLock { $0.names.contains(name) } }

    func onAccept(_ reaction: @escaping @Sendable () -> Void) {
        state.withLock { $0.reaction = reaction }
    }

    func accept(_ span: consuming SpanRecord) {
        let span = span
        let reaction = state.withLock { state in
            state.names.insert(span.name)
            state.count += 1
            state.last = span
            return state.reaction
        }
        reaction()
    }
}
