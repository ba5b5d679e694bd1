// SPDX-License-Identifier: Apache-2.0

/// Times as RFC 3339 writes them: `2026-11-21T17:06:04.000000001Z`, `2026-11-21T18:06:04+01:00`.
public enum TimeText {
    private static let hint = "write a time like 2026-11-21T17:06:04.5Z (RFC 3339)"
    private static let second: UInt64 = 1_000_000_000

    /// Nanoseconds since 1970 of `text`; a fraction beyond nanoseconds is cut. A leap second is the
    /// second after it.
    ///
    /// - Throws: with the position of what cannot be read, and for times before 1970 or after 2554.
    public static func parse(_ text: String) throws(QueryError) -> UInt64 {
        var scanner = TextScanner(text)
        let year = try number(&scanner, digits: 4, 1...9_999)
        try take("-", &scanner)
        let month = try number(&scanner, digits: 2, 1...12)
        try take("-", &scanner)
        let day = try number(&scanner, digits: 2, 1...days(inMonth: month, of: year))
        guard scanner.take("T") || scanner.take("t") || scanner.take(" ") else {
            throw scanner.error("T is missing between date and time", hint: hint)
        }
        let hour = try number(&scanner, digits: 2, 0...23)
        try take(":", &scanner)
        let minute = try number(&scanner, digits: 2, 0...59)
        try take(":", &scanner)
        let seconds = try number(&scanner, digits: 2, 0...60)
        var nanoseconds: UInt64 = 0
        if scanner.take(".") {
            let digits = scanner.takeDigits()
            guard !digits.isEmpty else { throw scanner.error("digits are missing", hint: hint) }
            let nine = (digits + "000000000").prefix(9)
            nanoseconds = UInt64(nine) ?? 0
        }
        let offset = try offset(&scanner)
        guard scanner.isAtEnd else {
            throw scanner.error("nothing may follow the time", hint: hint)
        }
        let total =
            daysSince1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + seconds - offset
        guard let whole = UInt64(exactly: total), whole <= (UInt64.max - second) / second else {
            throw QueryError(
                text: text,
                problem: "the time lies outside 1970 to 2554",
                hint: hint
            )
        }
        return whole * second + nanoseconds
    }

    /// Nanoseconds since 1970 as RFC 3339 in UTC, with as many digits of the second as it takes.
    public static func text(_ nanoseconds: UInt64) -> String {
        let seconds = Int(nanoseconds / second)
        let (year, month, day) = date(daysSince1970: seconds / 86_400)
        var rest = seconds % 86_400
        let hour = rest / 3_600
        rest %= 3_600
        var text = padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
        text += padded(hour, 2) + ":" + padded(rest / 60, 2) + ":" + padded(rest % 60, 2)
        let fraction = Int(nanoseconds % second)
        if fraction > 0 {
            var digits = padded(fraction, 9)
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }

    // MARK: Parts

    private static func number(
        _ scanner: inout TextScanner,
        digits: Int,
        _ range: ClosedRange<Int>
    ) throws(QueryError) -> Int {
        let start = scanner.position
        let text = scanner.takeDigits()
        guard text.utf8.count == digits, let number = Int(text), range.contains(number) else {
            throw scanner.error(
                "\(digits) digits from \(range.lowerBound) to \(range.upperBound) are expected",
                hint: hint,
                at: start
            )
        }
        return number
    }

    private static func take(_ mark: Character, _ scanner: inout TextScanner) throws(QueryError) {
        guard scanner.take(mark) else { throw scanner.error("\"\(mark)\" is missing", hint: hint) }
    }

    /// Seconds that the local time is ahead of UTC.
    private static func offset(_ scanner: inout TextScanner) throws(QueryError) -> Int {
        if scanner.take("Z") || scanner.take("z") { return 0 }
        // A plus that nobody percent-encoded has become a blank.
        let isAhead = scanner.take("+") || scanner.take(" ")
        guard isAhead || scanner.take("-") else {
            throw scanner.error("Z or an offset like +01:00 is missing", hint: hint)
        }
        let hours = try number(&scanner, digits: 2, 0...23)
        try take(":", &scanner)
        let minutes = try number(&scanner, digits: 2, 0...59)
        return (hours * 3_600 + minutes * 60) * (isAhead ? 1 : -1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    // MARK: The Gregorian calendar

    private static func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days before 1 January of a year, counted from a day that is the same for all.
    private static func days(before year: Int) -> Int {
        let last = year - 1
        return year * 365 + last / 4 - last / 100 + last / 400
    }

    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let inYear = (1..<month).reduce(day - 1) { $0 + days(inMonth: $1, of: year) }
        return days(before: year) - days(before: 1_970) + inYear
    }

    private static func date(daysSince1970 count: Int) -> (year: Int, month: Int, day: Int) {
        var year = 1_970 + count / 366
        while daysSince1970(year + 1, 1, 1) <= count { year += 1 }
        var rest = count - daysSince1970(year, 1, 1)
        var month = 1
        while rest >= days(inMonth: month, of: year) {
            rest -= days(inMonth: month, of: year)
            month += 1
        }
        return (year, month, rest + 1)
    }
}
