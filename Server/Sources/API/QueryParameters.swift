// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel

/// The parameters of a request, percent-decoded, in their order.
struct QueryParameters: Sendable {
    private var pairs: [(name: String, value: String)] = []

    /// Parses the part of an address after the question mark.
    init(_ query: String) throws {
        guard query.utf8.count <= RequestLimits.queryByteCount else {
            throw Failure.badRequest(
                "the query is longer than \(RequestLimits.queryByteCount) bytes; ask for less"
            )
        }
        for part in query.split(separator: "&") {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            pairs.append(
                (
                    try PercentText.decoded(halves[0], isForm: true),
                    halves.count > 1 ? try PercentText.decoded(halves[1], isForm: true) : ""
                )
            )
        }
        guard pairs.count <= RequestLimits.parameterCount else {
            throw Failure.badRequest(
                "there are \(pairs.count) parameters; at most \(RequestLimits.parameterCount)"
            )
        }
    }

    /// Refuses names that are not among `names`, and names the nearest one.
    func allow(_ names: [String]) throws {
        for pair in pairs where !names.contains(pair.name) {
            let nearest = names.min { distance($0, pair.name) < distance($1, pair.name) }
            let guess = nearest.map { distance($0, pair.name) <= 3 ? "did you mean \($0)?" : "" }
            throw Failure.badRequest(
                "parameter \"\(pair.name.prefix(80))\" is not known; \(guess ?? "") "
                    + (names.isEmpty
                        ? "there are none here" : "there are \(names.joined(separator: ", "))")
            )
        }
    }

    /// Every value of `name`.
    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// The one value of `name`, `nil` where it is missing or empty.
    func one(_ name: String) throws -> String? {
        let values = all(name)
        guard values.count <= 1 else {
            throw Failure.badRequest(
                "parameter \(name) is given \(values.count) times; give it once"
            )
        }
        return values.first.flatMap { $0.isEmpty ? nil : $0 }
    }

    func required(_ name: String, example: String) throws -> String {
        guard let value = try one(name) else {
            throw Failure.badRequest("parameter \(name) is required; give \(name)=\(example)")
        }
        return value
    }

    func integer(_ name: String, unit: String) throws -> UInt64? {
        guard let text = try one(name) else { return nil }
        guard let value = UInt64(text) else {
            throw QueryError(
                parameter: name,
                text: text,
                problem: "this is no whole number from 0 up",
                hint: "give \(unit), digits only"
            )
        }
        return value
    }

    func count(_ name: String, default standard: Int) throws -> Int {
        guard let value = try integer(name, unit: "a count") else { return standard }
        return Int(clamping: value)
    }

    /// A duration as text, nanoseconds.
    func duration(_ name: String) throws -> UInt64? {
        guard let text = try one(name) else { return nil }
        do { return try DurationText.parse(text) } catch { throw error.of(name) }
    }

    /// The range two bounds make, `nil` where neither is given.
    func durations(_ low: String, _ high: String) throws -> ClosedRange<UInt64>? {
        let least = try duration(low)
        let most = try duration(high)
        return try Self.range(least, most, names: (low, high))
    }

    static func range(
        _ least: UInt64?,
        _ most: UInt64?,
        names: (low: String, high: String)
    ) throws -> ClosedRange<UInt64>? {
        if least == nil, most == nil { return nil }
        let low = least ?? 0
        let high = most ?? .max
        guard low <= high else {
            throw Failure.badRequest(
                "\(names.high) \(DurationText.text(high)) is below \(names.low) "
                    + "\(DurationText.text(low)); no span can be both"
            )
        }
        return low...high
    }

    func flag(_ name: String) throws -> Bool {
        switch try one(name)?.lowercased() {
        case nil: return all(name) == [""]
        case "true", "1", "t": return true
        case "false", "0", "f": return false
        case .some(let text):
            throw Failure.badRequest("\(name) is \"\(text.prefix(20))\"; give true or false")
        }
    }

    /// One of the words of an enumeration.
    func word<Value>(_ name: String, of words: [(String, Value)]) throws -> Value? {
        guard let text = try one(name) else { return nil }
        return try match(text, name, words)
    }

    /// Span kinds, one a time the parameter is given; `nil` where it never is.
    func kinds(_ name: String) throws -> Set<SpanKind>? {
        let texts = all(name).filter { !$0.isEmpty }
        guard !texts.isEmpty else { return nil }
        let words = SpanKind.allCases.map { ($0.word, $0) }
        return Set(try texts.map { try match($0, name, words) })
    }

    /// A moment in RFC 3339, as nanoseconds since 1970.
    func time(_ name: String) throws -> UInt64? {
        guard let text = try one(name) else { return nil }
        do { return try TimeText.parse(text) } catch { throw error.of(name) }
    }

    private func match<Value>(
        _ text: String,
        _ name: String,
        _ words: [(String, Value)]
    ) throws -> Value {
        guard let match = words.first(where: { $0.0 == text.lowercased() }) else {
            throw QueryError(
                parameter: name,
                text: text,
                problem: "this is none of its values",
                hint: "give " + words.map(\.0).joined(separator: ", ")
            )
        }
        return match.1
    }

    /// Edits between two names, both cut to a length at which no typo is recognised any more.
    private func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.lowercased().prefix(40))
        let right = Array(right.lowercased().prefix(40))
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}

/// Percent-encoded text of an address.
enum PercentText {
    /// `text` decoded; in a form a plus reads as a space.
    static func decoded(_ text: some StringProtocol, isForm: Bool) throws -> String {
        var bytes: [UInt8] = []
        var digits = text.utf8.makeIterator()
        while let byte = digits.next() {
            switch byte {
            case UInt8(ascii: "+") where isForm: bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = digits.next().flatMap(hexValue),
                    let low = digits.next().flatMap(hexValue)
                else {
                    throw Failure.badRequest(
                        "the address holds a % without two hexadecimal digits; write %25 for %"
                    )
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Failure.badRequest("the address does not decode to UTF-8; encode it as UTF-8")
        }
        return decoded
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        Character(Unicode.Scalar(digit)).hexDigitValue.map { UInt8($0) }
    }
}
