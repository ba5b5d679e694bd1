// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

extension TraceQL {
    /// What is said of one span, inside `{ }`: a tree of operators over operands and literals.
    public indirect enum Field: Sendable, Equatable {
        case literal(Literal)
        case operand(Operand)
        /// `-x`
        case negation(Field)
        /// `!x`
        case not(Field)
        case binary(FieldOperator, Field, Field)
    }

    /// What a span is asked for.
    public enum Operand: Sendable, Equatable, Hashable {
        case attribute(Attribute)
        case intrinsic(Intrinsic)
        /// The same of the span's parent: `parent.name`.
        case parentIntrinsic(Intrinsic)
    }

    /// An attribute by its key.
    public struct Attribute: Sendable, Equatable, Hashable {
        /// Where attributes stand; the raw value is what is written before the key.
        public enum Scope: String, Sendable, CaseIterable {
            /// The span, else its resource.
            case any = "."
            case span = "span."
            case resource = "resource."
            case event = "event."
            case link = "link."
            case instrumentation = "instrumentation."
            /// The parent span, else its resource.
            case parent = "parent."
            case parentSpan = "parent.span."
            case parentResource = "parent.resource."
        }

        public var scope: Scope
        public var key: String

        /// Names an attribute.
        public init(_ scope: Scope, _ key: String) {
            self.scope = scope
            self.key = key
        }
    }

    /// A value as it is written.
    public enum Literal: Sendable, Equatable {
        case string(String)
        case int(Int64)
        case float(Double)
        case bool(Bool)
        case `nil`
        /// Nanoseconds.
        case duration(Int64)
        case status(StatusCode)
        case kind(SpanKind)
    }

    /// Operators between two fields; the raw value is how each is written.
    public enum FieldOperator: String, Sendable, CaseIterable {
        case and = "&&"
        case or = "||"
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case atMost = "<="
        case more = ">"
        case atLeast = ">="
        /// The whole text matches the pattern.
        case matches = "=~"
        case matchesNot = "!~"
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"
        case power = "^"

        /// How tightly it binds; `!` stands between 3 and 5, unary `-` above all.
        var precedence: Int {
            switch self {
            case .and, .or: 1
            case .equal, .notEqual, .less, .atMost, .more, .atLeast, .matches, .matchesNot: 2
            case .add, .subtract: 3
            case .multiply, .divide, .remainder: 5
            case .power: 6
            }
        }
    }

    /// Operators between two numbers of a trace or of a series.
    public enum Arithmetic: String, Sendable, CaseIterable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"
        case power = "^"

        var precedence: Int {
            switch self {
            case .add, .subtract: 3
            case .multiply, .divide, .remainder: 5
            case .power: 6
            }
        }
    }

    /// How two numbers of a trace or of a series are compared.
    public enum Comparison: String, Sendable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case atMost = "<="
        case more = ">"
        case atLeast = ">="
    }
}
