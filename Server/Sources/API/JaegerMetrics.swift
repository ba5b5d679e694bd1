// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

/// Jaeger's service performance monitoring: rates, errors and latencies over time, from minute totals.
extension ReadAPI {
    var jaegerMetricRoutes: [Route] {
        [
            Route("/api/metrics/latencies") { try await jaegerMetric(.latencies, $0) },
            Route("/api/metrics/calls") { try await jaegerMetric(.calls, $0) },
            Route("/api/metrics/errors") { try await jaegerMetric(.errors, $0) },
            Route("/api/metrics/minstep") { _ in
                JaegerAnswer.response { $0.number(TotalsRequest.minute / 1_000_000) }
            },
        ]
    }

    private func jaegerMetric(
        _ metric: JaegerMetric,
        _ request: ReadRequest
    ) async throws -> Response {
        let question = try JaegerMetricQuestion(request.query, metric)
        let found = try await jaegerMetric(metric, question)
        return .object { $0.metricFamily(found) }.incomplete(found.incomplete)
    }

    /// Reads what a question is about.
    func jaegerMetric(
        _ metric: JaegerMetric,
        _ question: JaegerMetricQuestion
    ) async throws -> FoundJaegerMetric {
        let asked = try JaegerMetricRequest(question, now: engine.now())
        var found = FoundJaegerMetric(metric: metric, asked: asked)
        for tile in asked.tiles {
            let totals = try await engine.totals(
                asked.isByOperation ? .operations : .services,
                in: .between(start: tile.range.lowerBound, end: tile.range.upperBound),
                service: asked.services.count == 1 ? asked.services.first : nil,
                kinds: asked.kinds,
                quantiles: asked.quantile.map { [$0] } ?? [],
                step: asked.width
            )
            for reason in totals.incomplete where !found.incomplete.contains(reason) {
                found.incomplete.append(reason)
            }
            for line in totals.lines where asked.services.contains(line.service) {
                let name = JaegerSeries.Name(service: line.service, operation: line.operation)
                let isNew = found.series[name] == nil
                if isNew,
                    found.series.count >= RequestLimits.metricCellCount / max(asked.times.count, 1)
                {
                    throw Failure.badRequest(
                        "the answer has more than \(found.series.count) lines of "
                            + "\(asked.times.count) points: ask for fewer services, a shorter lookback "
                            + "or a larger step"
                    )
                }
                for (number, step) in line.steps.enumerated() {
                    let point = tile.firstPoint + number * asked.tiles.count
                    found.series[name, default: JaegerSeries(asked.times.count)].steps[point] = step
                }
            }
        }
        return found
    }
}

/// The answer to a question about a metric, before it is written.
struct FoundJaegerMetric {
    var metric: JaegerMetric
    var asked: JaegerMetricRequest
    var series: [JaegerSeries.Name: JaegerSeries] = [:]
    var incomplete: [String] = []

    var name: String { metric.name(asked.isByOperation) }
    var help: String { metric.help(asked) }

    /// Lines by their labels, in order, each with its points that tell anything.
    var lines: [(labels: [(name: String, value: String)], points: [(time: UInt64, value: Double)])]
    {
        series.sorted { $0.key < $1.key }.map { name, one in
            let labels =
                (name.operation.map { [("operation", $0)] } ?? [])
                + [("service_name", name.service)]
            let points = zip(asked.times, one.steps).compactMap { time, step in
                metric.value(step, width: asked.width).map { (time, $0) }
            }
            return (labels, points)
        }
    }
}

/// What is asked of a stretch of time.
enum JaegerMetric {
    case latencies, calls, errors

    func name(_ isByOperation: Bool) -> String {
        let subject = isByOperation ? "service_operation" : "service"
        return switch self {
        case .latencies: subject + "_latencies"
        case .calls: subject + "_call_rate"
        case .errors: subject + "_error_rate"
        }
    }

    func help(_ asked: JaegerMetricRequest) -> String {
        let what =
            switch self {
            case .latencies: "\(asked.quantile ?? 0)th quantile latency in milliseconds"
            case .calls: "calls/sec"
            case .errors: "errors as a fraction of calls"
            }
        return what + ", grouped by service" + (asked.isByOperation ? " & operation" : "")
    }

    /// `nil` where there were no calls to tell of.
    func value(_ total: CallTotals, width: UInt64) -> Double? {
        switch self {
        case .calls: return Double(total.callCount) / (Double(width) / 1e9)
        case .errors:
            return total.callCount > 0
                ? Double(total.errorCount) / Double(total.callCount) : nil
        case .latencies:
            return total.callCount > 0 ? total.quantiles.first.map { Double($0) / 1e6 } : nil
        }
    }
}

/// What is asked of a metric, however it was written. Lengths of time are nanoseconds, and not 0.
struct JaegerMetricQuestion {
    var services: Set<String> = []
    /// `nil` for servers.
    var kinds: Set<SpanKind>?
    var isByOperation = false
    /// Of latencies alone.
    var quantile: Double?
    /// Nanoseconds since 1970; `nil` for now.
    var end: UInt64?
    var lookback: UInt64 = 3_600_000_000_000
    var step: UInt64 = 5_000_000_000
    var ratePer: UInt64 = 600_000_000_000

    init() {}

    /// Reads the parameters of an address, with times in milliseconds.
    init(_ query: QueryParameters, _ metric: JaegerMetric) throws {
        services = Set(query.all("service").filter { !$0.isEmpty })
        kinds = try query.kinds("spanKind")
        isByOperation = try query.flag("groupByOperation")
        quantile = metric == .latencies ? try Self.quantile(query) : nil
        func length(_ name: String, default standard: UInt64) throws -> UInt64 {
            guard let count = try query.integer(name, unit: "milliseconds") else { return standard }
            guard count > 0 else { throw Failure.badRequest("\(name) must be above 0") }
            return Saturating.nanoseconds(count, unit: 1_000_000)
        }
        lookback = try length("lookback", default: lookback)
        step = try length("step", default: step)
        ratePer = try length("ratePer", default: ratePer)
        end = try query.integer("endTs", unit: "milliseconds since 1970")
            .map { Saturating.nanoseconds($0, unit: 1_000_000) }
    }

    private static func quantile(_ query: QueryParameters) throws -> Double {
        let text = try query.required("quantile", example: "0.95")
        guard let quantile = Double(text) else {
            throw QueryError(
                parameter: "quantile",
                text: text,
                problem: "this is no number from 0 to 1",
                hint: "give 0.95 for the 95th percentile"
            )
        }
        return quantile
    }
}

/// The parameters of a metric. Points lie a step apart, the last at the end; each tells of the time
/// `width` before it. Both are whole minutes, and the width a number of steps, rounded up.
///
/// Windows that overlap are read in as many tiles as a window has steps, each of windows side by side:
/// ```
/// points        1   2   3   4   5
/// tile 0    [   1   ][   3   ][   5   ]
/// tile 1        [   2   ][   4   ]
/// ```
struct JaegerMetricRequest {
    /// A read of windows side by side.
    struct Tile {
        /// Nanoseconds since 1970.
        var range: Range<UInt64>
        /// The point that its first window tells of.
        var firstPoint: Int
    }

    var services: Set<String>
    var kinds: Set<SpanKind>
    var isByOperation: Bool
    var quantile: Double?
    /// Of the points, nanoseconds since 1970.
    var times: [UInt64]
    /// Nanoseconds.
    var width: UInt64
    var tiles: [Tile]

    init(_ question: JaegerMetricQuestion, now: UInt64) throws {
        services = question.services
        guard !services.isEmpty else {
            throw Failure.badRequest("parameter service is required; give service=frontend")
        }
        kinds = question.kinds ?? [.server]
        isByOperation = question.isByOperation
        quantile = question.quantile
        if let quantile, !(quantile >= 0 && quantile <= 1) {
            throw QueryError(
                parameter: "quantile",
                text: "\(quantile)",
                problem: "this is no number from 0 to 1",
                hint: "give 0.95 for the 95th percentile"
            )
        }

        let minute = TotalsRequest.minute
        func minutes(_ length: UInt64) -> UInt64 {
            length / minute + (length.isMultiple(of: minute) ? 0 : 1)
        }
        let step = minutes(question.step)
        let stepsOfWidth = (minutes(question.ratePer) + step - 1) / step
        let stepCount = minutes(question.lookback) / step
        guard stepCount < RequestLimits.metricPointCount else {
            throw Failure.badRequest(
                "lookback has \(stepCount + 1) steps; ask for \(RequestLimits.metricPointCount) "
                    + "points at most, or for a larger step"
            )
        }
        guard stepsOfWidth <= RequestLimits.metricWidthSteps else {
            throw Failure.badRequest(
                "ratePer has \(stepsOfWidth) steps; ask for \(RequestLimits.metricWidthSteps) at "
                    + "most, or for a larger step"
            )
        }
        // The minute that is not over would read as a fall.
        let last = question.end.map { $0 / minute } ?? now / minute
        guard last >= step * (stepCount + stepsOfWidth) else {
            throw Failure.badRequest("endTs is less than lookback and ratePer after 1970")
        }
        let first = last - step * stepCount
        let points = Int(stepCount) + 1
        times = (0..<UInt64(points)).map { (first + $0 * step) * minute }
        width = step * stepsOfWidth * minute
        let tileCount = Int(stepsOfWidth)
        tiles = []
        for tile in 0..<min(tileCount, points) {
            let start = times[tile] - width
            let windows = UInt64((points - tile + tileCount - 1) / tileCount)
            tiles.append(Tile(range: start..<start + windows * width, firstPoint: tile))
        }
    }
}

/// Counts of one service or operation, by point.
struct JaegerSeries {
    struct Name: Hashable, Comparable {
        var service: String
        var operation: String?

        static func < (a: Name, b: Name) -> Bool {
            (a.service, a.operation ?? "") < (b.service, b.operation ?? "")
        }
    }

    var steps: [CallTotals]

    init(_ count: Int) { steps = Array(repeating: CallTotals(), count: count) }
}

extension AnswerJSON {
    fileprivate mutating func metricFamily(_ found: FoundJaegerMetric) {
        member("name", found.name)
        member("type", "GAUGE")
        member("help", found.help)
        array("metrics") { json in
            for line in found.lines {
                json.object { json in
                    json.array("labels") { json in
                        for label in line.labels {
                            json.object { json in
                                json.member("name", label.name)
                                json.member("value", label.value)
                            }
                        }
                    }
                    json.array("metricPoints") { json in
                        for point in line.points { json.metricPoint(point.time, point.value) }
                    }
                }
            }
        }
    }

    private mutating func metricPoint(_ time: UInt64, _ value: Double) {
        object { json in
            json.object("gaugeValue") { json in
                json.key("doubleValue")
                json.number(value)
            }
            json.member("timestamp", TimeText.text(time))
        }
    }
}
