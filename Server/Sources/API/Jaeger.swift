// SPDX-License-Identifier: Apache-2.0

import Analysis
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

/// Jaeger's query interface, as its page, Grafana and other clients call it.
extension ReadAPI {
    var jaegerRoutes: [Route] {
        [
            Route("/api/services", jaegerServices),
            Route("/api/services/{service}/operations", jaegerServiceOperations),
            Route("/api/operations", jaegerOperations),
            Route("/api/traces", jaegerSearch),
            Route("/api/traces/{id}", jaegerTrace),
            Route("/api/dependencies", jaegerDependencies),
        ]
    }

    private func jaegerServices(_ request: ReadRequest) async throws -> Response {
        let found = try await engine.services()
        return JaegerAnswer.response(total: found.names.count) { json in
            json.array { json in for name in found.names { json.string(name.text) } }
        }
        .incomplete(found.incomplete)
    }

    private func jaegerServiceOperations(_ request: ReadRequest) async throws -> Response {
        let service = SpanCondition.Text(request.path["service"] ?? "")
        let found = try await engine.operations(service: service)
        var names = found.names.map(\.text)
        // Sorted by text, so kinds of one name stand together.
        names = zip(names, [nil] + names.map(Optional.some)).filter { $0 != $1 }.map(\.0)
        return JaegerAnswer.response(total: names.count) { json in
            json.array { json in for name in names { json.string(name) } }
        }
        .incomplete(found.incomplete)
    }

    private func jaegerOperations(_ request: ReadRequest) async throws -> Response {
        let service = try request.query.required("service", example: "frontend")
        let found = try await jaegerOperations(
            service: service,
            kind: request.query.one("spanKind")
        )
        let names = found.names
        return JaegerAnswer.response(total: names.count) { json in
            json.array { json in
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

    private func jaegerSearch(_ request: ReadRequest) async throws -> Response {
        let isRaw = try request.query.flag("raw")
        let wanted = request.query.all("traceID")
        if !wanted.isEmpty { return try await jaegerTraces(wanted, isRaw: isRaw) }
        let query = try JaegerSearch.query(request.query, now: engine.now())
        let found = try await wholeTraces(FoundSummaries(engine.search(query)), isRaw: isRaw)
        return JaegerAnswer.response(found.traces).incomplete(found.incomplete)
    }

    private func jaegerTraces(_ wanted: [String], isRaw: Bool) async throws -> Response {
        guard wanted.count <= RequestLimits.traceIDCount else {
            throw Failure.badRequest(
                "\(wanted.count) trace ids are given; at most \(RequestLimits.traceIDCount)"
            )
        }
        var traces: [Trace] = []
        var errors: [JaegerAnswer.TraceError] = []
        for text in wanted {
            let found = try await engine.traces(try JaegerSearch.traceID(text), isRaw: isRaw)
            if found.isEmpty {
                errors.append(.init(code: 404, message: "trace not found", traceID: text))
            }
            traces += found.filter { new in !traces.contains { $0.traceID == new.traceID } }
        }
        return JaegerAnswer.response(traces, errors: errors)
    }

    private func jaegerTrace(_ request: ReadRequest) async throws -> Response {
        for name in ["start", "end"] {
            _ = try request.query.integer(name, unit: "microseconds since 1970")
        }
        let id = try JaegerSearch.traceID(request.path["id"] ?? "")
        let traces = try await engine.traces(id, isRaw: try request.query.flag("raw"))
        guard !traces.isEmpty else { throw Failure.notFound("trace not found") }
        return JaegerAnswer.response(traces)
    }

    private func jaegerDependencies(_ request: ReadRequest) async throws -> Response {
        let range = try milliseconds(request.query, isEndRequired: false)
        let service = try request.query.one("service")
        let found = try await engine.dependencies(in: range)
        let links = found.links
            .filter { service == nil || $0.parent == service || $0.child == service }
        return JaegerAnswer.response { json in
            json.array { json in
                for link in links {
                    json.object { json in
                        json.member("parent", link.parent)
                        json.member("child", link.child)
                        json.member("callCount", number: link.callCount)
                    }
                }
            }
        }
        .incomplete(found.incomplete)
    }

    /// `endTs` and `lookback` in milliseconds as a range of nanoseconds; a day where not given.
    func milliseconds(_ query: QueryParameters, isEndRequired: Bool) throws -> Range<UInt64> {
        let unit = "milliseconds"
        var end = try query.integer("endTs", unit: unit)
        if end == nil {
            guard !isEndRequired else {
                throw Failure.badRequest("endTs is required; give milliseconds since 1970")
            }
            end = engine.now() / 1_000_000 + 1
        }
        let lookback = try query.integer("lookback", unit: unit) ?? 86_400_000
        guard let end, end > 0, lookback > 0 else {
            throw Failure.badRequest("endTs and lookback must be above 0")
        }
        let start = end > lookback ? end - lookback : 0
        return Saturating.nanoseconds(
            start,
            unit: 1_000_000
        )..<Saturating.nanoseconds(end, unit: 1_000_000)
    }
}

/// Units of other interfaces as nanoseconds; what does not fit 64 bits is as late as can be.
enum Saturating {
    static func nanoseconds(_ value: UInt64, unit: UInt64) -> UInt64 {
        let (product, overflow) = value.multipliedReportingOverflow(by: unit)
        return overflow ? .max : product
    }
}

/// Jaeger's search parameters as a query.
enum JaegerSearch {
    static func query(_ parameters: QueryParameters, now: UInt64) throws -> TraceQuery {
        let service = try parameters.required("service", example: "frontend, or traceID")
        var parts: [SpanCondition] = [.service(.init(service))]
        if let name = try parameters.one("operation") { parts.append(.operation(.init(name))) }
        for tag in parameters.all("tag") {
            guard let colon = tag.firstIndex(of: ":"), colon != tag.startIndex else {
                throw Failure.badRequest(
                    "malformed 'tag' parameter \"\(tag.prefix(80))\", expecting key:value"
                )
            }
            let value = String(tag[tag.index(after: colon)...])
            parts.append(condition(String(tag[..<colon]), value))
        }
        for text in parameters.all("tags") {
            parts += try tags(json: text, of: "tags").map { condition($0.key, $0.value) }
        }
        if let range = try parameters.durations("minDuration", "maxDuration") {
            parts.append(.duration(range))
        }
        let unit = "microseconds since 1970"
        let start = try parameters.integer("start", unit: unit)
        let end = try parameters.integer("end", unit: unit)
        return TraceQuery(
            spans: [.all(parts)],
            time: .between(
                start: start.map { Saturating.nanoseconds($0, unit: 1000) }
                    ?? defaultStart(now: now),
                // The last microsecond counts whole.
                end: end.map { Saturating.nanoseconds($0 == .max ? $0 : $0 + 1, unit: 1000) }
                    ?? now + 1000
            ),
            limit: try parameters.count("limit", default: 100),
            matchedSpanLimit: 0
        )
    }

    /// Where a search begins that says nothing of it: two days ago.
    static func defaultStart(now: UInt64) -> UInt64 {
        let twoDays: UInt64 = 172_800_000_000_000
        return now > twoDays ? now - twoDays : 0
    }

    /// Tags as a JSON object of strings.
    static func tags(
        json: String,
        of parameter: String
    ) throws -> [(key: String, value: String)] {
        do {
            return try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
                .sorted { $0.key < $1.key }
        } catch {
            throw Failure.badRequest(
                "malformed '\(parameter)' parameter \"\(json.prefix(80))\", expecting a JSON object of "
                    + "string values like {\"http.status_code\":\"500\"}"
            )
        }
    }

    /// A tag as Jaeger's users know it: some are fields of the span here.
    static func condition(_ key: String, _ value: String) -> SpanCondition {
        let tag = SpanCondition.tag(.init(key: key, value: .text(value)))
        switch (key, value.lowercased()) {
        case ("error", "true"): return .any([.status(.error), tag])
        case ("error", "false"): return .any([.not(.status(.error)), tag])
        case ("otel.status_code", let word):
            return StatusCode(word: word).map { .any([.status($0), tag]) } ?? tag
        case ("span.kind", let word):
            return SpanKind(word: word).map { .any([.kind($0), tag]) } ?? tag
        case ("event", _): return .any([.eventName(.init(value)), tag])
        default: return tag
        }
    }

    /// An id as hexadecimal digits or base64.
    static func traceID(_ text: String) throws -> TraceID {
        if let id = TraceID(hex: text), id.isValid { return id }
        if text.utf8.count <= 24, let bytes = Base64.bytes(text),
            bytes.count == 16 || bytes.count == 8
        {
            let id = traceID(bytes)
            if id.isValid { return id }
        }
        throw Failure.badRequest(
            "\"\(text.prefix(80))\" is no trace id; give 1 to 32 hexadecimal digits"
        )
    }

    /// An id as 16 bytes, or 8 of its low half, the most significant first.
    static func traceID(_ bytes: [UInt8]) -> TraceID {
        func word(_ part: ArraySlice<UInt8>) -> UInt64 {
            part.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        return TraceID(high: word(bytes.dropLast(8)), low: word(bytes.suffix(8)))
    }
}
