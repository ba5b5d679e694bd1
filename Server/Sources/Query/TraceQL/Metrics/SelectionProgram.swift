// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// Which spans a function of metrics measures, made ready for many batches.
struct SelectionProgram {
    private enum Form {
        /// All of these hold for the span alone.
        case each([RowCondition])
        /// The trace as a whole decides.
        case whole(PipelineProgram)
    }

    private let form: Form
    private let share: TraceShare

    init(
        _ pipeline: TraceQL.Pipeline,
        _ share: TraceShare,
        _ operands: inout OperandTable
    ) throws(QueryError) {
        self.share = share
        if let fields = pipeline.plainFields {
            var conditions: [RowCondition] = []
            for field in fields { conditions.append(try RowCondition(field, &operands)) }
            form = .each(conditions)
        } else {
            form = .whole(try PipelineProgram(pipeline, &operands))
        }
    }

    /// The spans of `batch` that are found and start in `grid`.
    func spans(
        of batch: MeasuredBatch,
        _ grid: StepGrid,
        examined: inout (traces: Int, spans: Int)
    ) throws -> SelectedSpans {
        var selection = SelectedSpans()
        selection.reserve(batch.spans.columns.count)
        for (index, rows) in batch.walked.rows.enumerated() {
            guard let first = rows.first,
                share.holds(
                    batch.spans.columns.traceHigh[first],
                    batch.spans.columns.traceLow[first]
                )
            else { continue }
            examined.traces += 1
            examined.spans += rows.count
            if case .whole(let program) = form {
                let trace = batch.trace(index)
                guard let spans = try Self.found(program, trace) else { continue }
                Self.append(to: &selection, rows, index, batch.spans, grid) {
                    spans.contains($0 - rows.lowerBound)
                }
            } else {
                Self.append(to: &selection, rows, index, batch.spans, grid) { _ in true }
            }
        }
        if case .each(let conditions) = form {
            for condition in conditions { try condition.filter(&selection, batch) }
        }
        return selection
    }

    private static func found(
        _ program: PipelineProgram,
        _ trace: ExaminedTrace
    ) throws(DivisionByZero) -> SpanSet? {
        let groups = try program.groups(.all(of: trace.count), of: trace)
        guard var spans = groups.first?.spans else { return nil }
        for group in groups.dropFirst() { spans = spans.union(group.spans) }
        return spans
    }

    @inline(__always)
    private static func append(
        to selection: inout SelectedSpans,
        _ rows: Range<Int>,
        _ trace: Int,
        _ spans: TraceSpans,
        _ grid: StepGrid,
        where isFound: (Int) -> Bool
    ) {
        // Spans of a trace start in order, mostly in one step: a division for each step, not each span.
        var step = 0
        var (lower, upper) = (UInt64(1), UInt64(0))
        for row in rows {
            let start = spans.columns.start[row]
            guard start >= grid.start, start < grid.end, isFound(row) else { continue }
            if start < lower || start >= upper {
                step = grid.index(of: start)
                lower = grid.start + UInt64(step) * grid.step
                upper = lower + grid.step
            }
            selection.append(row: row, step: step, trace: trace)
        }
    }
}

/// A condition on one span alone.
struct RowCondition {
    private enum Way {
        /// The same for all spans that share a part.
        case shared(SharedPart)
        case duration(TraceQL.Comparison, Int64)
        case each
    }

    private let program: FieldProgram
    private let way: Way

    init(_ field: TraceQL.Field, _ operands: inout OperandTable) throws(QueryError) {
        program = try FieldProgram(field, &operands)
        let asked = field.operands
        let parts = Set(asked.map { SharedPart($0) })
        if case .binary(let symbol, .operand(.intrinsic(.duration)), .literal(let literal)) = field,
            let comparison = TraceQL.Comparison(rawValue: symbol.rawValue),
            let nanoseconds = literal.nanoseconds
        {
            way = .duration(comparison, nanoseconds)
        } else if parts.count == 1, let part = parts.first.flatMap({ $0 }) {
            way = .shared(part)
        } else {
            way = .each
        }
    }

    /// Leaves out the spans for which it does not hold.
    func filter(_ selection: inout SelectedSpans, _ batch: MeasuredBatch) throws {
        switch way {
        case .shared(let part):
            // By part: not known yet, no, yes.
            var known = [UInt8](repeating: 0, count: part.placeCount(in: batch.spans.columns))
            var keeps = [Bool](repeating: false, count: selection.count)
            try part.forEach(selection, batch.spans) { place, value in
                if known[value] == 0 {
                    known[value] = try holds(selection, place, batch) ? 2 : 1
                }
                keeps[place] = known[value] == 2
            }
            selection.filter { keeps[$0] }
        case .duration(let comparison, let limit):
            let rows = selection.rows
            selection.filter { place in
                let duration = Int64(clamping: batch.spans.columns.duration(rows[place]))
                return switch comparison {
                case .equal: duration == limit
                case .notEqual: duration != limit
                case .less: duration < limit
                case .atMost: duration <= limit
                case .more: duration > limit
                case .atLeast: duration >= limit
                }
            }
        case .each:
            let whole = selection
            try selection.filter { try holds(whole, $0, batch) }
        }
    }

    private func holds(
        _ selection: borrowing SelectedSpans,
        _ place: Int,
        _ batch: MeasuredBatch
    ) throws -> Bool {
        let trace = batch.trace(selection.traces[place])
        return try program.holds(selection.rows[place] - trace.rows.lowerBound, of: trace)
    }
}

/// The part of all traces that is looked at, the same ones every time.
struct TraceShare: Sendable {
    /// Above 0, at most 1.
    let part: Double
    private let limit: UInt64

    /// All of them.
    static let whole = TraceShare(1)

    init(_ part: Double) {
        self.part = part
        limit = UInt64(exactly: (part * 0x1p64).rounded(.down)) ?? .max
    }

    /// How many traces each one looked at stands for.
    var scale: Double { 1 / part }

    func holds(_ high: UInt64, _ low: UInt64) -> Bool {
        guard part < 1 else { return true }
        // Mixed: what an application sampled by the bits of the id has ids of one end only.
        var bits = (high ^ low &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        bits ^= bits >> 29
        bits &*= 0x94D0_49BB_1331_11EB
        bits ^= bits >> 32
        return bits < limit
    }
}

extension TraceQL.Pipeline {
    /// The conditions on each span where nothing else decides: `{…} | {…}`; joined by `&&` they are
    /// several. `nil` where the trace as a whole decides.
    var plainFields: [TraceQL.Field]? {
        var fields: [TraceQL.Field] = []
        for stage in stages {
            switch stage {
            case .spans(.filter(let field)): fields += field?.conjuncts ?? []
            case .select, .coalesce: break
            case .spans, .filter, .group: return nil
            }
        }
        return fields
    }
}

extension TraceQL.Field {
    /// The parts that `&&` joins, in their order.
    var conjuncts: [TraceQL.Field] {
        if case .binary(.and, let left, let right) = self {
            return left.conjuncts + right.conjuncts
        }
        return [self]
    }

    /// Every operand, as often as it stands there.
    var operands: [TraceQL.Operand] {
        switch self {
        case .literal: []
        case .operand(let operand): [operand]
        case .negation(let field), .not(let field): field.operands
        case .binary(_, let left, let right): left.operands + right.operands
        }
    }
}

extension TraceQL.Literal {
    fileprivate var nanoseconds: Int64? {
        switch self {
        case .int(let value), .duration(let value): value
        case .string, .float, .bool, .nil, .status, .kind: nil
        }
    }
}
