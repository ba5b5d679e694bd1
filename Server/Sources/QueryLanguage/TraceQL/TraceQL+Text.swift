// SPDX-License-Identifier: Apache-2.0

import SkeinModel

// The canonical text of a query: what `TraceQL.parse` reads back as the same value. Parentheses stand
// only where precedence needs them.

extension TraceQL.Question: CustomStringConvertible {
    public var description: String {
        var text =
            switch body {
            case .search(let pipeline): "\(pipeline)"
            case .metrics(let metrics): "\(metrics)"
            }
        if let order { text += " order by \(order)" }
        if !hints.isEmpty {
            let pairs = hints.map { "\($0.name.rawValue) = \($0.value)" }
            text += " with (\(pairs.joined(separator: ", ")))"
        }
        return text
    }
}

extension TraceQL.Order: CustomStringConvertible {
    public var description: String { key.rawValue + (isAscending ? " asc" : " desc") }
}

// MARK: Fields

extension TraceQL.Field: CustomStringConvertible {
    public var description: String { text(above: 0) }

    private var precedence: Int {
        switch self {
        case .binary(let symbol, _, _): symbol.precedence
        case .not: 4
        case .negation: 7
        case .literal, .operand: 8
        }
    }

    /// In parentheses where it binds less than `minimum`.
    private func text(above minimum: Int) -> String {
        let text =
            switch self {
            case .literal(let literal): "\(literal)"
            case .operand(let operand): "\(operand)"
            case .negation(let field): "-" + field.text(above: 7)
            case .not(let field): "!" + field.text(above: 5)
            case .binary(.power, let left, let right):
                left.text(above: 7) + " ^ " + right.text(above: 6)
            case .binary(let symbol, let left, let right):
                left.text(above: symbol.precedence) + " \(symbol.rawValue) "
                    + right.text(above: symbol.precedence + 1)
            }
        return precedence < minimum ? "(\(text))" : text
    }
}

extension TraceQL.Operand: CustomStringConvertible {
    public var description: String {
        switch self {
        case .attribute(let attribute): "\(attribute)"
        case .intrinsic(let intrinsic): intrinsic.rawValue
        case .parentIntrinsic(let intrinsic): "parent." + intrinsic.rawValue
        }
    }
}

extension TraceQL.Attribute: CustomStringConvertible {
    public var description: String { scope.rawValue + (isPlain ? key : quotedKey) }

    /// Whether the key reads as itself without quotes.
    private var isPlain: Bool {
        guard key.unicodeScalars.allSatisfy(TraceQLLexer.isKeyScalar) else { return false }
        guard scope == .parent else { return true }
        // `parent.span.a` and `parent.name` are something else.
        return !key.utf8.starts(with: "span.".utf8) && !key.utf8.starts(with: "resource.".utf8)
            && !(TraceQL.Intrinsic(rawValue: key)?.isOfSpan ?? false)
    }

    private var quotedKey: String {
        var text = String.UnicodeScalarView()
        for scalar in key.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { text.append("\\") }
            text.append(scalar)
        }
        return "\"\(String(text))\""
    }
}

extension TraceQL.Literal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .string(let text): Self.quoted(text)
        case .int(.min): "minInt"
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .bool(let flag): flag ? "true" : "false"
        case .nil: "nil"
        case .duration(let value):
            (value < 0 ? "-" : "") + DurationText.text(value.magnitude)
        case .status(let status): status.word
        case .kind(let kind): kind.word
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        result.append("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result.append(contentsOf: ["\\", scalar])
            case "\n": result.append(contentsOf: ["\\", "n"])
            case "\r": result.append(contentsOf: ["\\", "r"])
            case "\t": result.append(contentsOf: ["\\", "t"])
            case "\0"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                let escape = "\\x" + (digits.count == 1 ? "0" : "") + digits
                result.append(contentsOf: escape.unicodeScalars)
            default: result.append(scalar)
            }
        }
        result.append("\"")
        return String(result)
    }
}

// MARK: Pipelines

extension TraceQL.Pipeline: CustomStringConvertible {
    public var description: String { stages.map { "\($0)" }.joined(separator: " | ") }
}

extension TraceQL.Stage: CustomStringConvertible {
    public var description: String {
        switch self {
        case .spans(let spanset): "\(spanset)"
        case .filter(let filter): "\(filter)"
        case .group(let field): "by(\(field))"
        case .coalesce: "coalesce()"
        case .select(let operands): "select(\(operands.text))"
        }
    }
}

extension [TraceQL.Operand] {
    fileprivate var text: String { map { "\($0)" }.joined(separator: ", ") }
}

extension TraceQL.Spanset: CustomStringConvertible {
    public var description: String { text(above: 0) }

    private func text(above minimum: Int) -> String {
        let precedence: Int
        let text: String
        switch self {
        case .filter(nil): return "{ }"
        case .filter(.some(let field)): return "{ \(field) }"
        case .pipeline(let pipeline): return "(\(pipeline))"
        case .and(let left, let right):
            precedence = 1
            text = left.text(above: 1) + " && " + right.text(above: 2)
        case .or(let left, let right):
            precedence = 1
            text = left.text(above: 1) + " || " + right.text(above: 2)
        case .related(let relation, let form, let left, let right):
            precedence = 2
            text =
                left.text(above: 2) + " \(form.rawValue)\(relation.rawValue) "
                + right.text(above: 3)
        case .without(let left, let right, let deadline):
            precedence = 2
            let within = deadline.map { " within " + DurationText.text($0) } ?? ""
            text = left.text(above: 2) + " without " + right.text(above: 3) + within
        }
        return precedence < minimum ? "(\(text))" : text
    }
}

extension TraceQL.ScalarFilter: CustomStringConvertible {
    public var description: String { "\(left) \(comparison.rawValue) \(right)" }
}

extension TraceQL.Scalar: CustomStringConvertible {
    public var description: String { text(above: 3) }

    private func text(above minimum: Int) -> String {
        let precedence: Int
        let text: String
        switch self {
        case .literal(let literal): return "\(literal)"
        case .aggregate(let aggregate, let field):
            return "\(aggregate.rawValue)(\(field.map { "\($0)" } ?? ""))"
        case .negation(let scalar):
            precedence = 7
            text = "-" + scalar.text(above: 7)
        case .arithmetic(.power, let left, let right):
            precedence = 6
            text = left.text(above: 7) + " ^ " + right.text(above: 6)
        case .arithmetic(let arithmetic, let left, let right):
            precedence = arithmetic.precedence
            text =
                left.text(above: precedence) + " \(arithmetic.rawValue) "
                + right.text(above: precedence + 1)
        }
        return precedence < minimum ? "(\(text))" : text
    }
}

// MARK: Metrics

extension TraceQL.Metrics: CustomStringConvertible {
    public var description: String {
        switch self {
        case .measure(let pipeline, let measure, let keys):
            "\(pipeline) | \(measure)" + (keys.isEmpty ? "" : " by (\(keys.text))")
        case .number(let literal): "\(literal)"
        case .arithmetic(let arithmetic, let left, let right):
            left.operand(above: arithmetic.precedence) + " \(arithmetic.rawValue) "
                + right.operand(above: arithmetic.precedence + 1)
        case .refined(.arithmetic(let arithmetic, let left, let right), let refinement):
            "(\(TraceQL.Metrics.arithmetic(arithmetic, left, right))) \(refinement)"
        case .refined(let metrics, let refinement): "\(metrics) \(refinement)"
        }
    }

    /// As one side of an operator.
    private func operand(above minimum: Int) -> String {
        switch self {
        case .number(let literal): "\(literal)"
        case .arithmetic(let arithmetic, _, _) where arithmetic.precedence >= minimum: "\(self)"
        case .measure, .arithmetic, .refined: "(\(self))"
        }
    }
}

extension TraceQL.Measure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .rate: return "rate()"
        case .countOverTime: return "count_over_time()"
        case .overTime(let function, let operand): return "\(function.rawValue)(\(operand))"
        case .quantileOverTime(let operand, let quantiles):
            let list = quantiles.map { ", \($0)" }.joined()
            return "quantile_over_time(\(operand)\(list))"
        case .histogramOverTime(let operand): return "histogram_over_time(\(operand))"
        case .compare(let selection, let top, let start, let end):
            let numbers = [top, start, end].compactMap { $0.map { ", \($0)" } }.joined()
            return "compare(\(TraceQL.Spanset.filter(selection))\(numbers))"
        }
    }
}

extension TraceQL.Refinement: CustomStringConvertible {
    public var description: String {
        switch self {
        case .topk(let count): "| topk(\(count))"
        case .bottomk(let count): "| bottomk(\(count))"
        case .filter(let comparison, let literal): "\(comparison.rawValue) \(literal)"
        }
    }
}
