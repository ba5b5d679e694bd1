// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import Store

/// A field made ready to be evaluated of many spans: patterns compiled, operands numbered.
indirect enum FieldProgram: Sendable {
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
    /// A condition on a part that spans share: a number of `OperandTable.remembered`.
    case remembered(Int, SharedPart, FieldProgram)

    /// - Throws: where a pattern does not compile, or an operator has no meaning between fields,
    ///   which no query that was parsed has.
    init(_ field: TraceQL.Field, _ operands: inout OperandTable) throws(QueryError) {
        try self.init(field, &operands, isInRemembered: false)
    }

    /// - Parameter isInRemembered: whether the condition around it is remembered as a whole.
    private init(
        _ field: TraceQL.Field,
        _ operands: inout OperandTable,
        isInRemembered: Bool
    ) throws(QueryError) {
        if !isInRemembered, field.isCondition, case .one(let part) = field.dependence {
            let condition = try FieldProgram(field, &operands, isInRemembered: true)
            self = .remembered(operands.remember(part), part, condition)
            return
        }
        switch field {
        case .literal(let literal): self = .constant(FieldValue(literal))
        case .operand(let operand): self = .operand(operands.number(of: operand))
        case .negation(let field):
            self = .negation(
                try FieldProgram(field, &operands, isInRemembered: isInRemembered)
            )
        case .not(let field):
            self = .not(try FieldProgram(field, &operands, isInRemembered: isInRemembered))
        case .binary(let symbol, let left, let right):
            self = try Self.joined(
                symbol,
                (left, try FieldProgram(left, &operands, isInRemembered: isInRemembered)),
                (right, try FieldProgram(right, &operands, isInRemembered: isInRemembered))
            )
        }
    }

    private static func joined(
        _ symbol: TraceQL.FieldOperator,
        _ left: (field: TraceQL.Field, program: FieldProgram),
        _ right: (field: TraceQL.Field, program: FieldProgram)
    ) throws(QueryError) -> FieldProgram {
        switch symbol {
        case .and: return .and(left.program, right.program)
        case .or: return .or(left.program, right.program)
        case .matches, .matchesNot:
            guard case .literal(.string(let text)) = right.field else {
                throw QueryError(
                    text: "\(right.field)",
                    problem: "a pattern is text",
                    hint: "write it in quotes"
                )
            }
            return .matches(left.program, try Pattern(text), isNegated: symbol == .matchesNot)
        case .equal, .notEqual:
            let isNegated = symbol == .notEqual
            if right.field == .literal(.nil) {
                return .isMissing(left.program, isNegated: isNegated)
            }
            if left.field == .literal(.nil) {
                return .isMissing(right.program, isNegated: isNegated)
            }
        default: break
        }
        if let comparison = TraceQL.Comparison(rawValue: symbol.rawValue) {
            return .compare(comparison, left.program, right.program)
        }
        if let arithmetic = TraceQL.Arithmetic(rawValue: symbol.rawValue) {
            return .arithmetic(arithmetic, left.program, right.program)
        }
        throw QueryError(text: symbol.rawValue, problem: "no such operator", hint: "")
    }

    /// The value for span `span` of `trace`. Recursion is bounded by `QueryLimits.nodeCount`.
    func value(_ span: Int, of trace: ExaminedTrace) throws(DivisionByZero) -> FieldValue {
        switch self {
        case .constant(let value): value
        case .operand(let number): trace.value(of: number, span)
        case .negation(let field): try field.value(span, of: trace).negated
        case .arithmetic(let symbol, let left, let right):
            try left.value(span, of: trace).combined(symbol, try right.value(span, of: trace))
        case .not, .and, .or, .isMissing, .compare, .matches, .remembered:
            .bool(try holds(span, of: trace))
        }
    }

    /// Whether the condition holds for span `span` of `trace`.
    func holds(_ span: Int, of trace: ExaminedTrace) throws(DivisionByZero) -> Bool {
        switch self {
        case .constant(let value): value == .bool(true)
        case .operand, .negation, .arithmetic:
            try value(span, of: trace).holds(.equal, .bool(true))
        case .remembered(let number, let part, let condition):
            try trace.remembered(number, part, span) { () throws(DivisionByZero) in
                try condition.holds(span, of: trace)
            }
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

extension TraceQL.Field {
    /// Whether it is true or false of a span, and more than one comparison of constants.
    fileprivate var isCondition: Bool {
        switch self {
        case .not: true
        case .binary(let symbol, _, _): TraceQL.Arithmetic(rawValue: symbol.rawValue) == nil
        case .literal, .operand, .negation: false
        }
    }

    /// What the value of a field depends on.
    fileprivate enum Dependence {
        case nothing
        case one(SharedPart)
        case more
    }

    fileprivate var dependence: Dependence {
        switch self {
        case .literal: return .nothing
        case .operand(let operand): return SharedPart(operand).map { .one($0) } ?? .more
        case .negation(let field), .not(let field): return field.dependence
        case .binary(_, let left, let right):
            switch (left.dependence, right.dependence) {
            case (.nothing, let other), (let other, .nothing): return other
            case (.one(let first), .one(let second)) where first == second: return .one(first)
            default: return .more
            }
        }
    }
}

/// The operands of one query, each once.
struct OperandTable: Sendable {
    private(set) var operands: [TraceQL.Operand] = []
    /// By condition that is remembered: what it depends on.
    private(set) var remembered: [SharedPart] = []
    /// Whether spans are asked where they stand in the tree.
    var asksForTree = false

    mutating func number(of operand: TraceQL.Operand) -> Int {
        if let number = operands.firstIndex(of: operand) { return number }
        operands.append(operand)
        return operands.count - 1
    }

    mutating func remember(_ part: SharedPart) -> Int {
        remembered.append(part)
        return remembered.count - 1
    }

    /// Keys of attributes, `nil` for intrinsics.
    var keys: [String?] {
        operands.map { operand in
            if case .attribute(let attribute) = operand { attribute.key } else { nil }
        }
    }

    /// What has to be read of spans to evaluate the query.
    var fields: SpanFields {
        var fields = SpanFields()
        if asksForTree { fields.columns.insert(.parentID) }
        for operand in operands {
            switch operand {
            case .intrinsic(let intrinsic): fields.columns.formUnion(intrinsic.columns)
            case .parentIntrinsic(let intrinsic):
                fields.columns.formUnion(intrinsic.columns.union(.parentID))
            case .attribute(let attribute):
                fields.attributeKeys?.insert(attribute.key)
                fields.columns.formUnion(attribute.scope.columns)
            }
        }
        return fields
    }
}

extension TraceQL.Intrinsic {
    /// Columns it is made from, of those that can be left out.
    fileprivate var columns: SpanFields.Columns {
        switch self {
        case .statusMessage: .statusMessage
        case .parent, .parentID, .childCount, .nestedSetLeft, .nestedSetRight, .nestedSetParent,
            .depth, .rootName, .rootService:
            .parentID
        case .eventName, .timeSinceStart: .events
        case .linkTraceID, .linkSpanID: .links
        case .duration, .name, .status, .kind, .spanID, .traceDuration, .traceID, .spanCount,
            .errorCount, .serviceCount, .libraryName, .libraryVersion:
            []
        }
    }
}

extension TraceQL.Attribute.Scope {
    fileprivate var columns: SpanFields.Columns {
        switch self {
        case .event: .events
        case .link: .links
        case .parent, .parentSpan, .parentResource: .parentID
        case .any, .span, .resource, .instrumentation: []
        }
    }
}
