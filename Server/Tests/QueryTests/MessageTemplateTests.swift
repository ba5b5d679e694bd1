// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import QueryLanguage
import SkeinModel
import Testing

@Suite struct MessageTemplateTests {
    @Test(
        arguments: [
            (
                "order A-1042 not found for \"Bob\" after 250ms",
                "order A-… not found for \"…\" after …ms"
            ),
            ("no route to 10.0.3.17:8080", "no route to …"),
            ("lock 550e8400-e29b-41d4-a716-446655440000 held", "lock … held"),
            ("took 1,234.5 of 2 s", "took … of … s"),
            ("at 2026-03-01T10:20:30.123Z: gone", "at …: gone"),
            ("bad address 0xDEADbeef", "bad address …"),
            ("trace 0af7651916cd43dd8448eb211c80319c", "trace …"),
            ("token aZ3kQ9x1pp expired", "token … expired"),
            ("user_77 has no utf8 name", "user_… has no utf… name"),
            ("java.lang.NullPointerException: null", "java.lang.NullPointerException: null"),
            ("can't open 'it's mine.txt' today", "can't open '…' today"),
            ("unclosed 'quote 5", "unclosed 'quote …"),
            ("empty '' stays", "empty '' stays"),
            ("  several\n\t lines\r\nof 3  ", "several lines of …"),
            ("订单“A-17”不存在，代码 404", "订单“…”不存在，代码 …"),
            ("", ""), ("…", "…"), ("42", "…"), ("'", "'"), ("0x", "…"),
        ]
    )
    func `what differs is left out`(message: String, template: String) {
        let found = MessageTemplate(message)
        // "0x" alone has a digit, and is a number that lost its digits.
        #expect(found.text == template)
        #expect(!found.isCut)
    }

    @Test func `messages that differ in what is left out have one template`() {
        let first = MessageTemplate("item 5 of 'a b' missing")
        #expect(first == MessageTemplate("item 77,000 of 'c' missing"))
        #expect(first != MessageTemplate("item five of 'a b' missing"))
    }

    @Test func `a long message is cut, and its pattern finds what was cut off`() throws {
        let words = Array(repeating: "waiting", count: 400).joined(separator: " ")
        let template = MessageTemplate("failed: " + words)
        #expect(template.isCut)
        #expect(template.text.unicodeScalars.count <= AnalysisLimits.templateLength)
        #expect(template.pattern.hasSuffix(".*"))
        // One that ends where the other was cut is another message.
        #expect(template != MessageTemplate(template.text))
        let digits = MessageTemplate(String(repeating: "1 ", count: 4_000))
        #expect(digits.isCut)
    }

    /// Texts of all kinds of marks, and the queries that groups of them link to.
    @Test(arguments: UInt64(1)...20)
    func `a pattern finds every message of its template`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "order", "A-1", "'x y'", "\"q\"", "5", "3.5", "10.0.0.1:80", "deadbeef7", " ", "\n",
            "\t",
            "(", ")", "[", "]", "{", "}", "\\", "*", "+", "?", "|", "^", "$", ".", "'", "\"", "`",
            "…",
            "“", "”", "é", "订单", "\u{1}", "#", "/", "2026-01-01", "can't", "-", ":", "_9",
        ]
        var spans: [TestSpan] = []
        for number in UInt64(1)...60 {
            let count = Int.random(in: 0...8, using: &generator)
            let message = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }
            spans.append(
                TestSpan(
                    trace: TraceID(high: 0xA, low: number),
                    id: 1,
                    status: .error,
                    statusMessage: message.joined()
                )
            )
        }
        let engine = QueryEngine(store: MemoryStore(spans), now: { 0 })
        for span in spans {
            let template = MessageTemplate(span.statusMessage)
            let pattern = TraceQL.Literal.string(template.pattern)
            let found = try await engine.search(
                TraceQL.Search(
                    try TraceQL.parse("{ statusMessage =~ \(pattern) }"),
                    time: .between(start: 0, end: 10_000),
                    limit: 100
                )
            )
            let ids = Set(found.traces.map(\.summary.traceID))
            let alike = spans.filter { MessageTemplate($0.statusMessage) == template }
            #expect(
                ids.isSuperset(of: alike.map(\.trace)),
                "SEED=\(seed): \(span.statusMessage.debugDescription) as \(template.pattern)"
            )
        }
    }
}
