// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import Testing

@Suite struct PatternTests {
    @Test(
        arguments: [
            ("GET .*", "GET /a", true), ("GET .*", "GET ", true), ("GET .*", " GET /a", false),
            ("GET", "GET /a", false), ("GET", "FORGET", false), ("a|b", "a", true),
            ("a|b", "b", true), ("a|b", "ab", false), ("", "", true), ("", "a", false),
            (".*", "", true), (".*", "a\nb", true), ("(?-s).*", "a\nb", false),
            ("(?i)get", "GeT", true), ("[0-9]{3}", "404", true), ("[0-9]{3}", "40", false),
            ("\\d+", "17", true), ("\\pL+", "größe", true), ("größe", "größe", true),
            (".", "ß", true), ("^a$", "a", true), ("a\\.b", "axb", false), ("a.b", "axb", true),
            ("(a)(b)?c", "ac", true), ("[^/]+/x", "q/x", true), ("[^/]+/x", "q/r/x", false),
        ]
    )
    func `a whole text matches or not`(pattern: String, text: String, isMatch: Bool) throws {
        #expect(try Pattern(pattern).matches(text) == isMatch)
    }

    @Test(
        arguments: [
            ("(", 0, "missing )"), ("a(b", nil, "missing )"), ("[a", 0, "missing ]"),
            ("x[a-", nil, "missing ]"), ("ab**", 2, "bad repetition operator"),
            ("*a", 0, "no argument for repetition operator"), ("a\\", nil, "trailing \\"),
            ("(?=a)", 0, "invalid perl operator"), ("(a)\\1", 3, "invalid escape sequence"),
            ("ä[z-a]", 2, "invalid character class range"),
            ("((a{100}){100}){100}", nil, "invalid repetition size"),
        ] as [(String, Int?, String)]
    )
    func `what is no pattern is refused, with its place where it is known`(
        pattern: String,
        position: Int?,
        words: String
    ) throws {
        let error = try #require(throws: QueryError.self) { try Pattern(pattern) }
        #expect(error.problem.contains(words), "\(error)")
        if let position { #expect(error.position == position, "\(error)") }
    }

    @Test func `a pattern is bounded in bytes and in memory`() {
        #expect(throws: QueryError.self) { try Pattern(String(repeating: "a", count: 5_000)) }
        #expect(throws: QueryError.self) { try Pattern("(\\pL{1000}){2}|((x{50}){50}){50}") }
        #expect(throws: QueryError.self) { try Pattern("(\\pL|\\pN){1000}") }
    }

    /// A backtracker tries 2 to the 40th ways here.
    @Test(arguments: ["(a+)+b", "(a|a)*b", "(a?){40}a{40}b", "(.*)*b", "((a*)*)*b"])
    func `evil patterns take time linear in the text`(pattern: String) throws {
        #expect(try !Pattern(pattern).matches(String(repeating: "a", count: 100_000)))
        #expect(try Pattern(pattern).matches(String(repeating: "a", count: 50) + "b"))
    }
}
