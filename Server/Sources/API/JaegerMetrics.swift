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
        let asked = try JaegerMetricRequest(request.query, metric, now: engine.now())
        var series: [JaegerSeries.Name: JaegerSeries] = [:]
        var incomplete: [String] = []
        for tile in asked.tiles {
            let totals = try await engine.totals(
                asked.isByOperation ? .operations : .services,
                in: .between(start: tile.range.lowerBound, end: tile.range.upperBound),
                service: asked.services.count == 1 ? asked.services.first : nil,
                kinds: asked.kinds,
                quantiles: asked.quantile.map { [$0] } ?? [],
                step: asked.width
            )
            for reason in totals.incomplete where !incomplete.contains(reason) {
                incomplete.append(reason)
            }
            for line in totals.lines where asked.services.contains(line.service) {
                let name = JaegerSeries.Name(service: line.service, operation: line.operation)
                for (number, step) in line.steps.enumerated() {
                    let point = tile.firstPoint + number * asked.tiles.count
                    series[name, default: JaegerSeries(asked.times.count)].steps[point] = step
                }
            }
        }
        return .object { $0.metricFamily(metric, asked, series) }.incomplete(incomplete)
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

    init(_ query: QueryParameters, _ metric: JaegerMetric, now: UInt64) throws {
        services = Set(query.all("service").filter { !$0.isEmpty })
        guard !services.isEmpty else {
            throw Failure.badRequest("parameter service is required; give service=frontend")
        }
        kinds = try query.kinds("spanKind") ?? [.server]
        isByOperation = try query.flag("groupByOperation")
        quantile = metric == .latencies ? try Self.quantile(query) : nil

        let minute = TotalsRequest.minute
        func minutes(_ name: String, default standard: UInt64) throws -> UInt64 {
            let count = try query.integer(name, unit: "milliseconds") ?? standard
            guard count > 0 else { throw Failure.badRequest("\(name) must be above 0") }
            let nanoseconds = Saturating.nanoseconds(count, unit: 1_000_000)
            return nanoseconds / minute + (nanoseconds.isMultiple(of: minute) ? 0 : 1)
        }
        let step = try minutes("step", default: 5_000)
        let stepsOfWidth = (try minutes("ratePer", default: 600_000) + step - 1) / step
        let stepCount = try minutes("lookback", default: 3_600_000) / step
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
        let end = try query.integer("endTs", unit: "milliseconds since 1970")
            .map { Saturating.nanoseconds($0, unit: 1_000_000) / minute }
        // The minute that is not over would read as a fall.
        let last = end ?? now / minute
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

    private static func quantile(_ query: QueryParameters) throws -> Double {
        let text = try query.required("quantile", example: "0.95")
        guard let quantile = Double(text), quantile >= 0, quantile <= 1 else {
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
    fileprivate mutating func metricFamily(
        _ metric: JaegerMetric,
        _ asked: JaegerMetricRequest,
        _ series: [JaegerSeries.Name: JaegerSeries]
    ) {
        member("name", metric.name(asked.isByOperation))
        member("type", "GAUGE")
        member("help", metric.help(asked))
        array("metrics") { json in
            for (name, one) in series.sorted(by: { $0.key < $1.key }) {
                json.object { json in
                    json.array("labels") { json in
                        if let operation = name.operation { json.label("operation", operation) }
                        json.label("service_name", name.service)
                    }
                    json.array("metricPoints") { json in
                        for (time, step) in zip(asked.times, one.steps) {
                            guard let value = metric.value(step, width: asked.width) else {
                                continue
                            }
                            json.object { json in
                                json.object("gaugeValue") { json in
                                    json.key("doubleValue")
                                    json.number(value)
                                }
                                json.member("timestamp", TimeText.text(time))
                            }
                        }
                    }
                }
            }
        }
    }

    private mutating func label(_ name: String, _ value: String) {
        object { json in
            json.member("name", name)
            json.member("value", value)
        }
    }
}
