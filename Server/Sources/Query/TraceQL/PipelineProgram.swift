// SPDX-License-Identifier: Apache-2.0

import QueryLanguage

/// A pipeline made ready to be evaluated of many traces.
struct PipelineProgram: Sendable {
    private let stages: [Stage]

    private enum Stage {
        case spans(SpansetProgram)
        case filter(TraceQL.Comparison, ScalarProgram, ScalarProgram)
        case group(FieldProgram, label: String)
        case coalesce
        /// What is told is chosen when answers are made.
        case select
    }

    init(_ pipeline: TraceQL.Pipeline, _ operands: inout OperandTable) throws(QueryError) {
        var stages: [Stage] = []
        for stage in pipeline.stages {
            switch stage {
            case .spans(let spanset): stages.append(.spans(try SpansetProgram(spanset, &operands)))
            case .filter(let filter):
                stages.append(
                    .filter(
                        filter.comparison,
                        try ScalarProgram(filter.left, &operands),
                        try ScalarProgram(filter.right, &operands)
                    )
                )
            case .group(let field):
                stages.append(
                    .group(try FieldProgram(field, &operands), label: "by(\(field))")
                )
            case .coalesce: stages.append(.coalesce)
            case .select: stages.append(.select)
            }
        }
        self.stages = stages
    }

    /// What `trace` leaves of `spans`: spansets that are not empty, none where it does not match.
    func groups(
        _ spans: SpanSet,
        of trace: ExaminedTrace
    ) throws(DivisionByZero) -> [SpanGroup] {
        var groups = [SpanGroup(spans: spans, keys: [])]
        for stage in stages {
            groups = try Self.run(stage, groups, trace)
            if groups.isEmpty { return [] }
        }
        return groups
    }

    private static func run(
        _ stage: Stage,
        _ groups: [SpanGroup],
        _ trace: ExaminedTrace
    ) throws(DivisionByZero) -> [SpanGroup] {
        var result: [SpanGroup] = []
        switch stage {
        case .spans(.pipeline(let inner)):
            for group in groups {
                for part in try inner.groups(group.spans, of: trace) {
                    result.append(SpanGroup(spans: part.spans, keys: group.keys + part.keys))
                }
            }
        case .spans(let program):
            for var group in groups {
                group.spans = try program.spans(group.spans, of: trace)
                if !group.spans.isEmpty { result.append(group) }
            }
        case .filter(let comparison, let left, let right):
            for group in groups {
                let first = try left.value(group.spans, of: trace)
                if first.holds(comparison, try right.value(group.spans, of: trace)) {
                    result.append(group)
                }
            }
        case .group(let field, let label):
            for group in groups {
                let room = SpanGroup.limit(spanCount: trace.count) - result.count
                result += try group.split(by: field, label: label, trace, room: room)
            }
        case .coalesce:
            var all = SpanSet(of: trace.count)
            for group in groups { all = all.union(group.spans) }
            result = [SpanGroup(spans: all, keys: [])]
        case .select: result = groups
        }
        return result
    }
}

/// A spanset, and the values of `by(…)` that its spans share.
struct SpanGroup {
    var spans: SpanSet
    var keys: [Key]

    struct Key {
        var label: String
        var value: FieldValue
    }

    private static let fewGroups = 8

    /// Groups of one trace: a bit a span each.
    static func limit(spanCount: Int) -> Int {
        max(RunLimits.groupByteCount / (spanCount / 8 + MemoryLayout<SpanGroup>.stride), 1)
    }

    /// One spanset for each value of `field`, in the order of their first spans; spans without a value
    /// make one of their own.
    ///
    /// - Parameter room: spansets there may be; spans of others are left out, and the batch notes it.
    func split(
        by field: FieldProgram,
        label: String,
        _ trace: ExaminedTrace,
        room: Int
    ) throws(DivisionByZero) -> [SpanGroup] {
        var groups: [(value: FieldValue, spans: SpanSet)] = []
        var numbers: [FieldValue: Int] = [:]
        // One that is no number equals nothing, itself included: such spans are found together.
        var unequal: Int?
        for span in spans.spans {
            let value = try field.value(span, of: trace)
            // Mostly there are few, and comparing them costs less than a table.
            var known = groups.prefix(Self.fewGroups).firstIndex { $0.value == value }
            if known == nil, groups.count > Self.fewGroups { known = numbers[value] }
            var isNumber = true
            if case .double(let number) = value, number.isNaN { isNumber = false }
            if known == nil, !isNumber { known = unequal }
            let number = known ?? groups.count
            if known == nil {
                guard number < room else {
                    trace.batch.noteGroups(of: trace)
                    continue
                }
                groups.append((value, SpanSet(of: trace.count)))
                if !isNumber { unequal = number }
                if number >= Self.fewGroups { numbers[value] = number }
            }
            groups[number].spans.insert(span)
        }
        return groups.map { group in
            SpanGroup(spans: group.spans, keys: keys + [Key(label: label, value: group.value)])
        }
    }
}

/// A number about a spanset, made ready.
indirect enum ScalarProgram: Sendable {
    case constant(FieldValue)
    case aggregate(TraceQL.Aggregate, FieldProgram?)
    case negation(ScalarProgram)
    case arithmetic(TraceQL.Arithmetic, ScalarProgram, ScalarProgram)

    init(_ scalar: TraceQL.Scalar, _ operands: inout OperandTable) throws(QueryError) {
        switch scalar {
        case .literal(let literal): self = .constant(FieldValue(literal))
        case .aggregate(let aggregate, let field):
            self = .aggregate(
                aggregate,
                try field.map { (field) throws(QueryError) in try FieldProgram(field, &operands) }
            )
        case .negation(let scalar): self = .negation(try ScalarProgram(scalar, &operands))
        case .arithmetic(let symbol, let left, let right):
            self = .arithmetic(
                symbol,
                try ScalarProgram(left, &operands),
                try ScalarProgram(right, &operands)
            )
        }
    }

    /// The number; `.nothing` where no span has a value.
    func value(_ spans: SpanSet, of trace: ExaminedTrace) throws(DivisionByZero) -> FieldValue {
        switch self {
        case .constant(let value): return value
        case .negation(let scalar): return try scalar.value(spans, of: trace).negated
        case .arithmetic(let symbol, let left, let right):
            return try left.value(spans, of: trace)
                .combined(symbol, try right.value(spans, of: trace))
        case .aggregate(let aggregate, let field):
            guard aggregate != .count, let field else { return .int(Int64(spans.count)) }
            var total = Total(aggregate)
            for span in spans.spans {
                let value = try field.value(span, of: trace)
                switch value {
                case .int, .double, .duration: total.add(value)
                default: for number in value.numbers { total.add(number) }
                }
            }
            return total.value
        }
    }
}

/// Numbers of many spans on their way to one.
private struct Total {
    private let aggregate: TraceQL.Aggregate
    private var count = 0
    private var best: FieldValue?
    private var isDuration = true
    /// The sum while every number was whole and it fits; `nil` from then on.
    private var whole: Int64? = 0
    private var sum = 0.0

    init(_ aggregate: TraceQL.Aggregate) { self.aggregate = aggregate }

    mutating func add(_ number: FieldValue) {
        count += 1
        sum += number.number ?? 0
        if case .duration = number {} else { isDuration = false }
        switch number {
        case .int(let value), .duration(let value):
            let (next, overflow) = whole?.addingReportingOverflow(value) ?? (0, true)
            whole = overflow ? nil : next
        default: whole = nil
        }
        guard let best else {
            best = number
            return
        }
        if number.holds(aggregate == .min ? .less : .more, best) { self.best = number }
    }

    var value: FieldValue {
        guard count > 0 else { return .nothing }
        switch aggregate {
        case .count: return .int(Int64(count))
        case .min, .max: return best ?? .nothing
        case .sum:
            return whole.map { isDuration ? .duration($0) : .int($0) } ?? .double(sum)
        case .avg: return .double((whole.map { Double($0) } ?? sum) / Double(count))
        }
    }
}
