// SPDX-License-Identifier: Apache-2.0

/// A walk over the characters of one short text that knows where it stands.
struct TextScanner {
    private let text: String
    private var index: String.Index
    /// Characters before the current one.
    private(set) var position = 0

    init(_ text: String) {
        self.text = text
        index = text.startIndex
    }

    var isAtEnd: Bool { index == text.endIndex }

    /// Everything not taken yet.
    var rest: Substring { text[index...] }

    func peek() -> Character? { isAtEnd ? nil : text[index] }

    mutating func next() -> Character? {
        guard let character = peek() else { return nil }
        index = text.index(after: index)
        position += 1
        return character
    }

    mutating func take(_ wanted: Character) -> Bool {
        guard peek() == wanted else { return false }
        _ = next()
        return true
    }

    /// Takes `wanted` where the rest begins with it.
    mutating func take(prefix wanted: String) -> Bool {
        guard rest.hasPrefix(wanted) else { return false }
        for _ in wanted { _ = next() }
        return true
    }

    mutating func takeWhile(_ holds: (Character) -> Bool) -> Substring {
        let start = index
        while let character = peek(), holds(character) { _ = next() }
        return text[start..<index]
    }

    /// ASCII digits only: other scripts' digits are letters here.
    mutating func takeDigits() -> Substring { takeWhile { $0 >= "0" && $0 <= "9" } }

    mutating func takeRest() -> Substring {
        let taken = rest
        position += taken.count
        index = text.endIndex
        return taken
    }

    func error(_ problem: String, hint: String, at place: Int? = nil) -> QueryError {
        QueryError(text: text, position: place ?? position, problem: problem, hint: hint)
    }
}
