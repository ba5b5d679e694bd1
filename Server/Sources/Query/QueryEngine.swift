// SPDX-License-Identifier: Apache-2.0

import Analysis
public import QueryLanguage
public import SkeinModel
public import Store

/// Answers questions about traces from a store.
///
/// Throws `QueryError` for what the user asked wrongly and `StoreError` for what the store cannot.
public struct QueryEngine: Sendable {
    let store: any TraceStore
    let tenant: Tenant
    /// Nanoseconds since 1970; what "the last hour" counts from.
    public let now: @Sendable () -> UInt64

    /// Asks `store`.
    public init(
        store: any TraceStore,
        tenant: Tenant = .default,
        now: @escaping @Sendable () -> UInt64
    ) {
        self.store = store
        self.tenant = tenant
        self.now = now
    }

    /// The store's own numbers.
    public var statistics: StoreStatistics { store.statistics }

    /// Traces that meet `query`, in its order.
    public func search(_ query: TraceQuery) async throws -> SearchResult {
        let query = try query.validated()
        if query.spans.count > 1 { return try await searchSeveralSpans(query) }
        let result = try await store.scan(plan(query))
        return SearchResult(
            traces: result.traces,
            cursor: result.cursor.map { cursor(query.order, $0) },
            incomplete: result.incomplete
        )
    }

    /// The traces `id` finds: a short id finds every 128-bit id that ends with it.
    ///
    /// Where the very id is among several, it alone is the answer.
    public func traces(_ id: TraceID, isRaw: Bool = false) async throws -> [Trace] {
        let spans = try await store.traces(TraceRequest(tenant: tenant, ids: [id]))
        let groups = Trace.groups(in: spans.columns)
        let exact = groups.filter { $0.traceID == id }
        return (exact.isEmpty ? groups : exact).map {
            Trace(spans: spans, rows: $0.rows, isRaw: isRaw)
        }
    }

    /// Why a trace that was looked for is not there.
    public func absence(of id: TraceID) async throws -> TraceAbsence {
        try await store.absence(of: id, in: tenant)
    }

    /// Removes all spans of exactly this trace, for good. One that is not stored is no error.
    public func deleteTrace(_ id: TraceID) async throws -> DeletedTrace {
        try await store.deleteTrace(id, of: tenant)
    }

    /// The traces of exactly these ids, in their order; ids that are not stored are left out.
    public func traces(exactly ids: [TraceID], isRaw: Bool = false) async throws -> [Trace] {
        guard !ids.isEmpty else { return [] }
        let spans = try await store.traces(TraceRequest(tenant: tenant, ids: ids))
        let rows = Dictionary(
            Trace.groups(in: spans.columns).map { ($0.traceID, $0.rows) },
            uniquingKeysWith: { first, _ in first }
        )
        return ids.compactMap { id in
            rows[id].map { Trace(spans: spans, rows: $0, isRaw: isRaw) }
        }
    }

    /// Names of services, sorted.
    public func services() async throws -> NamesResult {
        try await names(.services)
    }

    /// Operations of one service or of all, sorted.
    public func operations(service: SpanCondition.Text?) async throws -> NamesResult {
        try await names(.operations(service: service.map(TextMatch.init)))
    }

    /// Attribute keys of one service's spans or of all, sorted.
    public func keys(service: String?) async throws -> NamesResult {
        try await names(.keys(service: service.map { .exactly($0) }))
    }

    /// Values of one key as text, sorted, those that begin with `prefix`.
    public func values(
        scope: SpanCondition.Scope,
        key: String,
        service: SpanCondition.Text? = nil,
        prefix: String = "",
        limit: Int = 100
    ) async throws -> NamesResult {
        try await names(
            .values(
                AttributeScope(scope),
                key: key,
                service: service.map(TextMatch.init),
                prefix: prefix
            ),
            limit: limit
        )
    }

    private func names(
        _ scope: NamesRequest.Scope,
        limit: Int = RunLimits.nameCount
    ) async throws -> NamesResult {
        try await store.names(NamesRequest(tenant: tenant, scope: scope, limit: limit))
    }

    /// The stretch of time as numbers, seen from now.
    func range(_ time: TraceQuery.TimeSpan) -> Range<UInt64> {
        switch time {
        case .between(let start, let end): return start..<max(start, end)
        case .last(let length):
            let end = now()
            // What is received this very moment may carry a clock that is ahead by seconds.
            let open = shifted(end, by: 60_000_000_000)
            return (end > length ? end - length : 0)..<max(open, 1)
        }
    }

    func plan(_ query: TraceQuery) -> ScanPlan {
        ScanPlan(
            tenant: tenant,
            range: range(query.time),
            span: SpanPredicate(query.spans.first),
            trace: query.traceDuration.map { [.duration($0)] } ?? [],
            order: TraceOrder(query.order),
            limit: query.limit,
            cursor: query.cursor.map { ScanCursor(value: $0.value, traceID: $0.traceID) },
            matchedSpanLimit: query.matchedSpanLimit
        )
    }

    func cursor(_ order: TraceQuery.Order, _ place: ScanCursor) -> TraceQuery.Cursor {
        TraceQuery.Cursor(order: order, value: place.value, traceID: place.traceID)
    }
}

/// A page of traces in the query's order.
public struct SearchResult: Sendable {
    public var traces: [TraceSummary]
    /// Where the next page begins; `nil` when there is none.
    public var cursor: TraceQuery.Cursor?
    /// Why the answer is not whole; empty when it is.
    public var incomplete: [String]
}
