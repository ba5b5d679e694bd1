// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What was counted of some spans, found by looking at each.
struct ReferenceCalls {
    var durations: [UInt64] = []
    var errorCount: UInt64 = 0
    var reportedCount: UInt64 = 0
    /// Not all operations were told apart.
    var isUntold = false

    mutating func add(_ row: CallCounts.Row, _ durations: [UInt64]) {
        self.durations += durations
        reportedCount += UInt64(durations.count)
        if row.isError { errorCount += UInt64(durations.count) }
        if row.operation == nil { isUntold = true }
    }

    mutating func add(_ span: SpanValue) {
        durations.append(span.duration)
        if span.status == .error { errorCount += 1 }
    }

    func quantiles(_ wanted: [Double]) -> [UInt64] {
        var sketch = LatencySketch()
        for duration in durations { sketch.add(duration) }
        return wanted.map { sketch.quantile($0) ?? 0 }
    }

    func boundCounts(_ bounds: [UInt64]) -> [UInt64] {
        bounds.map { bound in
            let last = LatencyBucket.index(of: bound) ?? -1
            return UInt64(durations.count { (LatencyBucket.index(of: $0) ?? -1) <= last })
        }
    }
}

/// A line or an edge of an answer.
struct ReferenceLine {
    var total = ReferenceCalls()
    var steps: [ReferenceCalls]
    /// Calls of each request.
    var requests: [UInt64] = []
}

extension Reference {
    /// The span that called `span`, by the words of `Totals.Edge`; `spans` are its trace in order.
    private static func caller(of span: SpanValue, in spans: [SpanValue]) -> SpanValue? {
        if span.marks.contains(.shared) {
            let client = spans.first { $0.spanID == span.spanID && !$0.marks.contains(.shared) }
            if let client { return client }
        }
        guard span.parentID.isValid else { return nil }
        let parents = spans.filter { $0.spanID == span.parentID && $0 != span }
        return parents.first { $0.service == span.service }
            ?? parents.first { $0.marks.contains(.shared) } ?? parents.first
    }

    /// By what tells a line apart, in the order of an answer (edges: parent, then child).
    func totals(_ request: TotalsRequest) -> [[String]: ReferenceLine] {
        let minutes = request.minutes
        let step = request.step.map { $0 / TotalsRequest.minute }
        let stepCount = step.map { (minutes.count + Int($0) - 1) / Int($0) } ?? 0
        let empty = ReferenceLine(
            steps: Array(repeating: ReferenceCalls(), count: stepCount)
        )
        var lines: [[String]: ReferenceLine] = [:]
        let covered = covered(request)
        /// By edge, calls of each request.
        var requestCounts: [[String]: [UInt64]] = [:]
        for spans in traces.values {
            /// By calling span and called service: starts of the calls.
            var requests: [SpanValue: [String: [UInt64]]] = [:]
            for span in spans {
                let caller = Self.caller(of: span, in: spans)
                let isCall = caller.map { $0.service != span.service } ?? false
                if let caller, isCall {
                    requests[caller, default: [:]][span.service, default: []].append(span.start)
                }
                let minute = span.start / TotalsRequest.minute
                guard minutes.contains(minute),
                    let key = Self.key(request, span, isCall ? caller : nil),
                    !Self.isCovered(span, caller, minute, request, covered)
                else { continue }
                lines[key, default: empty].total.add(span)
                if let step {
                    let number = Int((minute - minutes.lowerBound) / step)
                    lines[key, default: empty].steps[number].add(span)
                }
            }
            guard request.lines == .edges else { continue }
            for (caller, calls) in requests {
                for (service, starts) in calls {
                    let first = (starts.min() ?? 0) / TotalsRequest.minute
                    guard minutes.contains(first) else { continue }
                    let edge = [caller.service, service]
                    requestCounts[edge, default: []].append(UInt64(starts.count))
                }
            }
        }
        addCalls(request, empty, &lines)
        // Also where all calls are counted by statistics.
        for (edge, counts) in requestCounts { lines[edge]?.requests = counts }
        return lines
    }

    /// What statistics count instead of spans: service (edges: caller, service) and minute.
    private struct Covered: Hashable {
        var names: [String]
        var minute: UInt64
    }

    private func covered(_ request: TotalsRequest) -> Set<Covered> {
        var covered: Set<Covered> = []
        for window in calls {
            for (row, durations) in zip(window.counts.rows, window.durations) {
                guard let names = Self.names(of: row, request) else { continue }
                let end = window.counts.start / TotalsRequest.minute
                // A call that ended as early in this minute as may be began so much before.
                let longest = min(durations.max() ?? 0, Totals.longestCall)
                let begin = (end * TotalsRequest.minute - longest) / TotalsRequest.minute
                for minute in begin...end { covered.insert(Covered(names: names, minute: minute)) }
            }
        }
        return covered
    }

    /// `nil` where a row says nothing of what is asked.
    private static func names(of row: CallCounts.Row, _ request: TotalsRequest) -> [String]? {
        guard request.lines == .edges else { return [row.service] }
        guard row.kind == .client || row.kind == .producer, let peer = row.peer else { return nil }
        return [row.service, peer]
    }

    private static func isCovered(
        _ span: SpanValue,
        _ caller: SpanValue?,
        _ minute: UInt64,
        _ request: TotalsRequest,
        _ covered: Set<Covered>
    ) -> Bool {
        let isCall = span.kind != .internal && span.kind != .unspecified
        return switch request.lines {
        case .services:
            (isCall || request.kinds == nil)
                && covered.contains(Covered(names: [span.service], minute: minute))
        case .operations, .operationsByKind:
            isCall && covered.contains(Covered(names: [span.service], minute: minute))
        case .edges:
            covered.contains(
                Covered(names: [caller?.service ?? "", span.service], minute: minute)
            )
        }
    }

    private func addCalls(
        _ request: TotalsRequest,
        _ empty: ReferenceLine,
        _ lines: inout [[String]: ReferenceLine]
    ) {
        for window in calls {
            let minute = window.counts.start / TotalsRequest.minute
            guard request.minutes.contains(minute) else { continue }
            for (row, durations) in zip(window.counts.rows, window.durations) {
                guard var key = Self.names(of: row, request) else { continue }
                if let service = request.service, !key.contains(service) { continue }
                if let operation = request.operation, operation != row.operation { continue }
                if let kinds = request.kinds, !kinds.contains(row.kind) { continue }
                let operation = row.operation ?? "(other operations)"
                if request.lines == .operations { key.append(operation) }
                if request.lines == .operationsByKind {
                    key += [operation, "\(row.kind.rawValue)"]
                }
                lines[key, default: empty].total.add(row, durations)
                if let step = request.step {
                    let first = request.minutes.lowerBound
                    let number = Int((minute - first) / (step / TotalsRequest.minute))
                    lines[key, default: empty].steps[number].add(row, durations)
                }
            }
        }
    }

    private static func key(
        _ request: TotalsRequest,
        _ span: SpanValue,
        _ caller: SpanValue?
    ) -> [String]? {
        if request.lines == .edges {
            guard let caller else { return nil }
            if let service = request.service, service != span.service, service != caller.service {
                return nil
            }
            return [caller.service, span.service]
        }
        if let service = request.service, service != span.service { return nil }
        if let operation = request.operation, operation != span.name { return nil }
        if let kinds = request.kinds, !kinds.contains(span.kind) { return nil }
        return switch request.lines {
        case .services, .edges: [span.service]
        case .operations: [span.service, span.name]
        case .operationsByKind: [span.service, span.name, "\(span.kind.rawValue)"]
        }
    }
}
