// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel

/// One span as a test of an analysis writes it.
struct Call {
    var id: UInt64
    var parent: UInt64 = 0
    var start: UInt64
    var end: UInt64
    var service = "shop"
    var name = "op"
    var kind = SpanKind.internal
    var isError = false
    var host: UInt32?

    init(
        _ id: UInt64,
        of parent: UInt64 = 0,
        _ start: UInt64,
        _ end: UInt64,
        _ name: String = "op",
        in service: String = "shop",
        kind: SpanKind = .internal,
        isError: Bool = false,
        host: UInt32? = nil
    ) {
        self.id = id
        self.parent = parent
        self.start = start
        self.end = end
        self.name = name
        self.service = service
        self.kind = kind
        self.isError = isError
        self.host = host
    }
}

extension PlacedTrace {
    /// The trace that `calls` are. `isSkewCorrected` moves the clocks of hosts.
    init(_ calls: [Call], isSkewCorrected: Bool = false, droppedPartCount: UInt64 = 0) {
        var texts: [String] = []
        var numbers: [String: UInt32] = [:]
        func number(_ text: String) -> UInt32 {
            if let known = numbers[text] { return known }
            numbers[text] = UInt32(texts.count)
            texts.append(text)
            return UInt32(texts.count - 1)
        }
        var frame = SpanFrame(capacity: calls.count)
        for call in calls {
            frame.append(
                spanID: call.id,
                parentID: call.parent,
                start: call.start,
                end: call.end,
                kind: call.kind,
                service: number(call.service),
                host: call.host
            )
        }
        var tree = TraceTree(frame)
        if isSkewCorrected {
            frame.correctClockSkew(tree)
            tree = TraceTree(frame)
        }
        let names = calls.map { number($0.name) }
        self.init(
            frame,
            tree,
            name: names,
            isError: calls.map(\.isError),
            droppedPartCount: droppedPartCount
        ) { texts[Int($0)] }
    }

    /// Any trace at all: circles, orphans, ids used twice, spans of no duration, children that begin
    /// before their parents or outlast them.
    static func any(_ generator: inout SeededGenerator, spans: ClosedRange<Int>) -> PlacedTrace {
        let count = Int.random(in: spans, using: &generator)
        let kinds: [SpanKind] = [.internal, .client, .server, .producer, .consumer]
        let span = UInt64.random(in: 3...200, using: &generator)
        return PlacedTrace(
            (0..<count).map { _ in
                let start = UInt64.random(in: 0...span, using: &generator)
                return Call(
                    UInt64.random(in: 1...UInt64(count + 2), using: &generator),
                    of: UInt64.random(in: 0...UInt64(count + 4), using: &generator),
                    start,
                    start + UInt64.random(in: 0...span, using: &generator),
                    "op\(Int.random(in: 0...2, using: &generator))",
                    in: "service\(Int.random(in: 0...1, using: &generator))",
                    kind: kinds.randomElement(using: &generator) ?? .internal,
                    isError: Int.random(in: 0...3, using: &generator) == 0
                )
            }
        )
    }

    /// A million calls one after another, below a root.
    static let longSequence = sequence(1_000_000)

    /// A million spans, each the only child of the one before.
    static let longChain = chain(1_000_000)

    /// A root with `count` calls below it, one after another.
    static func sequence(_ count: Int) -> PlacedTrace {
        PlacedTrace(
            [Call(1, 0, UInt64(count) * 10 + 1, "root")]
                + (0..<UInt64(count)).map { Call($0 + 2, of: 1, $0 * 10, $0 * 10 + 9, "call") }
        )
    }

    /// `count` spans, each the only child of the one before.
    static func chain(_ count: Int) -> PlacedTrace {
        PlacedTrace(
            (1...UInt64(count)).map { Call($0, of: $0 - 1, $0, UInt64(count) * 3 - $0) }
        )
    }
}
