// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// A trace all of whose spans lie in one part, and its id.
struct WalkTrace {
    var trace: PartTrace
    var id: TraceID
}

/// Copies whole traces of one part into one batch of a walk: base columns and what is asked for beside
/// them, each column of a block in one loop. A trace copied alone costs a microsecond and more before
/// its first span.
///
/// Columns that are not asked for stay empty; `fill` brings them to length once, behind the last trace.
final class WalkCopier {
    private let session: PartSession
    private let vocabulary: Vocabulary
    private let fields: SpanFields
    private var carrier: SpanCopier
    /// By form: what its spans share, as ids of the batch where it is carried over.
    private var forms: [FormRow]
    /// By row of the vocabulary: the row in the batch, `unknown` where it is not carried over.
    private var resources: [UInt32]
    private var attributes: WalkAttributes?
    private var events: WalkEvents?
    private var links: WalkLinks?
    /// Bytes of the keys, which all three share.
    private let keyByteCount: Int
    private static let unknown = UInt32.max

    private struct FormRow {
        var name: UInt32 = 0
        var scope: UInt32 = 0
        var flags: UInt32 = 0
        var firstResource: UInt32 = 0
        /// Resources of its service; 0 while the form is not carried over.
        var resourceCount: UInt32 = 0
        var kind: UInt8 = 0
        var status: UInt8 = 0
    }

    /// Some spans of a trace that lie in one block.
    private struct Fragment {
        var rows: Range<Int>
        var start: UInt64
        var id: TraceID
    }

    /// Rows of a block, and where the first of them stands in the batch.
    private struct Segment {
        var block: Int
        var runs: [Range<Int>]
        var place: Int
        var count: Int
    }

    init(_ session: PartSession, _ fields: SpanFields) throws(PartDamage) {
        self.session = session
        self.fields = fields
        vocabulary = try session.reader.vocabulary
        carrier = SpanCopier(source: vocabulary.shared.columns)
        forms = Array(repeating: FormRow(), count: vocabulary.forms.count)
        resources = Array(
            repeating: Self.unknown,
            count: vocabulary.shared.columns.resources.count
        )
        let keys = WalkKeys(fields.attributeKeys, vocabulary)
        keyByteCount = keys?.byteCount ?? 0
        attributes = keys.map { WalkAttributes(.spans, $0, session, vocabulary) }
        if fields.columns.contains(.events) { events = WalkEvents(keys, session, vocabulary) }
        if fields.columns.contains(.links) { links = WalkLinks(keys, session, vocabulary) }
    }

    /// Memory that what is known of names takes.
    var byteCount: Int {
        MemoryLayout<FormRow>.stride * forms.count + 8 * resources.count
            + 4 * vocabulary.shared.columns.strings.count
            + 4 * vocabulary.shared.columns.scopes.count
            + keyByteCount + (attributes?.byteCount ?? 0) + (events?.byteCount ?? 0)
            + (links?.byteCount ?? 0)
    }

    /// Brings the columns that were not asked for to the length of the others.
    static func fill(_ target: inout SpanColumns) {
        let count = target.count
        if target.parentID.isEmpty { target.parentID = Column(zeros: count) }
        if target.statusMessage.isEmpty { target.statusMessage = Column(zeros: count) }
        if target.traceState.isEmpty { target.traceState = Column(zeros: count) }
        if target.spanAttributes.isEmpty { target.spanAttributes = Column(zeros: count) }
        if target.spanEvents.isEmpty { target.spanEvents = Column(zeros: count) }
        if target.spanLinks.isEmpty { target.spanLinks = Column(zeros: count) }
        if target.droppedAttributes.isEmpty { target.droppedAttributes = Column(zeros: count) }
        if target.droppedEvents.isEmpty { target.droppedEvents = Column(zeros: count) }
        if target.droppedLinks.isEmpty { target.droppedLinks = Column(zeros: count) }
        if target.marks.isEmpty { target.marks = Column(zeros: count) }
    }

    /// Appends traces that begin in one block, in their order. Where this throws, `target` is of no use
    /// any more.
    ///
    /// Memory is looked at once a block: the last trace may be of any length, and its texts too.
    func append(
        _ traces: [WalkTrace],
        to target: inout SpanColumns,
        _ context: QueryContext
    ) throws {
        guard let first = traces.first, let last = traces.last else { return }
        let held = target.allocatedByteCount + byteCount
        var charged = 0
        defer { context.budget.release(charged) }
        let blockRows = session.part.directory.blockRows
        let begin = target.count
        var segments: [Segment] = []
        let home = first.trace.rows.lowerBound / blockRows
        for block in home...(last.trace.rows.upperBound - 1) / blockRows {
            // Only the last trace can go on behind the block in which it begins.
            let inside = block == home ? traces[...] : traces.suffix(1)
            segments.append(try append(inside, block, &target))
            let grown = target.allocatedByteCount + byteCount - held
            context.budget.charge(grown - charged)
            charged = grown
            try context.check()
        }
        guard fields.columns.contains(.parentID) else { return }
        for segment in segments { try appendParents(segment, from: begin, &target) }
    }

    private func append(
        _ traces: ArraySlice<WalkTrace>,
        _ block: Int,
        _ target: inout SpanColumns
    ) throws(PartDamage) -> Segment {
        let base = block * session.part.directory.blockRows
        let all = base..<base + session.part.directory.blocks[block].rowCount
        var fragments: [Fragment] = []
        fragments.reserveCapacity(traces.count)
        var runs: [Range<Int>] = []
        for trace in traces {
            let own = trace.trace.rows.clamped(to: all)
            let rows = own.lowerBound - base..<own.upperBound - base
            fragments.append(Fragment(rows: rows, start: trace.trace.start, id: trace.id))
            if let end = runs.last?.upperBound, end == rows.lowerBound {
                runs[runs.count - 1] = runs[runs.count - 1].lowerBound..<rows.upperBound
            } else {
                runs.append(rows)
            }
        }
        let count = runs.reduce(0) { $0 + $1.count }
        let segment = Segment(block: block, runs: runs, place: target.count, count: count)
        try appendIDs(fragments, runs, count, block, &target)
        try appendTimes(fragments, runs, count, block, &target)
        let forms = try appendForms(runs, count, block, &target)
        try appendAsked(forms, segment, &target)
        return segment
    }

    /// Appends what is asked for beside the base columns, but for the parents. A column is filled in all
    /// parts or in none: where a part has nothing of it, with zeros.
    private func appendAsked(
        _ forms: [UInt64],
        _ segment: Segment,
        _ target: inout SpanColumns
    ) throws(PartDamage) {
        let (block, runs) = (segment.block, segment.runs)
        if fields.columns.contains(.statusMessage) {
            target.statusMessage.append(
                try session.strings(.statusMessage, runs, block, &target.strings)
            )
        }
        if fields.columns.contains(.traceState) {
            target.traceState.append(
                try session.strings(.traceState, runs, block, &target.strings)
            )
        }
        if fields.attributeKeys?.isEmpty != true {
            let own = try attributes?.append(forms, runs, block, &target, &carrier)
            target.spanAttributes.append(own ?? Array(repeating: .empty, count: segment.count))
        }
        let found = try events?.append(runs, block, segment.place, &target, &carrier)
        if let found { target.spanEvents.append(found) }
        let referred = try links?.append(runs, block, segment.place, &target, &carrier)
        if let referred { target.spanLinks.append(referred) }
        guard fields == .all else { return }
        target.droppedAttributes.append(try numbers(.droppedAttributes, segment))
        target.droppedEvents.append(try numbers(.droppedEvents, segment))
        target.droppedLinks.append(try numbers(.droppedLinks, segment))
        target.marks.append(try numbers(.marks, segment))
    }

    private func numbers<Number: FixedWidthInteger>(
        _ field: PartField,
        _ segment: Segment
    ) throws(PartDamage) -> [Number] {
        let values = try session.reader.packed(field, segment.block)
        if values.isZero { return Array(repeating: 0, count: segment.count) }
        return segment.runs.flatMap { run in
            values.values(run).map { Number(truncatingIfNeeded: $0) }
        }
    }

    // MARK: Ids and times

    private func appendIDs(
        _ fragments: [Fragment],
        _ runs: [Range<Int>],
        _ count: Int,
        _ block: Int,
        _ target: inout SpanColumns
    ) throws(PartDamage) {
        // Bound of every loop here: the rows of all fragments, as of all runs, are `count`.
        target.traceHigh.append(count: count) { room in
            var next = 0
            for fragment in fragments {
                for _ in fragment.rows {
                    room[next] = fragment.id.high
                    next &+= 1
                }
            }
        }
        target.traceLow.append(count: count) { room in
            var next = 0
            for fragment in fragments {
                for _ in fragment.rows {
                    room[next] = fragment.id.low
                    next &+= 1
                }
            }
        }
        let ids = try session.reader.numbers(.spanID, block)
        ids.withUnsafeBufferPointer { ids in
            for run in runs {
                target.spanID.append(contentsOf: UnsafeBufferPointer(rebasing: ids[run]))
            }
        }
    }

    private func appendTimes(
        _ fragments: [Fragment],
        _ runs: [Range<Int>],
        _ count: Int,
        _ block: Int,
        _ target: inout SpanColumns
    ) throws(PartDamage) {
        let steps = try session.reader.packed(.start, block)
        target.start.append(count: count) { room in
            var next = 0
            for run in runs {
                steps.decode(run, into: .init(rebasing: room[next..<next + run.count]))
                next += run.count
            }
            next = 0
            for fragment in fragments {
                var start = fragment.start
                for _ in fragment.rows {
                    start &+= room[next]
                    room[next] = start
                    next &+= 1
                }
            }
        }
        let durations = try session.reader.packed(.duration, block)
        let endsEarly = try session.reader.packed(.endsEarly, block)
        var early = 0
        let first = target.count - count
        target.end.append(count: count) { room in
            var next = 0
            for run in runs {
                durations.decode(run, into: .init(rebasing: room[next..<next + run.count]))
                next += run.count
            }
            target.start.withElements { starts in
                // Bound: starts has as many behind `first`.
                let starts = UnsafeBufferPointer(rebasing: starts[first...])
                for row in 0..<count {
                    let end = starts[row] &+ room[row]
                    room[row] = end
                    early &+= end < starts[row] ? 1 : 0
                }
            }
        }
        var stated = 0
        if !endsEarly.isZero {
            for run in runs { for mark in endsEarly.values(run) where mark != 0 { stated += 1 } }
        }
        guard early == stated else {
            throw session.part.damage("an end lies on the wrong side of its start")
        }
    }

    // MARK: What forms say

    /// - Returns: the forms of the block's rows up to the last one of `runs`.
    private func appendForms(
        _ runs: [Range<Int>],
        _ count: Int,
        _ block: Int,
        _ target: inout SpanColumns
    ) throws(PartDamage) -> [UInt64] {
        let end = runs.last?.upperBound ?? 0
        let codes = try session.reader.packed(.form, block).values(0..<end)
        let instances = try session.reader.packed(.instance, block).values(0..<end)
        var places: [UInt32] = []
        places.reserveCapacity(count)
        for run in runs {
            for row in run {
                guard codes[row] < UInt64(forms.count) else {
                    throw session.part.damage("a form is out of range")
                }
                let code = Int(truncatingIfNeeded: codes[row])
                if forms[code].resourceCount == 0 { try learn(code, &target) }
                guard instances[row] < UInt64(forms[code].resourceCount) else {
                    throw session.part.damage("a span has no resource")
                }
                let resource =
                    Int(forms[code].firstResource) + Int(truncatingIfNeeded: instances[row])
                if resources[resource] == Self.unknown {
                    resources[resource] = carrier.resource(
                        resource,
                        vocabulary.shared.columns,
                        &target
                    )
                }
                places.append(resources[resource])
            }
        }
        target.resource.append(places)
        forms.withUnsafeBufferPointer { forms in
            codes.withUnsafeBufferPointer { codes in
                // Bound: every code of the runs was compared with the count of forms above.
                func append<Element>(
                    _ column: inout Column<Element>,
                    _ field: (FormRow) -> Element
                ) {
                    column.append(count: count) { room in
                        var next = 0
                        for run in runs {
                            for row in run {
                                room[next] = field(forms[Int(truncatingIfNeeded: codes[row])])
                                next &+= 1
                            }
                        }
                    }
                }
                append(&target.name) { $0.name }
                append(&target.kind) { $0.kind }
                append(&target.status) { $0.status }
                append(&target.flags) { $0.flags }
                append(&target.scope) { $0.scope }
            }
        }
        return codes
    }

    /// Carries over what a form names.
    private func learn(_ code: Int, _ target: inout SpanColumns) throws(PartDamage) {
        let form = vocabulary.forms[code]
        let rows = vocabulary.resources(of: form.service)
        guard !rows.isEmpty else { throw session.part.damage("a span has no resource") }
        let shared = vocabulary.shared
        forms[code] = FormRow(
            name: carrier.string(form.name, shared.columns, &target),
            scope: carrier.scope(Int(form.scope), shared.columns, &target),
            flags: form.flags,
            firstResource: UInt32(rows.lowerBound),
            resourceCount: UInt32(rows.count),
            kind: (SpanKind(rawValue: form.kind) ?? .unspecified).rawValue,
            status: (StatusCode(rawValue: form.status) ?? .unset).rawValue
        )
    }

    // MARK: Parents

    /// Parents are stored as distances inside their trace, whose rows stand in the batch as they stand
    /// in the part; hence after all ids of the traces, some of which may lie in a later block.
    private func appendParents(
        _ segment: Segment,
        from begin: Int,
        _ target: inout SpanColumns
    ) throws(PartDamage) {
        let lastRow = segment.runs.last?.upperBound ?? 0
        let codes = try session.reader.packed(.parent, segment.block).values(0..<lastRow)
        let strangers = try session.reader.numbers(.parentID, segment.block)
        let end = target.count
        var isWhole = true
        target.parentID.append(count: segment.count) { room in
            target.spanID.withElements { ids in
                // Bound: room for the rows of all runs; `begin..<end` are places of `ids`.
                var next = 0
                var seen = 0
                var stranger = 0
                for run in segment.runs {
                    for row in seen..<run.lowerBound where codes[row] == 1 { stranger &+= 1 }
                    seen = run.upperBound
                    for row in run {
                        let code = codes[row]
                        var parent: UInt64 = 0
                        if code > 1 {
                            let distance = Int(Int64(bitPattern: Zigzag.decode(code &- 2)))
                            let place = segment.place &+ next &+ distance
                            if place >= begin, place < end {
                                parent = ids[place]
                            } else {
                                isWhole = false
                            }
                        } else if code == 1 {
                            if stranger < strangers.count {
                                parent = strangers[stranger]
                            } else {
                                isWhole = false
                            }
                            stranger &+= 1
                        }
                        room[next] = parent
                        next &+= 1
                    }
                }
            }
        }
        guard isWhole else {
            throw session.part.damage("a span that is referred to is out of range")
        }
    }
}

extension Column {
    /// Adds all of `elements` at the end.
    fileprivate mutating func append(_ elements: [Element]) {
        elements.withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}
