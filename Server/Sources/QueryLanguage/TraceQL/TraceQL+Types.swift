// SPDX-License-Identifier: Apache-2.0

extension TraceQL {
    /// The type of a value, as far as it is known before spans are looked at.
    public enum ValueType: Sendable, Equatable {
        case string, int, float, bool, duration, status, kind
        /// The type of `nil` alone.
        case nothing
        /// An attribute's: each span has its own.
        case any

        /// Whether one can count with it.
        var isNumeric: Bool {
            switch self {
            case .int, .float, .duration, .any: true
            case .string, .bool, .status, .kind, .nothing: false
            }
        }

        /// Whether values of both types can be equal.
        func fits(_ other: ValueType) -> Bool {
            self == other || self == .any || other == .any || self == .nothing || other == .nothing
                || isNumeric && other.isNumeric
        }

        /// With its article, as an error says it.
        var phrase: String {
            switch self {
            case .string: "text"
            case .int: "a whole number"
            case .float: "a number"
            case .bool: "true or false"
            case .duration: "a duration"
            case .status: "a status"
            case .kind: "a kind"
            case .nothing: "nil"
            case .any: "an attribute"
            }
        }
    }
}

extension TraceQL.Literal {
    /// The type of this value.
    public var type: TraceQL.ValueType {
        switch self {
        case .string: .string
        case .int: .int
        case .float: .float
        case .bool: .bool
        case .nil: .nothing
        case .duration: .duration
        case .status: .status
        case .kind: .kind
        }
    }
}

extension TraceQL.Operand {
    /// The type of the values it has.
    public var type: TraceQL.ValueType {
        switch self {
        case .attribute: .any
        case .intrinsic(let intrinsic), .parentIntrinsic(let intrinsic): intrinsic.type
        }
    }
}

extension TraceQL.Field {
    /// The type of what comes out.
    var type: TraceQL.ValueType {
        switch self {
        case .literal(let literal): literal.type
        case .operand(let operand): operand.type
        case .negation(let field): field.type
        case .not: .bool
        case .binary(let symbol, let left, let right):
            switch symbol {
            case .and, .or, .equal, .notEqual, .less, .atMost, .more, .atLeast, .matches,
                .matchesNot:
                .bool
            case .add, .subtract, .multiply, .divide, .remainder, .power:
                left.type.combined(with: right.type)
            }
        }
    }

    /// Whether anything of the span is looked at.
    var readsSpan: Bool {
        switch self {
        case .literal: false
        case .operand: true
        case .negation(let field), .not(let field): field.readsSpan
        case .binary(_, let left, let right): left.readsSpan || right.readsSpan
        }
    }
}

extension TraceQL.Scalar {
    /// The type of what comes out.
    var type: TraceQL.ValueType {
        switch self {
        case .literal(let literal): literal.type
        case .aggregate(.count, _): .int
        case .aggregate(.avg, let field): field?.type == .duration ? .duration : .float
        case .aggregate(_, let field): field?.type ?? .any
        case .negation(let scalar): scalar.type
        case .arithmetic(_, let left, let right): left.type.combined(with: right.type)
        }
    }
}

extension TraceQL.ValueType {
    /// The type of a sum, product or the like.
    func combined(with other: TraceQL.ValueType) -> TraceQL.ValueType {
        if self == .any || other == .any { return .any }
        if self == .duration || other == .duration { return .duration }
        return self == .int && other == .int ? .int : .float
    }
}
