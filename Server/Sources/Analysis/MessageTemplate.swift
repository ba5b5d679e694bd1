// SPDX-License-Identifier: Apache-2.0

/// What the messages of one error have in common: the text without what differs from one to the next.
///
/// ```
/// order A-1042 not found for "Bob" after 250ms   →   order A-… not found for "…" after …ms
/// no route to 10.0.3.17:8080                     →   no route to …
/// lock 550e8400-e29b-41d4-a716-446655440000 held →   lock … held
/// ```
/// `…` stands for numbers, for words of hexadecimal digits, for long words that look like ids, and for
/// what stands in quotes. White space reads as one blank. Linear.
public struct MessageTemplate: Hashable, Sendable {
    /// The text, at most `AnalysisLimits.templateLength` characters.
    public let text: String
    /// Whether the message goes on behind it.
    public let isCut: Bool

    /// What stands for the parts that differ.
    public static let placeholder: Unicode.Scalar = "…"

    /// Reads `message`, no more of it than `AnalysisLimits.templatedLength` characters.
    public init(_ message: String) {
        let scalars = Array(message.unicodeScalars.prefix(AnalysisLimits.templatedLength + 1))
        var writer = TemplateWriter(scalars.prefix(AnalysisLimits.templatedLength))
        writer.write()
        var isCut = scalars.count > AnalysisLimits.templatedLength
        var text = String.UnicodeScalarView()
        if writer.result.count > AnalysisLimits.templateLength {
            isCut = true
            writer.result.removeLast(writer.result.count - AnalysisLimits.templateLength)
        }
        while writer.result.last == " " { writer.result.removeLast() }
        text.append(contentsOf: writer.result)
        self.text = String(text)
        self.isCut = isCut
    }

    /// A pattern of RE2 for whole messages: it matches every message of this template, and hardly any
    /// other.
    public var pattern: String {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        func add(_ text: String) { result.append(contentsOf: text.unicodeScalars) }
        add("\\s*")
        for (place, scalar) in scalars.enumerated() {
            if scalar == Self.placeholder {
                // Only what stood in quotes may hold white space, or nothing at all.
                let before = place > 0 ? TemplateWriter.closing(scalars[place - 1]) : nil
                add(before == nil ? "\\S+" : ".*")
            } else if scalar == " " {
                add("\\s+")
            } else {
                if "\\.+*?()|[]{}^$".unicodeScalars.contains(scalar) { result.append("\\") }
                result.append(scalar)
            }
        }
        add(isCut ? ".*" : "\\s*")
        return String(result)
    }
}

/// Reads a message once from left to right.
private struct TemplateWriter {
    private let scalars: ArraySlice<Unicode.Scalar>
    private var place: Int
    var result: [Unicode.Scalar] = []

    init(_ scalars: ArraySlice<Unicode.Scalar>) {
        self.scalars = scalars
        place = scalars.startIndex
    }

    mutating func write() {
        while place < scalars.endIndex {
            let scalar = scalars[place]
            if Self.isBlank(scalar) {
                if !result.isEmpty, result.last != " " { result.append(" ") }
                place += 1
            } else if let end = quotedEnd {
                result += [scalar, MessageTemplate.placeholder, scalars[end]]
                place = end + 1
            } else if Self.isWord(scalar) {
                token()
            } else {
                result.append(scalar)
                place += 1
            }
        }
    }

    // MARK: Quotes

    /// What closes a quote that `scalar` opens.
    static func closing(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar {
        case "\"", "'", "`": scalar
        case "“": "”"
        case "‘": "’"
        case "«": "»"
        case "「": "」"
        default: nil
        }
    }

    /// Where the quote ends that opens here; `nil` where none does. An apostrophe inside a word opens
    /// and closes none.
    private var quotedEnd: Int? {
        guard let closing = Self.closing(scalars[place]) else { return nil }
        if place > scalars.startIndex, Self.isLetter(scalars[place - 1]) { return nil }
        let last = min(scalars.endIndex, place + 1 + AnalysisLimits.quotedLength)
        var end = place + 1
        while end < last {
            let scalar = scalars[end]
            if scalar == "\n" { return nil }
            let next = end + 1
            let isInWord = next < scalars.endIndex && Self.isLetter(scalars[next])
            if scalar == closing, !isInWord { return end > place + 1 ? end : nil }
            end += 1
        }
        return nil
    }

    // MARK: Words

    /// Words with single marks between them, like 10.0.3.17:8080 or an id in groups.
    private mutating func token() {
        var words: [Range<Int>] = []
        let start = place
        while place < scalars.endIndex, Self.isWord(scalars[place]) {
            let first = place
            while place < scalars.endIndex, Self.isWord(scalars[place]) { place += 1 }
            words.append(first..<place)
            let next = place + 1
            guard next < scalars.endIndex, Self.joiners.contains(scalars[place]),
                Self.isWord(scalars[next])
            else { break }
            place = next
        }
        if isID(words) || isDate(words) {
            result.append(MessageTemplate.placeholder)
            return
        }
        var wasWhole = false
        for word in words {
            let shown = Self.shown(scalars[word])
            let isWhole = shown == [MessageTemplate.placeholder]
            if word.lowerBound > start {
                // Numbers that marks join are one.
                if isWhole, wasWhole { continue }
                result.append(scalars[word.lowerBound - 1])
            }
            result += shown
            wasWhole = isWhole
        }
    }

    /// 8-4-4-4-12 hexadecimal digits.
    private func isID(_ words: [Range<Int>]) -> Bool {
        words.map(\.count) == [8, 4, 4, 4, 12]
            && words.allSatisfy { scalars[$0].allSatisfy(\.properties.isASCIIHexDigit) }
    }

    /// 2026-03-01 and what stands behind it.
    private func isDate(_ words: [Range<Int>]) -> Bool {
        words.count >= 3 && words.prefix(2).map(\.count) == [4, 2]
            && words.prefix(2).allSatisfy { scalars[$0].allSatisfy(Self.isDigit) }
            && words[2].count >= 2 && scalars[words[2]].prefix(2).allSatisfy(Self.isDigit)
    }

    /// A word, with the placeholder for what differs.
    private static func shown(_ word: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
        let digits = word.count(where: isDigit)
        guard digits > 0 else { return Array(word) }
        let isHex = word.allSatisfy(\.properties.isASCIIHexDigit)
        let isPrefixed = word.starts(with: "0x".unicodeScalars)
        var shown: [Unicode.Scalar] = []
        var numbers = 0
        for scalar in word {
            if !isDigit(scalar) {
                shown.append(scalar)
            } else if shown.last != MessageTemplate.placeholder {
                shown.append(MessageTemplate.placeholder)
                numbers += 1
            }
        }
        let isUpper = word.allSatisfy { isDigit($0) || ("A"..."Z").contains($0) }
        let isMixed = word.count >= 8 && numbers >= 2 || word.count >= 6 && isUpper
        return isPrefixed || isMixed || isHex && word.count >= 4
            ? [MessageTemplate.placeholder] : shown
    }

    private static let joiners: Set<Unicode.Scalar> = ["-", ".", ":", ","]

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    /// ASCII alone: a Chinese sentence has no blanks, and is no word.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || isLetter(scalar)
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        isDigit(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }
}
