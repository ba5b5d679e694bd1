// SPDX-License-Identifier: Apache-2.0

import Analysis
import QueryLanguage
import SkeinModel
import Store

/// Traces read together and the operands a query asks them for.
final class ExaminedBatch {
    let spans: TraceSpans
    let operands: [TraceQL.Operand]
    /// By operand: the string id of its key; `nil` where no span of the batch has it.
    let keys: [UInt32?]
    /// By condition of `OperandTable.remembered`, then by place: 0 for not asked yet, 1 for no, 2 for
    /// yes.
    fileprivate var verdicts: [[UInt8]]
    /// By operand: what it depends on, where that is a part that spans share.
    fileprivate let parts: [SharedPart?]
    /// By operand of such a part, then by place: its value once it was asked for.
    fileprivate var values: [[FieldValue?]]
    /// Why spans were left out of their spansets; empty where none were.
    fileprivate(set) var incomplete: [String] = []

    init(_ spans: TraceSpans, _ table: OperandTable) {
        self.spans = spans
        operands = table.operands
        keys = table.keys.map { $0.flatMap { spans.columns.strings.find($0) } }
        verdicts = table.remembered.map {
            Array(repeating: 0, count: $0.placeCount(in: spans.columns))
        }
        parts = table.operands.map { SharedPart($0) }
        values = parts.map { part in
            Array(repeating: nil, count: part?.placeCount(in: spans.columns) ?? 0)
        }
    }
}

extension ExaminedBatch {
    /// Notes that a trace has more values than `by(…)` can tell apart.
    func noteGroups(of trace: ExaminedTrace) {
        guard incomplete.isEmpty else { return }
        incomplete.append(
            "by(…) has more than \(SpanGroup.limit(spanCount: trace.count)) values in trace "
                + "\(trace.traceID.hex); spans of those that came last are left out: group by an "
                + "attribute with fewer values"
        )
    }
}

/// What a condition on a span may depend on alone: where spans share it, the condition is evaluated
/// once for all of them.
enum SharedPart {
    case name, statusMessage, resource, library, status, kind

    /// What `operand` depends on, where it is one of these.
    init?(_ operand: TraceQL.Operand) {
        switch operand {
        case .intrinsic(.name): self = .name
        case .intrinsic(.statusMessage): self = .statusMessage
        case .intrinsic(.status): self = .status
        case .intrinsic(.kind): self = .kind
        case .intrinsic(.libraryName), .intrinsic(.libraryVersion): self = .library
        case .attribute(let attribute) where attribute.scope == .resource: self = .resource
        case .attribute(let attribute) where attribute.scope == .instrumentation: self = .library
        case .intrinsic, .parentIntrinsic, .attribute: return nil
        }
    }

    /// Different ones that `columns` may have.
    func placeCount(in columns: borrowing SpanColumns) -> Int {
        switch self {
        case .name, .statusMessage: columns.strings.count
        case .resource: columns.resources.count
        case .library: columns.scopes.count
        case .status, .kind: 256
        }
    }

    /// Which one row `row` has.
    func place(_ row: Int, in columns: borrowing SpanColumns) -> Int {
        switch self {
        case .name: Int(columns.name[row])
        case .statusMessage: Int(columns.statusMessage[row])
        case .resource: Int(columns.resource[row])
        case .library: Int(columns.scope[row])
        case .status: Int(columns.status[row])
        case .kind: Int(columns.kind[row])
        }
    }
}

/// One whole trace while a query is evaluated. Span `i` is row `rows.lowerBound + i`: spans are in the
/// order of their start. Spans count as they are stored.
final class ExaminedTrace {
    let batch: ExaminedBatch
    let rows: Range<Int>
    // Made when first asked for: most questions never are about the tree, or about the trace.
    private(set) lazy var parents = TraceParents(batch.spans.columns, rows)
    private lazy var shape = TraceShape(batch.spans.columns, rows)
    private lazy var facts = TraceSummary(batch.spans.columns, rows)

    init(_ batch: ExaminedBatch, _ rows: Range<Int>) {
        self.batch = batch
        self.rows = rows
    }

    var count: Int { rows.count }

    var traceID: TraceID {
        TraceID(
            high: batch.spans.columns.traceHigh[rows.lowerBound],
            low: batch.spans.columns.traceLow[rows.lowerBound]
        )
    }

    func start(_ span: Int) -> UInt64 { batch.spans.columns.start[rows.lowerBound + span] }

    /// The earliest start.
    var start: UInt64 { start(0) }

    /// Latest end less earliest start, nanoseconds; a span that ends before it starts ends where it
    /// starts.
    private(set) lazy var duration: UInt64 = {
        var end = start
        for row in rows {
            end = max(end, batch.spans.columns.start[row], batch.spans.columns.end[row])
        }
        return end - start
    }()

    /// Whether `condition`, which depends on `part` alone and has this number in the table of the
    /// batch, holds for span `span`.
    func remembered<Failure: Error>(
        _ number: Int,
        _ part: SharedPart,
        _ span: Int,
        _ condition: () throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        let place = part.place(rows.lowerBound + span, in: batch.spans.columns)
        let known = batch.verdicts[number][place]
        if known != 0 { return known == 2 }
        let holds = try condition()
        batch.verdicts[number][place] = holds ? 2 : 1
        return holds
    }

    /// What operand `number` of the query is for span `span`.
    func value(of number: Int, _ span: Int) -> FieldValue {
        guard let part = batch.parts[number] else { return made(number, span) }
        let place = part.place(rows.lowerBound + span, in: batch.spans.columns)
        if let known = batch.values[number][place] { return known }
        let value = made(number, span)
        batch.values[number][place] = value
        return value
    }

    private func made(_ number: Int, _ span: Int) -> FieldValue {
        switch batch.operands[number] {
        case .intrinsic(let intrinsic): return value(of: intrinsic, span)
        case .parentIntrinsic(let intrinsic):
            let parent = parents.parent[span]
            return parent < 0 ? .nothing : value(of: intrinsic, Int(parent))
        case .attribute(let attribute):
            guard let key = batch.keys[number] else { return .nothing }
            return value(of: attribute.scope, key, span)
        }
    }

    // MARK: Attributes

    private func value(
        of scope: TraceQL.Attribute.Scope,
        _ key: UInt32,
        _ span: Int
    ) -> FieldValue {
        let row = rows.lowerBound + span
        switch scope {
        case .span: return value(key, batch.spans.columns.spanAttributes[row]) ?? .nothing
        case .resource: return resourceValue(key, row)
        case .any:
            return value(key, batch.spans.columns.spanAttributes[row]) ?? resourceValue(key, row)
        case .event:
            return several(
                batch.spans.columns.spanEvents[row].rows.compactMap {
                    value(key, batch.spans.columns.events.attributes[$0])
                }
            )
        case .link:
            return several(
                batch.spans.columns.spanLinks[row].rows.compactMap {
                    value(key, batch.spans.columns.links.attributes[$0])
                }
            )
        case .instrumentation:
            let library = Int(batch.spans.columns.scope[row])
            return value(key, batch.spans.columns.scopes.attributes[library]) ?? .nothing
        case .parent: return ofParent(span, .any, key)
        case .parentSpan: return ofParent(span, .span, key)
        case .parentResource: return ofParent(span, .resource, key)
        }
    }

    private func ofParent(
        _ span: Int,
        _ scope: TraceQL.Attribute.Scope,
        _ key: UInt32
    ) -> FieldValue {
        let parent = parents.parent[span]
        return parent < 0 ? .nothing : value(of: scope, key, Int(parent))
    }

    private func resourceValue(_ key: UInt32, _ row: Int) -> FieldValue {
        let resource = Int(batch.spans.columns.resource[row])
        return value(key, batch.spans.columns.resources.attributes[resource]) ?? .nothing
    }

    private func several(_ values: [FieldValue]) -> FieldValue {
        values.isEmpty ? .nothing : .several(values)
    }

    private func value(_ key: UInt32, _ run: Run) -> FieldValue? {
        place(of: key, run).map { FieldValue(batch.spans.columns.attributes[$0]) }
    }

    /// The row of the first attribute of `run` with this key.
    private func place(of key: UInt32, _ run: Run) -> Int? {
        run.rows.first { batch.spans.columns.attributes.key[$0] == key }
    }

    /// Whether operand `number` is this text, compared where it lies; `nil` where that is not so simple.
    func isText(of number: Int, _ span: Int, _ text: String) -> Bool? {
        let row = rows.lowerBound + span
        switch batch.operands[number] {
        case .intrinsic(.name):
            return batch.spans.columns.strings.withBytes(of: batch.spans.columns.name[row]) {
                $0.elementsEqual(text.utf8)
            }
        case .attribute(let attribute):
            guard let key = batch.keys[number] else { return false }
            let resource = Int(batch.spans.columns.resource[row])
            let found: Int? =
                switch attribute.scope {
                case .span: place(of: key, batch.spans.columns.spanAttributes[row])
                case .resource: place(of: key, batch.spans.columns.resources.attributes[resource])
                case .any:
                    place(of: key, batch.spans.columns.spanAttributes[row])
                        ?? place(of: key, batch.spans.columns.resources.attributes[resource])
                default: nil
                }
            guard let found, batch.spans.columns.attributes.type(found) == .string else {
                return nil
            }
            return batch.spans.columns.attributes.withBytes(found) { $0.elementsEqual(text.utf8) }
        case .intrinsic, .parentIntrinsic: return nil
        }
    }

    // MARK: Intrinsics

    private func value(of intrinsic: TraceQL.Intrinsic, _ span: Int) -> FieldValue {
        let row = rows.lowerBound + span
        switch intrinsic {
        case .duration: return duration(batch.spans.columns.duration(row))
        case .name: return text(batch.spans.columns.name[row])
        case .status:
            return .status(StatusCode(rawValue: batch.spans.columns.status[row]) ?? .unset)
        case .statusMessage: return text(batch.spans.columns.statusMessage[row])
        case .kind: return .kind(SpanKind(rawValue: batch.spans.columns.kind[row]) ?? .unspecified)
        case .spanID: return .string(Hex.text(batch.spans.columns.spanID[row]))
        case .parent, .parentID:
            let parent = batch.spans.columns.parentID[row]
            return parent == 0 ? .nothing : .string(Hex.text(parent))
        case .childCount: return .int(Int64(shape.childCount[span]))
        case .nestedSetLeft: return .int(Int64(shape.left(span)))
        case .nestedSetRight: return .int(Int64(shape.right(span)))
        case .nestedSetParent:
            let parent = parents.parent[span]
            return .int(parent < 0 ? -1 : Int64(shape.left(Int(parent))))
        case .traceDuration: return duration(self.duration)
        case .rootName: return .string(facts.rootOperation)
        case .rootService: return .string(facts.rootService)
        case .traceID: return .string(traceID.hex)
        case .spanCount: return .int(Int64(count))
        case .errorCount: return .int(Int64(facts.errorCount))
        case .serviceCount: return .int(Int64(facts.services.count))
        case .depth: return .int(Int64(shape.deepest))
        case .eventName, .timeSinceStart: return ofEvents(intrinsic, row)
        case .linkTraceID, .linkSpanID: return ofLinks(intrinsic, row)
        case .libraryName:
            return text(batch.spans.columns.scopes.name[Int(batch.spans.columns.scope[row])])
        case .libraryVersion:
            return text(batch.spans.columns.scopes.version[Int(batch.spans.columns.scope[row])])
        }
    }

    private func ofEvents(_ intrinsic: TraceQL.Intrinsic, _ row: Int) -> FieldValue {
        let start = batch.spans.columns.start[row]
        return several(
            batch.spans.columns.spanEvents[row].rows.map { event in
                if intrinsic == .eventName { return text(batch.spans.columns.events.name[event]) }
                // A clock may have stepped back: then the time is below zero.
                return .duration(
                    Int64(bitPattern: batch.spans.columns.events.time[event] &- start)
                )
            }
        )
    }

    private func ofLinks(_ intrinsic: TraceQL.Intrinsic, _ row: Int) -> FieldValue {
        several(
            batch.spans.columns.spanLinks[row].rows.map { link in
                guard intrinsic == .linkTraceID else {
                    return .string(Hex.text(batch.spans.columns.links.spanID[link]))
                }
                let id = TraceID(
                    high: batch.spans.columns.links.traceHigh[link],
                    low: batch.spans.columns.links.traceLow[link]
                )
                return .string(id.hex)
            }
        )
    }

    private func text(_ id: UInt32) -> FieldValue {
        .string(batch.spans.columns.strings.text(id))
    }

    private func duration(_ nanoseconds: UInt64) -> FieldValue {
        .duration(Int64(clamping: nanoseconds))
    }
}
