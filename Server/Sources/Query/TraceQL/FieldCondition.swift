// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// A field in the store's words.
struct FieldCondition {
    /// Holds for every span that the field holds for.
    var predicate: SpanPredicate
    /// Holds for no other span: only then can it be negated.
    var isExact: Bool

    private static let unknown = FieldCondition(.all, isExact: false)

    private init(_ predicate: SpanPredicate, isExact: Bool) {
        self.predicate = predicate
        self.isExact = isExact
    }

    init(_ field: TraceQL.Field) {
        switch field {
        case .not(let inner):
            let condition = FieldCondition(inner)
            self =
                condition.isExact
                ? FieldCondition(.not(condition.predicate), isExact: true) : .unknown
        case .binary(.and, let left, let right):
            let (first, second) = (FieldCondition(left), FieldCondition(right))
            self.init(
                .allOf([first.predicate, second.predicate]),
                isExact: first.isExact && second.isExact
            )
        case .binary(.or, let left, let right):
            let (first, second) = (FieldCondition(left), FieldCondition(right))
            self.init(
                .anyOf([first.predicate, second.predicate]),
                isExact: first.isExact && second.isExact
            )
        case .binary(let symbol, .operand(let operand), .literal(let literal)):
            self.init(symbol, operand, literal)
        case .binary(let symbol, .literal(let literal), .operand(let operand)):
            guard let comparison = TraceQL.Comparison(rawValue: symbol.rawValue),
                let turned = TraceQL.FieldOperator(rawValue: comparison.turned.rawValue)
            else {
                self = .unknown
                return
            }
            self.init(turned, operand, literal)
        case .operand(.attribute(let attribute)):
            self.init(attribute, .text("true"))
        case .literal, .operand, .negation, .binary: self = .unknown
        }
    }

    private init(
        _ symbol: TraceQL.FieldOperator,
        _ operand: TraceQL.Operand,
        _ literal: TraceQL.Literal
    ) {
        switch operand {
        case .attribute(let attribute): self.init(symbol, attribute, literal)
        case .intrinsic(let intrinsic): self.init(symbol, intrinsic, literal)
        case .parentIntrinsic: self = .unknown
        }
    }

    // MARK: Attributes

    private init(
        _ symbol: TraceQL.FieldOperator,
        _ attribute: TraceQL.Attribute,
        _ literal: TraceQL.Literal
    ) {
        switch (symbol, literal) {
        case (.equal, .nil): self = .unknown
        case (.equal, _):
            // As text an int finds the double of the same value and the elements of lists too.
            self.init(attribute, literal.text.map { .text($0) } ?? .exists)
        case (.less, _), (.atMost, _), (.more, _), (.atLeast, _):
            let range = NumberRange.Comparison(rawValue: symbol.rawValue)
                .flatMap { literal.range($0) }
            self.init(attribute, range.map { .range($0) } ?? .exists)
        case (.notEqual, _), (.matches, _), (.matchesNot, _): self.init(attribute, .exists)
        case (.and, _), (.or, _), (.add, _), (.subtract, _), (.multiply, _), (.divide, _),
            (.remainder, _), (.power, _):
            self = .unknown
        }
    }

    private init(_ attribute: TraceQL.Attribute, _ match: ValueMatch) {
        let scope: AttributeScope
        switch attribute.scope {
        case .any: scope = .any
        case .span: scope = .span
        case .resource: scope = .resource
        case .event: scope = .event
        case .link, .instrumentation, .parent, .parentSpan, .parentResource:
            self = .unknown
            return
        }
        self.init(.attribute(scope, key: attribute.key, match), isExact: false)
    }

    // MARK: Intrinsics

    private init(
        _ symbol: TraceQL.FieldOperator,
        _ intrinsic: TraceQL.Intrinsic,
        _ literal: TraceQL.Literal
    ) {
        let found: (predicate: SpanPredicate, isExact: Bool)? =
            switch (intrinsic, literal) {
            case (.name, .string(let text)): (.operation(.exactly(text)), true)
            case (.statusMessage, .string(let text)): (.statusMessage(.exactly(text)), true)
            case (.status, .status(let status)): (.status(status), true)
            case (.kind, .kind(let kind)): (.kind(kind), true)
            case (.eventName, .string(let text)): (.eventName(.exactly(text)), false)
            case (.duration, _):
                TraceQL.Comparison(rawValue: symbol.rawValue)?.nanoseconds(literal)
                    .map { (.duration($0), false) }
            default: nil
            }
        guard let found else {
            self = .unknown
            return
        }
        switch symbol {
        case .equal: self.init(found.predicate, isExact: found.isExact)
        case .notEqual where found.isExact: self.init(.not(found.predicate), isExact: true)
        case .less, .atMost, .more, .atLeast:
            self =
                intrinsic == .duration
                ? FieldCondition(found.predicate, isExact: false) : .unknown
        default: self = .unknown
        }
    }
}

extension TraceQL.Literal {
    /// The text whose equals are at least the values that equal this one; `nil` where there is none.
    fileprivate var text: String? {
        switch self {
        case .string(let text): text
        case .int(let value), .duration(let value): "\(value)"
        case .float(let value): Int64(exactly: value).map { "\($0)" } ?? "\(value)"
        case .bool(let flag): flag ? "true" : "false"
        case .nil, .status, .kind: nil
        }
    }

    fileprivate func range(_ comparison: NumberRange.Comparison) -> NumberRange? {
        switch self {
        case .int(let value), .duration(let value): NumberRange(comparison, value)
        case .float(let value): NumberRange(comparison, value)
        case .string, .bool, .nil, .status, .kind: nil
        }
    }
}
