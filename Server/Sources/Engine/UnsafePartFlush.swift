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

    /// An event or link of the block in hand.
    private struct Child: BitwiseCopyable {
        var form: UInt32
        var place: SpanReference
    }

    private let tables: [SpanTable]
    private let views: UnsafeMutablePointer<TableView>
    private let order: RowOrder
    /// By row: its form and its row in the resources.
    private var forms: Column<UInt32>
    private var resources: Column<UInt32>
    private var instances: [UInt32]
    /// By event in the order of the rows: its form; by link: its shape.
    private var eventForms = Column<UInt32>()
    private var linkShapes = Column<UInt32>()
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
    private var blockEvents = Column<Child>()
    private var blockLinks = Column<Child>()
    private var nextEvent = 0
    private var nextLink = 0
    private var family = TraceFamily()
    private var grouping = Grouping()

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
        let count = order.rows.count
        forms = Column(capacity: count)
        resources = Column(capacity: count)
        var learned = FlushVocabulary(tables)
        Self.learn(
            order,
            views,
            &learned,
            &forms,
            &resources,
            &eventForms,
            &linkShapes
        )
        let (vocabulary, ranks) = learned.finish()
        self.vocabulary = vocabulary
        instances = Array(repeating: 0, count: ranks.resources.count)
        for (id, row) in ranks.resources.enumerated() { instances[Int(row)] = ranks.instances[id] }
        Self.translate(&forms, ranks.forms)
        Self.translate(&resources, ranks.resources)
        Self.translate(&eventForms, ranks.eventForms)
        Self.translate(&linkShapes, ranks.shapes)
        assembler = PartAssembler(
            tenant: tenant.name,
            receivedAt: receivedAt,
            vocabulary: vocabulary,
            spanCount: count,
            blockRows: blockRows,
            output: output
        )
        let blockCount = assembler.blockCount
        fields = FieldColumns(Self.numberFields, blockCount: blockCount)
        statusMessages = FlushColumn(.statusMessage, blockCount: blockCount)
        traceStates = FlushColumn(.traceState, blockCount: blockCount)
        linkTraceStates = FlushColumn(.linkTraceState, blockCount: blockCount)
        attributes = FlushAttributes(
            vocabulary.shapes,
            uses: Self.uses(vocabulary, forms, eventForms, linkShapes),
            blockCount: blockCount
        )
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

    // MARK: First pass

    /// Finds the form of every row, event and link.
    private static func learn(
        _ order: borrowing RowOrder,
        _ views: UnsafePointer<TableView>,
        _ vocabulary: inout FlushVocabulary,
        _ forms: inout Column<UInt32>,
        _ resources: inout Column<UInt32>,
        _ eventForms: inout Column<UInt32>,
        _ linkShapes: inout Column<UInt32>
    ) {
        for index in 0..<order.rows.count {
            let place = order.rows[index]
            let number = Int(place.table)
            let row = Int(place.row)
            // Bound: the order names tables that there are.
            let view = views + number
            let (form, resource) = vocabulary.form(row, of: view, number)
            forms.append(form)
            resources.append(resource)
            for event in view.pointee.events(of: row) {
                eventForms.append(
                    vocabulary.eventForm(event, of: view, number, resource: resource)
                )
            }
            for link in view.pointee.links(of: row) {
                linkShapes.append(
                    vocabulary.shape(view.pointee.attributes(ofLink: link), of: view, number)
                )
            }
        }
    }

    private static func translate(_ ids: inout Column<UInt32>, _ ranks: [UInt32]) {
        for index in 0..<ids.count { ids[index] = ranks[Int(ids[index])] }
    }

    /// By table (spans, events, links) how many owners each shape has.
    private static func uses(
        _ vocabulary: PartVocabulary,
        _ forms: borrowing Column<UInt32>,
        _ eventForms: borrowing Column<UInt32>,
        _ linkShapes: borrowing Column<UInt32>
    ) -> [[Int]] {
        var uses = Array(repeating: Array(repeating: 0, count: vocabulary.shapes.count), count: 3)
        for index in 0..<forms.count {
            uses[0][Int(vocabulary.forms[Int(forms[index])].shape)] += 1
        }
        for index in 0..<eventForms.count {
            uses[1][Int(vocabulary.eventForms[Int(eventForms[index])].shape)] += 1
        }
        for index in 0..<linkShapes.count { uses[2][Int(linkShapes[index])] += 1 }
        return uses
    }

    // MARK: Second pass

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
                root: forms[first + max(root, 0)]
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
        let index = trace.first + offset
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
        fields.append(UInt64(forms[index]), .form)
        let resource = resources[index]
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
        block.note(start: start, duration: view.pointee.duration(row))
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
        for row in rows {
            let form = eventForms[nextEvent]
            nextEvent += 1
            fields.append(Zigzag.encode(view.pointee.eventTime[row] &- start), .eventTime)
            fields.append(UInt64(form), .eventForm)
            blockEvents.append(
                Child(form: form, place: SpanReference(table: place.table, row: UInt32(row)))
            )
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
        for row in rows {
            let shape = linkShapes[nextLink]
            nextLink += 1
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
            blockLinks.append(
                Child(form: shape, place: SpanReference(table: place.table, row: UInt32(row)))
            )
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

    /// Adds the attribute values of the block's rows, then events, then links, grouped by form.
    private mutating func appendAttributes() {
        let count = block.rowCount
        grouping.sort(count, formCount: vocabulary.forms.count) { forms[firstRow + $0] }
        for index in 0..<count {
            let row = firstRow + Int(grouping.order[index])
            let shape = Int(vocabulary.forms[Int(forms[row])].shape)
            guard shape > 0 else { continue }
            let place = order.rows[row]
            let view = self.view(place.table)
            append(view.pointee.attributes(of: Int(place.row)), of: view, 0, shape: shape)
        }
        grouping.sort(blockEvents.count, formCount: vocabulary.eventForms.count) {
            blockEvents[$0].form
        }
        for index in 0..<blockEvents.count {
            let event = blockEvents[Int(grouping.order[index])]
            let view = self.view(event.place.table)
            append(
                view.pointee.attributes(ofEvent: Int(event.place.row)),
                of: view,
                1,
                shape: Int(vocabulary.eventForms[Int(event.form)].shape)
            )
        }
        grouping.sort(blockLinks.count, formCount: vocabulary.shapes.count) { blockLinks[$0].form }
        for index in 0..<blockLinks.count {
            let link = blockLinks[Int(grouping.order[index])]
            let view = self.view(link.place.table)
            append(
                view.pointee.attributes(ofLink: Int(link.place.row)),
                of: view,
                2,
                shape: Int(link.form)
            )
        }
    }

    @inline(__always)
    private mutating func append(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ table: Int,
        shape: Int
    ) {
        attributes.append(rows, of: view, table, shape: shape)
        assembler.overflowValues += attributes.overflow(table, shape: shape)
    }
}

/// Puts the rows of a block in the order of their forms, keeping the order inside a form.
struct Grouping: ~Copyable {
    /// Rows of the block.
    private(set) var order = Column<UInt32>()
    private var next = Column<UInt32>()

    /// - Parameter form: of a row, below `formCount`.
    @inline(__always)
    mutating func sort(_ count: Int, formCount: Int, form: (Int) -> UInt32) {
        next.truncate(to: 0)
        next.append(count: formCount + 1) { $0.initialize(repeating: 0) }
        for row in 0..<count { next[Int(form(row)) + 1] &+= 1 }
        for index in 0..<formCount { next[index + 1] &+= next[index] }
        order.truncate(to: 0)
        order.append(count: count) { target in
            for row in 0..<count {
                let place = Int(form(row))
                // Bound: the counts add up to `count`.
                target[Int(next[place])] = UInt32(row)
                next[place] &+= 1
            }
        }
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
        for place in 0..<ids.count where ids[place] == id { return place }
        return nil
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
