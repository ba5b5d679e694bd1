// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store

/// What a search of Jaeger's later interfaces says, however it was written: as parameters of an
/// address, or as a message of version 2 or 3 over gRPC.
struct JaegerQuestion {
    /// What a version lets times be.
    enum Version {
        /// The last two days where nothing is said; the end is inside.
        case two
        /// Both are required; the end is not inside.
        case three
    }

    var service = ""
    var operation = ""
    /// Attributes by their text.
    var attributes: [(key: String, value: String)] = []
    /// Nanoseconds since 1970; `nil` where it is not said.
    var start: UInt64?
    var end: UInt64?
    /// Of one span, nanoseconds.
    var durations: ClosedRange<UInt64>?
    /// Traces in the answer.
    var depth: Int?
    /// Instead of service, operation, attributes and durations.
    var filter: TraceQL.Field?

    /// The same in the words of the engine, where there is no filter.
    func query(_ version: Version, now: UInt64) throws -> TraceQuery {
        let parts = conditions
        return TraceQuery(
            spans: parts.isEmpty ? [] : [.all(parts)],
            time: try time(version, now: now),
            limit: depth ?? Self.standardDepth,
            matchedSpanLimit: 0
        )
    }

    /// The same as a query in TraceQL; `nil` where there is no filter.
    func traceQL(_ version: Version, now: UInt64) throws -> TraceQL.Search? {
        guard let filter else { return nil }
        guard conditions.isEmpty else {
            throw Failure.badRequest(
                "query.filter stands in place of service, operation, attributes and durations; say "
                    + "them in the filter, or leave it out"
            )
        }
        return TraceQL.Search(
            TraceQL.Question(.search(TraceQL.Pipeline([.spans(.filter(filter))]))),
            time: try time(version, now: now),
            limit: depth ?? Self.standardDepth,
            toldSpanLimit: 0
        )
    }

    private static let standardDepth = 100

    private func time(_ version: Version, now: UInt64) throws -> TraceQuery.TimeSpan {
        switch version {
        case .three:
            let range = try Self.range(
                start,
                end,
                names: ("query.startTimeMin", "query.startTimeMax")
            )
            return .between(start: range.lowerBound, end: range.upperBound)
        case .two:
            let last = end ?? now
            return .between(
                start: start ?? JaegerSearch.defaultStart(now: last),
                end: last == .max ? last : last + 1
            )
        }
    }

    private var conditions: [SpanCondition] {
        var parts: [SpanCondition] = []
        if !service.isEmpty { parts.append(.service(.init(service))) }
        if !operation.isEmpty { parts.append(.operation(.init(operation))) }
        parts += attributes.map { JaegerSearch.condition($0.key, $0.value) }
        if let durations { parts.append(.duration(durations)) }
        return parts
    }

    /// Two moments that are both required.
    static func range(
        _ start: UInt64?,
        _ end: UInt64?,
        names: (start: String, end: String)
    ) throws -> Range<UInt64> {
        guard let start, let end else {
            throw Failure.badRequest(
                "\(names.start) and \(names.end) are required; give times like "
                    + "2026-11-21T17:06:04Z"
            )
        }
        guard start < end else {
            throw Failure.badRequest("\(names.start) is not before \(names.end)")
        }
        return start..<end
    }
}

/// Traces that a search found, not read yet.
struct FoundSummaries {
    var traces: [TraceSummary]
    /// Why there may be more; empty when there are none.
    var incomplete: [String]

    init(_ result: SearchResult) {
        traces = result.traces
        incomplete = result.incomplete
    }

    init(_ result: FoundTraces) {
        traces = result.traces.map(\.summary)
        incomplete = result.incomplete
    }
}

extension ReadAPI {
    /// Asks what a question says.
    func search(
        _ question: JaegerQuestion,
        _ version: JaegerQuestion.Version
    ) async throws -> FoundSummaries {
        if let search = try question.traceQL(version, now: engine.now()) {
            return FoundSummaries(try await engine.search(search))
        }
        return FoundSummaries(try await engine.search(question.query(version, now: engine.now())))
    }

    /// Operations with the words of version 3: what says nothing is internal to its service.
    func jaegerV3Operations(
        service: String?,
        kind: String?
    ) async throws -> (names: [(name: String, kind: String)], incomplete: [String]) {
        let found = try await engine.operations(service: service.map { SpanCondition.Text($0) })
        let names = found.names
            .map { (name: $0.text, kind: JaegerAnswer.definiteWord($0.kind)) }
            .filter { kind == nil || $0.kind == kind }
        return (names, found.incomplete)
    }

    /// Operations with the words of version 2: none for what says nothing.
    func jaegerOperations(
        service: String,
        kind: String?
    ) async throws -> (names: [(name: String, kind: String)], incomplete: [String]) {
        let found = try await engine.operations(service: SpanCondition.Text(service))
        let names = found.names
            .map { (name: $0.text, kind: $0.kind.map(JaegerAnswer.kindWord) ?? "") }
            .filter { kind == nil || $0.kind == kind }
        return (names, found.incomplete)
    }

    /// Summaries of the traces found, each with how many spans stand without their parent.
    func jaegerSummaries(
        _ question: JaegerQuestion
    ) async throws -> (summaries: [(summary: TraceSummary, orphanCount: Int)], incomplete: [String])
    {
        let found = try await search(question, .three)
        let whole = try await wholeTraces(found, isRaw: true)
        let orphans = Dictionary(
            whole.traces.map { ($0.traceID, $0.orphanCount) },
            uniquingKeysWith: { first, _ in first }
        )
        let summaries = found.traces.compactMap { summary in
            orphans[summary.traceID].map { (summary, $0) }
        }
        return (summaries, whole.incomplete)
    }
}

extension Trace {
    /// Spans whose parent is not in the trace.
    fileprivate var orphanCount: Int {
        var ids: Set<UInt64> = []
        for row in storedRows { ids.insert(spans.columns.spanID[row]) }
        return storedRows.count { row in
            let parent = spans.columns.parentID[row]
            return parent != 0 && !ids.contains(parent)
        }
    }
}

extension TraceSummary {
    /// Latest end, nanoseconds since 1970.
    var end: UInt64 {
        let (end, overflow) = start.addingReportingOverflow(duration)
        return overflow ? .max : end
    }
}
