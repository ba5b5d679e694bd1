// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinPropagation
import Testing

@Suite struct B3Tests {
    @Test(arguments: [
        ("1", CallerDecision.record, true), ("0", .drop, false), ("d", .debug, true),
    ])
    func `reads the single header`(
        state: String,
        decision: CallerDecision,
        isSampled: Bool
    ) throws {
        for trace in [Sample.trace, Sample.short] {
            for tail in ["", "-\(Sample.parent)"] {
                let found = extract(B3(), ["b3": "\(trace)-\(Sample.span)-\(state)\(tail)"])
                let context = try #require(found.trace)
                #expect(context.traceID == TraceID(hex: trace))
                #expect(context.spanID == SpanID(hex: Sample.span))
                #expect(context.isSampled == isSampled)
                #expect(context.isRemote)
                #expect(found.decision == decision)
            }
        }
    }

    @Test func `without a state the decision is deferred`() {
        let found = extract(B3(), ["b3": "\(Sample.trace)-\(Sample.span)"])
        #expect(found.decision == .deferred)
        #expect(found.trace?.isSampled == false)
        #expect(inject(B3(), found) == ["b3": "\(Sample.trace)-\(Sample.span)"])
        let multiple = inject(B3(.multiple), found)
        #expect(multiple["x-b3-sampled"] == nil && multiple["x-b3-flags"] == nil)
    }

    @Test(arguments: [("1", CallerDecision.record), ("0", .drop), ("d", .debug)])
    func `reads and writes a decision that comes alone`(state: String, decision: CallerDecision) {
        let found = extract(B3(), ["b3": state])
        #expect(found.trace == nil)
        #expect(found.decision == decision)
        #expect(inject(B3(), found) == ["b3": state])
        #expect(extract(B3(), inject(B3(.multiple), found)) == found)
    }

    @Test(arguments: [
        (["x-b3-sampled": "1"], CallerDecision.record), (["x-b3-sampled": "true"], .record),
        (["x-b3-sampled": "0"], .drop), (["x-b3-sampled": "false"], .drop),
        (["x-b3-flags": "1"], .debug), (["x-b3-flags": "1", "x-b3-sampled": "0"], .debug),
        (["x-b3-sampled": "maybe"], .deferred), ([:], .deferred),
    ])
    func `reads the headers`(extra: [String: String], decision: CallerDecision) {
        var carrier = ["x-b3-traceid": Sample.trace, "x-b3-spanid": Sample.span]
        carrier.merge(extra) { $1 }
        let found = extract(B3(), carrier)
        #expect(found.trace?.traceID == TraceID(hex: Sample.trace))
        #expect(found.trace?.isSampled == (decision == .record || decision == .debug))
        #expect(found.decision == decision)
    }

    @Test func `the single header wins, unless it is malformed`() {
        let multiple = [
            "x-b3-traceid": Sample.short, "x-b3-spanid": Sample.span, "x-b3-sampled": "1",
        ]
        let good = multiple.merging(["b3": "\(Sample.trace)-\(Sample.span)-0"]) { $1 }
        #expect(extract(B3(), good).trace?.traceID == TraceID(hex: Sample.trace))
        let bad = multiple.merging(["b3": "\(Sample.trace)-\(Sample.span)-x"]) { $1 }
        #expect(extract(B3(), bad).trace?.traceID == TraceID(hex: Sample.short))
    }

    @Test func `writes both forms`() {
        #expect(inject(B3(), Sample.context()) == ["b3": "\(Sample.trace)-\(Sample.span)-1"])
        #expect(
            inject(B3(), Sample.context(Sample.short, sampled: false)) == [
                "b3": "\(Sample.short)-\(Sample.span)-0"
            ]
        )
        #expect(
            inject(B3(.multiple), Sample.context()) == [
                "x-b3-traceid": Sample.trace, "x-b3-spanid": Sample.span, "x-b3-sampled": "1",
            ]
        )
        #expect(
            inject(B3(.multiple), Sample.context(decision: .debug)) == [
                "x-b3-traceid": Sample.trace, "x-b3-spanid": Sample.span, "x-b3-flags": "1",
            ]
        )
    }

    @Test(
        arguments: hostileTexts + [
            "2", "D", "\(Sample.trace)", "\(Sample.trace)-\(Sample.span)-1-\(Sample.parent)-1",
            "\(Sample.trace)-\(Sample.span)-1-short", "\(Sample.trace.dropLast())-\(Sample.span)-1",
            "\(Sample.trace)-\(Sample.span.dropLast())-1", "\(Sample.trace)-\(Sample.span)-",
        ]
    )
    func `ignores what is malformed`(text: String) {
        #expect(extract(B3(), ["b3": text]) == PropagatedContext())
        let multiple = ["x-b3-traceid": text, "x-b3-spanid": text, "x-b3-sampled": text]
        #expect(extract(B3(), multiple).trace == nil)
    }

    @Test func `ignores every truncation of ids`() {
        let header = "\(Sample.trace)-\(Sample.span)-1"
        for count in 2..<header.count - 2 {
            #expect(extract(B3(), ["b3": String(header.prefix(count))]).trace == nil)
        }
    }
}
