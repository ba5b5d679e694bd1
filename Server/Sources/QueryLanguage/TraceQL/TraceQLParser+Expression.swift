// SPDX-License-Identifier: Apache-2.0

extension TraceQLParser {
    /// Operators of at least this precedence, outside of `{ }`.
    mutating func expression(above minimum: Int) throws(QueryError) -> Node {
        let start = token.start
        var left = try atom()
        while let outer = outerOperator, outer.precedence >= minimum {
            let place = token.start
            advance()
            try count()
            let isPower = outer == .arithmetic(.power)
            if isPower { try enter() }
            let right = try expression(above: isPower ? outer.precedence : outer.precedence + 1)
            if isPower { leave() }
            left = try joined(outer, left, right, from: start, at: place)
            if outer == .without { left = try deadline(left) }
        }
        return left
    }

    private enum OuterOperator: Equatable {
        case and, or, without
        case related(TraceQL.Relation, TraceQL.Form)
        case compare(TraceQL.Comparison)
        /// `<` and `>`: relations between spans, comparisons between numbers.
        case ambiguous(TraceQL.Relation, TraceQL.Comparison)
        case arithmetic(TraceQL.Arithmetic)

        var precedence: Int {
            switch self {
            case .and, .or: 1
            case .without, .related, .compare, .ambiguous: 2
            case .arithmetic(let arithmetic): arithmetic.precedence
            }
        }
    }

    private var outerOperator: OuterOperator? {
        switch token.kind {
        case .word("without"): .without
        case .symbol(let symbol): Self.outerOperator(symbol)
        default: nil
        }
    }

    private static func outerOperator(_ symbol: TraceQLToken.Symbol) -> OuterOperator? {
        switch symbol {
        case .and: return .and
        case .or: return .or
        case .more: return .ambiguous(.child, .more)
        case .less: return .ambiguous(.parent, .less)
        default: break
        }
        let written = symbol.rawValue
        if let comparison = TraceQL.Comparison(rawValue: written) { return .compare(comparison) }
        if let arithmetic = TraceQL.Arithmetic(rawValue: written) { return .arithmetic(arithmetic) }
        if let relation = TraceQL.Relation(rawValue: written) { return .related(relation, .plain) }
        guard let form = TraceQL.Form(rawValue: String(written.prefix(1))),
            let relation = TraceQL.Relation(rawValue: String(written.dropFirst()))
        else { return nil }
        return .related(relation, form)
    }

    private mutating func deadline(_ node: Node) throws(QueryError) -> Node {
        guard case .spanset(.without(let left, let right, _)) = node, take(word: "within") else {
            return node
        }
        guard case .literal(.duration(let value)) = token.kind, value > 0 else {
            throw expected("a duration", "write within 30s")
        }
        advance()
        return .spanset(.without(left, right, within: UInt64(value)))
    }

    private mutating func atom() throws(QueryError) -> Node {
        try enter()
        let node = try atomInside()
        leave()
        return node
    }

    private mutating func atomInside() throws(QueryError) -> Node {
        try count()
        let start = token.start
        switch token.kind {
        case .symbol(.openBrace): return .spanset(.filter(try braced()))
        case .symbol(.open):
            advance()
            let node = try pipeline()
            try expect(.close, "close what ( opened")
            return node
        case .symbol(.minus):
            advance()
            guard case .scalar(let scalar) = try atom(), scalar.type.isNumeric else {
                throw error("minus spans", "only numbers and durations have a minus", at: start)
            }
            return .scalar(scalar.negated)
        case .literal(let literal):
            guard literal.type.isNumeric else { throw missingSpans() }
            advance()
            return .scalar(.literal(literal))
        case .word(let word):
            if let literal = TraceQL.Literal(word: word), literal.type.isNumeric {
                advance()
                return .scalar(.literal(literal))
            }
            guard let aggregate = TraceQL.Aggregate(rawValue: word) else { throw missingSpans() }
            advance()
            return .scalar(try arguments(of: aggregate))
        default: throw missingSpans()
        }
    }

    private mutating func arguments(
        of aggregate: TraceQL.Aggregate
    ) throws(QueryError) -> TraceQL.Scalar {
        let name = aggregate.rawValue
        try expect(.open, "write \(name)(\(aggregate == .count ? "" : "duration"))")
        if aggregate == .count {
            try expect(.close, "count() takes nothing; for some spans write {…} | count()")
            return .aggregate(.count, nil)
        }
        let start = token.start
        let field = try self.field()
        guard field.type.isNumeric else {
            throw error(
                "\(name) of \(field.type.phrase)",
                "only numbers and durations have one, like \(name)(duration)",
                at: start
            )
        }
        guard field.readsSpan else {
            throw error(
                "this is the same for every span",
                "take an attribute or an intrinsic, like \(name)(duration)",
                at: start
            )
        }
        try expect(.close, "\(name)(…) takes one expression")
        return .aggregate(aggregate, field)
    }

    private func missingSpans() -> QueryError {
        // A comparison before it may go on with a number as well.
        let what = isAfterComparison ? "a number or {" : "{"
        switch token.kind {
        case .operand(let operand):
            return expected(what, "conditions on a span stand in { }: { \(operand) … }")
        case .word("not"), .symbol(.not):
            return expected(what, "traces that have A and no B are {A} without {B}")
        case .symbol(.closeBrace): return expected(what, "there is one } too many")
        case .symbol(.close): return expected(what, "there is one ) too many, or nothing inside")
        case .word(let word):
            return expected(what, "\"\(word)\" begins nothing; write spans as { name = \"…\" }")
        default: return expected(what, "spans are written as { }, { name = \"…\" }")
        }
    }

    // MARK: Meaning of an operator

    private func joined(
        _ outer: OuterOperator,
        _ left: Node,
        _ right: Node,
        from start: Int,
        at place: Int
    ) throws(QueryError) -> Node {
        switch (outer, left, right) {
        case (.and, .spanset(let a), .spanset(let b)):
            return .spanset(.and(try single(a, start), try single(b, place)))
        case (.or, .spanset(let a), .spanset(let b)):
            return .spanset(.or(try single(a, start), try single(b, place)))
        case (.without, .spanset(let a), .spanset(let b)):
            return .spanset(.without(try single(a, start), try single(b, place), within: nil))
        case (.related(let relation, let form), .spanset(let a), .spanset(let b)):
            return .spanset(
                .related(relation, form, try single(a, start), try single(b, place))
            )
        case (.ambiguous(let relation, _), .spanset(let a), .spanset(let b)):
            return .spanset(
                .related(relation, .plain, try single(a, start), try single(b, place))
            )
        case (.compare(let comparison), .scalar(let a), .scalar(let b)),
            (.ambiguous(_, let comparison), .scalar(let a), .scalar(let b)):
            guard a.hasAggregate || b.hasAggregate else {
                throw error(
                    "neither side looks at spans",
                    "write count() > 2, or compare inside { }",
                    at: place
                )
            }
            return .filter(TraceQL.ScalarFilter(comparison, a, b))
        case (.arithmetic(let arithmetic), .scalar(let a), .scalar(let b)):
            return .scalar(.arithmetic(arithmetic, a, b))
        case (.arithmetic(let arithmetic), _, _):
            return .metrics(try metrics(arithmetic, left, right, at: place))
        case (.compare(let comparison), .metrics(let metrics), .scalar(.literal(let literal))),
            (.ambiguous(_, let comparison), .metrics(let metrics), .scalar(.literal(let literal))):
            return .metrics(.refined(metrics, .filter(comparison, literal)))
        default: throw misjoined(left, right, at: place)
        }
    }

    private func misjoined(_ left: Node, _ right: Node, at place: Int) -> QueryError {
        switch (left, right) {
        case (.spanset, .spanset):
            error(
                "this operator is not for spans",
                "join spans by && || > >> < << ~ or without",
                at: place
            )
        case (.filter, _), (_, .filter):
            error("comparisons are not joined", "write one after the other: … | … | …", at: place)
        case (.spanset, .scalar), (.scalar, .spanset):
            error(
                "spans and a number",
                "count the spans first: {…} | count() > 2",
                at: place
            )
        default:
            error(
                "\(left.phrase) and \(right.phrase) are not joined by this",
                "see what stands on both sides",
                at: place
            )
        }
    }

    /// Refuses a side that is several spansets: nothing says which of them stand beside each other.
    private func single(
        _ spanset: TraceQL.Spanset,
        _ place: Int
    ) throws(QueryError) -> TraceQL.Spanset {
        guard case .pipeline(let pipeline) = spanset, pipeline.isGrouped else { return spanset }
        throw error(
            "one side is several spansets, one for each value of by(…)",
            "end that side with | coalesce()",
            at: place
        )
    }
}

extension TraceQL.Scalar {
    /// Whether spans are looked at.
    var hasAggregate: Bool {
        switch self {
        case .literal: false
        case .aggregate: true
        case .negation(let scalar): scalar.hasAggregate
        case .arithmetic(_, let left, let right): left.hasAggregate || right.hasAggregate
        }
    }

    /// `-self`, as a literal where it is one.
    var negated: TraceQL.Scalar {
        if case .literal(let literal) = self, let negated = literal.negated {
            return .literal(negated)
        }
        return .negation(self)
    }
}
