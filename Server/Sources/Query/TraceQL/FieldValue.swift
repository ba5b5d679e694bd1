// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel

/// A value while a query is evaluated.
enum FieldValue: Hashable, Sendable {
    /// The span has none.
    case nothing
    case bool(Bool)
    case int(Int64)
    case double(Double)
    /// Nanoseconds.
    case duration(Int64)
    case string(String)
    case status(StatusCode)
    case kind(SpanKind)
    /// An attribute that is a list.
    case array([FieldValue])
    /// One value of each event or link of the span.
    case several([FieldValue])
    /// Bytes, a map or an empty value: it is there, and equals nothing.
    case other(AttributeValue)

    init(_ literal: TraceQL.Literal) {
        switch literal {
        case .string(let text): self = .string(text)
        case .int(let value): self = .int(value)
        case .float(let value): self = .double(value)
        case .bool(let flag): self = .bool(flag)
        case .nil: self = .nothing
        case .duration(let value): self = .duration(value)
        case .status(let status): self = .status(status)
        case .kind(let kind): self = .kind(kind)
        }
    }

    init(_ value: AttributeValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .array(let elements): self = .array(elements.map { FieldValue($0) })
        case .empty, .bytes, .map: self = .other(value)
        }
    }

    /// As answers tell it; `nil` where there is none.
    var told: AttributeValue? {
        switch self {
        case .nothing: nil
        case .bool(let flag): .bool(flag)
        case .int(let value), .duration(let value): .int(value)
        case .double(let value): .double(value)
        case .string(let text): .string(text)
        case .status(let status): .string(status.word)
        case .kind(let kind): .string(kind.word)
        case .array(let elements), .several(let elements): .array(elements.compactMap(\.told))
        case .other(let value): value
        }
    }

    /// Whether the number is one; those of every element for several.
    var numbers: [FieldValue] {
        switch self {
        case .int, .double, .duration: [self]
        case .several(let elements): elements.flatMap(\.numbers)
        default: []
        }
    }
}

// MARK: Comparing

extension FieldValue {
    /// How one value stands to another of its type.
    private enum Standing {
        case less, equal, more
        /// Of types without an order: the same, or not.
        case same, unequal
    }

    /// Whether `self symbol other` holds. Values of different types never compare; a list is equal
    /// when an element is, and unequal when none is.
    func holds(_ symbol: TraceQL.Comparison, _ other: FieldValue) -> Bool {
        if let elements = elements(for: symbol) {
            guard symbol == .notEqual else {
                return elements.contains { $0.holds(symbol, other) }
            }
            return elements.contains { $0.compares(with: other) }
                && !elements.contains { $0.holds(.equal, other) }
        }
        if let elements = other.elements(for: symbol) {
            guard symbol == .notEqual else {
                return elements.contains { self.holds(symbol, $0) }
            }
            return elements.contains { self.compares(with: $0) }
                && !elements.contains { self.holds(.equal, $0) }
        }
        guard let standing = standing(to: other) else { return false }
        return switch symbol {
        case .equal: standing == .equal || standing == .same
        case .notEqual: standing != .equal && standing != .same
        case .less: standing == .less
        case .atMost: standing == .less || standing == .equal
        case .more: standing == .more
        case .atLeast: standing == .more || standing == .equal
        }
    }

    /// Whether all of the text matches `pattern`; of a list, an element.
    func matches(_ pattern: Pattern) -> Bool {
        switch self {
        case .string(let text): pattern.matches(text)
        case .array(let elements), .several(let elements):
            elements.contains { $0.matches(pattern) }
        default: false
        }
    }

    /// Whether it is text, or has some among its elements.
    var isText: Bool {
        switch self {
        case .string: true
        case .array(let elements), .several(let elements): elements.contains(where: \.isText)
        default: false
        }
    }

    private func elements(for symbol: TraceQL.Comparison) -> [FieldValue]? {
        switch self {
        case .several(let elements): elements
        case .array(let elements) where symbol == .equal || symbol == .notEqual: elements
        default: nil
        }
    }

    private func compares(with other: FieldValue) -> Bool {
        switch (self, other) {
        case (.array(let elements), _), (.several(let elements), _):
            elements.contains { $0.compares(with: other) }
        case (_, .array(let elements)), (_, .several(let elements)):
            elements.contains { self.compares(with: $0) }
        default: standing(to: other) != nil
        }
    }

    private func standing(to other: FieldValue) -> Standing? {
        switch (self, other) {
        case (.string(let left), .string(let right)):
            // Byte by byte: two ways to write one accented letter differ, as in the store.
            if left.utf8.elementsEqual(right.utf8) { return .equal }
            return left.utf8.lexicographicallyPrecedes(right.utf8) ? .less : .more
        case (.bool(let left), .bool(let right)): return left == right ? .same : .unequal
        case (.status(let left), .status(let right)): return left == right ? .same : .unequal
        case (.kind(let left), .kind(let right)): return left == right ? .same : .unequal
        case (.double(let left), .double(let right)): return Self.standing(left, right)
        case (.double(let left), _):
            guard let right = other.whole else { return nil }
            return switch Self.standing(right, left) {
            case .less: .more
            case .more: .less
            case .equal: .equal
            case .same, .unequal: .unequal
            }
        case (_, .double(let right)): return whole.map { Self.standing($0, right) }
        default:
            guard let left = whole, let right = other.whole else { return nil }
            return left < right ? .less : left == right ? .equal : .more
        }
    }

    private static func standing(_ left: Double, _ right: Double) -> Standing {
        left < right ? .less : left == right ? .equal : left > right ? .more : .unequal
    }

    /// Exact: an int of more than 53 bits is not rounded.
    private static func standing(_ left: Int64, _ right: Double) -> Standing {
        if right.isNaN { return .unequal }
        if right >= 9_223_372_036_854_775_808 { return .less }
        if right < -9_223_372_036_854_775_808 { return .more }
        let floor = Int64(right.rounded(.down))
        if left != floor { return left < floor ? .less : .more }
        return right > Double(floor) ? .less : .equal
    }

    /// The int or the nanoseconds.
    private var whole: Int64? {
        switch self {
        case .int(let value), .duration(let value): value
        default: nil
        }
    }
}
