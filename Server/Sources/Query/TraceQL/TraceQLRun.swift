// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// One TraceQL search while it runs: reads the traces a store proposes whole, a batch at a time, and
/// keeps those the query finds.
struct TraceQLRun {
    private let search: TraceQL.Search
    private let range: Range<UInt64>
    private let program: PipelineProgram
    private let operands: OperandTable
    /// What `select(…)` asks for: numbers of operands.
    private let selected: [Int]
    private(set) var result = FoundTraces()
    /// The last trace looked at, or left out for its size.
    private(set) var last: TraceSummary?

    init(
        _ search: TraceQL.Search,
        _ pipeline: TraceQL.Pipeline,
        range: Range<UInt64>
    ) throws(QueryError) {
        self.search = search
        self.range = range
        var operands = OperandTable()
        program = try PipelineProgram(pipeline, &operands)
        var selected: [Int] = []
        for case .select(let asked) in pipeline.stages {
            for operand in asked {
                let number = operands.number(of: operand)
                if !selected.contains(number) { selected.append(number) }
            }
        }
        self.operands = operands
        self.selected = selected
    }

    /// Whether as much was read as one search may.
    var isExhausted: Bool {
        result.examinedTraceCount >= RunLimits.examinedTraceCount
            || result.examinedSpanCount >= RunLimits.examinedSpanCount
    }

    /// Traces that may still be read; not below one while it is not exhausted.
    var traceCountLeft: Int { RunLimits.examinedTraceCount - result.examinedTraceCount }

    /// The traces among `proposed`, in their order, that the query finds; stops once there are
    /// `limit`, or when the run is exhausted.
    mutating func found(
        among proposed: [TraceSummary],
        limit: Int,
        in engine: QueryEngine
    ) async throws -> [FoundTrace] {
        var found: [FoundTrace] = []
        var rest = proposed[...]
        var batchLimit = Int.max
        while !rest.isEmpty, found.count < limit, !isExhausted {
            try Task.checkCancellation()
            let batch = Self.batch(of: rest, limit: batchLimit)
            let spans: TraceSpans
            switch await engine.spans(of: batch) {
            case .success(let read): spans = read
            case .failure(.refused(let reason)):
                // Too much to hold at once: fewer, down to one alone.
                batchLimit = max(batch.count / 2, 1)
                if batch.count > 1 { continue }
                result.addReasons(["a trace was left out: \(reason)"])
                last = rest.removeFirst()
                continue
            case .failure(let error): throw error
            }
            batchLimit = .max
            rest.removeFirst(batch.count)
            last = batch.last
            result.addReasons(spans.incomplete)
            result.examinedTraceCount += batch.count
            result.examinedSpanCount += spans.columns.count
            do { found += try evaluate(Array(batch), spans) } catch { throw divisionByZero }
        }
        return Array(found.prefix(limit))
    }

    /// As many traces as are read at once.
    private static func batch(
        of rest: ArraySlice<TraceSummary>,
        limit: Int
    ) -> ArraySlice<TraceSummary> {
        var count = 0
        var spanCount = 0
        for trace in rest.prefix(limit) {
            spanCount += trace.spanCount
            if count > 0, spanCount > RunLimits.examinedPageSpanCount { break }
            count += 1
        }
        return rest.prefix(count)
    }

    private func evaluate(
        _ summaries: [TraceSummary],
        _ spans: TraceSpans
    ) throws(DivisionByZero) -> [FoundTrace] {
        let batch = ExaminedBatch(spans, operands)
        let groups = Trace.groups(in: spans.columns)
        let rows = Dictionary(
            groups.map { ($0.traceID, $0.rows) },
            uniquingKeysWith: { first, _ in first }
        )
        var found: [FoundTrace] = []
        for summary in summaries {
            // Retention may have removed it since it was proposed.
            guard let rows = rows[summary.traceID] else { continue }
            let trace = ExaminedTrace(batch, rows, summary)
            let spansets = try program.groups(.all(of: trace.count), of: trace)
            let isInRange = spansets.contains { group in
                group.spans.spans.contains { range.contains(trace.start($0)) }
            }
            if isInRange { found.append(told(summary, spansets, trace)) }
        }
        return found
    }

    private var divisionByZero: QueryError {
        QueryError(
            parameter: "q",
            text: "\(search.question)",
            problem: "a span makes this divide by zero",
            hint: "ask before you divide: .b != 0 && .a / .b > 2"
        )
    }

    // MARK: Telling

    private func told(
        _ summary: TraceSummary,
        _ groups: [SpanGroup],
        _ trace: ExaminedTrace
    ) -> FoundTrace {
        let columnsRow = trace.rows.lowerBound
        var summary = summary
        summary.matchedSpans = []
        let spansets = groups.map { group in
            let spans = group.spans.spans.prefix(search.toldSpanLimit).map { span in
                self.told(span, columnsRow + span, trace)
            }
            for span in spans where summary.matchedSpans.count < search.toldSpanLimit {
                if !summary.matchedSpans.contains(span.spanID) {
                    summary.matchedSpans.append(span.spanID)
                }
            }
            return FoundSpanset(
                keys: group.keys.map {
                    ToldValue(name: $0.label, value: $0.value.told ?? .empty)
                },
                spanCount: group.spans.count,
                spans: spans
            )
        }
        return FoundTrace(summary: summary, spansets: spansets)
    }

    private func told(_ span: Int, _ row: Int, _ trace: ExaminedTrace) -> FoundSpan {
        let columns = trace.batch.spans
        return FoundSpan(
            spanID: SpanID(columns.columns.spanID[row]),
            name: columns.columns.strings.text(columns.columns.name[row]),
            service: columns.columns.strings.text(columns.columns.service(row)),
            start: columns.columns.start[row],
            duration: columns.columns.duration(row),
            values: selected.compactMap { number in
                trace.value(of: number, span).told.map {
                    ToldValue(name: "\(operands.operands[number])", value: $0)
                }
            }
        )
    }

    // MARK: Results

    mutating func add(_ reasons: [String]) { result.addReasons(reasons) }

    mutating func finish(_ traces: [FoundTrace], cursor: TraceQL.Cursor?) -> FoundTraces {
        result.traces = traces
        result.cursor = cursor
        return result
    }
}

extension QueryEngine {
    fileprivate func spans(
        of traces: ArraySlice<TraceSummary>
    ) async -> Result<TraceSpans, StoreError> {
        let request = TraceRequest(tenant: tenant, ids: traces.map(\.traceID))
        do { return .success(try await store.traces(request)) } catch { return .failure(error) }
    }
}
