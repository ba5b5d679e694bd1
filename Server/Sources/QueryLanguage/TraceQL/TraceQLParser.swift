// SPDX-License-Identifier: Apache-2.0

extension TraceQL {
    /// The query that `text` writes.
    ///
    /// - Throws: with the position of the first character that does not fit, what was expected there
    ///   and what to write instead.
    public static func parse(_ text: String) throws(QueryError) -> Question {
        guard text.utf8.count <= QueryLimits.textByteCount else {
            throw QueryError(
                text: text,
                problem: "the query is \(text.utf8.count) bytes long",
                hint: "at most \(QueryLimits.textByteCount) bytes are read"
            )
        }
        var parser = TraceQLParser(text)
        return try parser.question()
    }
}

/// A recursive descent over the tokens of one query that checks types as it goes, since only here
/// positions are known. Recursion is bounded by `QueryLimits.depth`, the tree by
/// `QueryLimits.nodeCount`.
struct TraceQLParser {
    private let text: String
    let scalars: [Unicode.Scalar]
    private let tokens: [TraceQLToken]
    private var index = 0
    private var depth = 0
    private var nodeCount = 0
    private var patternCount = 0

    init(_ text: String) {
        self.text = text
        var lexer = TraceQLLexer(text)
        tokens = lexer.tokens()
        scalars = lexer.scalars
    }

    // MARK: Tokens

    /// The last token is `.end` or `.wrong` and is never left.
    var token: TraceQLToken { tokens[index] }

    /// The token after the current one.
    var following: TraceQLToken { tokens[min(index + 1, tokens.count - 1)] }

    /// Whether the token before the current one compares.
    var isAfterComparison: Bool {
        guard index > 0, case .symbol(let symbol) = tokens[index - 1].kind else { return false }
        return TraceQL.Comparison(rawValue: symbol.rawValue) != nil
    }

    mutating func advance() { index = min(index + 1, tokens.count - 1) }

    mutating func take(_ symbol: TraceQLToken.Symbol) -> Bool {
        guard token.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(word: String) -> Bool {
        guard token.kind == .word(word) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: TraceQLToken.Symbol, _ hint: String) throws(QueryError) {
        guard take(symbol) else { throw expected("\(symbol.rawValue)", hint) }
    }

    // MARK: Errors

    /// An error at `place`, an index of a scalar.
    func error(_ problem: String, _ hint: String, at place: Int) -> QueryError {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[..<min(place, scalars.count)])
        return QueryError(text: text, position: String(view).count, problem: problem, hint: hint)
    }

    /// What stands here, where `what` should.
    func expected(_ what: String, _ hint: String) -> QueryError {
        if case .wrong(let problem, let hint) = token.kind {
            return error(problem, hint, at: token.end)
        }
        return error(
            "\(what) was expected, not \(token.phrase(in: scalars))",
            hint,
            at: token.start
        )
    }

    // MARK: Bounds

    /// Counts one node of the tree.
    mutating func count() throws(QueryError) {
        nodeCount += 1
        guard nodeCount <= QueryLimits.nodeCount else {
            throw error(
                "more than \(QueryLimits.nodeCount) operators and operands",
                "ask for less at once, or write one pattern like =~ \"a|b|c\"",
                at: token.start
            )
        }
    }

    mutating func countPattern(at place: Int) throws(QueryError) {
        patternCount += 1
        guard patternCount <= QueryLimits.patternCount else {
            throw error(
                "more than \(QueryLimits.patternCount) patterns",
                "join them to one: =~ \"a.*|b.*\"",
                at: place
            )
        }
    }

    mutating func enter() throws(QueryError) {
        depth += 1
        guard depth <= QueryLimits.depth else {
            throw error(
                "nested more than \(QueryLimits.depth) levels deep",
                "leave out parentheses that are not needed",
                at: token.start
            )
        }
    }

    mutating func leave() { depth -= 1 }

    // MARK: The whole

    mutating func question() throws(QueryError) -> TraceQL.Question {
        if case .end = token.kind {
            throw error("the query is empty", "write { } for every trace", at: 0)
        }
        let start = token.start
        let body: TraceQL.Body
        switch try pipeline() {
        case .spanset(.pipeline(let pipeline)): body = .search(pipeline)
        case .spanset(let spanset): body = .search(TraceQL.Pipeline([.spans(spanset)]))
        case .filter(let filter): body = .search(TraceQL.Pipeline([.filter(filter)]))
        case .metrics(let metrics): body = .metrics(metrics)
        case .scalar(let scalar): throw notCompared(scalar, at: start)
        }
        var question = TraceQL.Question(body)
        try trailers(&question)
        guard case .end = token.kind else { throw unexpectedRest() }
        return question
    }

    private mutating func trailers(_ question: inout TraceQL.Question) throws(QueryError) {
        while true {
            let start = token.start
            if take(word: "order") {
                guard case .search = question.body else {
                    throw error(
                        "series have no order",
                        "order by is for traces; for series write | topk(10)",
                        at: start
                    )
                }
                guard question.order == nil else {
                    throw error("ordered twice", "leave one order by out", at: start)
                }
                question.order = try order()
            } else if take(word: "with") {
                guard question.hints.isEmpty else {
                    throw error(
                        "with (…) stands twice",
                        "write one: with (a = 1, b = 2)",
                        at: start
                    )
                }
                question.hints = try hints()
            } else {
                return
            }
        }
    }

    private func unexpectedRest() -> QueryError {
        switch token.kind {
        case .symbol(.close): expected("the end", "there is one ) too many")
        case .symbol(.closeBrace): expected("the end", "there is one } too many")
        case .word(let word): misplacedWord(word)
        case .symbol(.openBrace):
            expected("an operator", "join two { } by && || > >> < << ~ or without")
        default:
            expected(
                "the end, | or an operator",
                "go on with | count() > 2, with order by trace:duration, or not at all"
            )
        }
    }

    private func misplacedWord(_ word: String) -> QueryError {
        switch word.lowercased() {
        case "and": expected("an operator", "write && for and")
        case "or": expected("an operator", "write || for or")
        case "not": expected("an operator", "write {A} without {B}, or !>> for \"not below\"")
        case "limit":
            expected("the end", "how many traces to tell is a parameter beside the query")
        default:
            expected(
                "the end, | or an operator",
                "words that go on are without, order by and with (…)"
            )
        }
    }

    private mutating func order() throws(QueryError) -> TraceQL.Order {
        guard take(word: "by") else { throw expected("by", "write order by trace:duration") }
        let key: TraceQL.Order.Key? =
            switch token.kind {
            case .operand(.intrinsic(.traceDuration)): .duration
            case .operand(.intrinsic(.spanCount)): .spanCount
            case .word(let word): TraceQL.Order.Key(rawValue: word)
            default: nil
            }
        guard let key else {
            let keys = TraceQL.Order.Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw expected("what to order by", "write one of \(keys)")
        }
        advance()
        if take(word: "asc") { return TraceQL.Order(key, isAscending: true) }
        _ = take(word: "desc")
        return TraceQL.Order(key)
    }
}
