// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Skein
import SkeinTesting
import Testing
import Tracing

/// What runs on an event loop begins outside of any span, unless it is taken along.
@Suite(.timeLimit(.minutes(1))) struct EventLoopTests {
    let spans = SpanCollector()
    let tracer: SkeinTracer
    let loop = MultiThreadedEventLoopGroup.singleton.next()

    init() { tracer = spans.makeTracer() }

    @Test func `callbacks of a future go on in the span they were made in`() async throws {
        let tracer = tracer
        let answer = try await tracer.span("request") { _ in
            let trace = CapturedTrace()
            let promise = loop.makePromise(of: Int.self)
            let future = promise.futureResult
                .map(trace.wrapping { value in tracer.span("map") { _ in value + 1 } })
                .flatMapThrowing(
                    trace.wrapping { value in
                        try tracer.span("check") { _ in
                            guard value == 8 else { throw CancellationError() }
                            return value
                        }
                    }
                )
                .flatMap(
                    trace.wrapping { value in
                        tracer.span("flat map") { _ in
                            loop.submit(trace.wrapping { tracer.span("submit") { _ in value } })
                        }
                    }
                )
            future.whenComplete(trace.wrapping { _ in tracer.startSpan("complete").end() })
            loop.execute { promise.succeed(7) }
            return try await future.get()
        }
        #expect(answer == 8)
        // The last callback may come after the value.
        try await loop.submit {}.get()
        let request = try #require(spans.first(named: "request"))
        #expect(
            spans.children(of: request).map(\.name).sorted() == [
                "check", "complete", "flat map", "map", "submit",
            ]
        )
    }

    @Test func `without it they begin a trace of their own`() async throws {
        let tracer = tracer
        try await tracer.span("request") { _ in
            try await loop.submit { tracer.span("lost") { _ in } }.get()
        }
        #expect(spans.roots.count == 2)
    }

    @Test func `a span of swift-distributed-tracing goes along too`() async throws {
        let tracer = tracer
        try await tracer.withSpan("request") { _ in
            let trace = CapturedTrace()
            try await loop.scheduleTask(
                in: .microseconds(1),
                trace.wrapping { tracer.startSpan("later").end() }
            ).futureResult.get()
        }
        let request = try #require(spans.first(named: "request"))
        #expect(spans.children(of: request).map(\.name) == ["later"])
    }

    @Test func `the loop keeps nothing of it`() async throws {
        let tracer = tracer
        let trace = tracer.span("request") { _ in CapturedTrace() }
        try await loop.submit {
            trace.run { tracer.span("inside") { _ in } }
            tracer.span("outside") { _ in }
        }.get()
        #expect(Set(spans.roots.map(\.name)) == ["request", "outside"])
    }

    @Test func `tasks of a group inherit the span, detached ones take it along`() async throws {
        let tracer = tracer
        await tracer.span("request") { _ in
            let trace = CapturedTrace()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        await tracer.span("part") { _ in
                            await Task.yield()
                            tracer.startSpan("inner").end()
                        }
                    }
                }
            }
            await Task.detached {
                await trace.run { await Task { tracer.span("detached") { _ in } }.value }
            }.value
        }
        let request = try #require(spans.first(named: "request"))
        let parts = spans.spans(named: "part")
        #expect(parts.count == 10)
        #expect(parts.allSatisfy { $0.parentSpanID == request.spanID })
        #expect(parts.allSatisfy { spans.children(of: $0).map(\.name) == ["inner"] })
        #expect(spans.first(named: "detached")?.parentSpanID == request.spanID)
        #expect(spans.roots.count == 1)
    }
}
