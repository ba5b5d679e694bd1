// SPDX-License-Identifier: Apache-2.0

/// Durations as people and Go programs write them: `1.5s`, `10ms`, `1h30m`, `7d`, `0`.
public enum DurationText {
    /// Units with their nanoseconds. `µ` comes as either of its two code points.
    private static let units: [(text: String, nanoseconds: UInt64)] = [
        ("ns", 1), ("us", 1000), ("\u{B5}s", 1000), ("\u{3BC}s", 1000),
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    private static let hint = "write a number and a unit of ns us ms s m h d, like 1.5s or 1h30m"

    /// Nanoseconds of `text`.
    ///
    /// - Throws: with the position of the first character that cannot be read, or when the sum
    ///   leaves 64 bits (584 years).
    public static func parse(_ text: String) throws(QueryError) -> UInt64 {
        if text == "0" { return 0 }
        var scanner = TextScanner(text)
        if scanner.peek() == "-" {
            throw scanner.error("a duration cannot be negative", hint: hint)
        }
        _ = scanner.take("+")
        guard !scanner.isAtEnd else { throw scanner.error("there is no number", hint: hint) }
        var total: UInt64 = 0
        while !scanner.isAtEnd {
            let part = try parsePart(&scanner)
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else {
                throw scanner.error("the duration does not fit 64 bits", hint: hint)
            }
            total = sum
        }
        return total
    }

    /// One number with its unit.
    private static func parsePart(_ scanner: inout TextScanner) throws(QueryError) -> UInt64 {
        let start = scanner.position
        let whole = scanner.takeDigits()
        var fraction: Substring = ""
        if scanner.take(".") { fraction = scanner.takeDigits() }
        guard !whole.isEmpty || !fraction.isEmpty else {
            throw scanner.error("a number is missing", hint: hint, at: start)
        }
        let unitStart = scanner.position
        let unitText = scanner.takeWhile { $0.isLetter }
        guard let unit = units.first(where: { $0.text == unitText }) else {
            let problem = unitText.isEmpty ? "a unit is missing" : "\"\(unitText)\" is no unit"
            throw scanner.error(problem, hint: hint, at: unitStart)
        }
        guard let nanoseconds = scaled(whole: whole, fraction: fraction, by: unit.nanoseconds)
        else { throw scanner.error("the duration does not fit 64 bits", hint: hint, at: start) }
        return nanoseconds
    }

    /// `whole.fraction` times `unit`, cut below one; `nil` beyond 64 bits.
    private static func scaled(whole: Substring, fraction: Substring, by unit: UInt64) -> UInt64? {
        guard let count = whole.isEmpty ? 0 : UInt64(whole) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        // 15 digits reach below a nanosecond of a day; what follows cannot count.
        let digits = fraction.prefix(15)
        var scale: UInt128 = 1
        for _ in digits { scale *= 10 }
        let parts = digits.isEmpty ? 0 : UInt128(digits) ?? 0
        let rest = UInt64(parts * UInt128(unit) / scale)
        let (sum, sumOverflow) = product.addingReportingOverflow(rest)
        return sumOverflow ? nil : sum
    }

    /// `nanoseconds` as Go prints durations: `1.5s`, `2m0s`, `300ms`, `0s`.
    public static func text(_ nanoseconds: UInt64) -> String {
        switch nanoseconds {
        case 0: return "0s"
        case ..<1000: return "\(nanoseconds)ns"
        case ..<1_000_000: return decimal(nanoseconds, unit: 1000) + "\u{B5}s"
        case ..<1_000_000_000: return decimal(nanoseconds, unit: 1_000_000) + "ms"
        default:
            let minutes = nanoseconds / 60_000_000_000
            var result = ""
            if minutes >= 60 { result += "\(minutes / 60)h" }
            if minutes > 0 { result += "\(minutes % 60)m" }
            return result + decimal(nanoseconds % 60_000_000_000, unit: 1_000_000_000) + "s"
        }
    }

    private static func decimal(_ value: UInt64, unit: UInt64) -> String {
        let rest = value % unit
        guard rest > 0 else { return "\(value / unit)" }
        var digits = String(String(unit + rest).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(value / unit).\(digits)"
    }
}
