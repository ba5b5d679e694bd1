// SPDX-License-Identifier: Apache-2.0

import Analysis
import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import SkeinWire
import Store

/// Version 3 of Jaeger's query interface: times in RFC 3339, spans as OTLP/JSON. Spans come as they
/// were sent, whatever `rawTraces` says.
extension ReadAPI {
    var jaegerV3Routes: [Route] {
        [
            Route("/api/v3/services", jaegerV3Services),
            Route("/api/v3/operations", jaegerV3Operations),
            Route("/api/v3/traces", jaegerV3Search),
            Route("/api/v3/traces/{id}", jaegerV3Trace),
            Route("/api/v3/trace-summaries", jaegerV3Summaries),
            Route("/api/v3/dependencies", jaegerV3Dependencies),
        ]
    }

    private func jaegerV3Services(_ request: ReadRequest) async throws -> Response {
        let found = try await engine.services()
        return .object { $0.array("services", of: found.names.map(\.text)) }
            .incomplete(found.incomplete)
    }

    private func jaegerV3Operations(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        let service = try query.one("service")
        let kind = try query.one("spanKind") ?? query.one("span_kind")
        let found = try await engine.operations(service: service.map { SpanCondition.Text($0) })
        let names = found.names
            .map { (name: $0.text, kind: Self.kindWord($0.kind)) }
            .filter { kind == nil || $0.kind == kind }
        return .object { json in
            json.array("operations") { json in
                for name in names {
                    json.object { json in
                        json.member("name", name.name)
                        json.member("spanKind", name.kind)
                    }
                }
            }
        }
        .incomplete(found.incomplete)
    }

    /// What says nothing is internal to its service.
    private static func kindWord(_ kind: SpanKind?) -> String {
        let known = kind ?? .internal
        return (known == .unspecified ? .internal : known).word
    }

    private func jaegerV3Trace(_ request: ReadRequest) async throws -> Response {
        for name in ["startTime", "start_time", "endTime", "end_time"] {
            _ = try request.query.time(name)
        }
        let id = try JaegerSearch.traceID(request.path["id"] ?? "")
        let traces = try await engine.traces(id, isRaw: true)
        guard let first = traces.first else { throw Failure.notFound("trace not found") }
        return Self.answer(traces).incomplete(first.spans.incomplete)
    }

    private func jaegerV3Search(_ request: ReadRequest) async throws -> Response {
        let query = try JaegerV3Search.query(request.query)
        let found = try await wholeTraces(try await engine.search(query), isRaw: true)
        guard !found.traces.isEmpty else { throw Failure.notFound("No traces found") }
        return Self.answer(found.traces).incomplete(found.incomplete)
    }

    /// All traces in one list of resources.
    private static func answer(_ traces: [Trace]) -> Response {
        var json = AnswerJSON()
        json.object { json in
            json.key("result")
            guard let first = traces.first else { return json.null() }
            // Those of one look-up share a table.
            json.embed(
                OTLP.encodeJSON(first.spans.columns, runs: traces.map(\.storedRows))
            )
        }
        return .json(json)
    }

    private func jaegerV3Summaries(_ request: ReadRequest) async throws -> Response {
        let query = try JaegerV3Search.query(request.query)
        let result = try await engine.search(query)
        let found = try await wholeTraces(result, isRaw: true)
        let orphans = Dictionary(
            found.traces.map { ($0.traceID, $0.orphanCount) },
            uniquingKeysWith: { first, _ in first }
        )
        return .object { json in
            json.array("summaries") { json in
                for summary in result.traces {
                    guard let orphanCount = orphans[summary.traceID] else { continue }
                    json.object { $0.jaegerSummary(summary, orphanCount: orphanCount) }
                }
            }
        }
        .incomplete(found.incomplete)
    }

    private func jaegerV3Dependencies(_ request: ReadRequest) async throws -> Response {
        let range = try JaegerV3Search.range(
            request.query,
            ("startTime", "start_time"),
            ("endTime", "end_time")
        )
        let found = try await engine.dependencies(in: range)
        return .object { json in
            json.array("dependencies") { json in
                for link in found.links {
                    json.object { json in
                        json.member("parent", link.parent)
                        json.member("child", link.child)
                        json.member("callCount", "\(link.callCount)")
                    }
                }
            }
        }
        .incomplete(found.incomplete)
    }
}

/// The search parameters of version 3 as a query.
enum JaegerV3Search {
    static func query(_ parameters: QueryParameters) throws -> TraceQuery {
        guard parameters.all("query.filter").isEmpty else {
            throw Failure(
                status: .notImplemented,
                message: "query.filter is not supported; use the other parameters of query"
            )
        }
        let range = try range(
            parameters,
            ("query.startTimeMin", "query.start_time_min"),
            ("query.startTimeMax", "query.start_time_max")
        )
        let parts = try conditions(parameters)
        let depth = try ["query.searchDepth", "query.search_depth", "query.num_traces"].lazy
            .compactMap { try parameters.integer($0, unit: "a count") }
            .first
        _ = try parameters.flag("query.rawTraces")
        return TraceQuery(
            spans: parts.isEmpty ? [] : [.all(parts)],
            time: .between(start: range.lowerBound, end: range.upperBound),
            limit: depth.map { Int(clamping: $0) } ?? 100,
            matchedSpanLimit: 0
        )
    }

    private static func conditions(_ parameters: QueryParameters) throws -> [SpanCondition] {
        var parts: [SpanCondition] = []
        if let name = try one(parameters, ("query.serviceName", "query.service_name")) {
            parts.append(.service(.init(name)))
        }
        if let name = try one(parameters, ("query.operationName", "query.operation_name")) {
            parts.append(.operation(.init(name)))
        }
        for text in parameters.all("query.attributes") {
            parts += try JaegerSearch.conditions(json: text, of: "query.attributes")
        }
        let least = try parameters.duration("query.durationMin")
        let most = try parameters.duration("query.durationMax")
        let range = try QueryParameters.range(
            try least ?? parameters.duration("query.duration_min"),
            try most ?? parameters.duration("query.duration_max"),
            names: ("query.durationMin", "query.durationMax")
        )
        if let range { parts.append(.duration(range)) }
        return parts
    }

    /// Two moments that are both required; each has a name and one that it had before.
    static func range(
        _ parameters: QueryParameters,
        _ start: (name: String, former: String),
        _ end: (name: String, former: String)
    ) throws -> Range<UInt64> {
        let first = try parameters.time(start.name) ?? parameters.time(start.former)
        let last = try parameters.time(end.name) ?? parameters.time(end.former)
        guard let first, let last else {
            throw Failure.badRequest(
                "\(start.name) and \(end.name) are required; give times like "
                    + "2026-11-21T17:06:04Z"
            )
        }
        guard first < last else {
            throw Failure.badRequest("\(start.name) is not before \(end.name)")
        }
        return first..<last
    }

    private static func one(
        _ parameters: QueryParameters,
        _ names: (name: String, former: String)
    ) throws -> String? {
        try parameters.one(names.name) ?? parameters.one(names.former)
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

extension AnswerJSON {
    fileprivate mutating func jaegerSummary(_ summary: TraceSummary, orphanCount: Int) {
        let (end, overflow) = summary.start.addingReportingOverflow(summary.duration)
        member("traceId", summary.traceID.hex)
        member("rootServiceName", summary.rootService)
        member("rootOperationName", summary.rootOperation)
        member("minStartTimeUnixNano", "\(summary.start)")
        member("maxEndTimeUnixNano", "\(overflow ? .max : end)")
        member("spanCount", number: summary.spanCount)
        member("errorSpanCount", number: summary.errorCount)
        member("orphanSpanCount", number: orphanCount)
        array("services") { json in
            for service in summary.services {
                json.object { json in
                    json.member("name", service.name)
                    json.member("spanCount", number: service.spanCount)
                    json.member("errorSpanCount", number: service.errorCount)
                }
            }
        }
    }
}
