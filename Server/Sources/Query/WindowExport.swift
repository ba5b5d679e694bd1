// SPDX-License-Identifier: Apache-2.0

public import QueryLanguage
import SkeinModel
public import Store

/// All traces of a stretch of time, whole and as they were sent, page by page in bounded memory.
///
/// Pages follow the newest-first search by its cursor, with the end fixed when the export began: a
/// trace that is stored meanwhile is among them when it began before what is being read.
public struct WindowExport: Sendable {
    private let engine: QueryEngine
    private let question: TraceQL.Question?
    private let range: Range<UInt64>
    private var rest: [TraceSummary] = []
    private var isLastPage = false
    private var cursor: TraceQuery.Cursor?
    private var queryCursor: TraceQL.Cursor?
    /// Traces and spans of the pages so far.
    public private(set) var traceCount = 0
    public private(set) var spanCount = 0
    /// Why the export is not whole; empty when it is.
    public private(set) var incomplete: [String] = []

    /// Traces read together.
    public struct Page: Sendable {
        public var spans: TraceSpans
        /// Their rows, one run a trace.
        public var traces: [Range<Int>]
    }

    /// Prepares to read the traces with a span in `time`, or those that `question` finds there.
    ///
    /// - Throws: `QueryError` for a query that asks for numbers over time or for an order.
    public init(
        _ engine: QueryEngine,
        _ question: TraceQL.Question?,
        time: TraceQuery.TimeSpan
    ) throws(QueryError) {
        if let question, question.order != nil {
            throw QueryError(
                parameter: "q",
                text: "\(question)",
                problem: "an export is in the order of its reading, the newest first",
                hint: "leave order by out"
            )
        }
        _ = try TraceQuery(time: time).validated()
        self.engine = engine
        self.question = question
        range = engine.range(time)
    }

    /// The next traces; `nil` after the last ones.
    public mutating func next() async throws -> Page? {
        while true {
            try Task.checkCancellation()
            while rest.isEmpty {
                if isLastPage { return nil }
                try await find()
            }
            if let page = try await read() { return page }
        }
    }

    /// Finds the traces of the next page.
    private mutating func find() async throws {
        let time = TraceQuery.TimeSpan.between(start: range.lowerBound, end: range.upperBound)
        let limit = RunLimits.exportPageTraceCount
        guard let question else {
            let found = try await engine.search(
                TraceQuery(time: time, limit: limit, cursor: cursor, matchedSpanLimit: 0)
            )
            rest = found.traces
            cursor = found.cursor
            isLastPage = cursor == nil
            add(found.incomplete)
            return
        }
        let found = try await engine.search(
            TraceQL.Search(
                question,
                time: time,
                limit: limit,
                cursor: queryCursor,
                toldSpanLimit: 0
            )
        )
        rest = found.traces.map(\.summary)
        // That one search has bounds is no reason here: the next goes on, where it would not begin
        // at the same place again.
        isLastPage = found.cursor == nil || found.cursor == queryCursor
        queryCursor = found.cursor
        add(found.incomplete.filter { $0 != found.stopReason })
        if isLastPage, let reason = found.stopReason {
            add(["the export ends here, for no search gets further: one \(reason)"])
        }
    }

    /// Reads the next of the traces found whole; `nil` when they are gone meanwhile.
    private mutating func read() async throws -> Page? {
        var count = TraceTail.page(of: rest[...], limit: rest.count).count
        while true {
            switch await engine.spans(of: rest.prefix(count)) {
            case .success(let spans):
                // Their spans come by id, and a short id finds others too, which have their own turn.
                let found = Dictionary(
                    Trace.groups(in: spans.columns).map { ($0.traceID, $0.rows) },
                    uniquingKeysWith: { first, _ in first }
                )
                let rows = rest.prefix(count).compactMap { found[$0.traceID] }
                rest.removeFirst(count)
                add(spans.incomplete)
                traceCount += rows.count
                spanCount += rows.reduce(0) { $0 + $1.count }
                return rows.isEmpty ? nil : Page(spans: spans, traces: rows)
            case .failure(.refused(let reason)):
                // Too much to hold at once: fewer, down to one alone.
                if count > 1 {
                    count /= 2
                    continue
                }
                add(["trace \(rest.removeFirst().traceID.hex) was left out: \(reason)"])
                return nil
            case .failure(let error): throw error
            }
        }
    }

    private mutating func add(_ reasons: [String]) {
        for reason in reasons where !incomplete.contains(reason) { incomplete.append(reason) }
    }
}
