// SPDX-License-Identifier: Apache-2.0

internal import Query
internal import SkeinModel

/// What `/metrics/traces` says: rates, errors and durations of the traced calls, in Prometheus's text
/// format 0.0.4 or in OpenMetrics 1.0, which has exemplars.
///
/// ```
/// traces_spanmetrics_calls_total{service="cart",span_name="GET /",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET"} 17
/// traces_spanmetrics_latency_bucket{service="cart",…,le="0.002"} 3 # {trace_id="…",span_id="…"} 0.0017 1795229164.614
/// traces_service_graph_request_total{client="web",server="cart",connection_type=""} 17
/// ```
struct TraceMetricsText {
    /// Whose names the families have.
    enum Names: String, CaseIterable {
        case tempo, jaeger

        var service: String { self == .tempo ? "service" : "service_name" }
        var calls: String {
            self == .tempo ? "traces_spanmetrics_calls" : "traces_span_metrics_calls"
        }
        var durations: String {
            self == .tempo
                ? "traces_spanmetrics_latency" : "traces_span_metrics_duration_milliseconds"
        }
        /// Nanoseconds of a unit of durations.
        var unit: Double { self == .tempo ? 1e9 : 1e6 }
    }

    private(set) var text = ""
    private let names: Names
    private let isOpenMetrics: Bool
    private var exemplars: [CallSeries.Operation: [CallExemplar]] = [:]

    init(
        _ figures: CallFigures,
        exemplars: [CallExemplar],
        names: Names,
        isOpenMetrics: Bool
    ) {
        self.names = names
        self.isOpenMetrics = isOpenMetrics
        for exemplar in exemplars {
            self.exemplars[exemplar.operation, default: []].append(exemplar)
        }
        let operations = figures.operations.map { (labels: labels($0.key), $0.key, $0.count) }
            .sorted { $0.labels < $1.labels }
        family(names.calls, .counter, "Spans by service, operation, kind and status.")
        for (labels, _, count) in operations {
            sample(names.calls + "_total", labels + Self.unset, count.successCount)
            sample(names.calls + "_total", labels + Self.error, count.errorCount)
        }
        family(names.durations, .histogram, "Durations of spans, within 1.1 % of the bounds.")
        for (labels, key, count) in operations {
            histogram(
                names.durations,
                labels,
                count,
                unit: names.unit,
                key.flatMap { self.exemplars[$0] }
            )
        }
        if names == .tempo { writeGraph(figures) }
        family(
            "traces_metrics_overflowed",
            .gauge,
            "Series that share one, for there are too many."
        )
        sample("traces_metrics_overflowed", #"of="operations""#, figures.overflowedOperationCount)
        sample("traces_metrics_overflowed", #"of="edges""#, figures.overflowedEdgeCount)
        family(
            "traces_metrics_incomplete",
            .gauge,
            "Reasons why calls were not counted, 0 where all were."
        )
        sample("traces_metrics_incomplete", "", figures.incomplete.count)
        if isOpenMetrics { text += "# EOF\n" }
    }

    private static let unset = #",status_code="STATUS_CODE_UNSET""#
    private static let error = #",status_code="STATUS_CODE_ERROR""#

    private mutating func writeGraph(_ figures: CallFigures) {
        let edges = figures.edges.map { (labels: Self.labels($0.key), $0.count) }
            .sorted { $0.labels < $1.labels }
        let name = "traces_service_graph_request"
        family(name, .counter, "Calls of one service by another.")
        for (labels, count) in edges { sample(name + "_total", labels, count.callCount) }
        family(name + "_failed", .counter, "Those that failed.")
        for (labels, count) in edges { sample(name + "_failed_total", labels, count.errorCount) }
        family(name + "_server_seconds", .histogram, "How long the called service took.")
        for (labels, count) in edges {
            histogram(name + "_server_seconds", labels, count, unit: 1e9, nil)
        }
    }

    private func labels(_ key: CallSeries.Operation?) -> String {
        guard let key else {
            return #"\#(names.service)="(other)",span_name="(other)",span_kind="""#
        }
        return #"\#(names.service)="\#(Self.escaped(key.service))",span_name="#
            + #""\#(Self.escaped(key.name))",span_kind="SPAN_KIND_\#(key.kind.word.uppercased())""#
    }

    private static func labels(_ key: CallSeries.Edge?) -> String {
        let (client, server) = key.map { ($0.client, $0.server) } ?? ("(other)", "(other)")
        return #"client="\#(escaped(client))",server="\#(escaped(server))",connection_type="""#
    }

    // MARK: The format

    private enum Kind: String { case counter, gauge, histogram }

    private mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        // The older format has the suffix of counters in the name of the family too.
        let told = kind == .counter && !isOpenMetrics ? name + "_total" : name
        text += "# HELP \(told) \(help)\n# TYPE \(told) \(kind.rawValue)\n"
    }

    private mutating func sample(
        _ name: String,
        _ labels: String,
        _ value: some CustomStringConvertible,
        _ exemplar: String = ""
    ) {
        text += "\(name){\(labels)} \(value)\(exemplar)\n"
    }

    private mutating func histogram(
        _ name: String,
        _ labels: String,
        _ count: CallCount,
        unit: Double,
        _ exemplars: [CallExemplar]?
    ) {
        var lower: UInt64 = 0
        for (bound, below) in zip(CallCounters.bounds, count.boundCounts) {
            let le = Double(bound) / unit
            let told = exemplar(exemplars, lower..<bound + 1, unit)
            sample(name + "_bucket", #"\#(labels),le="\#(le)""#, below, told)
            lower = bound + 1
        }
        let told = exemplar(exemplars, lower..<UInt64.max, unit)
        sample(name + "_bucket", labels + #",le="+Inf""#, count.callCount, told)
        sample(name + "_sum", labels, Double(count.durationSum) / unit)
        sample(name + "_count", labels, count.callCount)
    }

    private func exemplar(
        _ exemplars: [CallExemplar]?,
        _ durations: Range<UInt64>,
        _ unit: Double
    ) -> String {
        guard let found = exemplars?.first(where: { durations.contains($0.duration) }) else {
            return ""
        }
        let seconds = "\(found.start / 1_000_000_000)"
        let thousandths = "\(1_000 + found.start / 1_000_000 % 1_000)".dropFirst()
        return #" # {trace_id="\#(found.traceID.hex)",span_id="\#(found.spanID.hex)"} "#
            + "\(Double(found.duration) / unit) \(seconds).\(thousandths)"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"": escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
