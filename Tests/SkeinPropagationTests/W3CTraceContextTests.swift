// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinPropagation
import Testing

@Suite struct W3CTraceContextTests {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let span = "00f067aa0ba902b7"

    private func extract(_ carrier: [String: String]) -> PropagatedContext {
        var context = PropagatedContext()
        W3CTraceContext().extract(into: &context) { carrier[$0] }
        return context
    }

    private func inject(_ trace: TraceContext?) -> [String: String] {
        var carrier: [String: String] = [:]
        W3CTraceContext().inject(PropagatedContext(trace: trace)) { carrier[$0] = $1 }
        return carrier
    }

    @Test func `reads ids and flags`() throws {
        let found = extract(["traceparent": "00-\(Self.trace)-\(Self.span)-03"]).trace
        let context = try #require(found)
        #expect(context.traceID == TraceID(hex: Self.trace))
        #expect(context.spanID == SpanID(hex: Self.span))
        #expect(context.flags == [.sampled, .random])
        #expect(context.isSampled)
        #expect(context.isRemote)
        #expect(context.state.isEmpty)
    }

    @Test(arguments: [("00", false), ("01", true), ("02", false), ("fe", false), ("ff", true)])
    func `knows two bits of the flags`(flags: String, isSampled: Bool) throws {
        let found = extract(["traceparent": "00-\(Self.trace)-\(Self.span)-\(flags)"]).trace
        let context = try #require(found)
        #expect(context.isSampled == isSampled)
        #expect(context.flags.rawValue <= 3)
    }

    @Test(arguments: [
        "01-\(trace)-\(span)-01", "cc-\(trace)-\(span)-01", "01-\(trace)-\(span)-01-what-comes",
        "fe-\(trace)-\(span)-01-",
    ])
    func `reads what it knows of later versions and sends version 00`(header: String) throws {
        let context = try #require(extract(["traceparent": header]).trace)
        #expect(inject(context)["traceparent"] == "00-\(Self.trace)-\(Self.span)-01")
    }

    @Test(arguments: [
        "", "-", "00", "00-\(trace)-\(span)-0", "00-\(trace)-\(span)-01-",
        "00-\(trace)-\(span)-011",
        "00-\(trace)-\(span)-01-more", "01-\(trace)-\(span)-01.", "01-\(trace)-\(span)-011",
        "ff-\(trace)-\(span)-01", "0-\(trace)-\(span)-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-\(span)-01", "00-\(trace)-00F067AA0BA902B7-01",
        "00-\(trace)-\(span)-0A", "0A-\(trace)-\(span)-01",
        "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
        "00_\(trace)_\(span)_01", "00-\(trace)-\(span)_01", "00-\(trace)\(span)-01",
        "00-\(trace)-\(span)-0g", "0g-\(trace)-\(span)-01", " 00-\(trace)-\(span)-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-\(span)-01",
    ])
    func `ignores an invalid header and the tracestate with it`(header: String) {
        let found = extract(["traceparent": header, "tracestate": "rojo=1"])
        #expect(found == PropagatedContext())
    }

    @Test func `ignores every truncation`() {
        let header = "00-\(Self.trace)-\(Self.span)-01"
        for count in 0..<header.count {
            #expect(extract(["traceparent": String(header.prefix(count))]).trace == nil)
        }
    }

    @Test func `a bad tracestate does not break the traceparent`() throws {
        let carrier = [
            "traceparent": "00-\(Self.trace)-\(Self.span)-01", "tracestate": "rojo=1,=2",
        ]
        let context = try #require(extract(carrier).trace)
        #expect(context.state.isEmpty)
    }

    @Test func `passes the tracestate on`() throws {
        let carrier = [
            "traceparent": "00-\(Self.trace)-\(Self.span)-01", "tracestate": "rojo=00f0,congo=t61",
        ]
        let context = try #require(extract(carrier).trace)
        #expect(inject(context) == carrier)
    }

    @Test func `writes nothing without a trace and nothing for ids of zero`() {
        #expect(inject(nil).isEmpty)
        let zero = TraceContext(traceID: .zero, spanID: SpanID(1), flags: .sampled)
        #expect(inject(zero).isEmpty)
        let noSpan = TraceContext(traceID: TraceID(high: 0, low: 1), spanID: .none, flags: [])
        #expect(inject(noSpan).isEmpty)
    }

    @Test func `looks at no more than the head of a very long header`() {
        let long = "01-\(Self.trace)-\(Self.span)-01-" + String(repeating: "a", count: 1 << 20)
        #expect(extract(["traceparent": long]).trace?.spanID == SpanID(hex: Self.span))
    }

    @Test func `a later propagator wins and an absent header leaves what was found`() {
        let combined = CombinedPropagator([W3CTraceContext(), W3CBaggage()])
        #expect(combined.keys == ["traceparent", "tracestate", "baggage"])
        var context = PropagatedContext()
        let carrier = ["traceparent": "00-\(Self.trace)-\(Self.span)-01", "baggage": "a=1"]
        combined.extract(into: &context) { carrier[$0] }
        combined.extract(into: &context) { _ in nil }
        #expect(context.trace?.isSampled == true)
        #expect(context.baggage["a"] == "1")
        var written: [String: String] = [:]
        combined.inject(context) { written[$0] = $1 }
        #expect(written == carrier)
    }
}
