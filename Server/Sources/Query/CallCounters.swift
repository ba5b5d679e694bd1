// SPDX-License-Identifier: Apache-2.0

import Analysis
import QueryLanguage
public import SkeinModel
import Store

/// Calls, errors and durations counted since the process started, as counters that never go down:
/// what a scraper wants.
///
/// They are the store's minute totals from the minute of the start on. Minutes that are older than
/// what may still come late are added up once and kept; the others are asked for each time, so that
/// a reading costs the same however long the server runs.
///
/// ```
/// start          folded until                     now
///   ├────── kept ──────┼──── asked for each time ───┤
/// ```
/// A span that comes later than that is not counted. What a deletion takes away stays counted.
public actor CallCounters {
    /// The bounds of the histograms, nanoseconds: 2 ms to 16.384 s, each twice the one before.
    public static let bounds: [UInt64] = (0..<14).map { 2_000_000 << $0 }

    private let engine: QueryEngine
    /// Nanoseconds since 1970, a whole minute.
    private var foldedUntil: UInt64
    private var operations = Counters<CallSeries.Operation>()
    private var edges = Counters<CallSeries.Edge>()
    /// Why calls are missing from what is kept.
    private var missed: [String] = []
    private var reading: Task<CallFigures, any Error>?

    /// Counts from now on.
    public init(_ engine: QueryEngine) {
        self.engine = engine
        foldedUntil = engine.now() / TotalsRequest.minute * TotalsRequest.minute
    }

    /// The counters as they are now. Readings at once are one reading.
    public func read() async throws -> CallFigures {
        if let reading { return try await reading.value }
        let task = Task { try await count() }
        reading = task
        defer { reading = nil }
        return try await task.value
    }

    private func count() async throws -> CallFigures {
        let now = engine.now()
        if now >= foldedUntil &+ 2 * RunLimits.counterLateness {
            let until = (now - RunLimits.counterLateness) / TotalsRequest.minute
            try await fold(until: until * TotalsRequest.minute)
        }
        // A clock that is a little ahead must not keep its calls from being counted.
        let range = foldedUntil..<max(shifted(now, by: 60_000_000_000), foldedUntil + 1)
        let calls = try await totals(.operationsByKind, range)
        let links = try await totals(.edges, range)
        var figures = CallFigures()
        for reason in missed + calls.incomplete + links.incomplete
        where !figures.incomplete.contains(reason) {
            figures.incomplete.append(reason)
        }
        figures.operations = operations.told(calls.lines.map(CallSeries.Operation.counted))
        figures.edges = edges.told(links.edges.map(CallSeries.Edge.counted))
        figures.overflowedOperationCount = operations.overflowedCount
        figures.overflowedEdgeCount = edges.overflowedCount
        return figures
    }

    private func fold(until: UInt64) async throws {
        let calls = try await totals(.operationsByKind, foldedUntil..<until)
        let links = try await totals(.edges, foldedUntil..<until)
        // What was not counted now is not asked for again.
        for reason in calls.incomplete + links.incomplete
        where !missed.contains(reason) && missed.count < RunLimits.counterReasonCount {
            missed.append(reason)
        }
        operations.fold(calls.lines.map(CallSeries.Operation.counted))
        edges.fold(links.edges.map(CallSeries.Edge.counted))
        foldedUntil = until
    }

    private func totals(
        _ lines: TotalsRequest.Lines,
        _ range: Range<UInt64>
    ) async throws -> Totals {
        var request = TotalsRequest(
            tenant: engine.tenant,
            range: range,
            lines: lines,
            quantiles: []
        )
        request.bounds = Self.bounds
        return try await engine.store.totals(request)
    }

    /// Spans of the newest traces, one for each series and bucket.
    public func exemplars() async throws -> [CallExemplar] {
        let found = try await engine.search(
            TraceQuery(time: .last(300_000_000_000), limit: RunLimits.exemplarTraceCount)
        )
        var room = RunLimits.exemplarSpanCount
        let ids = found.traces.filter { trace in
            guard trace.spanCount <= room else { return false }
            room -= trace.spanCount
            return true
        }
        .map(\.traceID)
        var exemplars: [CallExemplar] = []
        for trace in try await engine.traces(exactly: ids, isRaw: true) {
            let spans = trace.spans
            for row in trace.rows {
                exemplars.append(
                    CallExemplar(
                        operation: CallSeries.Operation(
                            service: spans.columns.strings.text(spans.columns.service(row)),
                            name: spans.columns.strings.text(spans.columns.name[row]),
                            kind: SpanKind(rawValue: spans.columns.kind[row]) ?? .unspecified
                        ),
                        traceID: trace.traceID,
                        spanID: SpanID(spans.columns.spanID[row]),
                        start: spans.columns.start[row],
                        duration: spans.columns.duration(row)
                    )
                )
            }
        }
        return exemplars
    }
}

/// What counters are told apart by.
public enum CallSeries {
    /// An operation of a service.
    public struct Operation: Sendable, Hashable {
        public var service: String
        public var name: String
        public var kind: SpanKind

        static func counted(_ line: Totals.Line) -> (Self, CallTotals) {
            let kind = line.kind ?? .unspecified
            return (Self(service: line.service, name: line.operation ?? "", kind: kind), line.total)
        }
    }

    /// Calls of one service by another.
    public struct Edge: Sendable, Hashable {
        public var client: String
        public var server: String

        static func counted(_ edge: Totals.Edge) -> (Self, CallTotals) {
            (Self(client: edge.parent, server: edge.child), edge.total)
        }
    }
}

/// Counters that were read together.
public struct CallFigures: Sendable {
    /// Sorted by nothing; the one without a key counts those beyond the bound.
    public var operations: [(key: CallSeries.Operation?, count: CallCount)] = []
    public var edges: [(key: CallSeries.Edge?, count: CallCount)] = []
    /// Operations and edges that share the counter without a key.
    public var overflowedOperationCount = 0
    public var overflowedEdgeCount = 0
    /// Why calls may be missing; empty when none are.
    public var incomplete: [String] = []
}

/// A span that stands for a count.
public struct CallExemplar: Sendable {
    public var operation: CallSeries.Operation
    public var traceID: TraceID
    public var spanID: SpanID
    /// Nanoseconds since 1970.
    public var start: UInt64
    /// Nanoseconds.
    public var duration: UInt64
}

/// One counter with its histogram.
public struct CallCount: Sendable, Equatable {
    /// Calls that did not fail. It is kept beside the errors and not told from all calls: a call that
    /// turns out to have failed would take it down.
    public var successCount: UInt64 = 0
    public var errorCount: UInt64 = 0
    /// Nanoseconds.
    public var durationSum: UInt64 = 0
    /// Calls that took no longer than each of `CallCounters.bounds`.
    public var boundCounts: [UInt64] = []

    /// All calls.
    public var callCount: UInt64 { Self.sum(successCount, errorCount) }

    init() {}

    init(_ totals: CallTotals) {
        errorCount = min(totals.errorCount, totals.callCount)
        successCount = totals.callCount - errorCount
        durationSum = totals.durationSum
        boundCounts = totals.boundCounts
    }

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    mutating func add(_ other: CallCount) { combine(other, Self.sum) }

    /// Never goes below `other`.
    mutating func raise(to other: CallCount) { combine(other) { max($0, $1) } }

    private mutating func combine(_ other: CallCount, _ join: (UInt64, UInt64) -> UInt64) {
        successCount = join(successCount, other.successCount)
        errorCount = join(errorCount, other.errorCount)
        durationSum = join(durationSum, other.durationSum)
        if boundCounts.isEmpty { boundCounts = other.boundCounts.map { _ in 0 } }
        for (place, count) in other.boundCounts.enumerated() where place < boundCounts.count {
            boundCounts[place] = join(boundCounts[place], count)
        }
    }
}

/// Counters by key, as many as there may be; those beyond share one.
private struct Counters<Key: Hashable & Sendable>: Sendable {
    /// Those with a counter of their own keep it.
    private var numbers: [Key: Int] = [:]
    /// By number: what is kept, and the last that was told. Number 0 is shared.
    private var folded: [CallCount] = [CallCount()]
    private var told: [CallCount] = [CallCount()]
    /// Keys of the last reading that share a counter.
    private(set) var overflowedCount = 0

    /// The number of a key: its own, or 0.
    private mutating func number(_ key: Key) -> Int {
        if let number = numbers[key] { return number }
        guard numbers.count < RunLimits.counterSeriesCount else { return 0 }
        let number = folded.count
        numbers[key] = number
        folded.append(CallCount())
        told.append(CallCount())
        return number
    }

    mutating func fold(_ counted: [(Key, CallTotals)]) {
        for (key, totals) in counted { folded[number(key)].add(CallCount(totals)) }
    }

    mutating func told(_ counted: [(Key, CallTotals)]) -> [(key: Key?, count: CallCount)] {
        overflowedCount = 0
        var recent: [Int: CallCount] = [:]
        for (key, totals) in counted {
            let number = number(key)
            if number == 0 { overflowedCount += 1 }
            recent[number, default: CallCount()].add(CallCount(totals))
        }
        for number in told.indices {
            var count = folded[number]
            if let more = recent[number] { count.add(more) }
            told[number].raise(to: count)
        }
        var result: [(key: Key?, count: CallCount)] = numbers.map { ($0.key, told[$0.value]) }
        if told[0].callCount > 0 { result.append((nil, told[0])) }
        return result
    }
}
