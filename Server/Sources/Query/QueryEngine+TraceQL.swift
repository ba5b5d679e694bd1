// SPDX-License-Identifier: Apache-2.0

import Analysis
public import QueryLanguage
import SkeinModel
import Store
import Synchronization

extension QueryEngine {
    /// Traces that a TraceQL query finds, in its order. A trace is found when one of the spans that
    /// the query yields starts in the time asked about; all spans of it are looked at.
    ///
    /// - Throws: `QueryError` for a query that asks for numbers over time, or divides by zero.
    public func search(_ search: TraceQL.Search) async throws -> FoundTraces {
        let search = try search.validated()
        guard case .search(let pipeline) = search.question.body else {
            throw QueryError(
                parameter: "q",
                text: "\(search.question)",
                problem: "this asks for numbers over time, and here traces are looked for",
                hint: "leave the function of metrics out: {…} | count() > 2"
            )
        }
        let range = range(search.time)
        let necessary = NecessaryCondition(pipeline)
        let started = try TraceQLRun(search, pipeline, range: range, deadline: deadline())
        let plan = WalkPlan(
            tenant: tenant,
            range: range,
            span: necessary.span,
            trace: necessary.traceDuration.map { [.duration($0)] } ?? [],
            fields: started.fields,
            latestStart: search.latestStart
        )
        let run = SharedRun(started)
        do {
            let result = try await walk(plan, only: necessary.traceID, run)
            if let failure = run.failure { throw failure }
            let found = run.answer(result)
            QuestionMeter.current?.add(examinedSpanCount: found.examinedSpanCount)
            return found
        } catch StoreError.cancelled {
            throw CancellationError()
        }
    }

    /// When a question in TraceQL that is asked now has to end, nanoseconds since 1970.
    func deadline() -> UInt64 {
        shifted(now(), by: Int64(RunLimits.questionSeconds) * 1_000_000_000)
    }

    private func walk(
        _ plan: WalkPlan,
        only id: TraceID?,
        _ run: SharedRun
    ) async throws(StoreError) -> WalkResult {
        if let id {
            return try await walk(only: id) { walked throws(StoreError) in
                try run.look(at: walked, now: 0)
            }
        }
        return try await store.walk(plan) { [now] walked throws(StoreError) in
            try run.look(at: walked, now: now())
        }
    }

    /// A walk through the one trace of exactly this id, if it is there.
    func walk(
        only id: TraceID,
        _ body: (WalkedTraces) throws(StoreError) -> WalkStep
    ) async throws(StoreError) -> WalkResult {
        let spans = try await store.traces(TraceRequest(tenant: tenant, ids: [id]))
        var result = WalkResult()
        result.add(spans.incomplete)
        let rows = Trace.groups(in: spans.columns).filter { $0.traceID == id }.map(\.rows)
        if rows.isEmpty { return result }
        let walked = WalkedTraces(spans: spans, rows: rows, bound: 0) {
            TraceSummary(spans.columns, rows[$0])
        }
        _ = try body(walked)
        return result
    }
}

/// A run that the threads of a store look with, one after another.
private final class SharedRun: Sendable {
    private let run: Mutex<TraceQLRun>

    init(_ run: TraceQLRun) { self.run = Mutex(run) }

    func look(at walked: WalkedTraces, now: UInt64) throws(StoreError) -> WalkStep {
        try run.withLock { run throws(StoreError) in try run.look(at: walked, now: now) }
    }

    var failure: QueryError? { run.withLock { $0.failure } }

    func answer(_ result: WalkResult) -> FoundTraces { run.withLock { $0.answer(result) } }
}

extension TraceQL.Search {
    /// Traces that start later stand before the cursor.
    fileprivate var latestStart: UInt64? {
        order == TraceQL.Order(.start) ? cursor?.value : nil
    }
}
