// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// One TraceQL search while it runs: looks at the whole traces of a walk, and keeps the best of those
/// that the query finds.
struct TraceQLRun: Sendable {
    /// Where a trace stands in the order of the answer.
    private typealias Place = (value: UInt64, traceID: TraceID)

    private let search: TraceQL.Search
    private let range: Range<UInt64>
    private let program: PipelineProgram
    private let operands: OperandTable
    /// What `select(…)` asks for: numbers of operands.
    private let selected: [Int]
    /// Nanoseconds since 1970: past it the search is cut short.
    private let deadline: UInt64
    /// In the order of the answer: one more than it holds, to know whether there is a next page.
    private var best: [FoundTrace] = []
    private var result = FoundTraces()
    /// Why the search was cut short, and what is still to be looked at starts no later than this.
    private var cut: (reason: String, bound: UInt64)?
    private(set) var failure: QueryError?

    init(
        _ search: TraceQL.Search,
        _ pipeline: TraceQL.Pipeline,
        range: Range<UInt64>,
        deadline: UInt64
    ) throws(QueryError) {
        self.search = search
        self.range = range
        self.deadline = deadline
        var operands = OperandTable()
        program = try PipelineProgram(pipeline, &operands)
        var selected: [Int] = []
        for operand in pipeline.selected {
            let number = operands.number(of: operand)
            if !selected.contains(number) { selected.append(number) }
        }
        self.operands = operands
        self.selected = selected
    }

    /// What has to be read of spans.
    var fields: SpanFields { operands.fields }

    // MARK: Looking

    /// Looks at some traces.
    ///
    /// - Parameter now: nanoseconds since 1970.
    mutating func look(at walked: WalkedTraces, now: UInt64) throws(StoreError) -> WalkStep {
        let batch = ExaminedBatch(walked.spans, operands)
        for (number, rows) in walked.rows.enumerated() {
            let trace = ExaminedTrace(batch, rows)
            result.examinedTraceCount += 1
            result.examinedSpanCount += rows.count
            guard isWanted(trace) else { continue }
            let spansets: [SpanGroup]
            do { spansets = try self.spansets(of: trace) } catch {
                failure = search.question.divisionByZero
                return .stop
            }
            if !spansets.isEmpty { keep(told(try walked.summary(number), spansets, trace)) }
        }
        result.addReasons(batch.incomplete)
        if isNewestFirst, best.count > search.limit, let last = best.last,
            walked.bound < last.summary.start
        {
            return .stop
        }
        if let reason = exhaustion(now) {
            cut = (reason, walked.bound)
            return .stop
        }
        return .goOn
    }

    private var isNewestFirst: Bool { search.order == TraceQL.Order(.start) }

    private func exhaustion(_ now: UInt64) -> String? {
        if now > deadline {
            return "stopped after \(RunLimits.questionSeconds) seconds, having read "
                + "\(result.examinedTraceCount) traces"
        }
        guard result.examinedSpanCount >= RunLimits.examinedSpanCount else { return nil }
        return "stopped after reading \(result.examinedTraceCount) traces of "
            + "\(result.examinedSpanCount) spans"
    }

    /// Spansets of a trace, one of whose spans starts in the time asked about; none otherwise.
    private func spansets(of trace: ExaminedTrace) throws(DivisionByZero) -> [SpanGroup] {
        let spansets = try program.groups(.all(of: trace.count), of: trace)
        let isInRange = spansets.contains { group in
            group.spans.spans.contains { range.contains(trace.start($0)) }
        }
        return isInRange ? spansets : []
    }

    // MARK: The best

    /// Whether a trace, should it be found, would be among the best, and behind the cursor.
    private func isWanted(_ trace: ExaminedTrace) -> Bool {
        let value =
            switch search.order.key {
            case .start: trace.start
            case .duration: trace.duration
            case .spanCount: UInt64(trace.count)
            }
        let place = (value, trace.traceID)
        if let cursor = search.cursor, !isBefore((cursor.value, cursor.traceID), place) {
            return false
        }
        guard best.count > search.limit, let last = best.last else { return true }
        return isBefore(place, self.place(last.summary))
    }

    private mutating func keep(_ found: FoundTrace) {
        let place = place(found.summary)
        var (low, high) = (0, best.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self.place(best[middle].summary), place) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        best.insert(found, at: low)
        if best.count > search.limit + 1 { best.removeLast() }
    }

    private func place(_ summary: TraceSummary) -> Place {
        switch search.order.key {
        case .start: (summary.start, summary.traceID)
        case .duration: (summary.duration, summary.traceID)
        case .spanCount: (UInt64(clamping: summary.spanCount), summary.traceID)
        }
    }

    private func isBefore(_ left: Place, _ right: Place) -> Bool {
        if left.value == right.value { return left.traceID < right.traceID }
        return search.order.isAscending ? left.value < right.value : left.value > right.value
    }

    // MARK: Telling

    private func told(
        _ summary: TraceSummary,
        _ groups: [SpanGroup],
        _ trace: ExaminedTrace
    ) -> FoundTrace {
        var summary = summary
        summary.matchedSpans = []
        let spansets = groups.map { group in
            let spans = group.spans.spans.prefix(search.toldSpanLimit).map { told($0, trace) }
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

    private func told(_ span: Int, _ trace: ExaminedTrace) -> FoundSpan {
        let spans = trace.batch.spans
        let row = trace.rows.lowerBound + span
        return FoundSpan(
            spanID: SpanID(spans.columns.spanID[row]),
            name: spans.columns.strings.text(spans.columns.name[row]),
            service: spans.columns.strings.text(spans.columns.service(row)),
            start: spans.columns.start[row],
            duration: spans.columns.duration(row),
            values: selected.compactMap { number in
                trace.value(of: number, span).told.map {
                    ToldValue(name: "\(operands.operands[number])", value: $0)
                }
            }
        )
    }

    // MARK: The answer

    /// The answer, once the walk has ended.
    ///
    /// Of a search newest first that was cut short, what starts after all that was left unread is
    /// told, and the cursor goes on from there. In other orders nobody knows what would stand
    /// between.
    func answer(_ walk: WalkResult) -> FoundTraces {
        var result = result
        result.addReasons(walk.incomplete)
        result.traces = best
        if let cut, isNewestFirst {
            result.traces.removeAll { $0.summary.start <= cut.bound }
            if result.traces.count <= search.limit {
                let reason = cut.reason + "; narrow the time range or go on with the cursor"
                result.stopReason = reason
                result.addReasons([reason])
                result.cursor = cursor(behind: cut.bound)
                return result
            }
        } else if let cut {
            result.addReasons([
                cut.reason + ", the newest; what is told is in order among these: narrow the "
                    + "time range"
            ])
        }
        if result.traces.count > search.limit {
            result.traces.removeLast(result.traces.count - search.limit)
            if let last = result.traces.last?.summary {
                let (value, traceID) = place(last)
                result.cursor = TraceQL.Cursor(order: search.order, value: value, traceID: traceID)
            }
        }
        return result
    }

    /// Goes on with what starts no later than `bound`; never before the cursor that was given.
    private func cursor(behind bound: UInt64) -> TraceQL.Cursor {
        if let given = search.cursor, bound >= given.value { return given }
        return TraceQL.Cursor(
            order: search.order,
            value: bound == .max ? .max : bound + 1,
            traceID: TraceID(high: .max, low: .max)
        )
    }
}

extension TraceQL.Question {
    /// What to say once evaluating it met a zero.
    var divisionByZero: QueryError {
        QueryError(
            parameter: "q",
            text: "\(self)",
            problem: "a span makes this divide by zero",
            hint: "ask before you divide: .b != 0 && .a / .b > 2"
        )
    }
}

extension TraceQL.Pipeline {
    /// What `select(…)` asks for, in parentheses too.
    fileprivate var selected: [TraceQL.Operand] {
        stages.flatMap { stage -> [TraceQL.Operand] in
            switch stage {
            case .select(let operands): operands
            case .spans(.pipeline(let inner)): inner.selected
            case .spans, .filter, .group, .coalesce: []
            }
        }
    }
}
