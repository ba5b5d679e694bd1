// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import QueryLanguage
import SkeinModel

/// Numbers over time by Tempo's paths: a line for each series, or one number for each.
extension ReadAPI {
    var tempoMetricRoutes: [Route] {
        [
            Route("/api/metrics/query_range", tempoRange),
            Route("/api/metrics/query", tempoInstant),
        ]
    }

    private func tempoRange(_ request: ReadRequest) async throws -> Response {
        let asked = try TempoMeasurement(request.query, now: engine.now())
        let found = try await engine.measure(asked.measurement)
        return .object { json in
            json.array("series") { json in
                for series in found.series {
                    json.object { json in
                        json.tempoLabels(series.labels)
                        json.array("samples") { json in
                            for sample in series.samples(of: found) {
                                json.object { json in
                                    json.member("timestampMs", "\(sample.milliseconds)")
                                    json.key("value")
                                    json.number(sample.value)
                                }
                            }
                        }
                        if !series.exemplars.isEmpty {
                            json.array("exemplars") { json in
                                for exemplar in series.exemplars { json.tempoExemplar(exemplar) }
                            }
                        }
                    }
                }
            }
            json.tempoMeasured(found)
        }
        .incomplete(found.incomplete)
    }

    private func tempoInstant(_ request: ReadRequest) async throws -> Response {
        let asked = try TempoMeasurement(request.query, now: engine.now())
        let found = try await engine.measureInstant(asked.measurement)
        return .object { json in
            json.array("series") { json in
                for series in found.series {
                    guard case .some(.some(let value)) = series.values.first else { continue }
                    json.object { json in
                        json.tempoLabels(series.labels)
                        json.key("value")
                        json.number(value)
                    }
                }
            }
            json.tempoMeasured(found)
        }
        .incomplete(found.incomplete)
    }
}

/// Tempo's parameters for numbers over time as a measurement.
struct TempoMeasurement {
    let measurement: TraceQL.Measurement

    init(_ parameters: QueryParameters, now: UInt64) throws {
        guard let text = try parameters.one("q") ?? parameters.one("query") else {
            throw Failure.badRequest("q is required; give q={ } | rate()")
        }
        let since = try parameters.duration("since") ?? 3_600_000_000_000
        let end = try Self.time("end", parameters) ?? now
        let latest = min(end, now)
        let start = try Self.time("start", parameters) ?? (latest > since ? latest - since : 0)
        try self.init(
            text: text,
            start: start,
            end: end,
            step: try Self.step(parameters),
            exemplarCount: try parameters.integer("exemplars", unit: "a count"),
            seriesCount: try parameters.integer("maxSeries", unit: "a count") ?? 0
        )
    }

    /// - Parameter seriesCount: 0 for as many as usual.
    init(
        text: String,
        start: UInt64,
        end: UInt64,
        step: UInt64?,
        exemplarCount: UInt64?,
        seriesCount: UInt64
    ) throws {
        guard start < end else {
            throw Failure.badRequest(
                "start is not before end; give seconds or nanoseconds since 1970, or times like "
                    + "2026-11-21T17:06:04Z"
            )
        }
        let question: TraceQL.Question
        do { question = try TraceQL.parse(text) } catch { throw error.of("q") }
        var measurement = TraceQL.Measurement(question, time: .between(start: start, end: end))
        measurement.step = step
        // What one asks for beyond the bounds is as many as there may be.
        measurement.exemplarCount = exemplarCount.map {
            min(Int(clamping: $0), QueryLimits.exemplarCount.upperBound)
        }
        if seriesCount > 0 {
            measurement.seriesLimit = min(
                Int(clamping: seriesCount),
                QueryLimits.seriesCount.upperBound
            )
        }
        self.measurement = measurement
    }

    /// A moment: up to ten digits are seconds and more are nanoseconds, a point makes them seconds,
    /// anything else is RFC 3339.
    private static func time(_ name: String, _ parameters: QueryParameters) throws -> UInt64? {
        guard let text = try parameters.one(name) else { return nil }
        if let number = UInt64(text) {
            return text.utf8.count <= 10
                ? Saturating.nanoseconds(number, unit: 1_000_000_000) : number
        }
        if text.contains("."), let seconds = Double(text) { return try nanoseconds(seconds, name) }
        return try parameters.time(name)
    }

    /// A duration, or a number of seconds.
    private static func step(_ parameters: QueryParameters) throws -> UInt64? {
        guard let text = try parameters.one("step") else { return nil }
        if let seconds = Double(text) { return try nanoseconds(seconds, "step") }
        return try parameters.duration("step")
    }

    private static func nanoseconds(_ seconds: Double, _ name: String) throws -> UInt64 {
        guard let whole = UInt64(exactly: (seconds * 1_000_000_000).rounded()) else {
            throw QueryError(
                parameter: name,
                text: "\(seconds)",
                problem: "this is no number of seconds from 0 to 18446744073",
                hint: "give seconds, like 1.5"
            )
        }
        return whole
    }
}

/// One point of a line.
struct TempoSample {
    var milliseconds: UInt64
    var value: Double
}

extension MeasuredSeries.Series {
    /// The points that there are.
    func samples(of measured: MeasuredSeries) -> [TempoSample] {
        var time = measured.start
        var samples: [TempoSample] = []
        for value in values {
            if let value { samples.append(.init(milliseconds: time / 1_000_000, value: value)) }
            time = time.addingReportingOverflow(measured.step).partialValue
        }
        return samples
    }
}

extension MeasuredSeries.Label {
    /// As Tempo tells it: where there is none, it says so.
    var tempoAttribute: TempoAttribute {
        TempoAttribute(key: name, value: value == .empty ? .string("nil") : value)
    }
}

extension MeasuredSeries.Exemplar {
    /// What it names.
    var tempoAttributes: [TempoAttribute] {
        var attributes = [TempoAttribute(key: "trace:id", value: .string(traceID.tempoText))]
        if let spanID { attributes.append(.init(key: "span:id", value: .string(spanID.hex))) }
        return attributes
    }
}

extension AnswerJSON {
    fileprivate mutating func tempoLabels(_ labels: [MeasuredSeries.Label]) {
        array("labels") { json in
            for label in labels { json.tempoAttribute(label.tempoAttribute) }
        }
    }

    fileprivate mutating func tempoExemplar(_ exemplar: MeasuredSeries.Exemplar) {
        object { json in
            json.array("labels") { json in
                for attribute in exemplar.tempoAttributes { json.tempoAttribute(attribute) }
            }
            json.key("value")
            json.number(exemplar.value)
            json.member("timestampMs", "\(exemplar.time / 1_000_000)")
        }
    }

    fileprivate mutating func tempoMeasured(_ found: MeasuredSeries) {
        tempoMetrics(found.examinedTraceCount, found.examinedSpanCount)
        member("status", found.incomplete.isEmpty ? "COMPLETE" : "PARTIAL")
        if !found.incomplete.isEmpty {
            member("message", found.incomplete.joined(separator: "; "))
        }
    }
}
