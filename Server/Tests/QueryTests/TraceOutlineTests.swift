// SPDX-License-Identifier: Apache-2.0

import Analysis
import Testing

@Suite struct TraceOutlineTests {
    /// Spans as (parent, start, end, label).
    private func spans(_ rows: [(Int, UInt64, UInt64, UInt64)]) -> [OutlineSpan] {
        rows.map { OutlineSpan(parent: $0.0, start: $0.1, end: $0.2, label: $0.3) }
    }

    private func told(_ outline: TraceOutline) -> [String] {
        outline.lines.map { line in
            let what = line.alike.map { "\($0.siblingCount)/\($0.spanCount)" } ?? "\(line.place)"
            return String(repeating: ".", count: line.depth) + what + (line.isLast ? "!" : "")
        }
    }

    @Test func `each span has a line, and the last of its siblings is known`() {
        let outline = TraceOutline(
            spans([(-1, 0, 9, 1), (0, 1, 2, 2), (1, 1, 2, 3), (0, 3, 4, 2), (-1, 5, 6, 1)])
        )
        #expect(told(outline) == ["0", ".1", "..2!", ".3!", "4!"])
    }

    @Test func `of many siblings alike three stand and the others are told together`() throws {
        var rows: [(Int, UInt64, UInt64, UInt64)] = [(-1, 0, 1_000, 1)]
        for number in UInt64(0)..<50 { rows.append((0, number * 10, number * 10 + number, 7)) }
        rows.append((0, 900, 950, 8))
        let outline = TraceOutline(spans(rows))
        #expect(told(outline) == ["0!", ".1", ".2", ".3", ".47/47", ".51!"])
        let alike = try #require(outline.lines[4].alike)
        #expect([alike.shortest, alike.longest, alike.start, alike.end] == [3, 49, 30, 539])
        #expect(TraceOutline(spans(rows), tellsTogether: false).lines.count == 52)
    }

    @Test func `siblings are alike only when their descendants are, between others too`() {
        // Of eight pairs of calls, the second call of one has a child of another label.
        var rows: [(Int, UInt64, UInt64, UInt64)] = [(-1, 0, 1_000, 1)]
        for number in UInt64(0)..<8 {
            rows.append((0, number * 20, number * 20 + 5, 2))
            rows.append((0, number * 20 + 10, number * 20 + 15, 3))
            rows.append((rows.count - 1, number * 20 + 10, number * 20 + 11, number == 7 ? 9 : 4))
        }
        #expect(
            told(TraceOutline(spans(rows))) == [
                "0!", ".1", ".2", "..3!", ".4", ".5", "..6!", ".7", ".8", "..9!", ".5/5", ".4/8",
                ".23!", "..24!",
            ]
        )
    }

    @Test func `five siblings alike all stand`() {
        var rows: [(Int, UInt64, UInt64, UInt64)] = [(-1, 0, 9, 1)]
        for number in UInt64(0)..<5 { rows.append((0, number, 9, 2)) }
        #expect(TraceOutline(spans(rows)).lines.count == 6)
    }

    @Test func `self time is what no child covers, however children overlap or overrun`() {
        let times = TraceOutline.selfTimes(
            spans([
                (-1, 100, 200, 1), (0, 110, 130, 1), (0, 120, 140, 1), (0, 125, 126, 1),
                (0, 190, 250, 1), (4, 50, 191, 1), (0, 300, 400, 1),
            ])
        )
        #expect(times == [60, 20, 20, 1, 59, 141, 100])
    }

    @Test func `spans of a trace are alike by operation, and failed ones only to failed ones`() {
        let trace = PlacedTrace([
            Call(1, 0, 100, "buy"), Call(2, of: 1, 10, 20, "pay"),
            Call(3, of: 1, 20, 30, "pay", isError: true), Call(4, of: 1, 30, 40, "pay"),
            Call(5, of: 1, 40, 50, "pay", in: "bank"),
        ])
        let outline = trace.outlineSpans
        #expect(outline.map(\.parent) == [-1, 0, 0, 0, 0])
        #expect(outline.map(\.end) == [100, 20, 30, 40, 50])
        #expect(outline[1].label == outline[3].label)
        #expect(Set(outline.map(\.label)).count == 4)
    }

    @Test func `a chain and a fan of 100,000 spans are outlined without recursion`() {
        let count = 100_000
        let chain = TraceOutline(
            (0..<count).map { .init(parent: $0 - 1, start: 0, end: 1, label: 1) }
        )
        #expect(chain.lines.last?.depth == count - 1)
        let fan = TraceOutline(
            (0..<count).map { .init(parent: $0 == 0 ? -1 : 0, start: 0, end: 1, label: 1) }
        )
        #expect(fan.lines.map { $0.alike?.siblingCount } == [nil, nil, nil, nil, count - 4])
    }
}
