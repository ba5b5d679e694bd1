// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import StoreContract

/// A random query and the plainest way to answer it: every pair of spans is looked at. It shares no code
/// with the product's evaluation.
indirect enum NaiveQuestion {
    case filter(NaiveCondition)
    case and(NaiveQuestion, NaiveQuestion)
    case or(NaiveQuestion, NaiveQuestion)
    /// Relation and form as they are written.
    case related(String, String, NaiveQuestion, NaiveQuestion)
    case without(NaiveQuestion, NaiveQuestion, milliseconds: UInt64?)

    static func random(_ random: inout SeededGenerator, depth: Int = 3) -> NaiveQuestion {
        let choice = depth == 0 ? 0 : Int.random(in: 0..<9, using: &random)
        if choice < 3 { return .filter(.random(&random)) }
        let left = NaiveQuestion.random(&random, depth: depth - 1)
        let right = NaiveQuestion.random(&random, depth: depth - 1)
        switch choice {
        case 3: return .and(left, right)
        case 4: return .or(left, right)
        case 5:
            let deadline =
                Bool.random(using: &random) ? UInt64.random(in: 1...6, using: &random) : nil
            return .without(left, right, milliseconds: deadline)
        default:
            return .related(
                [">", "<", ">>", "<<", "~"].randomElement(using: &random) ?? ">",
                ["", "!", "&"].randomElement(using: &random) ?? "",
                left,
                right
            )
        }
    }

    var text: String {
        switch self {
        case .filter(let condition): "{ \(condition.text) }"
        case .and(let left, let right): "(\(left.text) && \(right.text))"
        case .or(let left, let right): "(\(left.text) || \(right.text))"
        case .related(let relation, let form, let left, let right):
            "(\(left.text) \(form)\(relation) \(right.text))"
        case .without(let left, let right, let deadline):
            "(\(left.text) without \(right.text)"
                + (deadline.map { " within \($0)ms" } ?? "") + ")"
        }
    }

    /// The spans it gives of one trace.
    func spans(of trace: [SpanValue]) -> Set<SpanValue> {
        switch self {
        case .filter(let condition): return Set(trace.filter { condition.holds($0) })
        case .and(let left, let right):
            let (first, second) = (left.spans(of: trace), right.spans(of: trace))
            return first.isEmpty || second.isEmpty ? [] : first.union(second)
        case .or(let left, let right):
            return left.spans(of: trace).union(right.spans(of: trace))
        case .related(let relation, let form, let left, let right):
            return Self.related(
                relation,
                form,
                left.spans(of: trace),
                right.spans(of: trace),
                trace
            )
        case .without(let left, let right, let deadline):
            let (first, second) = (left.spans(of: trace), right.spans(of: trace))
            guard let deadline else { return second.isEmpty ? first : [] }
            return first.filter { span in
                !second.contains { other in
                    other != span && other.start >= span.start
                        && other.start - span.start <= deadline * 1_000_000
                }
            }
        }
    }

    private static func related(
        _ relation: String,
        _ form: String,
        _ left: Set<SpanValue>,
        _ right: Set<SpanValue>,
        _ trace: [SpanValue]
    ) -> Set<SpanValue> {
        func isParent(_ parent: SpanValue, _ child: SpanValue) -> Bool {
            child.parentID.isValid && child.parentID == parent.spanID
        }
        func isAbove(_ top: SpanValue, _ span: SpanValue) -> Bool {
            guard let parent = trace.first(where: { isParent($0, span) }) else { return false }
            return parent == top || isAbove(top, parent)
        }
        func holds(_ a: SpanValue, _ b: SpanValue) -> Bool {
            switch relation {
            case ">": isParent(a, b)
            case "<": isParent(b, a)
            case ">>": isAbove(a, b)
            case "<<": isAbove(b, a)
            default: a != b && a.parentID.isValid && a.parentID == b.parentID
            }
        }
        switch form {
        case "!": return right.filter { b in !left.contains { holds($0, b) } }
        case "&":
            return right.filter { b in left.contains { holds($0, b) } }
                .union(left.filter { a in right.contains { holds(a, $0) } })
        default: return right.filter { b in left.contains { holds($0, b) } }
        }
    }
}

/// What one span must meet.
indirect enum NaiveCondition {
    case compare(String, String, AttributeValue, String)
    case name(String, String)
    case status(String, StatusCode)
    case duration(String, UInt64)
    case and(NaiveCondition, NaiveCondition)
    case or(NaiveCondition, NaiveCondition)
    case not(NaiveCondition)

    private static let symbols = ["=", "!=", "<", "<=", ">", ">="]
    private static let values: [(String, AttributeValue)] = [
        ("1", .int(1)), ("2", .int(2)), ("2.0", .double(2)), ("1.5", .double(1.5)),
        ("\"1\"", .string("1")), ("\"x\"", .string("x")), ("nil", .empty),
    ]

    static func random(_ random: inout SeededGenerator, depth: Int = 2) -> NaiveCondition {
        let choice = Int.random(in: 0..<(depth == 0 ? 5 : 8), using: &random)
        let symbol = symbols.randomElement(using: &random) ?? "="
        let equality = Bool.random(using: &random) ? "=" : "!="
        switch choice {
        case 0, 1:
            let value = values.randomElement(using: &random) ?? ("1", .int(1))
            let scope = [".", "span.", "resource."].randomElement(using: &random) ?? "."
            let isNil = value.1 == .empty
            return .compare(scope + "k", isNil ? equality : symbol, value.1, value.0)
        case 2: return .name(equality, ["a", "b", "c"].randomElement(using: &random) ?? "a")
        case 3: return .status(equality, StatusCode.allCases.randomElement(using: &random) ?? .ok)
        case 4: return .duration(symbol, UInt64.random(in: 0...4, using: &random))
        default:
            let left = NaiveCondition.random(&random, depth: depth - 1)
            if choice == 7 { return .not(left) }
            let right = NaiveCondition.random(&random, depth: depth - 1)
            return choice == 5 ? .and(left, right) : .or(left, right)
        }
    }

    var text: String {
        switch self {
        case .compare(let key, let symbol, _, let written): "\(key) \(symbol) \(written)"
        case .name(let symbol, let name): "name \(symbol) \"\(name)\""
        case .status(let symbol, let status): "status \(symbol) \(status.word)"
        case .duration(let symbol, let milliseconds): "duration \(symbol) \(milliseconds)ms"
        case .and(let left, let right): "(\(left.text) && \(right.text))"
        case .or(let left, let right): "(\(left.text) || \(right.text))"
        case .not(let condition): "!(\(condition.text))"
        }
    }

    func holds(_ span: SpanValue) -> Bool {
        switch self {
        case .compare(let key, let symbol, let value, _):
            Self.holds(Self.attribute(key, span), symbol, value)
        case .name(let symbol, let name): (span.name == name) == (symbol == "=")
        case .status(let symbol, let status): (span.status == status) == (symbol == "=")
        case .duration(let symbol, let milliseconds):
            Self.holds(.int(Int64(span.duration)), symbol, .int(Int64(milliseconds) * 1_000_000))
        case .and(let left, let right): left.holds(span) && right.holds(span)
        case .or(let left, let right): left.holds(span) || right.holds(span)
        case .not(let condition): !condition.holds(span)
        }
    }

    private static func attribute(_ key: String, _ span: SpanValue) -> AttributeValue? {
        let own = span.attributes.first { $0.key == "k" }?.value
        let shared = span.resource.attributes.first { $0.key == "k" }?.value
        switch key {
        case "span.k": return own
        case "resource.k": return shared
        default: return own ?? shared
        }
    }

    private static func holds(
        _ value: AttributeValue?,
        _ symbol: String,
        _ wanted: AttributeValue
    ) -> Bool {
        // `nil` is written as the empty value here.
        if wanted == .empty { return (value == nil) == (symbol == "=") }
        switch value {
        case .none, .empty, .bool, .bytes, .map: return false
        case .array(let elements):
            guard symbol == "=" || symbol == "!=" else { return false }
            let comparable = elements.filter { holds($0, "=", wanted) || holds($0, "!=", wanted) }
            let isEqual = comparable.contains { holds($0, "=", wanted) }
            return symbol == "=" ? isEqual : !comparable.isEmpty && !isEqual
        case .string(let text):
            guard case .string(let other) = wanted else { return false }
            return compare(text, symbol, other)
        case .int(let number): return compare(Double(number), symbol, number: wanted)
        case .double(let number): return compare(number, symbol, number: wanted)
        }
    }

    private static func compare(
        _ left: Double,
        _ symbol: String,
        number: AttributeValue
    ) -> Bool {
        switch number {
        case .int(let right): compare(left, symbol, Double(right))
        case .double(let right): compare(left, symbol, right)
        default: false
        }
    }

    private static func compare<Value: Comparable>(
        _ left: Value,
        _ symbol: String,
        _ right: Value
    ) -> Bool {
        switch symbol {
        case "=": left == right
        case "!=": left != right
        case "<": left < right
        case "<=": left <= right
        case ">": left > right
        default: left >= right
        }
    }
}
