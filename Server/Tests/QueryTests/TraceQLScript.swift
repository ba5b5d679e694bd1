// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store
import Testing

/// A text script: what is stored, what is asked, what is found. `Scripts/README.md` says how they are
/// written.
struct TraceQLScript: Sendable, CustomTestStringConvertible {
    struct Case: Sendable {
        var line: Int
        var query: String
        var expected: String
        /// How a query for numbers over time is asked.
        var measured: Measured
    }

    struct Mistake: Error, CustomStringConvertible {
        var line: Int
        var problem: String
        var description: String { "line \(line): \(problem)" }
    }

    let name: String
    private(set) var spans: [TestSpan] = []
    private(set) var cases: [Case] = []

    var testDescription: String { name }

    init(name: String, text: String) throws {
        self.name = name
        var loader = Loader()
        var query: (line: Int, text: String)?
        var measured = Measured()
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let words = line.drop { $0 == " " }
            let number = index + 1
            if words.isEmpty || words.hasPrefix("#") {
                continue
            } else if let text = Self.rest(of: words, after: "query ") {
                query = (number, text)
            } else if let text = Self.rest(of: words, after: "measure ") {
                measured = try Measured(text, number)
            } else if let text = Self.rest(of: words, after: "expect ") {
                guard let asked = query else {
                    throw Mistake(line: number, problem: "expect without query")
                }
                cases.append(
                    Case(line: asked.line, query: asked.text, expected: text, measured: measured)
                )
                query = nil
            } else {
                try loader.load(String(line), number)
            }
        }
        spans = loader.spans
    }

    private static func rest(of line: Substring, after word: String) -> String? {
        line.hasPrefix(word) ? String(line.dropFirst(word.count)) : nil
    }

    /// `2: a b | 1: (x) a + (y) c{7}`: traces, their spansets with the values of `by`, names of spans,
    /// values of `select`.
    static func text(_ found: FoundTraces) -> String {
        guard !found.traces.isEmpty else { return "nothing" }
        return found.traces.map { trace in
            "\(trace.summary.traceID.low): "
                + trace.spansets.map { text($0) }.joined(separator: " + ")
        }
        .joined(separator: " | ")
    }

    private static func text(_ spanset: FoundSpanset) -> String {
        let keys = spanset.keys.map { text($0.value) }.joined(separator: ", ")
        let spans = spanset.spans.map { span in
            let values = span.values.map { text($0.value) }.joined(separator: ", ")
            return values.isEmpty ? span.name : "\(span.name){\(values)}"
        }
        return (spanset.keys.isEmpty ? "" : "(\(keys)) ") + spans.joined(separator: " ")
    }

    static func text(_ value: AttributeValue) -> String {
        switch value {
        case .empty: "-"
        case .string(let text): text
        case .bool(let flag): "\(flag)"
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .array(let elements): "[" + elements.map { text($0) }.joined(separator: " ") + "]"
        case .map: "map"
        }
    }
}

/// Spans as a tree by indentation, one a line.
private struct Loader {
    private(set) var spans: [TestSpan] = []
    private var trace: UInt64 = 0
    /// Indentation and id of the spans above the next one.
    private var above: [(indent: Int, id: UInt64)] = []

    mutating func load(_ line: String, _ number: Int) throws {
        var words = try Self.words(line, number)
        let indent = line.prefix { $0 == " " }.count
        let first = words.removeFirst()
        if first == "trace", words.count == 1, let id = UInt64(words[0]) {
            trace = id
            above = []
            return
        }
        while let last = above.last, last.indent >= indent { above.removeLast() }
        let id = UInt64(spans.count) + 1
        var span = TestSpan(
            trace: TraceID(high: 0, low: trace),
            id: id,
            parent: above.last?.id ?? 0,
            name: first,
            start: trace * 60_000_000_000,
            duration: 1_000_000
        )
        for word in words {
            guard let equals = word.firstIndex(of: "=") else {
                throw TraceQLScript.Mistake(line: number, problem: "\(word) is no key=value")
            }
            let key = String(word[..<equals])
            let value = String(word[word.index(after: equals)...])
            try set(&span, key, value, number)
        }
        spans.append(span)
        above.append((indent, span.id))
    }

    /// Words at spaces outside of quotes.
    private static func words(_ line: String, _ number: Int) throws -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in line {
            if character == "\"" { isQuoted.toggle() }
            if character == " ", !isQuoted {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        guard !isQuoted, !words.isEmpty else {
            throw TraceQLScript.Mistake(line: number, problem: "a quote is not closed")
        }
        return words
    }

    private func set(
        _ span: inout TestSpan,
        _ key: String,
        _ value: String,
        _ number: Int
    ) throws {
        switch key {
        case "service": span.service = value
        case "name": span.name = value.filter { $0 != "\"" }
        case "at": span.start = trace * 60_000_000_000 + (try DurationText.parse(value))
        case "for": span.duration = try DurationText.parse(value)
        case "kind": span.kind = SpanKind(word: value) ?? .unspecified
        case "status": span.status = StatusCode(word: value) ?? .unset
        case "message": span.statusMessage = value
        case "state": span.traceState = value
        case "id": span.id = SpanID(hex: value)?.raw ?? 0
        case "parent": span.parent = SpanID(hex: value)?.raw ?? 0
        case "library": span.libraryName = value
        case "version": span.libraryVersion = value
        case "event":
            let parts = value.split(separator: "@")
            span.events.append((String(parts[0]), []))
            span.eventOffsets.append(
                parts.count > 1 ? try DurationText.parse(String(parts[1])) : 0
            )
        case "link":
            span.links.append(TraceID(hex: value) ?? .zero)
            span.linkAttributes.append([])
        default: try setAttribute(&span, key, Self.value(value), number)
        }
    }

    private func setAttribute(
        _ span: inout TestSpan,
        _ key: String,
        _ value: AttributeValue,
        _ number: Int
    ) throws {
        guard let dot = key.firstIndex(of: ".") else {
            throw TraceQLScript.Mistake(line: number, problem: "\(key) is nothing of a span")
        }
        let attribute = pair(String(key[key.index(after: dot)...]), value)
        switch (key[..<dot], span.events.count, span.links.count) {
        case ("", _, _): span.attributes.append(attribute)
        case ("resource", _, _): span.resource.append(attribute)
        case ("library", _, _): span.libraryAttributes.append(attribute)
        case ("event", 1..., _):
            span.events[span.events.count - 1].attributes.append(attribute)
        case ("link", _, 1...):
            span.linkAttributes[span.links.count - 1].append(attribute)
        default: throw TraceQLScript.Mistake(line: number, problem: "\(key) belongs to nothing")
        }
    }

    /// A list in brackets, text in quotes, a number, or a word that is text.
    private static func value(_ text: String) -> AttributeValue {
        if text.hasPrefix("["), text.hasSuffix("]") {
            return .array(
                text.dropFirst().dropLast().split(separator: ",").map { value(String($0)) }
            )
        }
        if text.hasPrefix("\"") { return .string(text.filter { $0 != "\"" }) }
        if text == "true" || text == "false" { return .bool(text == "true") }
        if text == "bytes" { return .bytes([1, 2]) }
        if text == "empty" { return .empty }
        if let number = Int64(text) { return .int(number) }
        if let number = Double(text) { return .double(number) }
        return .string(text)
    }
}
