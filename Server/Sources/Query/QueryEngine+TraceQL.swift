// SPDX-License-Identifier: Apache-2.0

public import QueryLanguage
import SkeinModel
import Store

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
        var plan = ScanPlan(
            tenant: tenant,
            range: range,
            span: necessary.span,
            trace: necessary.traceDuration.map { [.duration($0)] } ?? [],
            matchedSpanLimit: 0
        )
        let run = try TraceQLRun(search, pipeline, range: range)
        switch (search.order.key, search.order.isAscending) {
        case (.start, false): plan.order = .newest
        case (.duration, false) where store.capabilities.contains(.orderBySlowest):
            plan.order = .slowest
        case (.start, true), (.duration, _), (.spanCount, _):
            return try await collected(search, plan, run)
        }
        return try await streamed(search, plan, run)
    }

    /// The store proposes traces in the order of the answer: read on until the page is full.
    private func streamed(
        _ search: TraceQL.Search,
        _ plan: ScanPlan,
        _ run: TraceQLRun
    ) async throws -> FoundTraces {
        var (plan, run) = (plan, run)
        plan.cursor = search.cursor.map { ScanCursor(value: $0.value, traceID: $0.traceID) }
        let sizes = RunLimits.examinedPageTraceCount
        plan.limit = min(max(search.limit, sizes.lowerBound), sizes.upperBound)
        var traces: [FoundTrace] = []
        while true {
            let page = try await store.scan(plan)
            run.add(page.incomplete)
            traces += try await run.found(
                among: page.traces,
                limit: search.limit - traces.count,
                in: self
            )
            if traces.count == search.limit, let last = traces.last?.summary {
                // More may follow the last one told: in this page or in the next.
                let hasMore = page.cursor != nil || last.traceID != page.traces.last?.traceID
                return run.finish(traces, cursor: hasMore ? search.cursor(after: last) : nil)
            }
            let isRead = run.last?.traceID == page.traces.last?.traceID
            if run.isExhausted, let last = run.last, page.cursor != nil || !isRead {
                run.add([stoppedReason(run) + "; narrow the time range or go on with the cursor"])
                return run.finish(traces, cursor: search.cursor(after: last))
            }
            guard let next = page.cursor else { return run.finish(traces, cursor: nil) }
            plan.cursor = next
            plan.limit = min(plan.limit * 2, sizes.upperBound, run.traceCountLeft)
        }
    }

    /// No index has this order: all traces are found, and sorted.
    private func collected(
        _ search: TraceQL.Search,
        _ plan: ScanPlan,
        _ run: TraceQLRun
    ) async throws -> FoundTraces {
        var (plan, run) = (plan, run)
        plan.limit = RunLimits.examinedPageTraceCount.upperBound
        var traces: [FoundTrace] = []
        while true {
            let page = try await store.scan(plan)
            run.add(page.incomplete)
            traces += try await run.found(among: page.traces, limit: .max, in: self)
            let isRead = run.last?.traceID == page.traces.last?.traceID
            if run.isExhausted, page.cursor != nil || !isRead {
                run.add([
                    stoppedReason(run) + ", the newest; what is told is in order among these: "
                        + "narrow the time range"
                ])
                break
            }
            guard let next = page.cursor else { break }
            plan.cursor = next
        }
        traces.sort { search.isBefore(search.place($0.summary), search.place($1.summary)) }
        if let cursor = search.cursor {
            let place = (cursor.value, cursor.traceID)
            traces.removeAll { !search.isBefore(place, search.place($0.summary)) }
        }
        let page = Array(traces.prefix(search.limit))
        let last = page.count < traces.count ? page.last?.summary : nil
        return run.finish(page, cursor: last.map { search.cursor(after: $0) })
    }

    private func stoppedReason(_ run: TraceQLRun) -> String {
        "stopped after reading \(run.result.examinedTraceCount) traces of "
            + "\(run.result.examinedSpanCount) spans"
    }
}

extension TraceQL.Search {
    /// Where a trace stands in the order.
    fileprivate func place(_ summary: TraceSummary) -> (UInt64, TraceID) {
        switch order.key {
        case .start: (summary.start, summary.traceID)
        case .duration: (summary.duration, summary.traceID)
        case .spanCount: (UInt64(clamping: summary.spanCount), summary.traceID)
        }
    }

    fileprivate func isBefore(_ left: (UInt64, TraceID), _ right: (UInt64, TraceID)) -> Bool {
        if left.0 == right.0 { return left.1 < right.1 }
        return order.isAscending ? left.0 < right.0 : left.0 > right.0
    }

    fileprivate func cursor(after summary: TraceSummary) -> TraceQL.Cursor {
        let (value, traceID) = place(summary)
        return TraceQL.Cursor(order: order, value: value, traceID: traceID)
    }
}
