// SPDX-License-Identifier: Apache-2.0

public import QueryLanguage
public import SkeinModel
import Store

/// A question about the spans of one service, or of one of its operations.
public struct ServiceQuestion: Sendable {
    public var service: String
    /// Only spans of this name; `nil` for all.
    public var operation: String?
    /// Only spans of these kinds; `nil` for all.
    public var kinds: Set<SpanKind>?
    /// When the spans start.
    public var time: TraceQuery.TimeSpan
    /// Lines of the answer, at most.
    public var limit: Int

    /// Asks about a service.
    public init(
        service: String,
        operation: String? = nil,
        kinds: Set<SpanKind>? = nil,
        time: TraceQuery.TimeSpan,
        limit: Int
    ) {
        self.service = service
        self.operation = operation
        self.kinds = kinds
        self.time = time
        self.limit = limit
    }

    /// The conditions of the question as TraceQL, and `more` of them.
    func text(_ more: [String]) -> String {
        var all = ["resource.service.name = \(TraceQL.Literal.string(service))"]
        if let operation { all.append("name = \(TraceQL.Literal.string(operation))") }
        if let kinds {
            let each = kinds.sorted { $0.rawValue < $1.rawValue }.map { "kind = \($0.word)" }
            all.append(each.count == 1 ? each[0] : "(\(each.joined(separator: " || ")))")
        }
        return "{ " + (all + more).joined(separator: " && ") + " }"
    }

    /// What a store needs to know to leave out traces.
    var predicate: SpanPredicate {
        var parts: [SpanPredicate] = [.service(.exactly(service))]
        if let operation { parts.append(.operation(.exactly(operation))) }
        if let kinds { parts.append(.or(kinds.map { .kind($0) })) }
        return .and(parts)
    }

    /// The rows among `rows` that the question is about.
    func matching(_ rows: Range<Int>, of spans: TraceSpans, in range: Range<UInt64>) -> [Int] {
        guard let service = spans.columns.strings.find(service) else { return [] }
        let name = operation.map { spans.columns.strings.find($0) }
        // A name that no span of these has.
        if case .some(.none) = name { return [] }
        var found: [Int] = []
        for row in rows
        where spans.columns.service(row) == service && range.contains(spans.columns.start[row]) {
            if let name, spans.columns.name[row] != name { continue }
            let kind = SpanKind(rawValue: spans.columns.kind[row]) ?? .unspecified
            if let kinds, !kinds.contains(kind) { continue }
            found.append(row)
        }
        return found
    }
}

/// How an answer about a service came to be.
public struct ServiceAnswerFacts: Sendable {
    /// Nanoseconds since 1970.
    public var range: Range<UInt64>
    public var examinedTraceCount = 0
    public var examinedSpanCount = 0
    /// Why the answer is not whole; empty when it is.
    public var incomplete: [String] = []

    init(range: Range<UInt64>) { self.range = range }

    mutating func add(_ reason: String) {
        if !incomplete.contains(reason) { incomplete.append(reason) }
    }
}
