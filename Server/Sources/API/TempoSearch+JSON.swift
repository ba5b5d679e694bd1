// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

extension ReadAPI {
    func tempoSearch(_ request: ReadRequest) async throws -> Response {
        let asked = try TempoSearch(request.query)
        let found = try await engine.search(asked.search)
        return .object { json in
            json.array("traces") { json in
                for trace in found.traces { json.tempoTrace(trace, asked) }
            }
            json.tempoMetrics(found.examinedTraceCount, found.examinedSpanCount)
        }
        .incomplete(found.incomplete)
    }
}

/// One key and value of an answer.
struct TempoAttribute {
    var key: String
    var value: AttributeValue
}

extension TempoSearch {
    /// What is told of a span or a spanset, as Tempo tells it.
    func attributes(_ values: [ToldValue]) -> [TempoAttribute] {
        var attributes: [TempoAttribute] = []
        var seen: [String: Set<AttributeValue>] = [:]
        for told in values {
            guard let key = key(told.name) else { continue }
            var single = [told.value]
            if key.isSeveral, case .array(let elements) = told.value { single = elements }
            for value in single {
                let shown = key.value(value)
                guard seen[key.text, default: []].insert(shown).inserted else { continue }
                attributes.append(TempoAttribute(key: key.text, value: shown))
            }
        }
        return attributes
    }
}

extension TempoSearch.TempoKey {
    fileprivate func value(_ value: AttributeValue) -> AttributeValue {
        switch value {
        case .empty: return .string("nil")
        case .int(let nanoseconds) where isDuration:
            let sign = nanoseconds < 0 ? "-" : ""
            return .string(sign + DurationText.text(nanoseconds.magnitude))
        default: return value
        }
    }
}

extension TraceID {
    /// As Tempo writes it: hexadecimal without the zeros it begins with.
    var tempoText: String { String(hex.drop { $0 == "0" }) }
}

extension AnswerJSON {
    fileprivate mutating func tempoTrace(_ trace: FoundTrace, _ asked: TempoSearch) {
        object { json in
            json.member("traceID", trace.summary.traceID.tempoText)
            json.member("rootServiceName", trace.summary.rootService)
            json.member("rootTraceName", trace.summary.rootOperation)
            json.member("startTimeUnixNano", "\(trace.summary.start)")
            json.member(
                "durationMs",
                number: UInt32(clamping: trace.summary.duration / 1_000_000)
            )
            if let first = trace.spansets.first {
                json.key("spanSet")
                json.tempoSpanset(first, asked)
            }
            json.array("spanSets") { json in
                for spanset in trace.spansets { json.tempoSpanset(spanset, asked) }
            }
            json.object("serviceStats") { json in
                for service in trace.summary.services {
                    json.object(service.name) { json in
                        json.member("spanCount", number: service.spanCount)
                        json.member("errorCount", number: service.errorCount)
                    }
                }
            }
        }
    }

    private mutating func tempoSpanset(_ spanset: FoundSpanset, _ asked: TempoSearch) {
        object { json in
            json.array("spans") { json in
                for span in spanset.spans {
                    json.object { json in
                        json.member("spanID", span.spanID.hex)
                        json.member("name", span.name)
                        json.member("startTimeUnixNano", "\(span.start)")
                        json.member("durationNanos", "\(span.duration)")
                        json.tempoAttributes(asked.attributes(span.values))
                    }
                }
            }
            json.member("matched", number: spanset.spanCount)
            json.tempoAttributes(asked.attributes(spanset.keys))
        }
    }

    private mutating func tempoAttributes(_ attributes: [TempoAttribute]) {
        guard !attributes.isEmpty else { return }
        array("attributes") { json in
            for attribute in attributes {
                json.tempoAttribute(attribute)
            }
        }
    }

    mutating func tempoAttribute(_ attribute: TempoAttribute) {
        object { json in
            json.member("key", attribute.key)
            json.key("value")
            json.anyValue(attribute.value)
        }
    }

    /// What an answer cost. A job is a request here, and a block is the store.
    mutating func tempoMetrics(_ traceCount: Int, _ spanCount: Int) {
        object("metrics") { json in
            json.member("inspectedTraces", number: UInt32(clamping: traceCount))
            json.member("inspectedSpans", "\(spanCount)")
            json.member("totalBlocks", number: 1)
            json.member("completedJobs", number: 1)
            json.member("totalJobs", number: 1)
        }
    }
}
