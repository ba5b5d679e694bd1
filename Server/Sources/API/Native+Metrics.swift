// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

/// Numbers over time that a TraceQL query asks for.
extension ReadAPI {
    func metrics(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["q", "start", "end", "last", "step", "exemplars", "series"])
        let text = try query.required("q", example: "{ } | rate() by (resource.service.name)")
        let question: TraceQL.Question
        do { question = try TraceQL.parse(text) } catch { throw error.of("q") }
        guard case .metrics = question.body else {
            throw QueryError(
                parameter: "q",
                text: text,
                problem: "this asks for traces, and here numbers over time are told",
                hint: "end it with a function of metrics, like … | rate(), or ask "
                    + "/api/skein/v1/traces"
            )
        }
        let time = try NativeSearch.time(query).ended(at: engine.now())
        var measurement = TraceQL.Measurement(question, time: time)
        measurement.exemplarCount = try query.count("exemplars", default: 0)
        measurement.seriesLimit = try query.count("series", default: measurement.seriesLimit)
        let isInstant = try query.one("step") == "all"
        if !isInstant { measurement.step = try query.duration("step") }
        let answer =
            isInstant
            ? try await engine.measureInstant(measurement)
            : try await engine.measure(measurement)
        return .object { $0.members(answer) }
    }
}

extension AnswerJSON {
    fileprivate mutating func members(_ answer: MeasuredSeries) {
        member("startTimeUnixNano", "\(answer.start)")
        member("endTimeUnixNano", "\(answer.end)")
        member("stepNanos", "\(answer.step)")
        array("series") { json in
            for series in answer.series { json.series(series) }
        }
        member("source", answer.isFromTotals ? "totals" : "spans")
        member("complete", flag: answer.incomplete.isEmpty)
        array("incompleteReasons", of: answer.incomplete)
        member("examinedTraces", number: answer.examinedTraceCount)
        member("examinedSpans", number: answer.examinedSpanCount)
    }

    private mutating func series(_ series: MeasuredSeries.Series) {
        object { json in
            json.array("labels") { json in
                for label in series.labels {
                    json.object { json in
                        json.member("name", label.name)
                        json.member("type", label.value.type.word)
                        json.key("value")
                        json.value(label.value)
                    }
                }
            }
            json.array("values") { json in
                for value in series.values {
                    if let value { json.number(value) } else { json.null() }
                }
            }
            json.array("exemplars") { json in
                for exemplar in series.exemplars {
                    json.object { json in
                        json.member("traceId", exemplar.traceID.hex)
                        json.member("spanId", optional: exemplar.spanID?.hex)
                        json.member("timeUnixNano", "\(exemplar.time)")
                        json.key("value")
                        json.number(exemplar.value)
                    }
                }
            }
        }
    }
}
