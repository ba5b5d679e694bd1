// SPDX-License-Identifier: Apache-2.0

import QueryLanguage

/// A field made ready to be evaluated of many spans: patterns compiled, operands numbered.
indirect enum FieldProgram {
    case constant(FieldValue)
    /// A number of `OperandTable`.
    case operand(Int)
    case negation(FieldProgram)
    case not(FieldProgram)
    case and(FieldProgram, FieldProgram)
    case or(FieldProgram, FieldProgram)
    /// `x = nil` and, negated, `x != nil`.
    case isMissing(FieldProgram, isNegated: Bool)
    case compare(TraceQL.Comparison, FieldProgram, FieldProgram)
    case matches(FieldProgram, Pattern, isNegated: Bool)
    case arithmetic(TraceQL.Arithmetic, FieldProgram, FieldProgram)

    /// - Throws: where a pattern does not compile, or an operator has no meaning between fields,
    ///   which no query that was parsed has.
    init(_ field: TraceQL.Field, _ operands: inout OperandTable) throws(QueryError) {
        switch field {
        case .literal(let literal): self = .constant(FieldValue(literal))
        case .operand(let operand): self = .operand(operands.number(of: operand))
        case .negation(let field): self = .negation(try FieldProgram(field, &operands))
        case .not(let field): self = .not(try FieldProgram(field, &operands))
        case .binary(let symbol, let left, let right):
            try self.init(symbol, left, right, &operands)
        }
    }

    private init(
        _ symbol: TraceQL.FieldOperator,
        _ left: TraceQL.Field,
        _ right: TraceQL.Field,
        _ operands: inout OperandTable
    ) throws(QueryError) {
        let first = try FieldProgram(left, &operands)
        let second = try FieldProgram(right, &operands)
        switch symbol {
        case .and: self = .and(first, second)
        case .or: self = .or(first, second)
        case .matches, .matchesNot:
            guard case .literal(.string(let text)) = right else {
                throw QueryError(
                    text: "\(right)",
                    problem: "a pattern is text",
                    hint: "write it in quotes"
                )
            }
            self = .matches(first, try Pattern(text), isNegated: symbol == .matchesNot)
        case .equal where right == .literal(.nil): self = .isMissing(first, isNegated: false)
        case .equal where left == .literal(.nil): self = .isMissing(second, isNegated: false)
        case .notEqual where right == .literal(.nil): self = .isMissing(first, isNegated: true)
        case .notEqual where left == .literal(.nil): self = .isMissing(second, isNegated: true)
        default:
            if let comparison = TraceQL.Comparison(rawValue: symbol.rawValue) {
                self = .compare(comparison, first, second)
            } else if let arithmetic = TraceQL.Arithmetic(rawValue: symbol.rawValue) {
                self = .arithmetic(arithmetic, first, second)
            } else {
                throw QueryError(text: symbol.rawValue, problem: "no such operator", hint: "")
            }
        }
    }

    /// The value for span `span` of `trace`. Recursion is bounded by `QueryLimits.nodeCount`.
    func value(_ span: Int, of trace: ExaminedTrace) throws(DivisionByZero) -> FieldValue {
        switch self {
        case .constant(let value): value
        case .operand(let number): trace.value(of: number, span)
        case .negation(let field): try field.value(span, of: trace).negated
        case .arithmetic(let symbol, let left, let right):
            try left.value(span, of: trace).combined(symbol, try right.value(span, of: trace))
        case .not, .and, .or, .isMissing, .compare, .matches: .bool(try holds(span, of: trace))
        }
    }

    /// Whether the condition holds for span `span` of `trace`.
    func holds(_ span: Int, of trace: ExaminedTrace) throws(DivisionByZero) -> Bool {
        switch self {
        case .constant(let value): value == .bool(true)
        case .operand, .negation, .arithmetic: try value(span, of: trace) == .bool(true)
        case .not(let field): !(try field.holds(span, of: trace))
        case .and(let left, let right):
            try left.holds(span, of: trace) ? try right.holds(span, of: trace) : false
        case .or(let left, let right):
            try left.holds(span, of: trace) ? true : try right.holds(span, of: trace)
        case .isMissing(let field, let isNegated):
            (try field.value(span, of: trace) == .nothing) != isNegated
        case .compare(.equal, .operand(let number), .constant(.string(let text))):
            trace.isText(of: number, span, text)
                ?? trace.value(of: number, span).holds(.equal, .string(text))
        case .compare(let comparison, let left, let right):
            try left.value(span, of: trace).holds(comparison, try right.value(span, of: trace))
        case .matches(let field, let pattern, let isNegated):
            Self.matches(try field.value(span, of: trace), pattern, isNegated)
        }
    }

    private static func matches(_ value: FieldValue, _ pattern: Pattern, _ isNegated: Bool) -> Bool
    {
        isNegated ? value.isText && !value.matches(pattern) : value.matches(pattern)
    }
}

/// The operands of one query, each once.
struct OperandTable {
    private(set) var operands: [TraceQL.Operand] = []

    mutating func number(of operand: TraceQL.Operand) -> Int {
        if let number = operands.firstIndex(of: operand) { return number }
        operands.append(operand)
        return operands.count - 1
    }

    /// Keys of attributes, `nil` for intrinsics.
    var keys: [String?] {
        operands.map { operand in
            if case .attribute(let attribute) = operand { attribute.key } else { nil }
        }
    }
}
