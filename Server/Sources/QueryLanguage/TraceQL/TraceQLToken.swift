// SPDX-License-Identifier: Apache-2.0

/// One word of a query and where it stands.
struct TraceQLToken: Equatable {
    enum Kind: Equatable {
        case symbol(Symbol)
        /// A keyword, or what is none.
        case word(String)
        case operand(TraceQL.Operand)
        case literal(TraceQL.Literal)
        /// What cannot be read; nothing follows it.
        case wrong(problem: String, hint: String)
        case end
    }

    /// Signs, as they are written.
    enum Symbol: String, CaseIterable {
        case openBrace = "{"
        case closeBrace = "}"
        case open = "("
        case close = ")"
        case comma = ","
        case pipe = "|"
        case and = "&&"
        case or = "||"
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case atMost = "<="
        case more = ">"
        case atLeast = ">="
        case matches = "=~"
        case notTilde = "!~"
        case descendant = ">>"
        case ancestor = "<<"
        case sibling = "~"
        case notChild = "!>"
        case notParent = "!<"
        case notDescendant = "!>>"
        case notAncestor = "!<<"
        case unionChild = "&>"
        case unionParent = "&<"
        case unionDescendant = "&>>"
        case unionAncestor = "&<<"
        case unionSibling = "&~"
        case not = "!"
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divide = "/"
        case remainder = "%"
        case power = "^"

        /// Longest first, so that `&>>` is not read as `&>`.
        static let byLength = allCases.map { ($0, Array($0.rawValue.unicodeScalars)) }
            .sorted { $0.1.count > $1.1.count }
    }

    var kind: Kind
    /// Unicode scalars of the text before it.
    var start: Int
    /// Unicode scalars of the text up to its end.
    var end: Int

    /// As an error names it.
    func phrase(in text: [Unicode.Scalar]) -> String {
        if kind == .end { return "the end" }
        var written = String.UnicodeScalarView()
        written.append(contentsOf: text[start..<min(end, start + 40)])
        return "\"\(String(written))\(end - start > 40 ? "…" : "")\""
    }
}
