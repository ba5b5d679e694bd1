// SPDX-License-Identifier: Apache-2.0

public import Skein
public import Tracing

/// Says what a span should look like. It begins with a name and grows by what matters to the test:
/// ```swift
/// let call = SpanPattern.span("charge card").kind(.client).attribute("order.id", 4711)
/// #expect(trace.contains(call.failed("declined").child(of: .span("place order"))))
/// ```
/// A failed expectation prints the pattern as a sentence, and what kept the nearest spans from
/// meeting it.
public struct SpanPattern: Sendable, CustomStringConvertible {
    /// One thing that has to be true of a span.
    struct Condition: Sendable {
        /// How it reads within the sentence.
        let text: String
        /// Why `span`, one of `trace`, does not meet it; `nil` where it does.
        let mismatch: @Sendable (_ span: SpanRecord, _ trace: CollectedTrace) -> String?
    }

    /// How a span without further conditions reads.
    private let subject: String
    /// Which spans come into question at all: those a failure speaks of.
    let name: String?
    private(set) var conditions: [Condition] = []

    private init(subject: String, name: String?) {
        self.subject = subject
        self.name = name
    }

    /// A span of an operation.
    public static func span(_ name: String) -> SpanPattern {
        SpanPattern(subject: "span '\(name)'", name: name)
    }

    /// Any span at all.
    public static var anySpan: SpanPattern { SpanPattern(subject: "any span", name: nil) }

    public var description: String {
        ([subject] + conditions.map(\.text)).joined(separator: ", ")
    }

    /// Whether `span` has the name, if one matters.
    func names(_ span: SpanRecord) -> Bool { name.map { $0 == span.name } ?? true }

    /// What keeps `span`, one of `trace`, from meeting the pattern; empty where nothing does.
    func mismatches(_ span: SpanRecord, in trace: CollectedTrace) -> [String] {
        let naming = names(span) ? [] : ["is named '\(span.name)'"]
        return naming + conditions.compactMap { $0.mismatch(span, trace) }
    }

    /// Adds a condition.
    func adding(
        _ text: String,
        _ mismatch: @escaping @Sendable (SpanRecord, CollectedTrace) -> String?
    ) -> SpanPattern {
        var pattern = self
        pattern.conditions.append(Condition(text: text, mismatch: mismatch))
        return pattern
    }

    // MARK: The span itself

    /// The span has this role in a call.
    public func kind(_ kind: Tracing.SpanKind) -> SpanPattern {
        adding("kind \(kind)") { span, _ in
            span.kind == kind ? nil : "is of kind \(span.kind)"
        }
    }

    /// The span has an attribute with this value. Whole numbers are the same whatever their width.
    public func attribute(_ key: String, _ value: SpanAttribute) -> SpanPattern {
        let wanted = value.readable
        return adding("\(key)=\(wanted)") { span, _ in
            guard let found = span.attributes.get(key)?.readable else { return "has no \(key)" }
            return found == wanted ? nil : "has \(key)=\(found)"
        }
    }

    /// The span has an attribute, whatever its value.
    public func attribute(_ key: String) -> SpanPattern {
        adding("with \(key)") { span, _ in
            span.attributes.get(key) == nil ? "has no \(key)" : nil
        }
    }

    /// The span has no such attribute: for what must not leave the process.
    public func withoutAttribute(_ key: String) -> SpanPattern {
        adding("without \(key)") { span, _ in
            span.attributes.get(key).map { "has \(key)=\($0.readable)" }
        }
    }

    /// The span ended with the status `error`; `message` is what was said with it, `nil` for anything.
    public func failed(_ message: String? = nil) -> SpanPattern {
        adding(message.map { "failed with '\($0)'" } ?? "failed") { span, _ in
            guard span.status?.code == .error else { return "did not fail" }
            guard let message, span.status?.message != message else { return nil }
            return "failed with '\(span.status?.message ?? "")'"
        }
    }

    /// The span did not end with the status `error`.
    public func notFailed() -> SpanPattern {
        adding("not failed") { span, _ in
            span.status?.code == .error ? "failed with '\(span.status?.message ?? "")'" : nil
        }
    }

    /// Somebody said of the span that all is well.
    public func succeeded() -> SpanPattern {
        adding("succeeded") { span, _ in
            span.status?.code == .ok ? nil : "has not the status ok"
        }
    }

    /// The span noted an error of this type: what `recordError` and a throwing body leave behind.
    ///
    /// - Parameter type: The type's name, with or without its module.
    public func error(_ type: String) -> SpanPattern {
        adding("error \(type)") { span, _ in
            let types = span.events.filter { $0.name == "exception" }
                .compactMap { $0.attributes.get("exception.type")?.readable }
            if types.contains(where: { $0 == type || $0.hasSuffix(".\(type)") }) { return nil }
            return types.isEmpty
                ? "noted no error" : "noted the errors \(types.joined(separator: ", "))"
        }
    }

    /// Something of this name happened during the span, with these attributes among others.
    public func event(_ name: String, _ attributes: SpanAttributes = [:]) -> SpanPattern {
        var wanted: [String: String] = [:]
        attributes.forEach { wanted[$0] = $1.readable }
        let pairs = wanted.map { "\($0)=\($1)" }.sorted().map { " " + $0 }.joined()
        return adding("event '\(name)'\(pairs)") { [wanted] span, _ in
            let events = span.events.filter { $0.name == name }
            if events.isEmpty { return "has no event '\(name)'" }
            let isThere = events.contains { event in
                wanted.allSatisfy { event.attributes.get($0)?.readable == $1 }
            }
            return isThere ? nil : "has no event '\(name)' with\(pairs)"
        }
    }

    /// The span meets a condition of your own.
    ///
    /// - Parameters:
    ///   - text: How the condition reads in a failure, such as `takes less than a second`.
    ///   - condition: Whether a span meets it.
    public func satisfying(
        _ text: String,
        _ condition: @escaping @Sendable (SpanRecord) -> Bool
    ) -> SpanPattern {
        adding(text) { span, _ in condition(span) ? nil : "not: \(text)" }
    }
}

extension SpanAttribute {
    /// The value as a failure shows it; two values that read the same are the same.
    var readable: String {
        switch self {
        case .string(let text): text
        case .bool(let flag): "\(flag)"
        case .int32(let number): "\(number)"
        case .int64(let number): "\(number)"
        case .double(let number): "\(number)"
        case .stringArray(let texts): "\(texts)"
        case .boolArray(let flags): "\(flags)"
        case .int32Array(let numbers): "\(numbers)"
        case .int64Array(let numbers): "\(numbers)"
        case .doubleArray(let numbers): "\(numbers)"
        case .stringConvertible(let value): value.description
        case .stringConvertibleArray(let values): "\(values.map(\.description))"
        default: "\(self)"
        }
    }
}
