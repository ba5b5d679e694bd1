// SPDX-License-Identifier: Apache-2.0

extension TraceQLParser {
    /// A first stage of metrics with its `by (…)`; `nil` where something else stands.
    mutating func measure(
        after stages: [TraceQL.Stage]
    ) throws(QueryError) -> TraceQL.Metrics? {
        guard case .word(let word) = token.kind, Self.measures.contains(word) else { return nil }
        guard !stages.isEmpty else {
            throw error("there are no spans to measure", "write {…} | \(word)(…)", at: token.start)
        }
        let start = token.start
        advance()
        try count()
        try expect(.open, "write \(word)(…)")
        let measure = try arguments(of: word)
        try expect(.close, "close \(word)( with )")
        var keys: [TraceQL.Operand] = []
        if take(word: "by") {
            if case .compare = measure {
                throw error("compare has no by (…)", "leave it out", at: start)
            }
            try expect(.open, "write by (resource.service.name)")
            keys = try operands()
        }
        return .measure(TraceQL.Pipeline(stages), measure, by: keys)
    }

    private static let measures =
        ["rate", "count_over_time", "quantile_over_time", "histogram_over_time", "compare"]
        + TraceQL.OverTime.allNames

    private mutating func arguments(of word: String) throws(QueryError) -> TraceQL.Measure {
        switch word {
        case "rate": return .rate
        case "count_over_time": return .countOverTime
        case "compare": return try comparison()
        case "histogram_over_time": return .histogramOverTime(try numericOperand(of: word))
        case "quantile_over_time":
            let operand = try numericOperand(of: word)
            var quantiles: [Double] = []
            while take(.comma) { quantiles.append(try quantile()) }
            guard !quantiles.isEmpty else {
                throw expected(",", "write the quantiles: quantile_over_time(duration, .99, 0.5)")
            }
            return .quantileOverTime(operand, quantiles: quantiles)
        default:
            guard let function = TraceQL.OverTime(rawValue: word) else {
                throw expected("a function of metrics", "write rate()")
            }
            return .overTime(function, try numericOperand(of: word))
        }
    }

    private mutating func numericOperand(of word: String) throws(QueryError) -> TraceQL.Operand {
        let start = token.start
        let operand = try operandAlone()
        guard operand.type.isNumeric else {
            throw error(
                "\(word) of \(operand.type.phrase)",
                "take a number or a duration, like \(word)(duration)",
                at: start
            )
        }
        return operand
    }

    private mutating func quantile() throws(QueryError) -> Double {
        try count()
        let value: Double? =
            switch token.kind {
            case .literal(.float(let value)): value
            case .literal(.int(let value)): Double(value)
            // `.99` reads as an attribute elsewhere.
            case .operand(.attribute(let attribute)) where attribute.scope == .any:
                attribute.key.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                    ? Double("0." + attribute.key) : nil
            default: nil
            }
        guard let value, (0...1).contains(value) else {
            throw expected("a number from 0 to 1", "for the slowest hundredth write 0.99")
        }
        advance()
        return value
    }

    private mutating func comparison() throws(QueryError) -> TraceQL.Measure {
        guard token.kind == .symbol(.openBrace) else {
            throw expected("{", "write what to compare with the rest: compare({status = error})")
        }
        let selection = try braced()
        let top = take(.comma) ? try wholeNumber("how many values to tell, like 10") : nil
        let start = take(.comma) ? try wholeNumber("a start in nanoseconds since 1970") : nil
        guard let start else {
            return .compare(selection: selection, top: top, start: nil, end: nil)
        }
        try expect(.comma, "a start needs an end: compare({…}, 10, start, end)")
        let place = token.start
        let end = try wholeNumber("an end in nanoseconds since 1970")
        guard start < end else {
            throw error("the end is not after the start", "write the earlier one first", at: place)
        }
        return .compare(selection: selection, top: top, start: start, end: end)
    }

    private mutating func wholeNumber(_ what: String) throws(QueryError) -> Int64 {
        guard case .literal(.int(let value)) = token.kind, value > 0 else {
            throw expected("a whole number above 0", "write \(what)")
        }
        advance()
        return value
    }

    // MARK: Second stages

    /// `| topk(10)`, `| bottomk(10)`, `> 10` and `| > 10`, as many as come.
    mutating func refinements(of metrics: TraceQL.Metrics) throws(QueryError) -> TraceQL.Metrics {
        var metrics = metrics
        while true {
            let isPiped = take(.pipe)
            guard let refinement = try refinement(isPiped: isPiped) else {
                if isPiped {
                    throw expected(
                        "topk, bottomk or a comparison",
                        "after a function of metrics come | topk(10), | bottomk(10) or > 10"
                    )
                }
                if case .symbol(let symbol) = token.kind,
                    TraceQL.Arithmetic(rawValue: symbol.rawValue) != nil
                {
                    throw expected(
                        "the end",
                        "put each side in parentheses: ({…} | rate()) / ({…} | rate())"
                    )
                }
                return metrics
            }
            try count()
            metrics = .refined(metrics, refinement)
        }
    }

    private mutating func refinement(
        isPiped: Bool
    ) throws(QueryError) -> TraceQL.Refinement? {
        if isPiped, case .word(let word) = token.kind, word == "topk" || word == "bottomk" {
            advance()
            try expect(.open, "write \(word)(10)")
            let count = try wholeNumber("how many series to tell, like \(word)(10)")
            try expect(.close, "\(word) takes one number")
            return word == "topk" ? .topk(count) : .bottomk(count)
        }
        guard case .symbol(let symbol) = token.kind,
            let comparison = TraceQL.Comparison(rawValue: symbol.rawValue)
        else { return nil }
        advance()
        return .filter(comparison, try number())
    }

    private mutating func number() throws(QueryError) -> TraceQL.Literal {
        let isNegative = take(.minus)
        guard case .literal(let literal) = token.kind, literal.type.isNumeric else {
            throw expected("a number", "compare series with a number or a duration, like > 10")
        }
        advance()
        return isNegative ? literal.negated ?? literal : literal
    }

    /// `left` and `right` joined, where both are series or one is a number.
    func metrics(
        _ arithmetic: TraceQL.Arithmetic,
        _ left: Node,
        _ right: Node,
        at place: Int
    ) throws(QueryError) -> TraceQL.Metrics {
        guard arithmetic != .remainder, arithmetic != .power,
            let first = left.asMetrics, let second = right.asMetrics
        else {
            throw error(
                "\(arithmetic.rawValue) between \(left.phrase) and \(right.phrase)",
                "+ - * / join ({…} | rate()) with another or with a number",
                at: place
            )
        }
        return .arithmetic(arithmetic, first, second)
    }

    // MARK: Hints

    /// `(name = value, …)` after `with`.
    mutating func hints() throws(QueryError) -> [TraceQL.Hint] {
        try expect(.open, "write with (exemplars = true)")
        var hints: [TraceQL.Hint] = []
        repeat {
            try count()
            guard case .word(let word) = token.kind, let name = TraceQL.Hint.Name(rawValue: word)
            else {
                let names = TraceQL.Hint.Name.allCases.map(\.rawValue).joined(separator: ", ")
                throw expected("the name of a hint", "write one of \(names)")
            }
            if hints.contains(where: { $0.name == name }) {
                throw expected("another hint", "\(word) is given already; leave one out")
            }
            advance()
            try expect(.equal, "write \(word) = true")
            hints.append(TraceQL.Hint(name, try value(of: name)))
        } while take(.comma)
        try expect(.close, "put a comma between hints and ) after the last one")
        return hints
    }

    private mutating func value(of name: TraceQL.Hint.Name) throws(QueryError) -> TraceQL.Literal {
        let literal: TraceQL.Literal? =
            switch token.kind {
            case .literal(let literal): literal
            case .word(let word): TraceQL.Literal(word: word)
            default: nil
            }
        let isSound: Bool =
            switch (name, literal) {
            case (_, .bool): true
            case (.mostRecent, _): false
            case (.exemplars, .int(let count)): count >= 0
            case (.sample, .float(let part)), (.spanSample, .float(let part)),
                (.traceSample, .float(let part)):
                (0...1).contains(part)
            case (.sample, .int(let part)), (.spanSample, .int(let part)),
                (.traceSample, .int(let part)):
                (0...1).contains(part)
            default: false
            }
        guard isSound, let literal else {
            let hint =
                switch name {
                case .mostRecent: "write true or false"
                case .exemplars: "write true, false or how many"
                case .sample, .spanSample, .traceSample: "write true, false or a part from 0 to 1"
                }
            throw expected("a value of \(name.rawValue)", hint)
        }
        advance()
        return literal
    }
}

extension TraceQLParser.Node {
    /// Series, or the number that stands beside them.
    fileprivate var asMetrics: TraceQL.Metrics? {
        switch self {
        case .metrics(let metrics): metrics
        case .scalar(.literal(let literal)): .number(literal)
        case .scalar, .spanset, .filter: nil
        }
    }
}

extension TraceQL.OverTime {
    fileprivate static let allNames = allCases.map(\.rawValue)
}
