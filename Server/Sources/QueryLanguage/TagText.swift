// SPDX-License-Identifier: Apache-2.0

/// One tag condition as text.
///
/// | text | meaning |
/// |---|---|
/// | `order.id=17` | an attribute of the span, its resource or an event reads 17 |
/// | `order.id` | the key is there |
/// | `!order.id=17`, `order.id!=17`, `!order.id` | the same, negated |
/// | `resource:host.name=a` | in this scope only: `span`, `resource`, `event` or `any` |
/// | `"a key"="a \"value\""` | quoted, for keys with `=` or `!` and values that begin with `"` |
///
/// An unquoted value is everything after the first `=`, spaces included.
public enum TagText {
    private static let hint = "write key=value, key, !key or scope:key=value"

    /// The condition that `text` writes.
    ///
    /// - Throws: with the position of the first character that cannot be read.
    public static func parse(_ text: String) throws(QueryError) -> SpanCondition {
        var scanner = TextScanner(text)
        var isNegated = scanner.take("!")
        var scope = SpanCondition.Scope.any
        for candidate in SpanCondition.Scope.allCases
        where scanner.take(prefix: candidate.rawValue + ":") {
            scope = candidate
            break
        }
        let keyStart = scanner.position
        let key = try parseKey(&scanner)
        guard !key.isEmpty else {
            throw scanner.error("the key is empty", hint: hint, at: keyStart)
        }
        if scanner.isAtEnd {
            return condition(.init(scope: scope, key: key, value: .exists), isNegated)
        }
        if scanner.take("!") {
            guard !isNegated else {
                throw scanner.error("negated twice", hint: "leave one ! out")
            }
            isNegated = true
        }
        guard scanner.take("=") else {
            throw scanner.error("an = is missing after the key", hint: hint)
        }
        let value = try parseValue(&scanner)
        return condition(.init(scope: scope, key: key, value: .text(value)), isNegated)
    }

    private static func condition(_ tag: SpanCondition.Tag, _ isNegated: Bool) -> SpanCondition {
        isNegated ? .not(.tag(tag)) : .tag(tag)
    }

    private static func parseKey(_ scanner: inout TextScanner) throws(QueryError) -> String {
        if scanner.peek() == "\"" { return try parseQuoted(&scanner) }
        return String(scanner.takeWhile { $0 != "=" && $0 != "!" })
    }

    private static func parseValue(_ scanner: inout TextScanner) throws(QueryError) -> String {
        guard scanner.peek() == "\"" else { return String(scanner.takeRest()) }
        let value = try parseQuoted(&scanner)
        guard scanner.isAtEnd else {
            throw scanner.error(
                "text follows the closing quote",
                hint: "end after the quote, or write \\\" for a quote inside the value"
            )
        }
        return value
    }

    private static func parseQuoted(_ scanner: inout TextScanner) throws(QueryError) -> String {
        let start = scanner.position
        _ = scanner.next()
        var result = ""
        while let character = scanner.next() {
            switch character {
            case "\"": return result
            case "\\":
                switch scanner.next() {
                case "n": result.append("\n")
                case "t": result.append("\t")
                case .some(let escaped): result.append(escaped)
                case nil: break
                }
            default: result.append(character)
            }
        }
        throw scanner.error("the quote is not closed", hint: "end the text with \"", at: start)
    }
}
