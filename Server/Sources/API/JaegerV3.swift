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
        let found = try await jaegerV3Operations(
            service: query.one("service"),
            kind: query.one("spanKind") ?? query.one("span_kind")
        )
        return .object { json in
            json.array("operations") { json in
                for name in found.names {
                    json.object { json in
                        json.member("name", name.name)
                        json.member("spanKind", name.kind)
                    }
                }
            }
        }
        .incomplete(found.incomplete)
    }

    private func jaegerV3Trace(_ request: ReadRequest) async throws -> Response {
        for name in ["startTime", "start_time", "endTime", "end_time"] {
            _ = try request.query.time(name)
        }
        _ = try request.query.flag("rawTraces")
        let id = try JaegerSearch.traceID(request.path["id"] ?? "")
        let traces = try await engine.traces(id, isRaw: true)
        guard let first = traces.first else { throw Failure.notFound("trace not found") }
        return Self.answer(traces).incomplete(first.spans.incomplete)
    }

    private func jaegerV3Search(_ request: ReadRequest) async throws -> Response {
        let summaries = try await search(JaegerQuestion(request.query), .three)
        let found = try await wholeTraces(summaries, isRaw: true)
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
        let found = try await jaegerSummaries(JaegerQuestion(request.query))
        return .object { json in
            json.array("summaries") { json in
                for (summary, orphanCount) in found.summaries {
                    json.object { $0.jaegerSummary(summary, orphanCount: orphanCount) }
                }
            }
        }
        .incomplete(found.incomplete)
    }

    private func jaegerV3Dependencies(_ request: ReadRequest) async throws -> Response {
        let range = try JaegerQuestion.range(
            request.query.time("startTime", formerly: "start_time"),
            request.query.time("endTime", formerly: "end_time"),
            names: ("startTime", "endTime")
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

extension JaegerQuestion {
    /// Reads the search parameters of version 3; some have a name that they had before.
    init(_ parameters: QueryParameters) throws {
        let name = "query.filter"
        filter = try parameters.one(name).map { json in
            try JaegerFilterMeaning.condition(JaegerFilter(json: json, path: name), path: name)
        }
        start = try parameters.time("query.startTimeMin", formerly: "query.start_time_min")
        end = try parameters.time("query.startTimeMax", formerly: "query.start_time_max")
        service =
            try parameters.one("query.serviceName") ?? parameters.one("query.service_name") ?? ""
        operation =
            try parameters.one("query.operationName") ?? parameters.one("query.operation_name")
            ?? ""
        for text in parameters.all("query.attributes") {
            attributes += try JaegerSearch.tags(json: text, of: "query.attributes")
        }
        durations = try QueryParameters.range(
            parameters.duration("query.durationMin") ?? parameters.duration("query.duration_min"),
            parameters.duration("query.durationMax") ?? parameters.duration("query.duration_max"),
            names: ("query.durationMin", "query.durationMax")
        )
        depth = try ["query.searchDepth", "query.search_depth", "query.num_traces"].lazy
            .compactMap { try parameters.integer($0, unit: "a count") }
            .first
            .map { Int(clamping: $0) }
        _ = try parameters.flag("query.rawTraces")
    }
}

extension QueryParameters {
    fileprivate func time(_ name: String, formerly former: String) throws -> UInt64? {
        try time(name) ?? time(former)
    }
}

extension AnswerJSON {
    fileprivate mutating func jaegerSummary(_ summary: TraceSummary, orphanCount: Int) {
        member("traceId", summary.traceID.hex)
        member("rootServiceName", summary.rootService)
        member("rootOperationName", summary.rootOperation)
        member("minStartTimeUnixNano", "\(summary.start)")
        member("maxEndTimeUnixNano", "\(summary.end)")
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
