// SPDX-License-Identifier: Apache-2.0

import Analysis
import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

/// Traces explained, compared, and services laid out. What is computed is `Analysis`'s; this is its
/// form.
extension ReadAPI {
    var analysisRoutes: [Route] {
        [
            Route("/api/skein/v1/traces/{id}/analysis", analysis),
            Route("/api/skein/v1/traces/{id}/paths", paths),
            Route("/api/skein/v1/traces/{id}/spans/{row}/standing", standing),
            Route("/api/skein/v1/compare", compare),
            Route("/api/skein/v1/map", map),
        ]
    }

    private func analysis(_ request: ReadRequest) async throws -> Response {
        try request.query.allow(["raw"])
        let trace = try await only(request, isRaw: try request.query.flag("raw"))
        let analysis = trace.analysis()
        return .object { json in
            json.member("traceId", trace.traceID.hex)
            json.facts(analysis)
            json.array("findings") { json in
                for finding in analysis.diagnosis.findings {
                    json.finding(finding, analysis)
                }
            }
            json.object("criticalPath") { $0.criticalPath(analysis) }
            json.runs(analysis)
            json.statistics(analysis)
            json.member("complete", flag: trace.spans.incomplete.isEmpty)
            json.array("incompleteReasons", of: trace.spans.incomplete)
        }
    }

    private func paths(_ request: ReadRequest) async throws -> Response {
        try request.query.allow(["raw"])
        let trace = try await only(request, isRaw: try request.query.flag("raw"))
        let analysis = trace.analysis()
        let graph = analysis.paths()
        return .object { json in
            json.member("traceId", trace.traceID.hex)
            json.array("nodes") { json in
                for node in graph.nodes { json.node(node, analysis.trace) }
            }
            json.object("others") { json in
                json.member("pathCount", number: graph.others.pathCount)
                json.member("spanCount", number: graph.others.spanCount)
                json.member("errorCount", number: graph.others.errorCount)
                json.member("selfNanos", "\(graph.others.selfTime)")
                json.member("pathNanos", "\(graph.others.pathTime)")
            }
            json.member("complete", flag: trace.spans.incomplete.isEmpty)
            json.array("incompleteReasons", of: trace.spans.incomplete)
        }
    }

    private func standing(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["raw", "start", "end", "last"])
        let isTimeGiven = !["start", "end", "last"].allSatisfy { query.all($0).isEmpty }
        let time = isTimeGiven ? try Self.time(query) : nil
        let trace = try await only(request, isRaw: try query.flag("raw"))
        let row = try Self.row(request.path["row"] ?? "", of: trace)
        let found = try await engine.standing(of: row, in: trace, time: time)
        return .object { json in
            json.member("row", number: row)
            json.member("service", found.service)
            json.member("operation", found.operation)
            json.member("kind", found.kind.word)
            json.member("durationNanos", "\(found.duration)")
            json.member("startTimeUnixNano", "\(found.range.lowerBound)")
            json.member("endTimeUnixNano", "\(found.range.upperBound)")
            json.member("callCount", number: found.calls?.callCount ?? 0)
            json.member("errorCount", number: found.calls?.errorCount ?? 0)
            json.key("fasterAtLeast")
            json.number(found.standing.fasterAtLeast)
            json.key("fasterAtMost")
            json.number(found.standing.fasterAtMost)
            json.array("quantiles") { json in
                for quantile in found.quantiles {
                    json.object { json in
                        json.key("part")
                        json.number(quantile.part)
                        json.member("nanos", "\(quantile.duration)")
                    }
                }
            }
            json.member("complete", flag: found.incomplete.isEmpty)
            json.array("incompleteReasons", of: found.incomplete)
        }
    }

    private func map(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["start", "end", "last", "focus", "hops", "minCalls"])
        var view = ServiceMap.View()
        view.focus = try query.one("focus")
        let hops = try query.count("hops", default: 1)
        guard RequestLimits.mapHops.contains(hops) else {
            throw Failure.badRequest(
                "hops is \(hops); give \(RequestLimits.mapHops.lowerBound) to "
                    + "\(RequestLimits.mapHops.upperBound)"
            )
        }
        guard view.focus != nil || query.all("hops").isEmpty else {
            throw Failure.badRequest(
                "hops are counted from a service; give focus=SERVICE too, or leave hops out"
            )
        }
        view.hopsIn = hops
        view.hopsOut = hops
        view.minimumCallCount = try query.integer("minCalls", unit: "a number of calls") ?? 0
        let found = try await engine.map(
            in: try Self.time(query),
            view: view,
            quantiles: [0.5, 0.99]
        )
        return .object { json in
            json.member("startTimeUnixNano", "\(found.edges.range.lowerBound)")
            json.member("endTimeUnixNano", "\(found.edges.range.upperBound)")
            json.mapped(found)
            json.member("focusFound", flag: found.map.isFocusFound)
            json.member("complete", flag: found.incomplete.isEmpty)
            json.array("incompleteReasons", of: found.incomplete)
        }
    }

    private func compare(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["a", "b", "qa", "qb", "start", "end", "last", "limit"])
        let (a, reasonsOfA) = try await traceIDs(query, "a")
        let (b, reasonsOfB) = try await traceIDs(query, "b")
        let found = try await engine.compare(a, b)
        let alone = [a, b].filter { $0.count == 1 }.flatMap(\.self)
        if let missing = found.missing.first(where: { alone.contains($0) }) {
            throw await noTrace(missing.hex)
        }
        var reasons = reasonsOfA + reasonsOfB + found.incomplete
        if !found.missing.isEmpty { reasons.append("\(found.missing.count) traces are not stored") }
        return .object { json in
            json.array("a", of: a.map(\.hex))
            json.array("b", of: b.map(\.hex))
            json.compared(found.comparison)
            json.member("complete", flag: reasons.isEmpty)
            json.array("incompleteReasons", of: reasons)
        }
    }

    /// The traces of one side: those named, or those that its query finds.
    private func traceIDs(
        _ query: QueryParameters,
        _ side: String
    ) async throws -> ([TraceID], [String]) {
        let texts = query.all(side).flatMap { $0.split(separator: ",").map(String.init) }
        guard let question = try query.one("q" + side) else {
            guard !texts.isEmpty else {
                throw Failure.badRequest(
                    "one side is missing; give \(side)=TRACE_ID, or q\(side)= and a query"
                )
            }
            guard texts.count <= RequestLimits.traceIDCount else {
                throw Failure.badRequest(
                    "\(side) names \(texts.count) traces; at most \(RequestLimits.traceIDCount)"
                )
            }
            var ids: [TraceID] = []
            for text in texts { ids.append(try await fullID(text, side)) }
            return (ids, [])
        }
        guard texts.isEmpty else {
            throw Failure.badRequest("\(side) and q\(side) are both given; give one of them")
        }
        let limit = try query.count("limit", default: RequestLimits.comparedTraceCount.standard)
        guard (1...RequestLimits.comparedTraceCount.most).contains(limit) else {
            throw Failure.badRequest(
                "limit is \(limit); give 1 to \(RequestLimits.comparedTraceCount.most)"
            )
        }
        let parsed: TraceQL.Question
        do { parsed = try TraceQL.parse(question) } catch { throw error.of("q" + side) }
        let found = try await engine.search(
            TraceQL.Search(parsed, time: try Self.time(query), limit: limit, toldSpanLimit: 1)
        )
        guard !found.traces.isEmpty else {
            throw Failure.notFound(
                "q\(side) finds no trace in this time; widen the time or the query"
            )
        }
        return (found.traces.map(\.summary.traceID), found.incomplete)
    }

    /// A short id finds a long one that ends with it; which, only the store knows.
    private func fullID(_ text: String, _ side: String) async throws -> TraceID {
        guard let id = TraceID(hex: text), id.isValid else { throw Self.noID(text).of(side) }
        guard id.high == 0 else { return id }
        let traces = try await engine.traces(id)
        guard traces.count < 2 else { throw Self.severalTraces(traces) }
        return traces.first?.traceID ?? id
    }
}
