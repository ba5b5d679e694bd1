// SPDX-License-Identifier: Apache-2.0

import QueryLanguage

/// A spanset made ready to be evaluated of many traces. Each operator takes time linear in the spans of
/// the trace, `without … within` a logarithm more.
indirect enum SpansetProgram: Sendable {
    case all
    case filter(FieldProgram)
    case and(SpansetProgram, SpansetProgram)
    case or(SpansetProgram, SpansetProgram)
    case related(TraceQL.Relation, TraceQL.Form, SpansetProgram, SpansetProgram)
    case without(SpansetProgram, SpansetProgram, within: UInt64?)
    case pipeline(PipelineProgram)

    init(_ spanset: TraceQL.Spanset, _ operands: inout OperandTable) throws(QueryError) {
        switch spanset {
        case .filter(nil): self = .all
        case .filter(.some(let field)): self = .filter(try FieldProgram(field, &operands))
        case .and(let left, let right):
            self = .and(
                try SpansetProgram(left, &operands),
                try SpansetProgram(right, &operands)
            )
        case .or(let left, let right):
            self = .or(try SpansetProgram(left, &operands), try SpansetProgram(right, &operands))
        case .related(let relation, let form, let left, let right):
            operands.asksForTree = true
            self = .related(
                relation,
                form,
                try SpansetProgram(left, &operands),
                try SpansetProgram(right, &operands)
            )
        case .without(let left, let right, let deadline):
            self = .without(
                try SpansetProgram(left, &operands),
                try SpansetProgram(right, &operands),
                within: deadline
            )
        case .pipeline(let pipeline): self = .pipeline(try PipelineProgram(pipeline, &operands))
        }
    }

    /// Those of `candidates` that it keeps.
    func spans(
        _ candidates: SpanSet,
        of trace: ExaminedTrace
    ) throws(DivisionByZero) -> SpanSet {
        switch self {
        case .all: return candidates
        case .filter(let field):
            return try candidates.filtered { (span) throws(DivisionByZero) in
                try field.holds(span, of: trace)
            }
        case .and(let left, let right):
            let first = try left.spans(candidates, of: trace)
            guard !first.isEmpty else { return first }
            let second = try right.spans(candidates, of: trace)
            return second.isEmpty ? second : first.union(second)
        case .or(let left, let right):
            return try left.spans(candidates, of: trace)
                .union(try right.spans(candidates, of: trace))
        case .related(let relation, let form, let left, let right):
            return Self.related(
                relation,
                form,
                try left.spans(candidates, of: trace),
                try right.spans(candidates, of: trace),
                trace
            )
        case .without(let left, let right, let deadline):
            let first = try left.spans(candidates, of: trace)
            guard !first.isEmpty else { return first }
            return Self.without(
                first,
                try right.spans(candidates, of: trace),
                within: deadline,
                trace
            )
        case .pipeline(let pipeline):
            var result = SpanSet(of: trace.count)
            for group in try pipeline.groups(candidates, of: trace) {
                result = result.union(group.spans)
            }
            return result
        }
    }

    private static func related(
        _ relation: TraceQL.Relation,
        _ form: TraceQL.Form,
        _ left: SpanSet,
        _ right: SpanSet,
        _ trace: ExaminedTrace
    ) -> SpanSet {
        guard !right.isEmpty else { return right }
        switch form {
        case .negated:
            return left.isEmpty
                ? right : trace.parents.related(relation, left, right, isNegated: true)
        case .plain:
            return left.isEmpty ? left : trace.parents.related(relation, left, right)
        case .union:
            guard !left.isEmpty else { return left }
            return trace.parents.related(relation, left, right)
                .union(trace.parents.related(relation.inverse, right, left))
        }
    }

    /// Spans of `left` after whose start no span of `right` starts, for `deadline` nanoseconds, both
    /// ends included; the span itself does not count. Without a deadline any span of `right` in the
    /// trace does.
    private static func without(
        _ left: SpanSet,
        _ right: SpanSet,
        within deadline: UInt64?,
        _ trace: ExaminedTrace
    ) -> SpanSet {
        guard let deadline else { return right.isEmpty ? left : SpanSet(of: trace.count) }
        // In the order of their start, as the spans of a trace are.
        let steps = Array(right.spans)
        return left.filtered { span in
            let start = trace.start(span)
            var next = steps.partitioningIndex { trace.start($0) >= start }
            if next < steps.count, steps[next] == span { next += 1 }
            // Of several that start at one instant the span itself may stand behind another.
            guard next < steps.count else { return true }
            return trace.start(steps[next]) - start > deadline
        }
    }
}

extension [Int] {
    /// The first index from which `isBehind` holds; it holds for no element before.
    fileprivate func partitioningIndex(_ isBehind: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
