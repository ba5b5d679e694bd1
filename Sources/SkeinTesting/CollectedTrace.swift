// SPDX-License-Identifier: Apache-2.0

public import Skein
public import SkeinModel
internal import SkeinPropagation
internal import Synchronization

/// The spans of one trace at one moment, and what can be expected of them:
/// ```swift
/// let trace = try await spans.trace(containing: .span("GET /orders"))
/// #expect(trace.contains(.span("charge card").child(of: .span("place order"))))
/// #expect(trace.contains(exactly: 2, .span("query")))
/// #expect(trace.containsNone(.anySpan.attribute("card.number")))
/// #expect(trace.contains(inOrder: .span("reserve"), .span("charge card"), .span("ship")))
/// ```
/// It describes itself as a tree, followed by what the last expectation missed; `#expect` prints
/// that when it fails:
/// ```
/// trace 4bf92f3577b34da6a3ce929d0e0e4736
/// └─ place order, 2.104 ms
///    └─ charge card, client, 1.930 ms, failed 'declined', order.id=4711
/// missing: span 'charge card', kind server
///   charge card: is of kind client
/// ```
public final class CollectedTrace: Sendable, CustomStringConvertible {
    /// The trace.
    public let traceID: TraceID
    /// Its spans in the order they started; of two that started at once, the one that ended first.
    public let spans: [SpanRecord]
    /// All spans of the collector: links lead to other traces.
    private let all: [SpanRecord]
    private let byID: [SpanID: Int]
    private let missing = Mutex<String?>(nil)

    init(_ traceID: TraceID, of all: [SpanRecord]) {
        self.traceID = traceID
        self.all = all
        // Stable by rank, so that what started at once stays in the order it ended.
        let own = all.enumerated().filter { $0.element.traceID == traceID }
        spans = own.sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
            .map(\.element)
        byID = Dictionary(
            spans.enumerated().map { ($0.element.spanID, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The tree, and below it what the last expectation missed, if it failed.
    public var description: String {
        let tree = TraceTree(self).text
        return missing.withLock { $0 }.map { "\(tree)\n\($0)" } ?? tree
    }

    // MARK: Expectations

    /// Whether a span meets `pattern`.
    public func contains(_ pattern: SpanPattern) -> Bool {
        answer(!spans(matching: pattern).isEmpty) { "missing: \(pattern)\(nearest(pattern))" }
    }

    /// Whether so many spans, no more and no fewer, meet `pattern`.
    public func contains(exactly count: Int, _ pattern: SpanPattern) -> Bool {
        let found = spans(matching: pattern).count
        return answer(found == count) {
            let near = found < count ? nearest(pattern) : ""
            return "wanted \(count), found \(found): \(pattern)\(near)"
        }
    }

    /// Whether no span meets `pattern`.
    public func containsNone(_ pattern: SpanPattern) -> Bool {
        let found = spans(matching: pattern)
        return answer(found.isEmpty) {
            let names = found.map { "'\($0.name)'" }.joined(separator: ", ")
            return "not wanted, but there: \(pattern): \(names)"
        }
    }

    /// Whether spans that meet the patterns, children of one parent, started in this order. Others may
    /// have started in between; roots count as children of one parent.
    public func contains(inOrder patterns: SpanPattern...) -> Bool {
        var furthest: [SpanPattern] = []
        var seen: Set<SpanID> = []
        for span in spans where seen.insert(span.parentSpanID).inserted {
            var rest = patterns[...]
            for sibling in siblings(of: span, withItself: true) {
                guard let next = rest.first else { break }
                if next.mismatches(sibling, in: self).isEmpty { rest = rest.dropFirst() }
            }
            if rest.isEmpty { return answer(true) { "" } }
            let matched = patterns.prefix(patterns.count - rest.count)
            if matched.count > furthest.count { furthest = Array(matched) }
        }
        return answer(patterns.isEmpty) {
            let order = patterns.map(\.description).joined(separator: " -> ")
            let next = patterns[furthest.count]
            let last = furthest.last.map { " after (\($0))" } ?? ""
            return "not in this order: \(order)\n  missing\(last): \(next)"
        }
    }

    // MARK: Spans

    /// The spans that meet `pattern`, in the order they started.
    public func spans(matching pattern: SpanPattern) -> [SpanRecord] {
        spans.filter { pattern.mismatches($0, in: self).isEmpty }
    }

    /// The first span that meets `pattern`, for what no pattern says:
    /// ```swift
    /// let query = try trace.span(.span("query"))
    /// #expect(query.end - query.start < 1_000_000_000)
    /// ```
    /// - Throws: `MissingSpans`, which says what there is, where no span meets it.
    public func span(_ pattern: SpanPattern) throws -> SpanRecord {
        if let span = spans(matching: pattern).first { return span }
        _ = contains(pattern)
        throw MissingSpans(description: description)
    }

    /// The span right above, where it was collected.
    public func parent(of span: SpanRecord) -> SpanRecord? {
        span.isRoot ? nil : byID[span.parentSpanID].map { spans[$0] }
    }

    /// The spans right below, in the order they started.
    public func children(of span: SpanRecord) -> [SpanRecord] {
        spans.filter { $0.parentSpanID == span.spanID }
    }

    /// All spans above, the nearest first.
    func ancestors(of span: SpanRecord) -> [SpanRecord] {
        var ancestors: [SpanRecord] = []
        var next = parent(of: span)
        // A sink may be given anything, a circle too.
        while let current = next, ancestors.count < spans.count {
            ancestors.append(current)
            next = parent(of: current)
        }
        return ancestors
    }

    /// The spans with the same parent, in the order they started.
    func siblings(of span: SpanRecord, withItself: Bool = false) -> [SpanRecord] {
        spans.filter {
            $0.parentSpanID == span.parentSpanID && (withItself || $0.spanID != span.spanID)
        }
    }

    /// The span that a link leads to, where it was collected.
    func linked(_ link: SpanRecord.Link) -> SpanRecord? {
        all.first {
            $0.spanID == link.context.spanID && $0.traceID == link.context.traceID
        }
    }

    // MARK: Failures

    /// Spans that a failure speaks of.
    private static let nearestCount = 5

    /// Notes why an expectation failed, or that it did not.
    private func answer(_ isMet: Bool, _ failure: () -> String) -> Bool {
        let text = isMet ? nil : failure()
        missing.withLock { $0 = text }
        return isMet
    }

    /// What keeps the spans that come nearest to `pattern` from meeting it.
    private func nearest(_ pattern: SpanPattern) -> String {
        let named = spans.filter { pattern.names($0) }
        if named.isEmpty {
            var seen: Set<String> = []
            let names = spans.map(\.name).filter { seen.insert($0).inserted }
            let all = names.map { "'\($0)'" }.joined(separator: ", ")
            return "\n  no span has that name; there are \(names.isEmpty ? "none at all" : all)"
        }
        let reasons = named.map { ($0.name, pattern.mismatches($0, in: self)) }
            .filter { !$0.1.isEmpty }
            .sorted { $0.1.count < $1.1.count }
            .prefix(Self.nearestCount)
        return reasons.map { "\n  \($0.0): \($0.1.joined(separator: "; "))" }.joined()
    }
}

/// What was expected of a test's spans and is not there.
public struct MissingSpans: Error, CustomStringConvertible {
    /// The spans as trees, and what is missing.
    public let description: String
}
