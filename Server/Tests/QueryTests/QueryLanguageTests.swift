// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Testing

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("0", 0), ("1ns", 1), ("1us", 1000), ("1\u{B5}s", 1000), ("1\u{3BC}s", 1000),
            ("10ms", 10_000_000), ("1.5s", 1_500_000_000), (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("+2m", 120_000_000_000), ("1h30m", 5_400_000_000_000), ("7d", 604_800_000_000_000),
            ("1.5d", 129_600_000_000_000), ("0.0000000001s", 0), ("1.9ns", 1),
            ("0.333333333s", 333_333_333), ("18446744073709551615ns", UInt64.max),
        ] as [(String, UInt64)]
    )
    func `reads Go's durations and days`(text: String, nanoseconds: UInt64) throws {
        #expect(try DurationText.parse(text) == nanoseconds)
    }

    @Test(arguments: [
        ("", 0), ("-1s", 0), ("s", 0), ("1", 1), ("1x", 1), ("1s2", 3), ("1.2.3s", 3), (" 1s", 0),
        ("1s ", 2), ("18446744073709551616ns", 0), ("999999999999d", 0), ("1e9s", 1),
        ("\u{661}s", 0), ("20000000000s", 0),
    ])
    func `says where a duration cannot be read`(text: String, position: Int) {
        let error = #expect(throws: QueryError.self) { try DurationText.parse(text) }
        #expect(error?.position == position)
        #expect(error?.hint.isEmpty == false)
    }

    @Test func `refuses a sum beyond 64 bits`() {
        #expect(throws: QueryError.self) {
            try DurationText.parse("18446744073709551615ns1ns")
        }
    }

    @Test(
        arguments: [
            (0, "0s"), (999, "999ns"), (1500, "1.5\u{B5}s"), (10_000_000, "10ms"),
            (1_500_000_000, "1.5s"), (120_000_000_000, "2m0s"), (3_661_000_000_000, "1h1m1s"),
        ] as [(UInt64, String)]
    )
    func `prints durations that read back the same`(nanoseconds: UInt64, text: String) throws {
        #expect(DurationText.text(nanoseconds) == text)
        #expect(try DurationText.parse(text) == nanoseconds)
    }
}

@Suite struct TagTextTests {
    private typealias Tag = SpanCondition.Tag

    @Test(
        arguments: [
            ("a=b", .tag(.init(key: "a", value: .text("b")))),
            ("a", .tag(.init(key: "a", value: .exists))),
            ("a=", .tag(.init(key: "a", value: .text("")))),
            ("!a", .not(.tag(.init(key: "a", value: .exists)))),
            ("!a=b", .not(.tag(.init(key: "a", value: .text("b"))))),
            ("a!=b", .not(.tag(.init(key: "a", value: .text("b"))))),
            (
                "resource:host=x y=z",
                .tag(.init(scope: .resource, key: "host", value: .text("x y=z")))
            ),
            ("span:a:b=c", .tag(.init(scope: .span, key: "a:b", value: .text("c")))),
            ("event:a", .tag(.init(scope: .event, key: "a", value: .exists))),
            ("http:a=b", .tag(.init(key: "http:a", value: .text("b")))),
            ("any:\"span:a\"=b", .tag(.init(key: "span:a", value: .text("b")))),
            (#""k=\"!"="v \\ \n""#, .tag(.init(key: "k=\"!", value: .text("v \\ \n")))),
            ("a={\"b\":1}", .tag(.init(key: "a", value: .text("{\"b\":1}")))),
            ("订单=中", .tag(.init(key: "订单", value: .text("中")))),
        ] as [(String, SpanCondition)]
    )
    func `reads a condition`(text: String, condition: SpanCondition) throws {
        #expect(try TagText.parse(text) == condition)
    }

    @Test(arguments: [
        ("", 0), ("=b", 0), ("!", 1), ("resource:=b", 9), ("!a!=b", 3), ("a!b", 2), ("\"a", 0),
        ("a=\"b", 2), ("a=\"b\"c", 5), ("\"a\"b", 3), ("a=\"b\\", 2),
    ])
    func `says where a condition cannot be read`(text: String, position: Int) {
        let error = #expect(throws: QueryError.self) { try TagText.parse(text) }
        #expect(error?.position == position)
    }
}

@Suite struct LogfmtTextTests {
    @Test(arguments: [
        ("", []),
        ("a=b", ["a", "b"]),
        ("  a=b\tc=\"d e\"  f ", ["a", "b", "c", "d e", "f", ""]),
        (#"a="\"\\ \n" b==c"#, ["a", "\"\\ \n", "b", "=c"]),
        ("订=单 http.method=GET", ["订", "单", "http.method", "GET"]),
    ])
    func `reads pairs`(text: String, flat: [String]) throws {
        #expect(try LogfmtText.parse(text).flatMap { [$0.key, $0.value] } == flat)
    }

    @Test(arguments: [("=b", 0), ("a=b =c", 4), ("a=\"b", 2), ("a=b a=c", 4), ("a=b\"c", 3)])
    func `says where pairs cannot be read`(text: String, position: Int) {
        let error = #expect(throws: QueryError.self) { try LogfmtText.parse(text) }
        #expect(error?.position == position)
    }

    @Test func `has a bound on pairs and on bytes`() {
        let pairs = (0...QueryLimits.patternCount).map { "k\($0)=v" }.joined(separator: " ")
        #expect(throws: QueryError.self) { try LogfmtText.parse(pairs) }
        let long = "k=" + String(repeating: "v", count: QueryLimits.textByteCount)
        #expect(throws: QueryError.self) { try LogfmtText.parse(long) }
    }
}

@Suite struct TraceQLOperandsTests {
    @Test(arguments: [
        ("{ }", []),
        ("{ .a = 1 && (span.b > duration || !(-.a < 2)) }", [".a", "span.b", "duration"]),
        (
            "({ name = \"x\" } >> { status = error } | by(resource.c)) | avg(.d) / 2 > sum(event.e)",
            ["name", "status", "resource.c", ".d", "event.e"]
        ),
        ("{ kind = server } without { .f != nil } | select(link.g, .f)", ["kind", ".f", "link.g"]),
    ])
    func `tells what a query asks spans for`(text: String, operands: [String]) throws {
        guard case .search(let pipeline) = try TraceQL.parse(text).body else {
            Issue.record("no search")
            return
        }
        #expect(pipeline.operands.map { "\($0)" } == operands)
    }
}

@Suite struct TraceQueryTests {
    @Test func `a cursor reads back as it was written`() throws {
        let cursor = TraceQuery.Cursor(
            order: .slowest,
            value: .max - 1,
            traceID: TraceID(high: 1, low: 2)
        )
        #expect(try TraceQuery.Cursor(text: cursor.text) == cursor)
    }

    @Test(arguments: [
        "", "newest", "newest-1-2", "oldest-0000000000000001-00000000000000000000000000000002",
        "newest-000000000000000g-00000000000000000000000000000002",
        "newest-0000000000000001-00000000000000000000000000000002-", "newest--",
    ])
    func `a damaged cursor is refused`(text: String) {
        #expect(throws: QueryError.self) { try TraceQuery.Cursor(text: text) }
    }

    @Test(arguments: [
        (TraceQuery(limit: 0), "limit"), (TraceQuery(limit: 10_001), "limit"),
        (TraceQuery(time: .between(start: 5, end: 5)), "end"),
        (TraceQuery(time: .between(start: 6, end: 5)), "end"), (TraceQuery(time: .last(0)), "last"),
        (
            TraceQuery(
                order: .slowest,
                cursor: .init(order: .newest, value: 1, traceID: .zero)
            ), "cursor"
        ),
        (TraceQuery(spans: [.tag(.init(key: "", value: .exists))]), "tag"),
        (TraceQuery(spans: [.service(.init(String(repeating: "x", count: 20_000)))]), "service"),
    ])
    func `an unsound query is refused and says which part`(query: TraceQuery, parameter: String) {
        let error = #expect(throws: QueryError.self) { try query.validated() }
        #expect(error?.parameter == parameter)
    }

    @Test func `a tree too deep or too wide is refused`() {
        var deep = SpanCondition.status(.error)
        for _ in 0..<40 { deep = .not(deep) }
        #expect(throws: QueryError.self) { try TraceQuery(spans: [deep]).validated() }
        let wide = SpanCondition.any(Array(repeating: .kind(.server), count: 300))
        #expect(throws: QueryError.self) { try TraceQuery(spans: [wide]).validated() }
    }

    @Test func `a sound query stays as it is`() throws {
        let query = TraceQuery(spans: [.all([.service("a"), .not(.status(.ok))])], limit: 10_000)
        #expect(try query.validated() == query)
    }
}

@Suite struct TimeTextTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000000001Z", 1),
            ("2000-02-29T23:59:59Z", 951_868_799_000_000_000),
            ("2026-11-21T17:06:04.5Z", 1_795_280_764_500_000_000),
            ("2026-11-21T18:06:04.5+01:00", 1_795_280_764_500_000_000),
            ("2026-11-21T08:36:04.5-08:30", 1_795_280_764_500_000_000),
            ("2026-11-21t18:06:04.5 01:00", 1_795_280_764_500_000_000),
            ("2026-11-21 17:06:04.5z", 1_795_280_764_500_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
            ("2026-11-21T17:06:04.1234567899Z", 1_795_280_764_123_456_789),
            ("2554-07-21T00:00:00Z", 18_446_659_200_000_000_000),
        ] as [(String, UInt64)]
    )
    func `a moment is read`(text: String, nanoseconds: UInt64) throws {
        #expect(try TimeText.parse(text) == nanoseconds)
    }

    @Test func `what is written is read as the same`() throws {
        var time: UInt64 = 3
        while time < 16_000_000_000_000_000_000 {
            #expect(try TimeText.parse(TimeText.text(time)) == time)
            time += time / 7 + 86_399_999_999_999
        }
        #expect(TimeText.text(1_795_280_764_500_000_000) == "2026-11-21T17:06:04.5Z")
        #expect(TimeText.text(951_782_400_000_000_000) == "2000-02-29T00:00:00Z")
    }

    @Test(arguments: [
        ("", 0), ("now", 0), ("26-11-21T00:00:00Z", 0), ("2026-13-01T00:00:00Z", 5),
        ("2026-02-29T00:00:00Z", 8), ("2026-11-21", 10), ("2026-11-21T24:00:00Z", 11),
        ("2026-11-21T00:60:00Z", 14), ("2026-11-21T00:00:61Z", 17), ("2026-11-21T00:00:00", 19),
        ("2026-11-21T00:00:00.Z", 20), ("2026-11-21T00:00:00+1", 20),
        ("2026-11-21T00:00:00Zulu", 20), ("２０２６-11-21T00:00:00Z", 0),
    ])
    func `what is no moment is told with its place`(text: String, position: Int) {
        let error = #expect(throws: QueryError.self) { try TimeText.parse(text) }
        #expect(error?.position == position)
    }

    @Test(arguments: ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01"])
    func `what 64 bits do not hold is refused`(text: String) {
        #expect(throws: QueryError.self) { try TimeText.parse(text) }
    }
}
