// SPDX-License-Identifier: Apache-2.0

extension TraceQLParser {
    /// What stands outside of `{ }`: its operators mean one thing between spansets, another between
    /// numbers.
    enum Node {
        case spanset(TraceQL.Spanset)
        case scalar(TraceQL.Scalar)
        case filter(TraceQL.ScalarFilter)
        case metrics(TraceQL.Metrics)

        var phrase: String {
            switch self {
            case .spanset: "spans"
            case .scalar: "a number"
            case .filter: "a comparison"
            case .metrics: "series"
            }
        }
    }

    /// Stages joined by `|`, up to a `)`, a trailer or the end.
    mutating func pipeline() throws(QueryError) -> Node {
        var stages: [TraceQL.Stage] = []
        while true {
            let start = token.start
            if let measured = try measure(after: stages) {
                return .metrics(try refinements(of: measured))
            }
            if let stage = try wordStage() {
                stages.append(stage)
            } else {
                switch try expression(above: 1) {
                case .spanset(let spanset): stages.append(.spans(spanset))
                case .filter(let filter): stages.append(.filter(filter))
                case .scalar(let scalar):
                    guard stages.isEmpty, token.kind == .symbol(.close) else {
                        throw notCompared(scalar, at: start)
                    }
                    return .scalar(scalar)
                case .metrics(let metrics):
                    guard stages.isEmpty else {
                        throw error(
                            "series are not made of spans found before",
                            "begin with them: ({…} | rate()) / ({…} | rate())",
                            at: start
                        )
                    }
                    return .metrics(try refinements(of: metrics))
                }
            }
            guard take(.pipe) else { break }
        }
        return Self.node(stages)
    }

    /// One stage alone needs no pipeline around it.
    private static func node(_ stages: [TraceQL.Stage]) -> Node {
        if stages.count == 1 {
            if case .spans(let spanset) = stages[0] { return .spanset(spanset) }
            if case .filter(let filter) = stages[0] { return .filter(filter) }
        }
        return .spanset(.pipeline(TraceQL.Pipeline(stages)))
    }

    func notCompared(_ scalar: TraceQL.Scalar, at place: Int) -> QueryError {
        error(
            "a number alone keeps no traces and leaves none out",
            "compare it, like \(scalar) > 2",
            at: place
        )
    }

    // MARK: by, coalesce, select

    private mutating func wordStage() throws(QueryError) -> TraceQL.Stage? {
        guard case .word(let word) = token.kind else { return nil }
        let start = token.start
        switch word {
        case "by":
            advance()
            try count()
            try expect(.open, "write by(resource.service.name)")
            let place = token.start
            let field = try self.field()
            guard field.readsSpan else {
                throw error(
                    "this is the same for every span",
                    "group by an attribute or an intrinsic, like by(resource.service.name)",
                    at: place
                )
            }
            try expect(.close, "by(…) takes one expression; for several write by(.a) | by(.b)")
            return .group(field)
        case "coalesce":
            advance()
            try count()
            try expect(.open, "write coalesce()")
            try expect(.close, "coalesce() takes nothing")
            return .coalesce
        case "select":
            advance()
            try expect(.open, "write select(.key, duration)")
            return .select(try operands())
        case "topk", "bottomk":
            throw error(
                "\(word) is for series",
                "write {…} | rate() by (name) | \(word)(10)",
                at: start
            )
        default: return nil
        }
    }

    /// Attributes and intrinsics, comma between them; the `)` is taken.
    mutating func operands() throws(QueryError) -> [TraceQL.Operand] {
        var operands: [TraceQL.Operand] = []
        repeat {
            try count()
            operands.append(try operandAlone())
        } while take(.comma)
        try expect(.close, "put a comma between attributes and ) after the last one")
        return operands
    }

    mutating func operandAlone() throws(QueryError) -> TraceQL.Operand {
        guard case .operand(let operand) = token.kind else {
            if case .word(let word) = token.kind { throw unknownWord(word) }
            throw expected(
                "an attribute or an intrinsic",
                "write one like .key, resource.service.name or duration"
            )
        }
        advance()
        return operand
    }
}

extension TraceQL.Pipeline {
    /// Whether what comes out is one spanset for each value of a `by(…)`.
    var isGrouped: Bool {
        var isGrouped = false
        for stage in stages {
            switch stage {
            case .group: isGrouped = true
            case .coalesce: isGrouped = false
            case .spans, .filter, .select: break
            }
        }
        return isGrouped
    }
}
