// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Which whole traces to go through, and what of their spans to read.
///
/// A store may tell traces that the conditions leave out; it tells every trace that they do not.
public struct WalkPlan: Sendable {
    public var tenant: Tenant
    /// A span that satisfies `span` starts in here, nanoseconds since 1970.
    public var range: Range<UInt64>
    /// What one span of the trace must satisfy.
    public var span: SpanPredicate
    /// What the trace as a whole must satisfy; all of them.
    public var trace: [TracePredicate]
    /// What is read of each span.
    public var fields: SpanFields
    /// Only traces that start no later than this, nanoseconds since 1970; `nil` for all.
    public var latestStart: UInt64?

    /// Plans to go through the traces of a range.
    public init(
        tenant: Tenant = .default,
        range: Range<UInt64>,
        span: SpanPredicate = .all,
        trace: [TracePredicate] = [],
        fields: SpanFields = .all,
        latestStart: UInt64? = nil
    ) {
        self.tenant = tenant
        self.range = range
        self.span = span
        self.trace = trace
        self.fields = fields
        self.latestStart = latestStart
    }
}

/// What is read of spans beside what always is: trace id, span id, start, end, name, kind, status,
/// flags, resource with its attributes, and the library's name and version.
///
/// Of columns that are not asked for a store may leave out what it likes: they hold zeros, empty
/// texts, no rows, or what was stored.
public struct SpanFields: Sendable, Equatable {
    /// Columns that can be left out.
    public struct Columns: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let parentID = Columns(rawValue: 1)
        public static let statusMessage = Columns(rawValue: 2)
        public static let traceState = Columns(rawValue: 4)
        /// Times and names of events; their attributes as `attributeKeys` says.
        public static let events = Columns(rawValue: 8)
        /// Targets of links; their attributes as `attributeKeys` says.
        public static let links = Columns(rawValue: 16)
    }

    public var columns: Columns
    /// Keys of the attributes of spans, events and links that are read; `nil` for all. Attributes keep
    /// their order.
    public var attributeKeys: Set<String>?

    /// Asks for some columns and keys.
    public init(_ columns: Columns = [], attributeKeys: Set<String>? = []) {
        self.columns = columns
        self.attributeKeys = attributeKeys
    }

    /// Spans as they were stored.
    public static let all = SpanFields(
        [.parentID, .statusMessage, .traceState, .events, .links],
        attributeKeys: nil
    )
}

/// Some of the traces of a walk, each with all its stored spans, exact duplicates removed. Valid only
/// during the call that is given them.
public struct WalkedTraces {
    /// The spans of a trace stand together, sorted by start, then span id.
    public let spans: TraceSpans
    /// The rows of each trace.
    public let rows: [Range<Int>]
    /// No trace that is still to be told starts after this, nanoseconds since 1970.
    public let bound: UInt64
    private let summarize: (Int) throws(StoreError) -> TraceSummary

    /// - Parameter summary: describes trace `i` of `rows`; its `matchedSpans` are empty.
    public init(
        spans: TraceSpans,
        rows: [Range<Int>],
        bound: UInt64,
        summary: @escaping (Int) throws(StoreError) -> TraceSummary
    ) {
        self.spans = spans
        self.rows = rows
        self.bound = bound
        summarize = summary
    }

    /// Describes trace `index`. Costs more than looking at its spans: for traces that are told.
    public func summary(_ index: Int) throws(StoreError) -> TraceSummary {
        try summarize(index)
    }
}

/// Whether a walk goes on.
public enum WalkStep: Sendable {
    case goOn, stop
}

extension TraceStore {
    /// Goes through traces by proposing pages of them and reading each whole, fewer at once where that
    /// is refused: a trace that is refused alone is left out, and the result says so.
    public func walk(
        _ plan: WalkPlan,
        _ body: @escaping @Sendable (WalkedTraces) throws(StoreError) -> WalkStep
    ) async throws(StoreError) -> WalkResult {
        var scan = ScanPlan(
            tenant: plan.tenant,
            range: plan.range,
            span: plan.span,
            trace: plan.trace,
            order: .newest,
            limit: 200,
            matchedSpanLimit: 0
        )
        if let latest = plan.latestStart, latest < .max {
            // Behind every trace that starts later.
            scan.cursor = ScanCursor(value: latest + 1, traceID: TraceID(high: .max, low: .max))
        }
        var result = WalkResult()
        while true {
            guard !Task.isCancelled else { throw .cancelled }
            let page = try await self.scan(scan)
            result.add(page.incomplete)
            var rest = page.traces[...]
            var count = rest.count
            while let next = rest.prefix(count).last {
                let request = TraceRequest(
                    tenant: plan.tenant,
                    ids: rest.prefix(count).map(\.traceID)
                )
                switch await answer(request) {
                case .success(let spans):
                    result.add(spans.incomplete)
                    let walked = Self.walked(rest.prefix(count), spans, bound: next.start)
                    if try body(walked) == .stop { return result }
                    rest.removeFirst(count)
                    count = rest.count
                case .failure(.refused(let reason)):
                    count /= 2
                    if count > 0 { continue }
                    result.add(["a trace was left out: \(reason)"])
                    rest.removeFirst()
                    count = rest.count
                case .failure(let error): throw error
                }
            }
            guard let next = page.cursor else { return result }
            scan.cursor = next
        }
    }

    private func answer(_ request: TraceRequest) async -> Result<TraceSpans, StoreError> {
        do { return .success(try await traces(request)) } catch { return .failure(error) }
    }

    /// The traces of `page` in the rows of `spans`; those that are gone since are left out.
    private static func walked(
        _ page: ArraySlice<TraceSummary>,
        _ spans: TraceSpans,
        bound: UInt64
    ) -> WalkedTraces {
        let summaries = Dictionary(
            page.map { ($0.traceID, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var rows: [Range<Int>] = []
        var told: [TraceSummary] = []
        var first = 0
        while first < spans.columns.count {
            let id = spans.columns[first].traceID
            var end = first + 1
            while end < spans.columns.count, spans.columns[end].traceID == id { end += 1 }
            if let summary = summaries[id] {
                rows.append(first..<end)
                told.append(summary)
            }
            first = end
        }
        return WalkedTraces(spans: spans, rows: rows, bound: bound) { told[$0] }
    }
}

/// How a walk ended.
public struct WalkResult: Sendable {
    /// Why traces or spans may be missing; empty when none are.
    public var incomplete: [String] = []

    /// Nothing is missing.
    public init() {}

    /// Adds reasons that are not told yet.
    public mutating func add(_ reasons: [String]) {
        for reason in reasons where !incomplete.contains(reason) { incomplete.append(reason) }
    }
}
