// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store

/// Writes one part from spans in memory.
///
/// Two passes over the rows in their final order: the first learns all forms, so that they can be
/// sorted; the second fills columns block by block and hands them to the `PartAssembler`.
struct PartFlush: ~Copyable {
    /// The columns of spans, events and links that are numbers.
    private static let numberFields = PartField.fixed.filter {
        [.spans, .events, .links].contains($0.table) && !$0.holdsText
    }

    private let tables: [SpanTable]
    private let views: UnsafeMutablePointer<TableView>
    private let order: RowOrder
    private let learned: FlushVocabulary
    /// By resource of the vocabulary: which of its service's it is.
    private let instances: [UInt32]
    private let vocabulary: PartVocabulary
    private var assembler: PartAssembler

    private var fields: FieldColumns
    private var statusMessages: FlushColumn
    private var traceStates: FlushColumn
    private var linkTraceStates: FlushColumn
    private var attributes: FlushAttributes

    private var block = PartDirectory.Block.empty
    private var firstRow = 0
    private var blockResources = Column<UInt64>()
    /// Events and links of the block in hand.
    private var blockEvents = Column<SpanReference>()
    private var blockLinks = Column<SpanReference>()
    private var family = TraceFamily()

    /// - Parameters:
    ///   - receivedAt: newest receipt among the spans.
    ///   - output: where the file goes; its head is written already.
    init(
        tables: [SpanTable],
        tenant: Tenant,
        receivedAt: UInt64,
        blockRows: Int,
        output: consuming PartOutput
    ) {
        self.tables = tables
        views = .allocate(capacity: tables.count)
        for (index, table) in tables.enumerated() {
            (views + index).initialize(to: TableView(table))
        }
        order = RowOrder(tables, UnsafeBufferPointer(start: views, count: tables.count))
        var learned = FlushVocabulary(tables, UnsafePointer(views))
        for number in tables.indices { learned.learn(number) }
        (vocabulary, instances) = learned.finish()
        assembler = PartAssembler(
            tenant: tenant.name,
            receivedAt: receivedAt,
            vocabulary: vocabulary,
            spanCount: order.rows.count,
            blockRows: blockRows,
            output: output
        )
        let blockCount = assembler.blockCount
        fields = FieldColumns(Self.numberFields, blockCount: blockCount)
        statusMessages = FlushColumn(.statusMessage, blockCount: blockCount)
        traceStates = FlushColumn(.traceState, blockCount: blockCount)
        linkTraceStates = FlushColumn(.linkTraceState, blockCount: blockCount)
        attributes = FlushAttributes(vocabulary, learned.ids, blockCount: blockCount)
        self.learned = learned
    }

    deinit { views.deallocate() }

    /// The columns of a table. Bound: the order names tables that there are.
    @inline(__always)
    private func view(_ table: UInt32) -> UnsafePointer<TableView> {
        UnsafePointer(views + Int(table))
    }

    /// Writes everything.
    mutating func write() throws(DiskError) -> Manifest.Entry {
        for index in 0..<order.traces.count { try append(trace: order.traces[index]) }
        if block.rowCount > 0 { try finishBlock() }
        for column in try fields.finish(to: &assembler.output) { assembler.add(column) }
        assembler.add(try statusMessages.finish(to: &assembler.output))
        assembler.add(try traceStates.finish(to: &assembler.output))
        assembler.add(try linkTraceStates.finish(to: &assembler.output))
        try attributes.finish(into: &assembler)
        return try assembler.finish()
    }

    // MARK: Rows

    private mutating func append(trace: RowOrder.Trace) throws(DiskError) {
        let first = trace.first
        family.begin(count: trace.count)
        var finish: UInt64 = 0
        var root = -1
        for offset in 0..<trace.count {
            let place = order.rows[first + offset]
            let view = self.view(place.table)
            let row = Int(place.row)
            family.add(view.pointee.spanID[row])
            finish = max(finish, max(view.pointee.start[row], view.pointee.end[row]))
            if root < 0, view.pointee.parentID[row] == 0 { root = offset }
        }
        family.finish()
        // Every kept row passes here once, in the order of the part.
        var previous = trace.start
        for offset in 0..<trace.count {
            let place = order.rows[first + offset]
            try append(place, trace, offset, after: previous)
            previous =
                block.rowCount == 0
                ? trace.start : self.view(place.table).pointee.start[Int(place.row)]
        }
        try assembler.addTrace(
            TraceRowsWriter.Row(
                id: TraceID(high: trace.high, low: trace.low),
                start: trace.start,
                duration: finish - trace.start,
                spanCount: trace.count,
                root: form(order.rows[first + max(root, 0)])
            )
        )
    }

    /// Adds row `offset` of a trace.
    ///
    /// - Parameter previous: what its start is told from.
    private mutating func append(
        _ place: SpanReference,
        _ trace: RowOrder.Trace,
        _ offset: Int,
        after previous: UInt64
    ) throws(DiskError) {
        let view = self.view(place.table)
        let row = Int(place.row)
        let start = view.pointee.start[row]
        let end = view.pointee.end[row]
        let base = learned.bases[Int(place.table)]
        fields.append(view.pointee.spanID[row], .spanID)
        let parentID = view.pointee.parentID[row]
        if parentID == 0 {
            fields.append(0, .parent)
        } else if let parent = family.find(parentID) {
            fields.append(2 &+ Zigzag.encode(UInt64(bitPattern: Int64(parent - offset))), .parent)
        } else {
            fields.append(1, .parent)
            fields.append(parentID, .parentID)
        }
        fields.append(start &- previous, .start)
        fields.append(end &- start, .duration)
        fields.append(end < start ? 1 : 0, .endsEarly)
        let form = learned.ids.forms[base.row &+ row]
        fields.append(UInt64(form), .form)
        let resource = learned.ids.resources[base.resource &+ Int(view.pointee.resource[row])]
        fields.append(UInt64(instances[Int(resource)]), .instance)
        blockResources.append(UInt64(resource))
        fields.append(UInt64(view.pointee.droppedAttributes[row]), .droppedAttributes)
        fields.append(UInt64(view.pointee.droppedEvents[row]), .droppedEvents)
        fields.append(UInt64(view.pointee.droppedLinks[row]), .droppedLinks)
        fields.append(UInt64(view.pointee.marks[row]), .marks)
        statusMessages.append(text(view.pointee.statusMessage[row], place))
        traceStates.append(text(view.pointee.traceState[row], place))
        appendEvents(view.pointee.events(of: row), of: view, place, start: start)
        appendLinks(view.pointee.links(of: row), of: view, place, trace, offset)
        let duration = view.pointee.duration(row)
        assembler.count(
            form: form,
            spanID: view.pointee.spanID[row],
            parentID: parentID,
            start: start,
            duration: duration,
            isShared: view.pointee.marks[row] & SpanMarks.shared.rawValue != 0
        )
        block.note(start: start, duration: duration)
        if block.rowCount == assembler.blockRows { try finishBlock() }
    }

    /// A string of a table; it stays where it is while the table lives, and `tables` keeps it.
    @inline(__always)
    private func text(_ id: UInt32, _ place: SpanReference) -> UnsafeRawBufferPointer {
        if id == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return tables[Int(place.table)].columns.strings.withBytes(of: id) { $0 }
    }

    @inline(__always)
    private mutating func appendEvents(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ place: SpanReference,
        start: UInt64
    ) {
        fields.append(UInt64(rows.count), .eventCount)
        if rows.isEmpty { return }
        let base = learned.bases[Int(place.table)]
        for row in rows {
            let form = learned.ids.eventForms[base.event &+ row]
            fields.append(Zigzag.encode(view.pointee.eventTime[row] &- start), .eventTime)
            fields.append(UInt64(form), .eventForm)
            blockEvents.append(SpanReference(table: place.table, row: UInt32(row)))
        }
        block.eventCount += rows.count
    }

    @inline(__always)
    private mutating func appendLinks(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ place: SpanReference,
        _ trace: RowOrder.Trace,
        _ offset: Int
    ) {
        fields.append(UInt64(rows.count), .linkCount)
        if rows.isEmpty { return }
        let base = learned.bases[Int(place.table)]
        for row in rows {
            let shape = learned.ids.linkShapes[base.link &+ row]
            let isOwn =
                view.pointee.linkTraceLow[row] == trace.low
                && view.pointee.linkTraceHigh[row] == trace.high
            if isOwn, let target = family.find(view.pointee.linkSpanID[row]) {
                fields.append(
                    2 &+ Zigzag.encode(UInt64(bitPattern: Int64(target - offset))),
                    .linkTarget
                )
            } else {
                fields.append(isOwn ? 1 : 0, .linkTarget)
                if !isOwn {
                    fields.append(view.pointee.linkTraceHigh[row], .linkTraceHigh)
                    fields.append(view.pointee.linkTraceLow[row], .linkTraceLow)
                }
                fields.append(view.pointee.linkSpanID[row], .linkSpanID)
            }
            fields.append(UInt64(view.pointee.linkFlags[row]), .linkFlags)
            fields.append(UInt64(shape), .linkShape)
            fields.append(UInt64(view.pointee.linkDropped[row]), .linkDropped)
            linkTraceStates.append(text(view.pointee.linkTraceState[row], place))
            blockLinks.append(SpanReference(table: place.table, row: UInt32(row)))
        }
        block.linkCount += rows.count
    }

    // MARK: Blocks

    private mutating func finishBlock() throws(DiskError) {
        fields.withValues(.form) { assembler.formPostings.append(block: $0) }
        blockResources.withElements { assembler.resourcePostings.append(block: $0) }
        fields.withValues(.eventForm) { assembler.eventFormPostings.append(block: $0) }
        appendAttributes()
        try fields.finishBlock(to: &assembler.output)
        try statusMessages.finishBlock(to: &assembler.output)
        try traceStates.finishBlock(to: &assembler.output)
        try linkTraceStates.finishBlock(to: &assembler.output)
        try attributes.finishBlock(to: &assembler.output)
        firstRow += block.rowCount
        assembler.blocks.append(block)
        block = .empty
        blockResources.truncate(to: 0)
        blockEvents.truncate(to: 0)
        blockLinks.truncate(to: 0)
    }

    /// Adds the attribute values of the block's rows, events and links.
    private mutating func appendAttributes() {
        fields.withValues(.form) { attributes.begin(.spans, forms: $0) }
        for row in 0..<block.rowCount {
            let place = order.rows[firstRow + row]
            let view = self.view(place.table)
            attributes.append(
                view.pointee.attributes(of: Int(place.row)),
                of: view,
                form: form(place)
            )
        }
        fields.withValues(.eventForm) { attributes.begin(.events, forms: $0) }
        for index in 0..<blockEvents.count {
            let event = blockEvents[index]
            let view = self.view(event.table)
            let base = learned.bases[Int(event.table)]
            attributes.append(
                view.pointee.attributes(ofEvent: Int(event.row)),
                of: view,
                form: learned.ids.eventForms[base.event + Int(event.row)]
            )
        }
        fields.withValues(.linkShape) { attributes.begin(.links, forms: $0) }
        for index in 0..<blockLinks.count {
            let link = blockLinks[index]
            let view = self.view(link.table)
            let base = learned.bases[Int(link.table)]
            attributes.append(
                view.pointee.attributes(ofLink: Int(link.row)),
                of: view,
                form: learned.ids.linkShapes[base.link + Int(link.row)]
            )
        }
    }

    /// The form of a row of a table.
    @inline(__always)
    private func form(_ place: SpanReference) -> UInt32 {
        learned.ids.forms[learned.bases[Int(place.table)].row &+ Int(place.row)]
    }
}

/// Finds spans of one trace by id: the first that has it.
struct TraceFamily: ~Copyable {
    private var ids = Column<UInt64>()
    /// For a long trace: places by id, sorted.
    private var sorted: [(id: UInt64, place: Int)] = []
    private var isLong = false
    private static let shortCount = 48

    mutating func begin(count: Int) {
        ids.truncate(to: 0)
        isLong = count > Self.shortCount
    }

    @inline(__always)
    mutating func add(_ id: UInt64) { ids.append(id) }

    mutating func finish() {
        guard isLong else { return }
        sorted.removeAll(keepingCapacity: true)
        for place in 0..<ids.count { sorted.append((ids[place], place)) }
        sorted.sort { $0.id == $1.id ? $0.place < $1.place : $0.id < $1.id }
    }

    /// The place of the first span with this id.
    @inline(__always)
    func find(_ id: UInt64) -> Int? {
        if isLong { return findSorted(id) }
        return ids.withElements { $0.firstIndex(of: id) }
    }

    private func findSorted(_ id: UInt64) -> Int? {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low].id == id ? sorted[low].place : nil
    }
}

extension PartDirectory.Block {
    /// Takes a span into account.
    @inline(__always)
    mutating func note(start: UInt64, duration: UInt64) {
        rowCount += 1
        firstStart = min(firstStart, start)
        lastStart = max(lastStart, start)
        shortest = min(shortest, duration)
        longest = max(longest, duration)
    }
}
