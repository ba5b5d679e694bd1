// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

/// The parameters of `/api/skein/v1/traces?q=…` as a search.
extension NativeSearch {
    /// What may stand beside a query: what its text does not say.
    private static let besideQuery = [
        "q", "spans", "start", "end", "last", "limit", "order", "cursor",
    ]

    /// The search that `q` asks for; `nil` where there is no `q`.
    static func traceQL(_ parameters: QueryParameters) throws -> TraceQL.Search? {
        guard let text = try parameters.one("q") else {
            guard try parameters.one("spans") == nil else {
                throw Failure.badRequest(
                    "spans belongs to a query; give q as well, or leave it out"
                )
            }
            return nil
        }
        try parameters.allow(Self.parameters)
        let others = Self.parameters.filter { !besideQuery.contains($0) }
        if let other = others.first(where: { !parameters.all($0).isEmpty }) {
            throw Failure.badRequest(
                "q and \(other) are both given; say it in q, like q={ resource.service.name = "
                    + "\"cart\" && duration > 100ms }"
            )
        }
        var question: TraceQL.Question
        do { question = try TraceQL.parse(text) } catch { throw error.of("q") }
        if let order = try order(parameters) {
            guard question.order == nil else {
                throw Failure.badRequest(
                    "q says order by and order is given too; leave one of them out"
                )
            }
            question.order = order
        }
        return TraceQL.Search(
            question,
            time: try time(parameters),
            limit: try parameters.count("limit", default: 20),
            cursor: try parameters.one("cursor").map { try TraceQL.Cursor(text: $0) },
            toldSpanLimit: try parameters.count("spans", default: 3)
        )
    }

    private static func order(_ parameters: QueryParameters) throws -> TraceQL.Order? {
        try parameters.word(
            "order",
            of: TraceQuery.Order.allCases.compactMap { order in
                TraceQL.Order(word: order.rawValue).map { (order.rawValue, $0) }
            }
        )
    }
}

extension ReadAPI {
    func searchByQuery(_ search: TraceQL.Search) async throws -> Response {
        let found = try await engine.search(search)
        return .object { json in
            json.array("traces") { json in
                for trace in found.traces { json.found(trace) }
            }
            json.member("cursor", optional: found.cursor?.text)
            json.member("order", search.order.word)
            json.member("complete", flag: found.incomplete.isEmpty)
            json.array("incompleteReasons", of: found.incomplete)
            json.member("examinedTraces", number: found.examinedTraceCount)
            json.member("examinedSpans", number: found.examinedSpanCount)
        }
    }
}

extension AnswerJSON {
    /// One trace that a query found.
    mutating func found(_ trace: FoundTrace) {
        summary(trace.summary) { json in
            json.array("spansets") { json in
                for spanset in trace.spansets { json.spanset(spanset) }
            }
        }
    }

    private mutating func spanset(_ spanset: FoundSpanset) {
        object { json in
            json.told("keys", spanset.keys)
            json.member("spanCount", number: spanset.spanCount)
            json.array("spans") { json in
                for span in spanset.spans {
                    json.object { json in
                        json.member("spanId", span.spanID.hex)
                        json.member("name", span.name)
                        json.member("service", span.service)
                        json.member("startTimeUnixNano", "\(span.start)")
                        json.member("durationNanos", "\(span.duration)")
                        json.told("values", span.values)
                    }
                }
            }
        }
    }

    private mutating func told(_ name: String, _ values: [ToldValue]) {
        array(name) { json in
            for told in values {
                json.object { json in
                    json.member("name", told.name)
                    json.member("type", told.value.type.word)
                    json.key("value")
                    json.value(told.value)
                }
            }
        }
    }
}
