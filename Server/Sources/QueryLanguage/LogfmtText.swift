// SPDX-License-Identifier: Apache-2.0

/// Pairs as logfmt writes them: `http.method=GET name="a b" error`.
///
/// A value in quotes may hold blanks, `\"`, `\\`, `\n` and `\t`; a key without a value has an empty one.
public enum LogfmtText {
    private static let hint = "write key=value, blanks between pairs, quotes around blanks"

    /// The pairs of `text`, in its order.
    ///
    /// - Throws: with the position of the first character that cannot be read, or of a key that was
    ///   there already.
    public static func parse(_ text: String) throws(QueryError) -> [(key: String, value: String)] {
        guard text.utf8.count <= QueryLimits.textByteCount else {
            throw QueryError(
                text: text,
                problem: "the text is \(text.utf8.count) bytes long",
                hint: "at most \(QueryLimits.textByteCount) bytes are read"
            )
        }
        var scanner = TextScanner(text)
        var pairs: [(key: String, value: String)] = []
        while true {
            _ = scanner.takeWhile { $0.isWhitespace }
            guard !scanner.isAtEnd else { return pairs }
            let start = scanner.position
            let key = String(scanner.takeWhile { !$0.isWhitespace && $0 != "=" && $0 != "\"" })
            guard !key.isEmpty else {
                throw scanner.error("a key is missing", hint: hint, at: start)
            }
            guard !pairs.contains(where: { $0.key == key }) else {
                throw scanner.error("\(key) is given twice", hint: "give it once", at: start)
            }
            guard pairs.count < QueryLimits.patternCount else {
                throw scanner.error(
                    "there are more than \(QueryLimits.patternCount) pairs",
                    hint: "give \(QueryLimits.patternCount) at most",
                    at: start
                )
            }
            pairs.append((key, scanner.take("=") ? try value(&scanner) : ""))
        }
    }

    private static func value(_ scanner: inout TextScanner) throws(QueryError) -> String {
        let start = scanner.position
        guard scanner.take("\"") else {
            let value = scanner.takeWhile { !$0.isWhitespace && $0 != "\"" }
            guard scanner.isAtEnd || scanner.peek() != "\"" else {
                throw scanner.error("a quote stands inside a value", hint: hint)
            }
            return String(value)
        }
        var value = ""
        while let character = scanner.next() {
            switch character {
            case "\"": return value
            case "\\":
                switch scanner.next() {
                case "n": value.append("\n")
                case "t": value.append("\t")
                case .some(let escaped): value.append(escaped)
                case nil: break
                }
            default: value.append(character)
            }
        }
        throw scanner.error("the quote is not closed", hint: "end the text with \"", at: start)
    }
}
