// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct SharedSpanTests {
    /// A client and a server half of span 2, with a child each way.
    private func frame(childService: UInt32) -> SpanFrame {
        var frame = SpanFrame()
        frame.append(spanID: 1, parentID: 0, start: 0, end: 100, kind: .server, service: 1)
        frame.append(spanID: 2, parentID: 1, start: 10, end: 90, kind: .client, service: 1)
        frame.append(spanID: 2, parentID: 1, start: 20, end: 80, kind: .server, service: 2)
        frame.append(spanID: 3, parentID: 2, start: 30, end: 40, service: childService)
        return frame
    }

    @Test func `the server half gets an id of its own below the client half`() {
        var frame = frame(childService: 2)
        frame.separateSharedSpans()
        #expect(frame.spanID[1] == 2)
        #expect(frame.spanID[2] != 2 && frame.spanID[2] != 0)
        #expect(frame.parentID[2] == 2)
        #expect(frame.isShared == [false, false, true, false])
    }

    @Test(arguments: [(UInt32(2), true), (1, false), (9, true)])
    func `a child goes to the half of its service, else to the server`(
        service: UInt32,
        goesToServer: Bool
    ) {
        var frame = frame(childService: service)
        frame.separateSharedSpans()
        #expect(frame.parentID[3] == (goesToServer ? frame.spanID[2] : 2))
    }

    @Test func `the new id is the same on every read`() {
        var first = frame(childService: 2)
        var second = frame(childService: 2)
        first.separateSharedSpans()
        second.separateSharedSpans()
        #expect(first.spanID == second.spanID)
    }

    @Test func `two servers of one id without a client stay as they came`() {
        var frame = SpanFrame()
        frame.append(spanID: 2, parentID: 1, start: 0, end: 1, kind: .server)
        frame.append(spanID: 2, parentID: 1, start: 0, end: 1, kind: .server)
        frame.separateSharedSpans()
        #expect(frame.spanID == [2, 2])
    }
}

@Suite struct UntimedSpanTests {
    /// A client and a server half of span 2 of services 1 and 2, and a timed span above them.
    private func frame() -> SpanFrame {
        var frame = SpanFrame()
        frame.append(spanID: 1, parentID: 0, start: 1000, end: 2000, kind: .server, service: 1)
        frame.append(spanID: 2, parentID: 1, start: 1100, end: 1900, kind: .client, service: 1)
        frame.append(spanID: 2, parentID: 1, start: 1200, end: 1800, kind: .server, service: 2)
        return frame
    }

    @Test(arguments: [(UInt32(1), UInt64(1100)), (2, 1200), (3, 1100)])
    func `a part of a span begins with the half of its service, else with the first`(
        service: UInt32,
        start: UInt64
    ) {
        var frame = frame()
        frame.append(
            spanID: 2,
            parentID: 1,
            start: 900_000,
            end: 900_070,
            service: service,
            isUntimed: true
        )
        frame.placeUntimedSpans()
        #expect(frame.start == [1000, 1100, 1200, start])
        #expect(frame.end[3] == start + 70)
        #expect(frame.warnings[3]?.count == 1)
    }

    @Test func `a chain without times begins with the nearest timed span above it`() {
        var frame = frame()
        for (id, parent) in [(UInt64(5), UInt64(4)), (4, 3), (3, 2)] {
            frame.append(
                spanID: id,
                parentID: parent,
                start: 900_000,
                end: 900_000,
                isUntimed: true
            )
        }
        frame.placeUntimedSpans()
        #expect(frame.start[3...] == [1100, 1100, 1100])
    }

    @Test func `with nothing above, or a circle, it begins with the trace`() {
        var frame = frame()
        for (id, parent) in [(UInt64(5), UInt64(0)), (6, 77), (7, 8), (8, 7), (9, 9)] {
            frame.append(
                spanID: id,
                parentID: parent,
                start: 900_000,
                end: 900_000,
                isUntimed: true
            )
        }
        frame.placeUntimedSpans()
        #expect(frame.start[3...].allSatisfy { $0 == 1000 })
    }

    @Test func `a trace without any time stays as it is`() {
        var frame = SpanFrame()
        frame.append(spanID: 1, parentID: 0, start: 700, end: 700, isUntimed: true)
        frame.append(spanID: 2, parentID: 1, start: 900, end: 900, isUntimed: true)
        frame.placeUntimedSpans()
        #expect(frame.start == [700, 900])
        #expect(frame.warnings.isEmpty)
    }
}

@Suite struct SpanRowsTests {
    @Test(arguments: 0..<40)
    func `rows are found as a dictionary finds them`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // From few ids, many repeated, to many; the largest and the smallest among them.
        let ids = (0..<Int(random.next() % 300)).map { _ in
            [0, .max, random.next() % (seed * 20 + 1), random.next()][Int(random.next() % 4)]
        }
        let order = ids.indices.shuffled(using: &random)
        let rows = SpanRows(ids, order: order)
        var expected: [UInt64: Int] = [:]
        var repeats: [Int] = []
        for row in order {
            if expected[ids[row]] == nil { expected[ids[row]] = row } else { repeats.append(row) }
        }
        #expect(rows.repeats == repeats)
        for id in ids + [1, 2, 3] { #expect(rows.first(id) == expected[id]) }
    }
}

@Suite struct ClockSkewTests {
    private func corrected(
        child: ClosedRange<UInt64>,
        kind: SpanKind = .server,
        hosts: (UInt32?, UInt32?) = (1, 2),
        limit: UInt64 = 1_000_000
    ) -> SpanFrame {
        var frame = SpanFrame()
        frame.append(spanID: 1, parentID: 0, start: 1000, end: 2000, kind: .client, host: hosts.0)
        frame.append(
            spanID: 2,
            parentID: 1,
            start: child.lowerBound,
            end: child.upperBound,
            kind: kind,
            host: hosts.1
        )
        frame.append(
            spanID: 3,
            parentID: 2,
            start: child.lowerBound,
            end: child.lowerBound,
            host: hosts.1
        )
        frame.correctClockSkew(TraceTree(frame), limit: limit)
        return frame
    }

    @Test(
        arguments: [
            (100...300, 1400...1600), (1900...2100, 1400...1600), (5000...5400, 1300...1700),
            (0...3000, 1000...4000),
        ] as [(ClosedRange<UInt64>, ClosedRange<UInt64>)]
    )
    func `a server outside its client's time is moved into it`(
        child: ClosedRange<UInt64>,
        moved: ClosedRange<UInt64>
    ) {
        let frame = corrected(child: child)
        #expect(frame.start[1]...frame.end[1] == moved)
        #expect(frame.clockShift[1] != 0)
        #expect(frame.warnings[1]?.count == 1)
        // What runs on the same host moves along.
        #expect(frame.start[2] == frame.start[1])
    }

    @Test func `a span inside its parent stays`() {
        #expect(corrected(child: 1000...2000).clockShift == [0, 0, 0])
    }

    @Test func `a consumer may begin after its producer ended`() {
        #expect(corrected(child: 5000...6000, kind: .consumer).clockShift == [0, 0, 0])
    }

    @Test(arguments: [(nil, 2), (1, nil), (nil, nil), (1, 1)] as [(UInt32?, UInt32?)])
    func `one host, or one that is not known, moves nothing`(parent: UInt32?, child: UInt32?) {
        #expect(corrected(child: 100...300, hosts: (parent, child)).clockShift == [0, 0, 0])
    }

    @Test func `a clock further off than the limit is told and left`() {
        let frame = corrected(child: 100...300, limit: 100)
        #expect(frame.clockShift == [0, 0, 0])
        #expect(frame.warnings[1]?.first?.contains("more than") == true)
    }

    @Test func `a missing parent is told`() {
        var frame = SpanFrame()
        frame.append(spanID: 1, parentID: 0xAB, start: 0, end: 1)
        frame.correctClockSkew(TraceTree(frame))
        #expect(
            frame.warnings[0] == [
                "parent span ID=00000000000000ab is not in the trace; "
                    + "skipping clock skew adjustment"
            ]
        )
    }

    @Test func `times at the ends of 64 bits do not stop it`() {
        var frame = SpanFrame()
        frame.append(spanID: 1, parentID: 0, start: .max - 1, end: .max, kind: .client, host: 1)
        frame.append(spanID: 2, parentID: 1, start: 0, end: .max, kind: .server, host: 2)
        frame.append(spanID: 3, parentID: 2, start: .max, end: 0, kind: .server, host: 1)
        frame.correctClockSkew(TraceTree(frame), limit: .max)
        #expect(frame.count == 3)
        #expect(shifted(5, by: -10) == 0)
        #expect(shifted(.max - 1, by: 10) == .max)
        #expect(shifted(5, by: .min) == 0)
    }
}

@Suite struct AttributeAdjusterTests {
    @Test func `attributes sort by key and equal keys keep their order`() {
        let sorted = AttributeAdjusters.sorted([
            pair("b", .int(1)), pair("a", .int(2)), pair("b", .int(0)), pair("Z", .empty),
        ])
        #expect(
            sorted == [
                pair("Z", .empty), pair("a", .int(2)), pair("b", .int(1)), pair("b", .int(0)),
            ]
        )
    }

    @Test(
        arguments: [
            ("ip", .int(2_130_706_433), .string("127.0.0.1")),
            ("peer.ipv4", .int(-1_062_731_775), .string("192.168.0.1")),
            ("ip", .double(1), .string("0.0.0.1")), ("ip", .double(.nan), nil),
            ("ip", .double(0.5), nil),
            ("ip", .int(.max), nil), ("ip", .string("1.2.3.4"), nil), ("port", .int(80), nil),
        ] as [(String, AttributeValue, AttributeValue?)]
    )
    func `an address sent as a number is dotted`(
        key: String,
        value: AttributeValue,
        dotted: AttributeValue?
    ) {
        let result = AttributeAdjusters.withDottedAddresses([pair(key, value)])
        // NaN is not equal to itself, so an untouched value is compared by its text.
        #expect("\(result)" == "\([pair(key, dotted ?? value)])")
    }

    @Test func `what describes the library goes to the resource unless it says otherwise`() {
        let (span, resource) = AttributeAdjusters.movingLibraryAttributes(
            span: [
                pair("telemetry.sdk.name", .string("x")), pair("a", .int(1)),
                pair("telemetry.sdk.version", .string("2")),
                pair("telemetry.sdk.language", .string("go")),
            ],
            resource: [
                pair("telemetry.sdk.version", .string("1")),
                pair("telemetry.sdk.language", .string("go")),
            ]
        )
        #expect(span == [pair("a", .int(1)), pair("telemetry.sdk.version", .string("2"))])
        #expect(resource.last == pair("telemetry.sdk.name", .string("x")))
        #expect(resource.count == 3)
    }

    @Test func `a link that leads nowhere is dropped`() {
        #expect(!AttributeAdjusters.isLinkKept(traceID: .zero, spanID: .none))
        #expect(AttributeAdjusters.isLinkKept(traceID: .zero, spanID: SpanID(1)))
    }
}
