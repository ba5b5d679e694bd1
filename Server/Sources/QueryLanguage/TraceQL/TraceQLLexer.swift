// SPDX-License-Identifier: Apache-2.0

/// Cuts the text of a query into tokens.
///
/// Attribute keys hold `+ - * /` and `%`, as they do wherever TraceQL is spoken: `.a-b` is one key,
/// `.a - .b` a difference.
struct TraceQLLexer {
    let scalars: [Unicode.Scalar]
    var index = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// All tokens; the last is `.end` or `.wrong`.
    mutating func tokens() -> [TraceQLToken] {
        var tokens: [TraceQLToken] = []
        while true {
            skipSpaceAndComments()
            let start = index
            let kind = next()
            tokens.append(TraceQLToken(kind: kind, start: start, end: max(index, start)))
            switch kind {
            case .end, .wrong: return tokens
            case .symbol, .word, .operand, .literal: break
            }
        }
    }

    var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    func peek(_ distance: Int) -> Unicode.Scalar? {
        index + distance < scalars.count ? scalars[index + distance] : nil
    }

    /// `//` begins a comment that ends with the line.
    private mutating func skipSpaceAndComments() {
        while let scalar = current {
            if scalar.properties.isWhitespace {
                index += 1
            } else if scalar == "/", peek(1) == "/" {
                while let scalar = current, scalar != "\n" { index += 1 }
            } else {
                return
            }
        }
    }

    private mutating func next() -> TraceQLToken.Kind {
        guard let first = current else { return .end }
        switch first {
        case "\"": return quotedLiteral()
        case "`": return rawLiteral()
        case "'":
            return .wrong(
                problem: "text does not stand in single quotes",
                hint: "write \"…\""
            )
        case ".": return attribute(.any, at: index + 1)
        case "0"..."9": return number()
        case "a"..."z", "A"..."Z", "_": return word()
        default: break
        }
        for (symbol, written) in TraceQLToken.Symbol.byLength
        where scalars[index...].starts(with: written) {
            index += written.count
            return .symbol(symbol)
        }
        return unknown(first)
    }

    private func unknown(_ first: Unicode.Scalar) -> TraceQLToken.Kind {
        switch first {
        case "&": .wrong(problem: "a single &", hint: "write && for and")
        case "[", "]":
            .wrong(
                problem: "there are no lists",
                hint: "an attribute that is a list equals each of its elements; for one of "
                    + "several values write =~ \"a|b\" or || between conditions"
            )
        case "\u{201C}", "\u{201D}", "\u{2018}", "\u{2019}":
            .wrong(problem: "a typographic quote", hint: "write \"…\" with straight quotes")
        default:
            .wrong(
                problem: "\"\(first)\" begins nothing here",
                hint: "values other than numbers stand in \"…\", conditions in { }"
            )
        }
    }

    // MARK: Words and operands

    private mutating func word() -> TraceQLToken.Kind {
        let start = index
        while let scalar = current, Self.isWordScalar(scalar) { index += 1 }
        let text = Self.text(scalars[start..<index])
        switch current {
        case ".":
            if let scope = TraceQL.Attribute.Scope(rawValue: text + "."), scope != .any {
                return attribute(scope, at: index + 1)
            }
            return dottedWord(text, from: start)
        case ":": return scopedIntrinsic(text)
        default: break
        }
        if let intrinsic = TraceQL.Intrinsic(spelling: text) {
            return .operand(.intrinsic(intrinsic))
        }
        return .word(text)
    }

    /// `foo.bar`: a key without a scope, or an intrinsic with the wrong sign.
    private mutating func dottedWord(_ word: String, from start: Int) -> TraceQLToken.Kind {
        while let scalar = current, Self.isKeyScalar(scalar), scalar != "\"" { index += 1 }
        let text = Self.text(scalars[start..<index])
        index = start
        if word == "trace" {
            let rest = text.dropFirst(word.count + 1)
            return .wrong(
                problem: "a trace has no attributes",
                hint: "write \(Self.scoped(word, like: String(rest)))"
            )
        }
        return .wrong(
            problem: "\"\(text)\" does not say where the key stands",
            hint: "write .\(text), span.\(text) or resource.\(text)"
        )
    }

    private mutating func scopedIntrinsic(_ scope: String) -> TraceQLToken.Kind {
        let start = index - scope.unicodeScalars.count
        index += 1
        let nameStart = index
        while let scalar = current, Self.isWordScalar(scalar) { index += 1 }
        let name = Self.text(scalars[nameStart..<index])
        if scope == "span" || scope == "trace", ["count", "start"].contains(name) {
            // Not of a span, but in `order by`.
            if TraceQL.Order.Key(rawValue: scope + ":" + name) != nil {
                return .word(scope + ":" + name)
            }
        }
        if let intrinsic = TraceQL.Intrinsic(spelling: scope + ":" + name) {
            return .operand(.intrinsic(intrinsic))
        }
        while let scalar = current, Self.isKeyScalar(scalar) { index += 1 }
        let key = Self.text(scalars[nameStart..<index])
        index = start
        if TraceQL.Attribute.Scope(rawValue: scope + ".") != nil, !key.isEmpty {
            return .wrong(
                problem: "\(scope):\(key) is no intrinsic",
                hint: "write \(scope).\(key) for the attribute"
                    + Self.orScoped(scope, like: name)
            )
        }
        return .wrong(
            problem: "\(scope):\(name) is no intrinsic",
            hint: "write \(Self.scoped(scope, like: name))"
        )
    }

    private static func orScoped(_ scope: String, like name: String) -> String {
        let known = TraceQL.Intrinsic.spellings.filter { $0.hasPrefix(scope + ":") }
        return known.isEmpty ? "" : ", or one of \(known.joined(separator: ", "))"
    }

    private static func scoped(_ scope: String, like name: String) -> String {
        let known = TraceQL.Intrinsic.spellings.filter { $0.hasPrefix(scope + ":") }
        if known.contains(scope + ":" + name) { return scope + ":" + name }
        let all = known.isEmpty ? TraceQL.Intrinsic.spellings.filter { $0.contains(":") } : known
        return "one of " + all.joined(separator: ", ")
    }

    /// The key that follows a scope; parts of it may stand in quotes.
    private mutating func attribute(
        _ scope: TraceQL.Attribute.Scope,
        at keyStart: Int
    ) -> TraceQLToken.Kind {
        index = keyStart
        if scope == .parent {
            for (inner, written) in [
                (TraceQL.Attribute.Scope.parentSpan, "span."), (.parentResource, "resource."),
            ] where scalars[index...].starts(with: written.unicodeScalars) {
                return attribute(inner, at: index + written.unicodeScalars.count)
            }
        }
        var key = String.UnicodeScalarView()
        var isQuoted = false
        while let scalar = current {
            if scalar == "\"" {
                isQuoted = true
                guard let part = quotedPart() else {
                    return .wrong(problem: "the quote is not closed", hint: "end the key with \"")
                }
                key.append(contentsOf: part)
            } else if Self.isKeyScalar(scalar) {
                key.append(scalar)
                index += 1
            } else {
                break
            }
        }
        let text = String(key)
        guard !text.isEmpty else {
            return .wrong(
                problem: "a key is missing",
                hint: "write \(scope.rawValue)key, or \(scope.rawValue)\"a key with spaces\""
            )
        }
        if scope == .parent, !isQuoted, let intrinsic = TraceQL.Intrinsic(rawValue: text),
            intrinsic.isOfSpan
        {
            return .operand(.parentIntrinsic(intrinsic))
        }
        return .operand(.attribute(TraceQL.Attribute(scope, text)))
    }

    /// A quoted part of a key, where only `\"` and `\\` are escapes; `nil` where it has no end.
    private mutating func quotedPart() -> [Unicode.Scalar]? {
        let start = index
        index += 1
        var part: [Unicode.Scalar] = []
        while let scalar = current {
            index += 1
            switch scalar {
            case "\"": return part
            case "\\":
                if let escaped = current, escaped == "\"" || escaped == "\\" {
                    part.append(escaped)
                    index += 1
                } else {
                    part.append(scalar)
                }
            default: part.append(scalar)
            }
        }
        index = start
        return nil
    }

    /// Whether `scalar` may stand in a key without quotes.
    static func isKeyScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "{", "}", "(", ")", "=", "~", "!", "<", ">", "&", "|", "^", ",", "\"", "`": false
        default: !scalar.properties.isWhitespace
        }
    }

    static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }

    static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
