// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinTesting
import Synchronization
import Testing
import Tracing

@Suite struct CapturedTraceTests {
    let spans = SpanCollector()

    @Test func `a detached task goes on in the span it was made in`() async throws {
        let tracer = spans.makeTracer()
        await tracer.span("own") { _ in
            let trace = CapturedTrace()
            await Task.detached {
                tracer.span("lost") { _ in }
                await trace.run {
                    await Task.yield()
                    tracer.span("own child") { _ in }
                    tracer.startSpan("child").end()
                }
                tracer.span("lost too") { _ in }
            }.value
        }
        let own = try #require(spans.first(named: "own"))
        #expect(Set(spans.children(of: own).map(\.name)) == ["own child", "child"])
        #expect(spans.roots.count == 3)
    }

    @Test func `a callback goes on in a span of swift-distributed-tracing`() throws {
        let tracer = spans.makeTracer()
        let callbacks = Mutex<[@Sendable () -> Void]>([])
        tracer.withSpan("foreign") { _ in
            tracer.sending {
                $0.put("k", "v")
            } around: {
                let callback = CapturedTrace().wrapping {
                    tracer.span("own child") { _ in }
                    tracer.startSpan("child").end()
                    #expect(tracer.traveling.value("k") == "v")
                }
                callbacks.withLock { $0.append(callback) }
            }
        }
        // Somebody else's span is around when the callback comes.
        tracer.span("event loop") { _ in
            callbacks.withLock { $0 }.forEach { $0() }
        }
        let foreign = try #require(spans.first(named: "foreign"))
        #expect(Set(spans.children(of: foreign).map(\.name)) == ["own child", "child"])
        let loop = try #require(spans.first(named: "event loop"))
        #expect(spans.children(of: loop).isEmpty)
    }

    @Test func `outside of any span it stands for none`() {
        let tracer = spans.makeTracer()
        let trace = CapturedTrace()
        tracer.withSpan("foreign") { _ in
            tracer.span("own") { _ in
                trace.run {
                    tracer.span("root") { _ in }
                    tracer.startSpan("other root").end()
                }
            }
        }
        #expect(Set(spans.roots.map(\.name)) == ["root", "other root", "foreign"])
    }

    @Test func `errors pass through, and what is not sampled stays so`() {
        struct Oops: Error {}
        var options = TracerOptions()
        options.isRecording = false
        let tracer = spans.makeTracer(options: options)
        let trace = tracer.span("unsampled") { _ in CapturedTrace() }
        tracer.isRecording = true
        trace.run { tracer.span("below") { #expect(!$0.isRecording) } }
        #expect(throws: Oops.self) { try trace.run { throw Oops() } }
        let callback: @Sendable () throws -> Void = trace.wrapping { throw Oops() }
        #expect(throws: Oops.self) { try callback() }
        #expect(spans.spans.isEmpty)
    }

    @Test func `a child process is put into the trace`() async throws {
        let tracer = spans.makeTracer()
        let variables = tracer.span("parent") { _ in
            tracer.sending {
                $0.put("k", "v")
            } around: {
                tracer.childEnvironment
            }
        }
        #expect(Set(variables.keys) == ["TRACEPARENT", "BAGGAGE"])
        let caller = tracer.extract { variables[EnvironmentCarrier.name(for: $0)] }
        await tracer.span("child", continuing: caller) { _ in }
        let parent = try #require(spans.first(named: "parent"))
        #expect(spans.children(of: parent).map(\.name) == ["child"])
        #expect(tracer.childEnvironment.isEmpty)
    }
}
