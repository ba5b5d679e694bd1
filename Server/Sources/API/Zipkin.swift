// SPDX-License-Identifier: Apache-2.0

import Analysis
import HTTPTypes
import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import SkeinWire
import Store

/// Zipkin's read interface, as its page and its clients call it. Traces come back as they were
/// sent: the page joins shared spans and corrects clocks itself.
extension ReadAPI {
    var zipkinRoutes: [Route] {
        var spans = Route("/api/v2/spans", zipkinSpanNames)
        // The receiver takes POST here.
        spans.refusedMethods.removeAll { $0 == .post }
        return [
            Route("/api/v2/services", zipkinServices),
            spans,
            Route("/api/v2/remoteServices", zipkinRemoteServices),
            Route("/api/v2/traces", zipkinSearch),
            Route("/api/v2/trace/{id}", zipkinTrace),
            Route("/api/v2/traceMany", zipkinTraceMany),
            Route("/api/v2/dependencies", zipkinDependencies),
            Route("/api/v2/autocompleteKeys") { [autocompleteKeys] _ in
                .names(autocompleteKeys)
            },
            Route("/api/v2/autocompleteValues", zipkinAutocompleteValues),
            Route("/config.json") { _ in zipkinConfiguration },
            Route("/info") { [facts] _ in
                .object { json in
                    json.object("zipkin") { $0.member("version", "skein " + facts().version) }
                }
            },
        ]
    }

    /// Names as Zipkin's model has them: lower case, each once.
    private func lowerCased(_ names: some Sequence<String>) -> [String] {
        Set(names.map { $0.lowercased() }).sorted()
    }

    private func zipkinServices(_ request: ReadRequest) async throws -> Response {
        let found = try await engine.services()
        return .names(lowerCased(found.names.map(\.text))).incomplete(found.incomplete)
    }

    private func zipkinSpanNames(_ request: ReadRequest) async throws -> Response {
        let service = try request.query.required("serviceName", example: "frontend")
        let names = try await engine.operations(service: .init(service, isCaseSensitive: false))
        return .names(lowerCased(names.names.map(\.text))).incomplete(names.incomplete)
    }

    private func zipkinRemoteServices(_ request: ReadRequest) async throws -> Response {
        let service = try request.query.required("serviceName", example: "frontend")
        var names: Set<String> = []
        var reasons: [String] = []
        for key in PeerKeys.names {
            let values = try await engine.values(
                scope: .span,
                key: key,
                service: .init(service, isCaseSensitive: false),
                limit: RequestLimits.valueCount.upperBound
            )
            names.formUnion(values.names.map(\.text))
            reasons += values.incomplete.filter { !reasons.contains($0) }
        }
        return .names(lowerCased(names)).incomplete(reasons)
    }

    private func zipkinSearch(_ request: ReadRequest) async throws -> Response {
        let range = try milliseconds(request.query, isEndRequired: false)
        let query = try ZipkinSearch.query(request.query, range: range)
        let found = try await wholeTraces(FoundSummaries(engine.search(query)), isRaw: true)
        return .zipkinTraces(found.traces).incomplete(found.incomplete)
    }

    private func zipkinTrace(_ request: ReadRequest) async throws -> Response {
        let text = request.path["id"] ?? ""
        let traces = try await engine.traces(try ZipkinSearch.traceID(text), isRaw: true)
        guard let first = traces.first else { throw Failure.notFound("\(text) not found") }
        return .bytes(
            Zipkin.encodeJSON(first.spans.columns, rows: traces.storedRows),
            type: "application/json"
        )
        .incomplete(first.spans.incomplete)
    }

    private func zipkinTraceMany(_ request: ReadRequest) async throws -> Response {
        let list = try request.query.required("traceIds", example: "1,2")
        let ids = try list.split(separator: ",", omittingEmptySubsequences: false)
            .map { try ZipkinSearch.traceID(String($0)) }
        guard ids.count > 1, ids.count <= RequestLimits.traceIDCount, Set(ids).count == ids.count
        else {
            throw Failure.badRequest(
                "traceIds needs 2 to \(RequestLimits.traceIDCount) ids, each once, with commas "
                    + "between; for one trace ask /api/v2/trace/{traceId}"
            )
        }
        var traces: [Trace] = []
        var reasons: [String] = []
        for id in ids {
            let found = try await engine.traces(id, isRaw: true)
            let missing = found.first?.spans.incomplete ?? []
            reasons += missing.filter { !reasons.contains($0) }
            traces += found
        }
        return .zipkinTraces(traces).incomplete(reasons)
    }

    private func zipkinDependencies(_ request: ReadRequest) async throws -> Response {
        let range = try milliseconds(request.query, isEndRequired: true)
        let found = try await engine.dependencies(in: range)
        var json = AnswerJSON()
        json.array { json in
            for link in found.links {
                json.object { json in
                    json.member("parent", link.parent)
                    json.member("child", link.child)
                    json.member("callCount", number: link.callCount)
                    if link.errorCount > 0 { json.member("errorCount", number: link.errorCount) }
                }
            }
        }
        return .json(json).incomplete(found.incomplete)
    }

    private func zipkinAutocompleteValues(_ request: ReadRequest) async throws -> Response {
        let key = try request.query.required("key", example: "environment")
        let values = try await engine.values(
            scope: .any,
            key: key,
            limit: RequestLimits.valueCount.upperBound
        )
        return .names(values.names.map(\.text)).incomplete(values.incomplete)
    }

    private var zipkinConfiguration: Response {
        .object { json in
            json.member("environment", "")
            json.member("queryLimit", number: 10)
            json.member("defaultLookback", number: 900_000)
            json.member("searchEnabled", flag: true)
            for name in ["logsUrl", "supportUrl", "archivePostUrl", "archiveUrl"] {
                json.member(name, optional: nil)
            }
            json.object("dependency") { json in
                json.member("enabled", flag: true)
                json.key("lowErrorRate")
                json.number(0.5)
                json.key("highErrorRate")
                json.number(0.75)
            }
            json.member("basePath", "/zipkin")
        }
    }
}

extension Response {
    /// A list of names, which clients may keep a while once there are many.
    fileprivate static func names(_ names: [String]) -> Response {
        var json = AnswerJSON()
        json.array { json in for name in names { json.string(name) } }
        var response = Response.json(json)
        if names.count > 3 { response.headers[.cacheControl] = "max-age=300, must-revalidate" }
        return response
    }

    fileprivate static func zipkinTraces(_ traces: [Trace]) -> Response {
        var json = AnswerJSON()
        json.array { json in
            for trace in traces {
                json.embed(Zipkin.encodeJSON(trace.spans.columns, rows: trace.storedRows))
            }
        }
        return .json(json)
    }
}

/// Zipkin's search parameters as a query.
enum ZipkinSearch {
    static func query(_ parameters: QueryParameters, range: Range<UInt64>) throws -> TraceQuery {
        var conditions: [SpanCondition] = []
        if let name = try parameters.one("remoteServiceName") {
            let texts = Set([name, name.lowercased()]).sorted()
            conditions.append(
                .any(
                    PeerKeys.all.flatMap { key in
                        texts.map { .tag(.init(scope: .span, key: key, value: .text($0))) }
                    }
                )
            )
        }
        if let name = try parameters.one("spanName"), name.lowercased() != "all" {
            conditions.append(.operation(.init(name, isCaseSensitive: false)))
        }
        if let text = try parameters.one("annotationQuery") {
            conditions += try annotations(text)
        }
        if let range = try duration(parameters) { conditions.append(.duration(range)) }
        if let name = try parameters.one("serviceName") {
            let service = SpanCondition.service(.init(name, isCaseSensitive: false))
            // Any span of the service may meet any of them, not one span all.
            conditions = conditions.isEmpty ? [service] : conditions.map { .all([service, $0]) }
        }
        return TraceQuery(
            spans: conditions,
            time: .between(start: range.lowerBound, end: range.upperBound),
            limit: try limit(parameters),
            matchedSpanLimit: 0
        )
    }

    private static func limit(_ parameters: QueryParameters) throws -> Int {
        let limit = try parameters.count("limit", default: 10)
        guard limit > 0 else { throw Failure.badRequest("limit must be above 0") }
        return limit
    }

    private static func duration(_ parameters: QueryParameters) throws -> ClosedRange<UInt64>? {
        let least = try parameters.integer("minDuration", unit: "microseconds")
        let most = try parameters.integer("maxDuration", unit: "microseconds")
        guard least != nil || most == nil else {
            throw Failure.badRequest("maxDuration needs minDuration; give both")
        }
        guard least != 0 else { throw Failure.badRequest("minDuration must be above 0") }
        return try QueryParameters.range(
            least.map { Saturating.nanoseconds($0, unit: 1000) },
            // Zipkin counts whole microseconds: 999 more nanoseconds still read as this many.
            most.map { Saturating.nanoseconds($0, unit: 1000) }
                .map { $0 > .max - 999 ? .max : $0 + 999 },
            names: ("minDuration", "maxDuration")
        )
    }

    /// `error and http.method=GET`: each part is `key=value`, or a word that is an annotation or
    /// a tag's key.
    private static func annotations(_ text: String) throws -> [SpanCondition] {
        let parts = text.split(separator: " and ")
        guard parts.count <= RequestLimits.annotationPartCount else {
            throw Failure.badRequest(
                "annotationQuery has \(parts.count) parts; at most "
                    + "\(RequestLimits.annotationPartCount)"
            )
        }
        var last: [String: SpanCondition] = [:]
        var order: [String] = []
        for part in parts {
            let part = part.drop { $0 == " " }
            guard !part.isEmpty else { continue }
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = String(halves[0])
            if last[key] == nil { order.append(key) }
            last[key] = try condition(key, halves.count > 1 ? String(halves[1]) : nil)
        }
        return order.compactMap { last[$0] }
    }

    private static func condition(_ key: String, _ value: String?) throws -> SpanCondition {
        guard let value else {
            let known: SpanCondition = .any([
                .eventName(.init(key)), .tag(.init(key: key, value: .exists)),
            ])
            return key == "error" ? .any([.status(.error), known]) : known
        }
        let tag = SpanCondition.tag(.init(key: key, value: .text(value)))
        if key == "error" {
            // As Zipkin's answers show it: the text of an error is its status message.
            return .any([.all([.status(.error), .statusMessage(.init(value))]), tag])
        }
        if key == "otel.status_code", let code = StatusCode(word: value.lowercased()) {
            return .any([.status(code), tag])
        }
        return tag
    }

    static func traceID(_ text: String) throws -> TraceID {
        guard let id = TraceID(hex: text), id.isValid else {
            throw Failure.badRequest(
                "\"\(text.prefix(80))\" is no trace id; give 16 or 32 lower-case hexadecimal digits"
            )
        }
        return id
    }
}
