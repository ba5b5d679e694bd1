// SPDX-License-Identifier: Apache-2.0

import Analysis
public import QueryLanguage
import SkeinModel
import Store

/// The traces a query finds, told as they arrive: each once.
///
/// A store is asked again and again for the traces of the last moments; those that are new or have
/// grown are looked at by the same run that answers searches. What was told is remembered in bounded
/// memory: when there is too much of it, the traces that began first are forgotten, and none that
/// began before them is told any more.
///
/// ```
///          window ◄──────────────────────────────────────────────► now
///     ──────┼─────────────────────────────────┼─────────────────────┤
///           └ every sweep: late traces        └ every poll: near window
/// ```
public struct TraceTail: Sendable {
    private let engine: QueryEngine
    private let search: TraceQL.Search
    private let pipeline: TraceQL.Pipeline
    private let plan: ScanPlan
    /// Nanoseconds that a trace must not have grown for before it is looked at.
    private let settle: UInt64
    private var rate: TellingRate

    private var known: [TraceID: Known] = [:]
    /// Traces that began at or before are not told: some of them are forgotten.
    private var floor: UInt64?
    /// New or grown traces that are not looked at yet.
    private var waiting: [TraceID: Waiting] = [:]
    private var sweptAt: UInt64 = 0
    /// What the store had appended when it was last asked.
    private var appendedAtSweep: UInt64?
    private var appendedAtPoll: UInt64?
    /// What a poll that failed had found out: the next one tells it.
    private var owed = Batch()

    private struct Known {
        var start: UInt64
        var spanCount: Int
        var isTold: Bool
    }

    private struct Waiting {
        var summary: TraceSummary
        var since: UInt64
    }

    /// What one poll found.
    public struct Batch: Sendable {
        /// In order of start.
        public var traces: [FoundTrace] = []
        /// Traces found beyond the rate: they are not told later either.
        public var leftOutCount = 0
        /// Traces that came too fast to be looked at; some of them may have been found.
        public var unreadCount = 0
        /// Why traces may be missing, told by each poll that knows.
        public var incomplete: [String] = []
    }

    /// Prepares a tail; `begin` starts it.
    ///
    /// - Parameters:
    ///   - engine: Who is asked.
    ///   - question: What is looked for.
    ///   - toldSpanLimit: Spans told of each spanset, at most.
    ///   - settle: Nanoseconds that a trace must not have grown for before it is looked at.
    ///   - ratePerSecond: Traces told a second, at most.
    /// - Throws: `QueryError` for a query that asks for numbers over time or for an order.
    public init(
        _ engine: QueryEngine,
        _ question: TraceQL.Question,
        toldSpanLimit: Int,
        settle: UInt64,
        ratePerSecond: Int
    ) throws(QueryError) {
        guard case .search(let pipeline) = question.body else {
            throw QueryError(
                parameter: "q",
                text: "\(question)",
                problem: "this asks for numbers over time, and here traces are told as they come",
                hint: "leave the function of metrics out: {…} | count() > 2"
            )
        }
        guard question.order == nil else {
            throw QueryError(
                parameter: "q",
                text: "\(question)",
                problem: "traces are told as they come, and have no other order",
                hint: "leave order by out"
            )
        }
        self.engine = engine
        self.pipeline = pipeline
        self.settle = settle
        // No poll looks at more.
        let limit = RunLimits.tailWaitingTraceCount
        search = try TraceQL.Search(question, limit: limit, toldSpanLimit: toldSpanLimit)
            .validated()
        let necessary = NecessaryCondition(pipeline)
        plan = ScanPlan(
            tenant: engine.tenant,
            range: 0..<1,
            span: necessary.span,
            trace: necessary.traceDuration.map { [.duration($0)] } ?? [],
            limit: RunLimits.tailPageTraceCount,
            matchedSpanLimit: 0
        )
        rate = TellingRate(perSecond: ratePerSecond, now: engine.now())
    }

    /// Takes note of what is there already, so that it is not told.
    ///
    /// - Parameter after: Traces that began after this moment are told all the same.
    public mutating func begin(tellingAfter after: UInt64? = nil) async throws {
        let now = engine.now()
        appendedAtPoll = engine.statistics.appendedSpans
        appendedAtSweep = appendedAtPoll
        sweptAt = now
        var batch = Batch()
        try await look(back: RunLimits.tailWindow, from: now, &batch) { summary in
            after.map { summary.start > $0 } ?? false
        }
    }

    /// The traces that came since the poll before. Where it throws, the next poll has them.
    public mutating func poll() async throws -> Batch {
        var batch = owed
        do {
            try await poll(&batch)
        } catch {
            owed = batch
            throw error
        }
        owed = Batch()
        return batch
    }

    private mutating func poll(_ batch: inout Batch) async throws {
        let now = engine.now()
        // Read before the store is asked: what comes in between is seen by the next poll.
        let appended = engine.statistics.appendedSpans
        let isSweep = now >= sweptAt &+ RunLimits.tailSweepPause && appended != appendedAtSweep
        if isSweep || appended != appendedAtPoll {
            let back = isSweep ? RunLimits.tailWindow : RunLimits.tailNearWindow
            try await look(back: back, from: now, &batch) { _ in true }
            appendedAtPoll = appended
            if isSweep {
                appendedAtSweep = appended
                sweptAt = now
            }
        }
        try await examine(now, &batch)
    }

    /// Asks the store for the traces of a stretch of time up to now.
    private mutating func look(
        back: UInt64,
        from now: UInt64,
        _ batch: inout Batch,
        isTold: (TraceSummary) -> Bool
    ) async throws {
        var plan = plan
        // What is received this very moment may carry a clock that is ahead by seconds.
        plan.range = (now > back ? now - back : 0)..<max(shifted(now, by: 60_000_000_000), 1)
        var traceCount = 0
        while true {
            let page = try await engine.store.scan(plan)
            for reason in page.incomplete where !batch.incomplete.contains(reason) {
                batch.incomplete.append(reason)
            }
            for summary in page.traces { note(summary, now, &batch, isTold: isTold) }
            traceCount += page.traces.count
            guard let next = page.cursor, let last = page.traces.last else { break }
            // Pages go back in time: what follows began earlier still.
            if let floor, last.start <= floor { break }
            if traceCount >= RunLimits.tailKnownTraceCount / 2 {
                floor = max(floor ?? 0, last.start)
                break
            }
            plan.cursor = next
        }
        forget()
    }

    private mutating func note(
        _ summary: TraceSummary,
        _ now: UInt64,
        _ batch: inout Batch,
        isTold: (TraceSummary) -> Bool
    ) {
        if let floor, summary.start <= floor { return }
        let before = known[summary.traceID]
        if let before, before.isTold || before.spanCount == summary.spanCount { return }
        let isWanted = isTold(summary)
        let isRoom = waiting.count < RunLimits.tailWaitingTraceCount
        known[summary.traceID] = Known(
            start: summary.start,
            spanCount: summary.spanCount,
            isTold: !isWanted || !isRoom
        )
        guard isWanted else { return }
        if isRoom || waiting[summary.traceID] != nil {
            waiting[summary.traceID] = Waiting(summary: summary, since: now)
        } else {
            batch.unreadCount += 1
        }
    }

    /// Bounds what is remembered.
    private mutating func forget() {
        guard known.count > RunLimits.tailKnownTraceCount else { return }
        let starts = known.values.map(\.start).sorted()
        let bound = starts[starts.count / 2]
        floor = max(floor ?? 0, bound)
        known = known.filter { $0.value.start > bound }
    }

    /// Runs the query over the traces that have settled.
    private mutating func examine(_ now: UInt64, _ batch: inout Batch) async throws {
        let settled = waiting.values.filter {
            now >= shifted($0.since, by: Int64(clamping: settle))
        }
        .map(\.summary)
        .sorted { ($0.start, $0.traceID) < ($1.start, $1.traceID) }
        guard !settled.isEmpty else { return }
        // They wait until they are looked at: a run that fails is made anew by the next poll.
        var looked = batch
        let found = try await found(settled, &looked)
        batch = looked
        for summary in settled { waiting[summary.traceID] = nil }
        for trace in found { known[trace.summary.traceID]?.isTold = true }
        let told = found.prefix(rate.take(found.count, now: now))
        batch.traces = Array(told)
        batch.leftOutCount = found.count - told.count
    }

    /// The traces among `settled` that the query finds, in order of start.
    private func found(
        _ settled: [TraceSummary],
        _ batch: inout Batch
    ) async throws -> [FoundTrace] {
        var run = try TraceQLRun(search, pipeline, range: 0..<UInt64.max, deadline: .max)
        var rest = settled[...]
        var limit = rest.count
        while !rest.isEmpty {
            let page = Self.page(of: rest, limit: limit)
            switch await engine.spans(of: page) {
            case .success(let spans):
                rest.removeFirst(page.count)
                limit = rest.count
                for reason in spans.incomplete where !batch.incomplete.contains(reason) {
                    batch.incomplete.append(reason)
                }
                let asked = Set(page.map(\.traceID))
                let rows = Trace.groups(in: spans.columns)
                    .filter { asked.contains($0.traceID) }.map(\.rows)
                let walked = WalkedTraces(spans: spans, rows: rows, bound: 0) {
                    TraceSummary(spans.columns, rows[$0])
                }
                guard try run.look(at: walked, now: 0) == .stop else { continue }
                if let failure = run.failure { throw failure }
                batch.unreadCount += rest.count
                rest = []
            case .failure(.refused) where page.count > 1:
                limit = page.count / 2
            case .failure(.refused(let reason)):
                rest.removeFirst()
                limit = rest.count
                batch.unreadCount += 1
                batch.incomplete.append("a trace was left out: \(reason)")
            case .failure(let error): throw error
            }
        }
        return run.answer(WalkResult()).traces.sorted {
            ($0.summary.start, $0.summary.traceID) < ($1.summary.start, $1.summary.traceID)
        }
    }

    /// As many traces as are read at once.
    static func page(
        of rest: ArraySlice<TraceSummary>,
        limit: Int
    ) -> ArraySlice<TraceSummary> {
        var count = 0
        var room = RunLimits.readSpanCount
        for trace in rest.prefix(limit) {
            room -= trace.spanCount
            if count > 0, room < 0 { break }
            count += 1
        }
        return rest.prefix(count)
    }
}

/// How many traces may be told: so many a second, and after a pause as many at once.
private struct TellingRate {
    private let perSecond: Int
    /// In thousandths of a trace.
    private var left: UInt64
    private var at: UInt64

    init(perSecond: Int, now: UInt64) {
        self.perSecond = perSecond
        left = UInt64(clamping: perSecond) &* 1_000
        at = now
    }

    /// How many of `wanted` may be told now.
    mutating func take(_ wanted: Int, now: UInt64) -> Int {
        let full = UInt64(clamping: perSecond) &* 1_000
        // A clock that goes back refills nothing; more than a second fills it up.
        let elapsed = now > at ? min(now - at, 1_000_000_000) / 1_000_000 : 0
        left = min(full, left + elapsed * UInt64(clamping: perSecond))
        at = now
        let count = min(wanted, Int(clamping: left / 1_000))
        left -= UInt64(clamping: count) * 1_000
        return count
    }
}

extension QueryEngine {
    /// Reads traces whole, or says why not.
    func spans(
        of traces: ArraySlice<TraceSummary>
    ) async -> Result<TraceSpans, StoreError> {
        let request = TraceRequest(tenant: tenant, ids: traces.map(\.traceID))
        do { return .success(try await store.traces(request)) } catch { return .failure(error) }
    }
}
