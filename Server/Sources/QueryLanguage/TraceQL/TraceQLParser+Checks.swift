// SPDX-License-Identifier: Apache-2.0

import SkeinModel

extension TraceQLParser {
    /// Refuses operands that an operator can never give a result for.
    mutating func check(
        _ symbol: TraceQL.FieldOperator,
        _ left: Placed,
        _ right: Placed,
        at place: Int
    ) throws(QueryError) {
        switch symbol {
        case .and, .or:
            for side in [left, right] where side.field.type != .bool && side.field.type != .any {
                throw error(
                    "\(symbol.rawValue) joins conditions, and this is \(side.field.type.phrase)",
                    "compare it first, like \(side.field) = …",
                    at: side.start
                )
            }
        case .matches, .matchesNot: try checkPattern(left, right)
        case .equal, .notEqual: try checkComparison(symbol, left, right, at: place)
        case .less, .atMost, .more, .atLeast:
            for side in [left, right] {
                switch side.field.type {
                case .bool, .status, .kind, .nothing:
                    throw error(
                        "\(side.field.type.phrase) is neither more nor less",
                        "compare it by = or !=",
                        at: side.start
                    )
                case .string, .int, .float, .duration, .any: break
                }
            }
            try checkComparison(symbol, left, right, at: place)
        case .add, .subtract, .multiply, .divide, .remainder, .power:
            for side in [left, right] where !side.field.type.isNumeric {
                throw error(
                    "\(symbol.rawValue) counts, and this is \(side.field.type.phrase)",
                    "only numbers and durations can be counted with",
                    at: side.start
                )
            }
        }
    }

    private mutating func checkPattern(_ left: Placed, _ right: Placed) throws(QueryError) {
        guard left.field.type == .string || left.field.type == .any else {
            throw error(
                "a pattern is for text, and this is \(left.field.type.phrase)",
                "compare it by = or !=",
                at: left.start
            )
        }
        guard case .literal(.string(let pattern)) = right.field else {
            throw error(
                "a pattern is text in quotes",
                "write =~ \"GET .*\"",
                at: right.start
            )
        }
        try countPattern(at: right.start)
        do { _ = try Pattern(pattern) } catch {
            throw self.error(
                error.problem,
                error.hint,
                at: right.start + offset(of: error.position, in: pattern, at: right.start)
            )
        }
    }

    /// Scalars from the quote of `pattern` to the character at `position` in it; none where escapes
    /// stand between the two.
    private func offset(of position: Int?, in pattern: String, at start: Int) -> Int {
        guard let position, scalars[(start + 1)...].starts(with: pattern.unicodeScalars) else {
            return 0
        }
        return 1 + String(pattern.prefix(position)).unicodeScalars.count
    }

    private func checkComparison(
        _ symbol: TraceQL.FieldOperator,
        _ left: Placed,
        _ right: Placed,
        at place: Int
    ) throws(QueryError) {
        guard !left.field.type.fits(right.field.type) else { return }
        throw error(
            "\(left.field.type.phrase) never equals \(right.field.type.phrase)",
            Self.hint(symbol, left.field, right.field) ?? Self.hint(symbol, right.field, left.field)
                ?? "compare values of one type",
            at: right.start
        )
    }

    /// What somebody who compared `field` with `other` probably wanted.
    private static func hint(
        _ symbol: TraceQL.FieldOperator,
        _ field: TraceQL.Field,
        _ other: TraceQL.Field
    ) -> String? {
        switch (field.type, other) {
        case (.status, .literal(.string(let text))), (.kind, .literal(.string(let text))):
            guard let literal = TraceQL.Literal(word: text), literal.type == field.type else {
                let words =
                    field.type == .status
                    ? StatusCode.allCases.map(\.word) : SpanKind.allCases.map(\.word)
                return "write one of \(words.joined(separator: ", ")), without quotes"
            }
            return "write \(field) \(symbol.rawValue) \(literal), without quotes"
        case (.duration, .literal(.string(let text))):
            if (try? DurationText.parse(text)) == nil {
                return "write a duration like 250ms, without quotes"
            }
            return "write \(field) \(symbol.rawValue) \(text), without quotes"
        case (.string, .literal(let literal)):
            return "write the text in quotes: \(field) \(symbol.rawValue) \"\(literal)\""
        case (.int, .literal(.string)), (.float, .literal(.string)):
            return "write the number without quotes"
        case (.bool, .literal(.string)): return "write true or false, without quotes"
        default: return nil
        }
    }
}
