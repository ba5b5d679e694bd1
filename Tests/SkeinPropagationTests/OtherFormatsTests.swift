// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinPropagation
import Testing

@Suite struct JaegerContextTests {
    @Test(arguments: [
        ("0", CallerDecision.drop), ("1", .record), ("2", .debug), ("3", .debug), ("9", .record),
    ])
    func `reads ids and flags`(flags: String, decision: CallerDecision) {
        let found = extract(
            JaegerContext(),
            ["uber-trace-id": "\(Sample.trace):\(Sample.span):0:\(flags)"]
        )
        #expect(found.trace?.traceID == TraceID(hex: Sample.trace))
        #expect(found.trace?.spanID == SpanID(hex: Sample.span))
        #expect(found.decision == decision)
        #expect(found.trace?.isSampled == (decision != .drop))
    }

    @Test func `pads short ids and takes escaped colons`() {
        let found = extract(JaegerContext(), ["uber-trace-id": "1f%3A2%3a0%3A1"])
        #expect(found.trace?.traceID == TraceID(high: 0, low: 0x1F))
        #expect(found.trace?.spanID == SpanID(2))
    }

    @Test func `reads the baggage it is told of and writes all`() {
        let format = JaegerContext(baggageKeys: ["user"])
        let carrier = [
            "uber-trace-id": "1:2:0:1", "uberctx-user": "J%C3%BCrgen%20K", "uberctx-other": "x",
        ]
        let found = extract(format, carrier)
        #expect(found.baggage["user"] == "Jürgen K")
        #expect(found.baggage["other"] == nil)
        let written = inject(format, found)
        #expect(written["uberctx-user"] == "J%c3%bcrgen%20K")
        #expect(written["uber-trace-id"] == "0000000000000001:0000000000000002:0:1")
    }

    @Test func `a debug id forces recording`() {
        let found = extract(JaegerContext(), ["jaeger-debug-id": "why is it slow"])
        #expect(found.trace == nil)
        #expect(found.decision == .debug)
        let sent = inject(JaegerContext(), Sample.context(decision: .debug))
        #expect(sent["uber-trace-id"] == "\(Sample.trace):\(Sample.span):0:3")
    }

    @Test(
        arguments: hostileTexts + [
            "1:2:0", "1:2:0:1:1", "1:2:0:", "1:2:0:100", "x:2:0:1", "0:2:0:1", "1:0:0:1",
        ]
    )
    func `ignores what is malformed`(text: String) {
        #expect(extract(JaegerContext(), ["uber-trace-id": text]) == PropagatedContext())
    }
}

@Suite struct XRayTests {
    private static let root = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"

    @Test(arguments: [
        (";Sampled=1", CallerDecision.record), (";Sampled=0", .drop), (";Sampled=?", .deferred),
        ("", .deferred), (";Lineage=a:b;Sampled=1", .record),
    ])
    func `reads a header`(tail: String, decision: CallerDecision) {
        let found = extract(
            XRay(),
            ["x-amzn-trace-id": "\(Self.root);Parent=\(Sample.span)\(tail)"]
        )
        #expect(found.trace?.traceID == TraceID(hex: Sample.trace))
        #expect(found.trace?.spanID == SpanID(hex: Sample.span))
        #expect(found.decision == decision)
    }

    @Test func `takes fields in any order, with blanks`() {
        let header = "Sampled=1; Parent=\(Sample.span); \(Self.root)"
        #expect(extract(XRay(), ["x-amzn-trace-id": header]).trace?.isSampled == true)
    }

    @Test func `without a parent only the decision counts`() {
        let found = extract(XRay(), ["x-amzn-trace-id": "\(Self.root);Sampled=1"])
        #expect(found.trace == nil)
        #expect(found.decision == .record)
    }

    @Test(arguments: [
        (true, CallerDecision.open, "1"), (false, .open, "0"), (false, .deferred, "?"),
    ])
    func `writes a header`(sampled: Bool, decision: CallerDecision, text: String) {
        let sent = inject(XRay(), Sample.context(sampled: sampled, decision: decision))
        #expect(sent == ["x-amzn-trace-id": "\(Self.root);Parent=\(Sample.span);Sampled=\(text)"])
    }

    @Test(
        arguments: hostileTexts + [
            "Root=2-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7",
            "Root=1-4bf92f3-77b34da6a3ce929d0e0e47361;Parent=00f067aa0ba902b7",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=f067aa0ba902b7",
            "Parent=00f067aa0ba902b7",
        ]
    )
    func `ignores what is malformed`(text: String) {
        #expect(extract(XRay(), ["x-amzn-trace-id": text]).trace == nil)
    }
}

@Suite struct SkyWalkingContextTests {
    /// The example of the protocol's documentation: ids 1-my-trace and 1-my-segment, span 3.
    private static let foreign =
        "1-MS1teS10cmFjZQ==-MS1teS1zZWdtZW50-3-bWVzaA==-aWlkMQ==-L2FwaS92MS9oZWFsdGg=-MTAuMC4wLjE6ODA="
    private let format = SkyWalkingContext(
        service: "shop",
        instance: "a",
        endpoint: "GET /",
        target: "h:1"
    )

    @Test func `reads foreign ids as hashes that stay the same`() throws {
        let found = extract(format, ["sw8": Self.foreign])
        let trace = try #require(found.trace)
        #expect(trace.isSampled && trace.isRemote)
        #expect(trace.traceID == SkyWalkingContext.traceID("1-my-trace"))
        #expect(trace.spanID == SkyWalkingContext.spanID(segment: "1-my-segment", number: 3))
        #expect(trace.spanID != SkyWalkingContext.spanID(segment: "1-my-segment", number: 4))
        #expect(found.decision == .record)
    }

    @Test func `a UUID stays a UUID`() {
        let uuid = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
        #expect(SkyWalkingContext.traceID(uuid) == TraceID(hex: Sample.trace))
    }

    @Test(arguments: [true, false])
    func `what we write we read`(sampled: Bool) {
        var context = Sample.context(sampled: sampled)
        context.baggage.set("T-1, ä", forKey: "order.id")
        let sent = inject(format, context)
        let found = extract(format, sent)
        #expect(found.trace?.traceID == context.trace?.traceID)
        #expect(found.trace?.spanID == context.trace?.spanID)
        #expect(found.trace?.isSampled == sampled)
        #expect(found.baggage["order.id"] == "T-1, ä")
        #expect(sent["sw8"]?.split(separator: "-").count == 8)
    }

    @Test func `sends three members of baggage at most, and none of 128 bytes`() {
        var context = Sample.context()
        context.baggage.set(String(repeating: "x", count: 128), forKey: "long")
        for key in ["a", "b", "c", "d"] { context.baggage.set(key, forKey: key) }
        let found = extract(format, inject(format, context))
        #expect(found.baggage.members.map(\.key) == ["a", "b", "c"])
    }

    @Test(
        arguments: hostileTexts + [
            "1-MS0=-MS0=-x-bQ==-bQ==-bQ==-bQ==", "2-MS0=-MS0=-3-bQ==-bQ==-bQ==-bQ==",
            "1-MS0=-MS0=-3-bQ==-bQ==-bQ==", "1-MS0=-MS0=-3-bQ==-bQ==-bQ==-bQ==-bQ==",
            "1--MS0=-3-bQ==-bQ==-bQ==-bQ==", "1-M*0=-MS0=-3-bQ==-bQ==-bQ==-bQ==",
            "1-MS0=-MS0=--3-bQ==-bQ==-bQ==-bQ==", "1-MS0=-MS0=-99999999999-bQ==-bQ==-bQ==-bQ==",
        ]
    )
    func `ignores what is malformed`(text: String) {
        #expect(extract(format, ["sw8": text, "sw8-correlation": text]).trace == nil)
    }
}

@Suite struct TChannelTracingTests {
    @Test func `reads what it writes`() throws {
        let context = try #require(Sample.context(Sample.short).trace)
        let bytes = TChannelTracing.write(context, parent: SpanID(7))
        #expect(bytes.count == TChannelTracing.byteCount)
        #expect(bytes[0..<8].elementsEqual([0x00, 0xF0, 0x67, 0xAA, 0x0B, 0xA9, 0x02, 0xB7]))
        #expect(bytes[15] == 7 && bytes[24] == 1)
        let found = try #require(TChannelTracing.read(bytes))
        #expect(found.traceID == context.traceID)
        #expect(found.spanID == context.spanID)
        #expect(found.isSampled && found.isRemote)
    }

    @Test func `the block of an untraced call has no context`() {
        #expect(TChannelTracing.write(nil) == Array(repeating: 0, count: 25))
        #expect(TChannelTracing.read(TChannelTracing.write(nil)) == nil)
    }

    @Test func `takes 25 bytes, no more and no fewer`() throws {
        let bytes = TChannelTracing.write(Sample.context().trace)
        for count in 0..<25 { #expect(TChannelTracing.read(bytes.prefix(count)) == nil) }
        #expect(TChannelTracing.read(bytes + [0]) == nil)
    }
}

@Suite struct EnvironmentCarrierTests {
    @Test(arguments: [
        ("traceparent", "TRACEPARENT"), ("x-b3-traceid", "X_B3_TRACEID"), ("b3", "B3"),
        ("uberctx-order.id", "UBERCTX_ORDER_ID"),
    ])
    func `names variables`(key: String, name: String) {
        #expect(EnvironmentCarrier.name(for: key) == name)
    }

    @Test func `a child process joins the trace`() {
        let format = CombinedPropagator([W3CTraceContext(), W3CBaggage()])
        var context = Sample.context()
        context.baggage.set("17", forKey: "order.id")
        var carrier = EnvironmentCarrier(["PATH": "/bin"])
        carrier.inject(context, format)
        #expect(carrier.variables["PATH"] == "/bin")
        #expect(carrier.variables["TRACEPARENT"] == "00-\(Sample.trace)-\(Sample.span)-01")
        let found = carrier.extract(format)
        #expect(found.trace?.spanID == context.trace?.spanID)
        #expect(found.baggage["order.id"] == "17")
    }
}

@Suite struct TransactionHeaderTests {
    private let format = TransactionHeader(header: "X-Service-Transaction-ID")

    @Test func `travels as baggage`() {
        let found = extract(format, ["x-service-transaction-id": "T-2026-0815"])
        #expect(found.baggage["transaction.id"] == "T-2026-0815")
        #expect(inject(format, found) == ["x-service-transaction-id": "T-2026-0815"])
    }

    @Test(arguments: ["", "a b", "a\r\nx: y", "é", String(repeating: "x", count: 257)])
    func `leaves out what a header may not hold`(text: String) {
        #expect(extract(format, ["x-service-transaction-id": text]) == PropagatedContext())
        var context = PropagatedContext()
        context.baggage.set(text, forKey: "transaction.id")
        #expect(inject(format, context).isEmpty)
    }
}

@Suite struct CombinedPropagatorTests {
    @Test func `writes every format and reads any of them`() {
        let formats: [any Propagator] = [B3(), JaegerContext(), XRay(), W3CTraceContext()]
        let all = CombinedPropagator(formats)
        let sent = inject(all, Sample.context())
        #expect(Set(sent.keys) == ["b3", "uber-trace-id", "x-amzn-trace-id", "traceparent"])
        for (key, value) in sent {
            let found = extract(all, [key: value])
            #expect(found.trace?.traceID == TraceID(hex: Sample.trace), "\(key)")
            #expect(found.trace?.isSampled == true, "\(key)")
        }
    }

    @Test func `a wish to debug survives a later format that cannot say it`() {
        let all = CombinedPropagator([B3(), W3CTraceContext()])
        let carrier = [
            "b3": "\(Sample.trace)-\(Sample.span)-d",
            "traceparent": "00-\(Sample.trace)-\(Sample.span)-00",
        ]
        #expect(extract(all, carrier).decision == .debug)
        let deferred = carrier.merging(["b3": "\(Sample.trace)-\(Sample.span)"]) { $1 }
        #expect(extract(all, deferred).decision == .open)
    }
}
