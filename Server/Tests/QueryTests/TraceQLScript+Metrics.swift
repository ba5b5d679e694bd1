// SPDX-License-Identifier: Apache-2.0

import Foundation
import Query
import QueryLanguage
import SkeinModel

extension TraceQLScript {
    /// `measure 1m..4m step 1m exemplars 2 series 3`; without `step` all of the time is one.
    struct Measured: Sendable {
        var start: UInt64 = 60_000_000_000
        var end: UInt64 = 240_000_000_000
        var step: UInt64? = 60_000_000_000
        var exemplarCount: Int?
        var seriesLimit = 1_000

        init() {}

        init(_ text: String, _ line: Int) throws {
            var words = text.split(separator: " ")
            let mistake = Mistake(line: line, problem: "write measure 1m..4m step 1m")
            guard !words.isEmpty else { throw mistake }
            let bounds = words.removeFirst().split(separator: ".", omittingEmptySubsequences: true)
            guard bounds.count == 2 else { throw mistake }
            start = try DurationText.parse(String(bounds[0]))
            end = try DurationText.parse(String(bounds[1]))
            step = nil
            while words.count >= 2 {
                let (word, value) = (words.removeFirst(), String(words.removeFirst()))
                switch word {
                case "step": step = try DurationText.parse(value)
                case "exemplars": exemplarCount = Int(value)
                case "series": seriesLimit = Int(value) ?? seriesLimit
                default: throw mistake
                }
            }
            guard words.isEmpty else { throw mistake }
        }

        func answer(
            to question: TraceQL.Question,
            _ engine: QueryEngine
        ) async throws -> MeasuredSeries {
            let measurement = TraceQL.Measurement(
                question,
                time: .between(start: start, end: end),
                step: step,
                exemplarCount: exemplarCount,
                seriesLimit: seriesLimit,
                source: .spans
            )
            return step == nil
                ? try await engine.measureInstant(measurement)
                : try await engine.measure(measurement)
        }
    }

    /// `name=a: 1 2 - | name=b: 0.5 1 2 !1/0a@90s=0.5`: series with labels, numbers by step and
    /// exemplars.
    static func text(_ answer: MeasuredSeries) -> String {
        var parts = answer.series.map { series in
            let labels = series.labels.map { "\($0.name)=\(text($0.value))" }
            let values = series.values.map { $0.map(text) ?? "-" }
            let exemplars = series.exemplars.map { exemplar in
                let span = exemplar.spanID.map { "/\($0.raw)" } ?? ""
                let time = text(Double(exemplar.time) / 1e9)
                return " !\(exemplar.traceID.low)\(span)@\(time)s=\(text(exemplar.value))"
            }
            return labels.joined(separator: ", ") + ": " + values.joined(separator: " ")
                + exemplars.joined()
        }
        if parts.isEmpty { parts = ["nothing"] }
        parts += answer.incomplete.map { "incomplete: \($0)" }
        return parts.joined(separator: " | ")
    }

    /// Six digits, without zeros at the end.
    private static func text(_ number: Double) -> String { String(format: "%.6g", number) }
}
