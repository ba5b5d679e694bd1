// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Testing

@Suite struct TraceQLParsingTests {
    private typealias Field = TraceQL.Field
    private typealias Spanset = TraceQL.Spanset

    private func attribute(_ key: String) -> TraceQL.Field {
        .operand(.attribute(.init(.any, key)))
    }

    private func spans(_ key: String) -> TraceQL.Spanset { .filter(attribute(key)) }

    private func field(_ text: String) throws -> TraceQL.Field {
        guard case .search(let pipeline) = try TraceQL.parse("{ \(text) }").body,
            case .spans(.filter(.some(let field))) = pipeline.stages.first
        else { throw QueryError(text: text, problem: "no field", hint: "") }
        return field
    }

    private func spanset(_ text: String) throws -> TraceQL.Spanset {
        guard case .search(let pipeline) = try TraceQL.parse(text).body,
            case .spans(let spanset) = pipeline.stages.first
        else { throw QueryError(text: text, problem: "no spanset", hint: "") }
        return spanset
    }

    @Test(arguments: TraceQLQueries.sound)
    func `writes every query in its canonical form, which reads back the same`(
        text: String,
        canonical: String
    ) throws {
        let question = try TraceQL.parse(text)
        #expect("\(question)" == canonical)
        #expect(try TraceQL.parse(canonical) == question)
    }

    @Test(arguments: TraceQLMistakes.all)
    func `says where a mistake is, what it is and what to write`(
        mistake: TraceQLMistakes.Mistake
    ) throws {
        let error = try #require(throws: QueryError.self) { try TraceQL.parse(mistake.text) }
        #expect(error.text == mistake.text)
        #expect(error.position == mistake.position)
        #expect(error.problem == mistake.problem)
        #expect(error.hint == mistake.hint)
    }

    @Test func `a position counts characters, not bytes`() throws {
        let error = try #require(throws: QueryError.self) {
            try TraceQL.parse("{ .straße = \"größe 👩‍👩‍👧\" && .a == 1 }")
        }
        #expect(error.position == 29)
    }

    // MARK: Operators

    @Test func `operators bind as the grammar says`() throws {
        let (a, b, c) = (attribute("a"), attribute("b"), attribute("c"))
        #expect(
            try field(".a || .b && .c") == .binary(.and, .binary(.or, a, b), c),
            "&& and || bind alike and to the left"
        )
        #expect(
            try field(".a && .b = 1") == .binary(.and, a, .binary(.equal, b, .literal(.int(1))))
        )
        #expect(
            try field(".a = .b + .c * 2")
                == .binary(
                    .equal,
                    a,
                    .binary(.add, b, .binary(.multiply, c, .literal(.int(2))))
                )
        )
        #expect(
            try field(".a - .b - .c > 0")
                == .binary(
                    .more,
                    .binary(.subtract, .binary(.subtract, a, b), c),
                    .literal(.int(0))
                )
        )
        #expect(
            try field(".a ^ .b ^ .c > 0")
                == .binary(.more, .binary(.power, a, .binary(.power, b, c)), .literal(.int(0)))
        )
        #expect(try field("!.a = true") == .binary(.equal, .not(a), .literal(.bool(true))))
        #expect(
            try field("-.a ^ .b > 0")
                == .binary(.more, .binary(.power, .negation(a), b), .literal(.int(0)))
        )
    }

    @Test func `relations bind tighter than && and ||, all to the left`() throws {
        let (a, b, c) = (spans("a"), spans("b"), spans("c"))
        #expect(
            try spanset("{.a} || {.b} >> {.c}")
                == .or(a, .related(.descendant, .plain, b, c))
        )
        #expect(
            try spanset("{.a} > {.b} !< {.c}")
                == .related(.parent, .negated, .related(.child, .plain, a, b), c)
        )
        #expect(
            try spanset("{.a} && {.b} without {.c} within 30s")
                == .and(a, .without(b, c, within: 30_000_000_000))
        )
    }

    @Test(arguments: TraceQL.Relation.allCases, TraceQL.Form.allCases)
    func `every relation has its three forms`(
        relation: TraceQL.Relation,
        form: TraceQL.Form
    ) throws {
        #expect(
            try spanset("{.a}\(form.rawValue)\(relation.rawValue){.b}")
                == .related(relation, form, spans("a"), spans("b"))
        )
    }

    // MARK: Operands

    @Test(arguments: TraceQL.Intrinsic.allCases)
    func `every intrinsic reads as itself`(intrinsic: TraceQL.Intrinsic) throws {
        #expect(
            try field("\(intrinsic.rawValue) = nil")
                == .binary(.equal, .operand(.intrinsic(intrinsic)), .literal(.nil))
        )
    }

    @Test(
        arguments: [
            ("span:duration", .duration), ("span:name", .name), ("span:status", .status),
            ("span:statusMessage", .statusMessage), ("span:kind", .kind),
            ("traceDuration", .traceDuration), ("rootName", .rootName),
            ("rootServiceName", .rootService),
        ] as [(String, TraceQL.Intrinsic)]
    )
    func `both spellings of an intrinsic are one`(
        spelling: String,
        intrinsic: TraceQL.Intrinsic
    ) throws {
        #expect(
            try field("\(spelling) != nil")
                == .binary(.notEqual, .operand(.intrinsic(intrinsic)), .literal(.nil))
        )
    }

    @Test(
        arguments: TraceQL.Attribute.Scope.allCases,
        ["a", "http.route", "a b", "q\"\\", "ä-1/2"]
    )
    func `every scope takes any key`(scope: TraceQL.Attribute.Scope, key: String) throws {
        let operand = TraceQL.Operand.attribute(.init(scope, key))
        #expect(
            try field("\(operand) = 1") == .binary(.equal, .operand(operand), .literal(.int(1)))
        )
    }

    @Test(
        arguments: [
            ("\"a\\\"b\\\\\\n\\t\\u00e9\\x41\"", .string("a\"b\\\n\té" + "A")),
            ("`a\\n`", .string("a\\n")), ("17", .int(17)), ("-17", .int(-17)),
            ("minInt", .int(.min)), ("maxInt", .int(.max)), ("1.5", .float(1.5)),
            ("2e3", .float(2000)), ("2E-3", .float(0.002)), ("true", .bool(true)),
            ("false", .bool(false)), ("nil", .nil), ("10ns", .duration(10)),
            ("10us", .duration(10_000)), ("10µs", .duration(10_000)),
            ("10ms", .duration(10_000_000)), ("1.5s", .duration(1_500_000_000)),
            ("-2m", .duration(-120_000_000_000)), ("1h30m", .duration(5_400_000_000_000)),
            ("ok", .status(.ok)), ("error", .status(.error)), ("unset", .status(.unset)),
            ("unspecified", .kind(.unspecified)), ("internal", .kind(.internal)),
            ("server", .kind(.server)), ("client", .kind(.client)),
            ("producer", .kind(.producer)), ("consumer", .kind(.consumer)),
        ] as [(String, TraceQL.Literal)]
    )
    func `literals keep their type`(text: String, literal: TraceQL.Literal) throws {
        #expect(try field(".a = \(text)") == .binary(.equal, attribute("a"), .literal(literal)))
    }

    // MARK: Bounds

    @Test(
        arguments: [
            ("{ name =~ \"a(b\" }", 11), ("{ name =~ \"ab**\" }", 13),
            ("{ name =~ \"\\\"**\" }", 10), ("{ name !~ `(?=x)` }", 11),
        ]
    )
    func `a query with a wrong pattern says where`(text: String, position: Int) throws {
        let error = try #require(throws: QueryError.self) { try TraceQL.parse(text) }
        #expect(error.position == position, "\(error)")
        #expect(error.problem.contains("no pattern"))
    }

    @Test func `a query has so many patterns and no more`() {
        func query(_ count: Int) -> String {
            "{ " + Array(repeating: "name =~ \"a\"", count: count).joined(separator: " || ") + " }"
        }
        #expect(throws: Never.self) { try TraceQL.parse(query(QueryLimits.patternCount)) }
        #expect(throws: QueryError.self) { try TraceQL.parse(query(QueryLimits.patternCount + 1)) }
    }

    @Test func `a query is bounded in operators, in depth and in bytes`() throws {
        func chain(_ count: Int) -> String {
            "{ " + Array(repeating: ".a", count: count).joined(separator: " || ") + " }"
        }
        #expect(throws: Never.self) { try TraceQL.parse(chain(250)) }
        #expect(throws: QueryError.self) { try TraceQL.parse(chain(260)) }
        for open in ["(", "!", "!("] {
            let nested = String(repeating: open, count: 400)
            #expect(throws: QueryError.self) { try TraceQL.parse("{ \(nested).a }") }
            #expect(throws: QueryError.self) { try TraceQL.parse(nested) }
        }
        let powers = Array(repeating: ".a", count: 100).joined(separator: " ^ ")
        #expect(throws: QueryError.self) { try TraceQL.parse("{ \(powers) > 1 }") }
        let long = String(repeating: "x", count: QueryLimits.textByteCount)
        #expect(throws: QueryError.self) { try TraceQL.parse("{ .a = \"\(long)\" }") }
    }

    @Test func `every beginning of a query parses or is refused in its bounds`() {
        for (text, _) in TraceQLQueries.sound {
            for count in 0..<text.count { check(String(text.prefix(count))) }
        }
    }

    @Test func `whatever bytes come, a query parses or is refused, and what parses reads back`() {
        var random = SplitMix(seed: 0x5EED)
        let texts = TraceQLQueries.sound.map { Array($0.text.utf8) }
        for _ in 0..<20_000 {
            var bytes = texts[Int(random.next() % UInt64(texts.count))]
            for _ in 0...random.next() % 3 where !bytes.isEmpty {
                let place = Int(random.next() % UInt64(bytes.count))
                let other = texts[Int(random.next() % UInt64(texts.count))]
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(other[Int(random.next() % UInt64(other.count))], at: place)
                default: bytes.insert(contentsOf: other.suffix(7), at: place)
                }
            }
            check(String(decoding: bytes, as: UTF8.self))
        }
    }

    private func check(_ text: String) {
        do {
            let question = try TraceQL.parse(text)
            let again = try? TraceQL.parse("\(question)")
            #expect(again == question, "\(text)")
        } catch {
            #expect(error.position.map { (0...text.count).contains($0) } ?? true, "\(text)")
            #expect(!error.hint.isEmpty && !error.problem.isEmpty)
        }
    }
}

/// Numbers that a seed repeats.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
