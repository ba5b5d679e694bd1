// SPDX-License-Identifier: Apache-2.0

import SkeinModel

extension TraceQLParser {
    /// A field with where it began, for errors about it.
    struct Placed {
        var field: TraceQL.Field
        var start: Int
    }

    /// What stands between `{` and `}`; both are taken.
    mutating func braced() throws(QueryError) -> TraceQL.Field? {
        try expect(.openBrace, "conditions on a span stand in { }")
        if take(.closeBrace) { return nil }
        let start = token.start
        let field = try self.field()
        guard take(.closeBrace) else { throw unfinishedField() }
        guard field.type == .bool || field.type == .any else {
            throw error(
                "\(field.type.phrase) is no condition",
                "compare it, like { \(field) \(Self.example(of: field.type)) }",
                at: start
            )
        }
        return field
    }

    private static func example(of type: TraceQL.ValueType) -> String {
        switch type {
        case .duration: "> 100ms"
        case .string: "= \"…\""
        case .status: "= error"
        case .kind: "= server"
        default: "> 0"
        }
    }

    /// A field in front of `)` or `,`.
    mutating func field() throws(QueryError) -> TraceQL.Field {
        try placedField(above: 1).field
    }

    /// Operators of at least this precedence.
    private mutating func placedField(above minimum: Int) throws(QueryError) -> Placed {
        var left = try operand()
        while let symbol = fieldOperator, symbol.precedence >= minimum {
            let place = token.start
            advance()
            if symbol == .power { try enter() }
            let right = try placedField(
                above: symbol == .power ? symbol.precedence : symbol.precedence + 1
            )
            if symbol == .power { leave() }
            try count()
            try check(symbol, left, right, at: place)
            left.field = .binary(symbol, left.field, right.field)
        }
        return left
    }

    private var fieldOperator: TraceQL.FieldOperator? {
        guard case .symbol(let symbol) = token.kind else { return nil }
        return TraceQL.FieldOperator(rawValue: symbol.rawValue)
    }

    private mutating func operand() throws(QueryError) -> Placed {
        let start = token.start
        try enter()
        let field = try unaryOrAtom()
        leave()
        return Placed(field: field, start: start)
    }

    private mutating func unaryOrAtom() throws(QueryError) -> TraceQL.Field {
        let place = token.start
        try count()
        switch token.kind {
        case .symbol(.open):
            advance()
            let field = try self.field()
            guard take(.close) else { throw unfinishedField() }
            return field
        case .symbol(.not):
            advance()
            // Binds less than * and more than +.
            let inner = try placedField(above: TraceQL.FieldOperator.multiply.precedence)
            guard inner.field.type == .bool || inner.field.type == .any else {
                throw error(
                    "! of \(inner.field.type.phrase)",
                    "put the comparison in parentheses: !(…)",
                    at: place
                )
            }
            return .not(inner.field)
        case .symbol(.minus):
            advance()
            let inner = try operand()
            guard inner.field.type.isNumeric else {
                throw error(
                    "minus \(inner.field.type.phrase)",
                    "only numbers and durations have a minus",
                    at: place
                )
            }
            return inner.field.negated
        case .operand(let operand):
            advance()
            return .operand(operand)
        case .literal(let literal):
            advance()
            return .literal(literal)
        case .word(let word):
            guard let literal = TraceQL.Literal(word: word) else { throw unknownWord(word) }
            advance()
            return .literal(literal)
        default: throw missingOperand()
        }
    }

    // MARK: Errors

    private func missingOperand() -> QueryError {
        if case .symbol(let symbol) = token.kind {
            switch symbol {
            case .equal:
                return expected("a value", "write one = to compare, like .key = \"value\"")
            case .openBrace:
                return expected("a condition", "{ } do not nest; close the first one and write &&")
            case .closeBrace:
                return expected("a value or a condition", "write one before the }")
            default: break
            }
        }
        return expected(
            "a value or a condition",
            "write an attribute like .key, an intrinsic like duration, or a value like \"text\""
        )
    }

    /// What follows a whole condition is neither an operator nor the end.
    private func unfinishedField() -> QueryError {
        guard case .word(let word) = token.kind else {
            return switch token.kind {
            case .end: expected("}", "close what { or ( opened")
            case .symbol(.sibling), .symbol(.descendant), .symbol(.ancestor):
                expected("an operator", "spans are related outside of { }: {A} >> {B}")
            case .symbol(.comma): expected("an operator", "write && between conditions")
            case .symbol(.pipe): expected("an operator", "write || for or, or close the { first")
            default:
                expected("an operator", "join conditions by && or ||, compare by = != < > =~")
            }
        }
        return switch word.lowercased() {
        case "and": expected("an operator", "write && for and")
        case "or": expected("an operator", "write || for or")
        case "not": expected("an operator", "write !(…) or != or !~")
        case "is": expected("an operator", "write = or !=")
        case "in": expected("an operator", "write =~ \"a|b\" or .key = \"a\" || .key = \"b\"")
        case "like", "contains", "matches", "regex":
            expected("an operator", "write =~ \".*text.*\"")
        default: expected("an operator", "join conditions by && or ||; text stands in \"…\"")
        }
    }

    func unknownWord(_ word: String) -> QueryError {
        switch word.lowercased() {
        case "null", "none", "undefined": return expected("a value", "write nil")
        case "and": return expected("a condition", "write && between two conditions")
        case "or": return expected("a condition", "write || between two conditions")
        case "not": return expected("a condition", "write !(…)")
        case "count", "avg", "min", "max", "sum":
            if following.kind == .symbol(.open) {
                return expected("a condition", "numbers over spans come after: {…} | \(word)() > 2")
            }
        case "service": return expected("an attribute", "write resource.service.name")
        case "operation": return expected("an attribute", "write name")
        default: break
        }
        let lowercased = word.lowercased()
        if let literal = TraceQL.Literal(word: lowercased) {
            return expected("a value", "write \(literal), in lower case")
        }
        let known = TraceQL.Intrinsic.spellings.first { $0.lowercased() == lowercased }
        if let known { return expected("an intrinsic", "write \(known)") }
        return expected(
            "a value or a condition",
            "write .\(word) for the attribute, \"\(word)\" for the text"
        )
    }
}

extension TraceQL.Literal {
    /// The value a word stands for.
    init?(word: String) {
        switch word {
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        case "nil": self = .nil
        case "minInt": self = .int(.min)
        case "maxInt": self = .int(.max)
        default:
            if let status = StatusCode(word: word) {
                self = .status(status)
            } else if let kind = SpanKind(word: word) {
                self = .kind(kind)
            } else {
                return nil
            }
        }
    }

    /// The number with the other sign; `nil` for what has none in 64 bits.
    var negated: TraceQL.Literal? {
        switch self {
        case .int(let value) where value != .min: .int(-value)
        case .duration(let value) where value != .min: .duration(-value)
        case .float(let value): .float(-value)
        default: nil
        }
    }
}

extension TraceQL.Field {
    /// `-self`, as a literal where it is one.
    var negated: TraceQL.Field {
        if case .literal(let literal) = self, let negated = literal.negated {
            return .literal(negated)
        }
        return .negation(self)
    }
}
