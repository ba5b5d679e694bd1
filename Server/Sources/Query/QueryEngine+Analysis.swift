// SPDX-License-Identifier: Apache-2.0

public import Analysis
public import QueryLanguage
public import SkeinModel
public import Store

extension QueryEngine {
    /// Two sets of traces beside each other, one trace in memory at a time: how large they are, only
    /// reading them tells.
    public func compare(_ a: [TraceID], _ b: [TraceID]) async throws -> ComparedTraces {
        var comparison = PathComparison()
        var incomplete: [String] = []
        var missing: [TraceID] = []
        for (side, ids) in [(PathComparison.Side.a, a), (.b, b)] {
            var spanCount = 0
            for (number, id) in ids.enumerated() {
                guard spanCount < RunLimits.comparedSpanCount else {
                    incomplete.append(
                        "side \(side == .a ? "a" : "b"): stopped after \(number) of \(ids.count) "
                            + "traces, which have \(spanCount) spans"
                    )
                    break
                }
                guard let trace = try await traces(exactly: [id]).first else {
                    missing.append(id)
                    continue
                }
                spanCount += trace.count
                comparison.add(trace.placed(), to: side) { trace.comparedAttributes($0) }
                for reason in trace.spans.incomplete where !incomplete.contains(reason) {
                    incomplete.append(reason)
                }
            }
        }
        return ComparedTraces(
            comparison: comparison.result(),
            missing: missing,
            incomplete: incomplete
        )
    }

    /// Services and their calls in a stretch of time, laid out.
    public func map(
        in time: TraceQuery.TimeSpan,
        view: ServiceMap.View,
        quantiles: [Double]
    ) async throws -> LaidOutCalls {
        let edges = try await totals(.edges, in: time, quantiles: quantiles)
        let services = try await totals(.services, in: time, quantiles: quantiles)
        let served = try await totals(
            .services,
            in: time,
            kinds: [.server, .consumer],
            quantiles: quantiles
        )
        let map = ServiceMap(
            services: services.lines.map(\.service),
            calls: edges.edges.map {
                .init(
                    parent: $0.parent,
                    child: $0.child,
                    callCount: $0.total.callCount,
                    errorCount: $0.total.errorCount
                )
            },
            view: view
        )
        var taken = Dictionary(
            (served.lines + services.lines).map { ($0.service, $0.total) },
            uniquingKeysWith: { first, _ in first }
        )
        // Who sends no spans is known by its callers; their quantiles do not add up.
        for (service, edges) in Dictionary(grouping: edges.edges, by: \.child)
        where taken[service] == nil {
            taken[service] = CallTotals(
                callCount: edges.reduce(0) { $0 &+ $1.total.callCount },
                errorCount: edges.reduce(0) { $0 &+ $1.total.errorCount },
                quantiles: edges.count == 1 ? edges[0].total.quantiles : []
            )
        }
        var incomplete = edges.incomplete
        for reason in services.incomplete + served.incomplete where !incomplete.contains(reason) {
            incomplete.append(reason)
        }
        return LaidOutCalls(map: map, edges: edges, services: taken, incomplete: incomplete)
    }

    /// Where the span at display place `place` of `trace` stands among the calls of its service, name
    /// and kind.
    ///
    /// - Parameter time: whose calls; `nil` for the day that ends with the span.
    public func standing(
        of place: Int,
        in trace: Trace,
        time: TraceQuery.TimeSpan? = nil
    ) async throws -> SpanStanding {
        let row = trace.columnsRow(place)
        let service = trace.spans.columns.strings.text(trace.spans.columns.service(row))
        let operation = trace.spans.columns.strings.text(trace.spans.columns.name[row])
        let kind = SpanKind(rawValue: trace.spans.columns.kind[row]) ?? .unspecified
        let start = trace.spans.columns.start[row]
        let day = TraceQuery.TimeSpan.between(
            start: shifted(start, by: -86_400_000_000_000),
            end: shifted(start, by: 1)
        )
        func ask(_ parts: [Double]) async throws -> (Totals, [LatencyStanding.Quantile]) {
            let counted = try await totals(
                .operationsByKind,
                in: time ?? day,
                service: service,
                operation: operation,
                kinds: [kind],
                quantiles: parts
            )
            let durations = counted.lines.first?.total.quantiles ?? []
            return (counted, zip(parts, durations).map { .init(part: $0, duration: $1) })
        }
        var (counted, quantiles) = try await ask(LatencyStanding.firstParts)
        let duration = trace.spans.columns.duration(row)
        var standing = LatencyStanding(of: duration, among: quantiles)
        let parts = standing.closerParts(TotalsRequest.quantileLimit)
        if !quantiles.isEmpty, !parts.isEmpty {
            quantiles += try await ask(parts).1
            quantiles.sort { $0.part < $1.part }
            standing = LatencyStanding(of: duration, among: quantiles)
        }
        return SpanStanding(
            service: service,
            operation: operation,
            kind: kind,
            duration: duration,
            standing: standing,
            quantiles: quantiles,
            calls: counted.lines.first?.total,
            range: counted.range,
            incomplete: counted.incomplete
        )
    }
}

/// What a comparison came to.
public struct ComparedTraces: Sendable {
    public var comparison: PathComparison.Result
    /// Traces that are not stored.
    public var missing: [TraceID]
    /// Why spans may be missing; empty when none are.
    public var incomplete: [String]
}

/// A map, and the counts of what it shows.
public struct LaidOutCalls: Sendable {
    public var map: ServiceMap
    /// `ServiceMap.Edge.call` is a number of its edges.
    public var edges: Totals
    /// By service: the calls it took, spans of servers and consumers; all its spans where it sends none
    /// of those; what its callers tell where it sends none at all.
    public var services: [String: CallTotals]
    /// Why calls may be missing, of edges or of services; empty when none are.
    public var incomplete: [String]
}

/// Where a span stands among the calls of its operation.
public struct SpanStanding: Sendable {
    public var service: String
    public var operation: String
    public var kind: SpanKind
    /// Nanoseconds.
    public var duration: UInt64
    public var standing: LatencyStanding
    /// What the standing was told from, ascending.
    public var quantiles: [LatencyStanding.Quantile]
    /// What was counted; `nil` for nothing.
    public var calls: CallTotals?
    /// Nanoseconds since 1970, whole minutes.
    public var range: Range<UInt64>
    /// Why calls may be missing; empty when none are.
    public var incomplete: [String]
}
