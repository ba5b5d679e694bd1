// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinTesting
import Testing
import Tracing

private struct CardDeclined: Error, CustomStringConvertible {
    let description = "declined"
}

/// A pattern, and what a failure says when it is expected of `order`.
struct PatternCase: Sendable, CustomTestStringConvertible {
    let pattern: SpanPattern
    /// `nil` where the expectation is met.
    let complaint: String?

    init(_ pattern: SpanPattern, _ complaint: String? = nil) {
        self.pattern = pattern
        self.complaint = complaint
    }

    var testDescription: String { pattern.description }
}

@Suite struct CollectedTraceTests {
    /// ```
    /// GET /orders            server
    ///   place order
    ///     reserve, charge card, ship
    ///   send mail
    /// ```
    /// `send mail` is linked to a span of another trace, `queue`.
    private func order() throws -> CollectedTrace {
        let spans = SpanCollector()
        let tracer = spans.makeTracer()
        let queued = tracer.span("queue") { span in
            TraceContext(traceID: span.traceID, spanID: span.spanID, flags: .sampled)
        }
        tracer.span("GET /orders", .server) { _ in
            tracer.span("place order") { span in
                span.set("order.id", 4_711)
                tracer.span("reserve") { $0.succeed() }
                try? tracer.span("charge card", .client) { span in
                    span.set("card", "visa")
                    span.event("retry", [("attempt", .int(2)), ("why", .string("slow"))])
                    throw CardDeclined()
                }
                tracer.span("ship") { $0.fail("no van") }
            }
            tracer.span("send mail", .producer) { $0.link(queued) }
        }
        return try #require(spans.traces.last)
    }

    static let met: [PatternCase] = [
        .init(.anySpan),
        .init(.span("reserve")),
        .init(.span("charge card").kind(.client)),
        .init(.span("place order").attribute("order.id", 4_711)),
        .init(.span("place order").attribute("order.id", .int32(4_711))),
        .init(.anySpan.attribute("card")),
        .init(.span("reserve").withoutAttribute("card")),
        .init(.span("ship").failed()),
        .init(.span("ship").failed("no van")),
        .init(.span("reserve").notFailed().succeeded()),
        .init(.span("charge card").error("CardDeclined").failed()),
        .init(.span("charge card").event("retry")),
        .init(.span("charge card").event("retry", ["attempt": 2])),
        .init(.span("reserve").satisfying("is no call") { $0.kind == .internal }),
        .init(.span("GET /orders").root()),
        .init(.span("place order").child(of: .span("GET /orders").kind(.server))),
        .init(.span("ship").descendant(of: .span("GET /orders"))),
        .init(.span("ship").child(of: .anySpan.child(of: .anySpan.root()))),
        .init(.span("reserve").followed(by: .span("ship"))),
        .init(.span("send mail").linked(to: .span("queue").root())),
    ]

    static let missed: [PatternCase] = [
        .init(.span("refund"), "no span has that name; there are 'GET /orders', 'place order', "),
        .init(.span("charge card").kind(.server), "charge card: is of kind client"),
        .init(.span("place order").attribute("order.id", 1), "place order: has order.id=4711"),
        .init(.span("reserve").attribute("order.id", 1), "reserve: has no order.id"),
        .init(.span("reserve").attribute("card"), "reserve: has no card"),
        .init(.span("charge card").withoutAttribute("card"), "charge card: has card=visa"),
        .init(.span("reserve").failed(), "reserve: did not fail"),
        .init(.span("ship").failed("no road"), "ship: failed with 'no van'"),
        .init(.span("ship").notFailed(), "ship: failed with 'no van'"),
        .init(.span("ship").succeeded(), "ship: has not the status ok"),
        .init(.span("ship").error("CardDeclined"), "ship: noted no error"),
        .init(.span("charge card").error("Declined"), "charge card: noted the errors "),
        .init(.span("ship").event("retry"), "ship: has no event 'retry'"),
        .init(
            .span("charge card").event("retry", ["attempt": 3]),
            "charge card: has no event 'retry' with attempt=3"
        ),
        .init(.span("ship").satisfying("is a call") { $0.kind == .client }, "ship: not: is a call"),
        .init(.span("ship").root(), "ship: has the parent "),
        .init(.span("GET /orders").child(of: .anySpan), "GET /orders: is a root"),
        .init(
            .span("ship").child(of: .span("GET /orders")),
            "ship: its parent 'place order' is named 'place order'"
        ),
        .init(
            .span("ship").descendant(of: .span("send mail")),
            "ship: is in 'place order' in 'GET /orders'"
        ),
        .init(.span("GET /orders").descendant(of: .anySpan), "has nothing above it"),
        .init(.span("ship").followed(by: .span("reserve")), "ship: nothing follows it"),
        .init(
            .span("reserve").followed(by: .span("send mail")),
            "reserve: is followed by 'charge card', 'ship'"
        ),
        .init(.span("ship").linked(to: .anySpan), "ship: has no link"),
        .init(.span("send mail").linked(to: .span("ship")), "send mail: is linked to 'queue'"),
        .init(
            .span("ship").kind(.client).succeeded(),
            "is of kind internal; has not the status ok"
        ),
    ]

    @Test(arguments: met) func `a span meets its pattern`(of case_: PatternCase) throws {
        let trace = try order()
        #expect(trace.contains(case_.pattern))
        #expect(!trace.containsNone(case_.pattern))
        #expect(trace.description.contains("not wanted, but there: \(case_.pattern)"))
        #expect(
            try case_.pattern.description.contains(trace.span(case_.pattern).name)
                || case_.pattern.description.hasPrefix("any span")
        )
    }

    @Test(arguments: missed) func `a failure says what is missing`(of case_: PatternCase) throws {
        let trace = try order()
        #expect(!trace.contains(case_.pattern))
        #expect(trace.description.contains("missing: \(case_.pattern)\n"))
        #expect(try trace.description.contains(#require(case_.complaint)))
        #expect(trace.containsNone(case_.pattern))
        #expect(throws: MissingSpans.self) { try trace.span(case_.pattern) }
    }

    @Test func `a failed #expect prints the tree`() throws {
        let trace = try order()
        withKnownIssue {
            #expect(trace.contains(.span("charge card").kind(.server)))
        } matching: { issue in
            let text = String(describing: issue)
            return text.contains("├─ charge card, client, ")
                && text.contains("missing: span 'charge card', kind server")
                && text.contains("charge card: is of kind client")
        }
    }

    @Test func `the tree shows every span once, below its parent`() throws {
        let lines = try order().description.split(separator: "\n").map { line in
            line.prefix { $0 != "," }
        }
        #expect(
            lines.dropFirst() == [
                "└─ GET /orders", "   ├─ place order", "   │  ├─ reserve", "   │  ├─ charge card",
                "   │  └─ ship", "   └─ send mail",
            ]
        )
    }

    @Test func `counts exactly`() throws {
        let trace = try order()
        let below = SpanPattern.anySpan.child(of: .span("place order"))
        #expect(trace.contains(exactly: 3, below))
        #expect(trace.contains(exactly: 0, .span("refund")))
        #expect(!trace.contains(exactly: 2, below))
        #expect(trace.description.contains("wanted 2, found 3: any span, child of"))
        #expect(!trace.contains(exactly: 4, below))
        #expect(trace.description.contains("wanted 4, found 3: any span, child of"))
        #expect(trace.spans(matching: below).map(\.name) == ["reserve", "charge card", "ship"])
    }

    @Test func `knows the order of siblings`() throws {
        let trace = try order()
        #expect(trace.contains(inOrder: .span("reserve"), .span("charge card"), .span("ship")))
        #expect(trace.contains(inOrder: .span("reserve"), .span("ship")))
        #expect(trace.contains(inOrder: .span("place order"), .span("send mail")))
        #expect(!trace.contains(inOrder: .span("ship"), .span("reserve")))
        #expect(
            trace.description.hasSuffix(
                "not in this order: span 'ship' -> span 'reserve'\n"
                    + "  missing after (span 'ship'): span 'reserve'"
            )
        )
        // Not children of one parent.
        #expect(!trace.contains(inOrder: .span("reserve"), .span("send mail")))
        // One span cannot be two.
        #expect(!trace.contains(inOrder: .span("ship"), .span("ship")))
    }

    @Test func `an expectation that is met takes back what was missing`() throws {
        let trace = try order()
        let tree = trace.description
        #expect(!trace.contains(.span("refund")))
        #expect(trace.description != tree)
        #expect(trace.contains(.span("ship")))
        #expect(trace.description == tree)
    }

    @Test func `continues a remote parent`() throws {
        let spans = SpanCollector()
        let tracer = spans.makeTracer()
        var context = InstrumentationContext.topLevel
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        tracer.extract(["traceparent": header], into: &context, using: DictionaryCarrier())
        tracer.startSpan("served", context: context, ofKind: .server).end()
        let trace = try spans.onlyTrace()
        #expect(trace.contains(.span("served").child(ofRemote: SpanID(0x00f0_67aa_0ba9_02b7))))
        #expect(!trace.contains(.span("served").child(ofRemote: SpanID(1))))
        #expect(!trace.contains(.span("served").child(of: .anySpan)))
        #expect(trace.description.contains("its parent was not collected"))
        #expect(trace.description.contains("below 00f067aa0ba902b7 elsewhere"))
    }

    // MARK: Spans of other tasks

    @Test func `waits for spans that end in other tasks`() async throws {
        let spans = SpanCollector()
        let tracer = spans.makeTracer()
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        tracer.span("ask") { _ in
            let captured = CapturedTrace()
            Task.detached {
                for await _ in gate { break }
                captured.run { tracer.span("answer") { _ in } }
                tracer.span("another trace") { _ in }
            }
        }
        #expect(throws: MissingSpans.self) {
            try spans.onlyTrace().span(.span("answer"))
        }
        async let trace = spans.trace(containing: .span("answer"), .span("ask"))
        opener.yield()
        let found = try await trace
        #expect(found.contains(.span("answer").child(of: .span("ask"))))
        #expect(found.containsNone(.span("another trace")))
    }

    @Test func `gives up after the time limit and says what there is`() async throws {
        let spans = SpanCollector()
        let tracer = spans.makeTracer()
        tracer.span("one") { _ in }
        let clock = ManualClock()
        let waiting = Task {
            try await spans.trace(
                containing: .span("two"),
                .span("three").failed(),
                within: .seconds(3),
                clock: clock
            )
        }
        await clock.untilSleeping(1)
        clock.advance(by: .seconds(3))
        let failure = await #expect(throws: MissingSpans.self) { try await waiting.value }
        let text = try #require(failure).description
        #expect(
            text.hasPrefix("no trace within 3.0 seconds contains\n  span 'two'\n  span 'three', f")
        )
        #expect(text.contains("└─ one, "))
    }

    @Test func `a cancelled wait ends`() async {
        let spans = SpanCollector()
        let clock = ManualClock()
        let waiting = Task {
            try await spans.trace(containing: .anySpan, within: .seconds(3), clock: clock)
        }
        await clock.untilSleeping(1)
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test func `only one trace is only one`() throws {
        let spans = SpanCollector()
        #expect(throws: MissingSpans.self) { try spans.onlyTrace() }
        let tracer = spans.makeTracer()
        tracer.span("one") { _ in }
        #expect(try spans.onlyTrace().spans.count == 1)
        tracer.span("two") { _ in }
        let failure = #expect(throws: MissingSpans.self) { try spans.onlyTrace() }
        #expect(failure?.description.hasPrefix("wanted spans of one trace, found 2\n") == true)
    }

    @Test func `ten thousand levels are no trouble`() throws {
        let spans = SpanCollector()
        let tracer = spans.makeTracer()
        // Ended one by one, below each other.
        var context = InstrumentationContext.topLevel
        for level in 0..<10_000 {
            let span = tracer.startSpan("level \(level % 2)", context: context)
            context = span.context
            span.end()
        }
        let trace = try spans.onlyTrace()
        #expect(trace.spans.count == 10_000)
        #expect(trace.description.hasSuffix("… and 9800 more"))
        let first = try #require(trace.spans.first)
        #expect(trace.children(of: first).count == 1)
    }
}
