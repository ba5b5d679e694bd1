// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// What a store can look up for a query: a condition that each span the query finds meets, and what its
/// trace meets. Both may let more through than the query does, never less.
struct NecessaryCondition {
    var span: SpanPredicate
    /// Durations of the trace, nanoseconds; `nil` for any.
    var traceDuration: ClosedRange<UInt64>?
    /// The only trace it can be; `nil` for any.
    var traceID: TraceID?

    /// Of the spans that `pipeline` finds. Later stages only leave spans out, but for those that look
    /// at the spans of the first.
    init(_ pipeline: TraceQL.Pipeline) {
        self.init(span: .all, traceDuration: nil)
        for stage in pipeline.stages {
            guard case .spans(let spanset) = stage else { continue }
            let other = NecessaryCondition(spanset)
            span = SpanPredicate.allOf([span, other.span])
            require(other)
        }
    }

    private init(
        span: SpanPredicate,
        traceDuration: ClosedRange<UInt64>?,
        traceID: TraceID? = nil
    ) {
        self.span = span
        self.traceDuration = traceDuration
        self.traceID = traceID
    }

    private init(_ spanset: TraceQL.Spanset) {
        switch spanset {
        case .filter(nil): self.init(span: .all, traceDuration: nil)
        case .filter(.some(let field)):
            self.init(
                span: FieldCondition(field).predicate,
                traceDuration: field.traceDuration,
                traceID: field.traceID
            )
        case .and(let left, let right), .related(_, .union, let left, let right):
            let (first, second) = (NecessaryCondition(left), NecessaryCondition(right))
            self.init(
                span: .anyOf([first.span, second.span]),
                traceDuration: first.traceDuration,
                traceID: first.traceID
            )
            require(second)
        case .or(let left, let right):
            let (first, second) = (NecessaryCondition(left), NecessaryCondition(right))
            self.init(
                span: .anyOf([first.span, second.span]),
                traceDuration: nil,
                traceID: first.traceID == second.traceID ? first.traceID : nil
            )
            if let one = first.traceDuration, let other = second.traceDuration {
                traceDuration =
                    min(one.lowerBound, other.lowerBound)...max(one.upperBound, other.upperBound)
            }
        case .related(_, .plain, let left, let right):
            self = NecessaryCondition(right)
            require(NecessaryCondition(left))
        case .related(_, .negated, _, let right): self = NecessaryCondition(right)
        case .without(let left, _, _): self = NecessaryCondition(left)
        case .pipeline(let pipeline): self = NecessaryCondition(pipeline)
        }
    }

    /// Of two ids that a trace would need to have either will do: nothing is found then.
    private mutating func require(_ other: NecessaryCondition) {
        traceDuration = traceDuration.narrowed(to: other.traceDuration)
        traceID = traceID ?? other.traceID
    }
}

extension ClosedRange<UInt64>? {
    /// What lies in both, `nil` being everything. Where nothing does, one of them: the query will find
    /// nothing then, and a range cannot be empty.
    fileprivate func narrowed(to other: ClosedRange<UInt64>?) -> ClosedRange<UInt64>? {
        guard let self, let other, self.overlaps(other) else { return self ?? other }
        return self.clamped(to: other)
    }
}

extension TraceQL.Field {
    /// The durations a trace may have for this to hold; `nil` for any.
    fileprivate var traceDuration: ClosedRange<UInt64>? {
        guard case .binary(let symbol, let left, let right) = self else { return nil }
        if symbol == .and {
            return left.traceDuration.narrowed(to: right.traceDuration)
        }
        guard let comparison = TraceQL.Comparison(rawValue: symbol.rawValue) else { return nil }
        switch (left, right) {
        case (.operand(.intrinsic(.traceDuration)), .literal(let literal)):
            return comparison.nanoseconds(literal)
        case (.literal(let literal), .operand(.intrinsic(.traceDuration))):
            return comparison.turned.nanoseconds(literal)
        default: return nil
        }
    }
}

extension TraceQL.Field {
    /// The id a trace must have for this to hold; `nil` for any.
    fileprivate var traceID: TraceID? {
        switch self {
        case .binary(.and, let left, let right): left.traceID ?? right.traceID
        case .binary(.equal, .operand(.intrinsic(.traceID)), .literal(.string(let text))),
            .binary(.equal, .literal(.string(let text)), .operand(.intrinsic(.traceID))):
            TraceID(hex: text)
        default: nil
        }
    }
}

extension TraceQL.Comparison {
    /// The same with its sides changed.
    var turned: TraceQL.Comparison {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .more
        case .atMost: .atLeast
        case .more: .less
        case .atLeast: .atMost
        }
    }

    /// Nanoseconds that stand so to `literal`, and perhaps some beside; `nil` for any.
    func nanoseconds(_ literal: TraceQL.Literal) -> ClosedRange<UInt64>? {
        let (low, high): (UInt64, UInt64)
        switch literal {
        case .int(let value), .duration(let value):
            low = value < 0 ? 0 : UInt64(value)
            high = low
        case .float(let value):
            low = UInt64(exactly: value.rounded(.down)) ?? (value < 0 ? 0 : .max)
            high = UInt64(exactly: value.rounded(.up)) ?? (value < 0 ? 0 : .max)
        case .string, .bool, .nil, .status, .kind: return nil
        }
        return switch self {
        case .equal: low...high
        case .less, .atMost: 0...high
        case .more, .atLeast: low...UInt64.max
        case .notEqual: nil
        }
    }
}

extension SpanPredicate {
    /// All of `parts`, as flat as can be.
    static func allOf(_ parts: [SpanPredicate]) -> SpanPredicate {
        var flat: [SpanPredicate] = []
        for part in parts {
            switch part {
            case .all: break
            case .and(let inner): flat += inner
            default: flat.append(part)
            }
        }
        return flat.isEmpty ? .all : flat.count == 1 ? flat[0] : .and(flat)
    }

    /// One of `parts`, as flat as can be.
    static func anyOf(_ parts: [SpanPredicate]) -> SpanPredicate {
        var flat: [SpanPredicate] = []
        for part in parts {
            switch part {
            case .all: return .all
            case .or(let inner): flat += inner
            default: flat.append(part)
            }
        }
        return flat.count == 1 ? flat[0] : .or(flat)
    }
}
