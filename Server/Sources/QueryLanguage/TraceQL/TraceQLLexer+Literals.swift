// SPDX-License-Identifier: Apache-2.0

extension TraceQLLexer {
    mutating func number() -> TraceQLToken.Kind {
        let start = index
        takeNumberOrDuration()
        let text = Self.text(scalars[start..<index])
        if text.allSatisfy({ $0 >= "0" && $0 <= "9" }) {
            if let value = Int64(text) { return .literal(.int(value)) }
            return wrong(
                "the number does not fit 64 bits",
                "write maxInt, or a float like 1e20",
                start
            )
        }
        if text.allSatisfy({ $0 >= "0" && $0 <= "9" || "eE.+-".contains($0) }) {
            if let value = Double(text), value.isFinite { return .literal(.float(value)) }
            return wrong("\"\(text)\" is no number", "write digits like 12, 0.5 or 1e9", start)
        }
        do {
            if let value = Int64(exactly: try DurationText.parse(text)) {
                return .literal(.duration(value))
            }
            return wrong("the duration does not fit 63 bits", "at most 292 years", start)
        } catch {
            return wrong(error.problem, error.hint, start + (error.position ?? 0))
        }
    }

    /// An error at `place`.
    private mutating func wrong(
        _ problem: String,
        _ hint: String,
        _ place: Int
    ) -> TraceQLToken.Kind {
        index = place
        return .wrong(problem: problem, hint: hint)
    }

    private mutating func takeNumberOrDuration() {
        while let scalar = current {
            let isSign = scalar == "+" || scalar == "-"
            if isSign {
                // Only in an exponent: 1e-5, never 1h-5.
                guard index > 0, "eE".unicodeScalars.contains(scalars[index - 1]),
                    let digit = peek(1), digit >= "0", digit <= "9"
                else { return }
            } else if !Self.isWordScalar(scalar), scalar != ".", scalar != "\u{B5}",
                scalar != "\u{3BC}"
            {
                return
            }
            index += 1
        }
    }

    mutating func rawLiteral() -> TraceQLToken.Kind {
        let start = index
        index += 1
        while let scalar = current {
            index += 1
            if scalar == "`" {
                return .literal(.string(Self.text(scalars[start + 1..<index - 1])))
            }
        }
        return wrong("the quote is not closed", "end the text with `", start)
    }

    /// Text in double quotes, with the escapes of Go.
    mutating func quotedLiteral() -> TraceQLToken.Kind {
        let start = index
        index += 1
        var text = String.UnicodeScalarView()
        while let scalar = current {
            index += 1
            switch scalar {
            case "\"": return .literal(.string(String(text)))
            case "\n":
                return wrong("a line ends inside the text", "write \\n, or use `…`", index - 1)
            case "\\":
                guard let escaped = escape() else {
                    return wrong(
                        "this is no escape",
                        "write \\\\ for a backslash (in a pattern \\\\. for a dot), or use `…`",
                        index - 1
                    )
                }
                text.append(escaped)
            default: text.append(scalar)
            }
        }
        return wrong("the quote is not closed", "end the text with \"", start)
    }

    /// What follows a backslash; leaves the index after the backslash where it is none.
    private mutating func escape() -> Unicode.Scalar? {
        guard let letter = current else { return nil }
        if let plain = Self.escapes[letter] {
            index += 1
            return plain
        }
        let digits =
            switch letter {
            case "x": 2
            case "u": 4
            case "U": 8
            default: 0
            }
        guard digits > 0, index + digits < scalars.count,
            scalars[index + 1...index + digits].allSatisfy(\.properties.isASCIIHexDigit),
            let value = UInt32(Self.text(scalars[index + 1...index + digits]), radix: 16),
            let scalar = Unicode.Scalar(value)
        else { return nil }
        index += 1 + digits
        return scalar
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}",
        "\\": "\\", "\"": "\"", "'": "'",
    ]
}
