// SPDX-License-Identifier: Apache-2.0

import Analysis
import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import SkeinWire
import Store

/// The native interface. `OpenAPI.swift` is its description; a test keeps the two together.
extension ReadAPI {
    private static let prefix = "/api/skein/v1"

    var nativeRoutes: [Route] {
        [
            Route(Self.prefix + "/services", services),
            Route(Self.prefix + "/operations", operations),
            Route(Self.prefix + "/keys", keys),
            Route(Self.prefix + "/values", values),
            Route(Self.prefix + "/traces", searchTraces),
            Route(Self.tracePath, otherMethods: [.delete], trace),
            Route(Self.prefix + "/traces/{id}/spans/{row}", span),
            Route(Self.prefix + "/metrics", metrics),
            Route(Self.prefix + "/tail", tail),
            Route(Self.prefix + "/export", export),
            Route(Self.prefix + "/totals/operations", totalsOfOperations),
            Route(Self.prefix + "/totals/edges", totalsOfEdges),
            Route(Self.prefix + "/status", status),
            Route(Self.prefix + "/questions", askedQuestions),
            Route(Self.prefix + "/openapi.json") { request in
                try request.query.allow([])
                return .bytes(Array(OpenAPI.document.utf8), type: "application/json")
            },
        ] + analysisRoutes + serviceRoutes
    }

    private func services(_ request: ReadRequest) async throws -> Response {
        try request.query.allow([])
        let result = try await engine.services()
        return .object { $0.array("services", of: result.names.map(\.text)) }
    }

    private func operations(_ request: ReadRequest) async throws -> Response {
        try request.query.allow(["service"])
        let service = try request.query.one("service")
        let result = try await engine.operations(service: service.map { .init($0) })
        return .object { json in
            json.array("operations") { json in
                for name in result.names {
                    json.object { json in
                        json.member("name", name.text)
                        json.member("kind", (name.kind ?? .unspecified).word)
                    }
                }
            }
        }
    }

    private func keys(_ request: ReadRequest) async throws -> Response {
        try request.query.allow(["service"])
        let result = try await engine.keys(service: try request.query.one("service"))
        return .object { json in
            json.array("keys") { json in
                for name in result.names {
                    json.object { json in
                        json.member("scope", (name.scope ?? .span).rawValue)
                        json.member("key", name.text)
                    }
                }
            }
        }
    }

    private func values(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["key", "scope", "prefix", "service", "limit"])
        let limit = try query.count("limit", default: 100)
        guard RequestLimits.valueCount.contains(limit) else {
            throw Failure.badRequest(
                "limit is \(limit); give \(RequestLimits.valueCount.lowerBound) to "
                    + "\(RequestLimits.valueCount.upperBound)"
            )
        }
        let scopes = SpanCondition.Scope.allCases.map { ($0.rawValue, $0) }
        let result = try await engine.values(
            scope: try query.word("scope", of: scopes) ?? .span,
            key: try query.required("key", example: "http.route"),
            service: try query.one("service").map { .init($0) },
            prefix: try query.one("prefix") ?? "",
            limit: limit
        )
        return .object { json in
            json.array("values", of: result.names.map(\.text))
            json.member("complete", flag: result.incomplete.isEmpty)
        }
    }

    private func searchTraces(_ request: ReadRequest) async throws -> Response {
        if let search = try NativeSearch.traceQL(request.query) {
            return try await searchByQuery(search)
        }
        let query = try NativeSearch.query(request.query)
        let result = try await engine.search(query)
        return .object { json in
            json.array("traces") { json in
                for trace in result.traces { json.summary(trace) }
            }
            json.member("cursor", optional: result.cursor?.text)
            json.member("order", query.order.rawValue)
            json.member("complete", flag: result.incomplete.isEmpty)
            json.array("incompleteReasons", of: result.incomplete)
        }
    }

    private func trace(_ request: ReadRequest) async throws -> Response {
        try request.query.allow(["format", "raw"])
        let isRaw = try request.query.flag("raw")
        let format = try request.query.word(
            "format",
            of: [("json", Format.json), ("protobuf", .protobuf), ("columns", .columns)]
        )
        let wantsProtobuf = request.accept.contains("application/x-protobuf")
        switch format ?? (wantsProtobuf ? .protobuf : .json) {
        case .columns:
            let trace = try await only(request, isRaw: isRaw)
            return .bytes(trace.columnarBytes(), type: "application/octet-stream")
        case .json:
            let (spans, rows) = try await stored(request)
            return .bytes(
                OTLP.encodeJSON(spans.columns, rows: rows),
                type: "application/json"
            )
            .incomplete(spans.incomplete)
        case .protobuf:
            let (spans, rows) = try await stored(request)
            return .bytes(
                OTLP.encodeProtobuf(spans.columns, rows: rows),
                type: "application/x-protobuf"
            )
            .incomplete(spans.incomplete)
        }
    }

    private enum Format { case json, protobuf, columns }

    /// The spans of all traces the id finds, as they were sent.
    private func stored(_ request: ReadRequest) async throws -> (TraceSpans, Range<Int>) {
        let traces = try await found(request, isRaw: true)
        guard let first = traces.first else { throw await noTrace(request.path["id"] ?? "") }
        return (first.spans, traces.storedRows)
    }

    /// The one trace the id means: several cannot share one table of rows.
    func only(_ request: ReadRequest, isRaw: Bool) async throws -> Trace {
        let traces = try await found(request, isRaw: isRaw)
        guard traces.count < 2 else { throw Self.severalTraces(traces) }
        guard let trace = traces.first else { throw await noTrace(request.path["id"] ?? "") }
        return trace
    }

    private func found(_ request: ReadRequest, isRaw: Bool) async throws -> [Trace] {
        try await traces(request.path["id"] ?? "", isRaw: isRaw)
    }

    /// The traces that an id, as it was written, finds.
    func traces(_ text: String, isRaw: Bool) async throws -> [Trace] {
        guard let id = TraceID(hex: text), id.isValid else { throw Self.noID(text) }
        return try await engine.traces(id, isRaw: isRaw)
    }

    static func noID(_ text: String) -> QueryError {
        QueryError(
            parameter: "id",
            text: text,
            problem: "this is no trace id",
            hint: "give 1 to 32 hexadecimal digits, not all zero"
        )
    }

    static func severalTraces(_ traces: [Trace]) -> Failure {
        let ids = traces.prefix(5).map(\.traceID.hex).joined(separator: ", ")
        return Failure(
            status: .conflict,
            message: "\(traces.count) traces end with this id; ask for one of \(ids)"
        )
    }

    private func span(_ request: ReadRequest) async throws -> Response {
        try request.query.allow(["raw"])
        let trace = try await only(request, isRaw: try request.query.flag("raw"))
        let row = try Self.row(request.path["row"] ?? "", of: trace)
        var json = AnswerJSON()
        json.span(trace, row)
        return .json(json)
    }

    /// The display place a path means: a row number, or the id of a span, which stays when spans that
    /// came late move the rows. Of spans that share an id, the first.
    static func row(_ text: String, of trace: Trace) throws -> Int {
        if text.utf8.count == 16, let id = SpanID(hex: text) {
            let place = trace.tree.order.firstIndex { trace.frame.spanID[$0] == id.raw }
            guard let place else {
                throw Failure.notFound("the trace has no span of the id \(text)")
            }
            return place
        }
        guard let row = Int(text), row >= 0 else {
            throw QueryError(
                parameter: "row",
                text: text,
                problem: "this is neither a row number nor a span id",
                hint: "give a row of ?format=columns, from 0 up, or the 16 digits of a span id"
            )
        }
        guard row < trace.count else {
            throw Failure.notFound("the trace has \(trace.count) spans; there is no row \(row)")
        }
        return row
    }

    private func status(_ request: ReadRequest) async throws -> Response {
        try request.query.allow([])
        let facts = facts()
        let store = engine.statistics
        return .object { json in
            json.member("version", facts.version)
            json.member("spansReceived", "\(facts.spansReceived)")
            json.member("spansStored", "\(store.spans)")
            json.member("bytesOnDisk", "\(store.partBytes &+ store.logBytes)")
            json.member("uptimeSeconds", number: facts.uptimeSeconds)
            json.member("durability", facts.durability)
            json.member("storageFailure", optional: store.failure)
            json.member("partsSetAside", number: store.quarantinedParts)
            json.member("overflowedKeys", number: store.overflowedKeys)
            json.object("ports") { json in
                for (listener, port) in facts.ports.sorted(by: { $0.key < $1.key }) {
                    json.member(listener, number: port)
                }
            }
            json.array("settings") { json in
                for setting in facts.settings {
                    json.object { json in
                        json.member("name", setting.name)
                        json.member("value", setting.value)
                        json.member("origin", optional: setting.origin)
                    }
                }
            }
        }
    }
}

extension [Trace] {
    /// The rows of traces found by one look-up: one trace, or all that were read.
    var storedRows: Range<Int> {
        (first?.storedRows.lowerBound ?? 0)..<(last?.storedRows.upperBound ?? 0)
    }
}

extension Response {
    static func object(_ body: (inout AnswerJSON) -> Void) -> Response {
        var json = AnswerJSON()
        json.object(body)
        return .json(json)
    }
}

/// The parameters of `/api/skein/v1/traces` as a query.
enum NativeSearch {
    static let parameters = [
        "q", "spans", "service", "operation", "tag", "minDuration", "maxDuration",
        "minTraceDuration", "maxTraceDuration", "status", "kind", "start", "end", "last", "limit",
        "order", "cursor",
    ]

    static func query(_ parameters: QueryParameters) throws -> TraceQuery {
        try parameters.allow(Self.parameters)
        let parts = try conditions(parameters)
        return TraceQuery(
            spans: parts.isEmpty ? [] : [.all(parts)],
            traceDuration: try parameters.durations("minTraceDuration", "maxTraceDuration"),
            time: try time(parameters),
            limit: try parameters.count("limit", default: 20),
            order: try parameters.word(
                "order",
                of: TraceQuery.Order.allCases.map { ($0.rawValue, $0) }
            ) ?? .newest,
            cursor: try parameters.one("cursor").map { try TraceQuery.Cursor(text: $0) }
        )
    }

    private static func conditions(_ parameters: QueryParameters) throws -> [SpanCondition] {
        var parts: [SpanCondition] = []
        if let service = try parameters.one("service") { parts.append(.service(.init(service))) }
        if let name = try parameters.one("operation") { parts.append(.operation(.init(name))) }
        for tag in parameters.all("tag") {
            do { parts.append(try TagText.parse(tag)) } catch { throw error.of("tag") }
        }
        if let range = try parameters.durations("minDuration", "maxDuration") {
            parts.append(.duration(range))
        }
        let codes = StatusCode.allCases.map { ($0.word, $0) }
        if let code = try parameters.word("status", of: codes) { parts.append(.status(code)) }
        let kinds = SpanKind.allCases.map { ($0.word, $0) }
        if let kind = try parameters.word("kind", of: kinds) { parts.append(.kind(kind)) }
        return parts
    }

    static func time(_ parameters: QueryParameters) throws -> TraceQuery.TimeSpan {
        let unit = "nanoseconds since 1970"
        let start = try parameters.integer("start", unit: unit)
        let end = try parameters.integer("end", unit: unit)
        let last = try parameters.duration("last")
        guard start != nil || end != nil else {
            return .last(last ?? 3_600_000_000_000)
        }
        guard last == nil else {
            throw Failure.badRequest("last and start or end are both given; give one of them")
        }
        return .between(start: start ?? 0, end: end ?? .max)
    }
}
