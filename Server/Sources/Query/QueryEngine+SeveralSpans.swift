// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

extension QueryEngine {
    /// Runs a query whose conditions different spans may meet: the store finds traces by the first,
    /// the others are checked on the traces read whole, page by page until the answer is full.
    func searchSeveralSpans(_ query: TraceQuery) async throws -> SearchResult {
        let others = query.spans.dropFirst().map { SpanPredicate($0) }
        var plan = plan(query)
        plan.limit = RunLimits.checkedPageTraceCount
        var result = SearchResult(traces: [], cursor: nil, incomplete: [])
        var checked = 0
        while true {
            let page = try await store.scan(plan)
            result.addReasons(page.incomplete)
            let kept = try await Set(
                meeting(others, in: page.traces, range: plan.range, &result)
            )
            for summary in page.traces where kept.contains(summary.traceID) {
                guard result.traces.count < query.limit else { break }
                result.traces.append(summary)
            }
            checked += page.traces.count
            if result.traces.count >= query.limit, let last = result.traces.last {
                // More may follow the last one told: in this page or in the next.
                if page.cursor != nil || last != page.traces.last {
                    result.cursor = query.cursor(after: last)
                }
                return result
            }
            guard let next = page.cursor else { return result }
            guard checked < RunLimits.checkedTraceCount else {
                result.addReasons([
                    "stopped after checking \(checked) traces; narrow the time range or go on "
                        + "with the cursor"
                ])
                result.cursor = cursor(query.order, next)
                return result
            }
            plan.cursor = next
        }
    }

    /// Ids of the traces in which every one of `predicates` is met by some span of the range.
    private func meeting(
        _ predicates: [SpanPredicate],
        in traces: [TraceSummary],
        range: Range<UInt64>,
        _ result: inout SearchResult
    ) async throws -> [TraceID] {
        guard !traces.isEmpty else { return [] }
        let spans = try await store.traces(
            TraceRequest(tenant: tenant, ids: traces.map(\.traceID))
        )
        result.addReasons(spans.incomplete)
        let matcher = SpanMatcher(spans: spans)
        return Trace.groups(in: spans.columns)
            .filter { group in
                predicates.allSatisfy { predicate in
                    group.rows.contains {
                        range.contains(spans.columns.start[$0]) && matcher.matches($0, predicate)
                    }
                }
            }
            .map(\.traceID)
    }
}

extension SearchResult {
    mutating func addReasons(_ reasons: [String]) {
        for reason in reasons where !incomplete.contains(reason) { incomplete.append(reason) }
    }
}

extension TraceQuery {
    fileprivate func cursor(after last: TraceSummary) -> Cursor {
        Cursor(
            order: order,
            value: order == .newest ? last.start : last.duration,
            traceID: last.traceID
        )
    }
}
