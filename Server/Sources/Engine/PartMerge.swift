// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// The parts that are joined, and what must be known of them before the first row is copied.
struct MergeInputs {
    let inputs: [MergeInput]
    let order: MergeOrder
    let vocabulary: MergeVocabulary
    let tenant: String
    /// Newest receipt among the spans.
    let receivedAt: UInt64
    /// Whether texts and names may be left over that no kept row has.
    var dropsRows: Bool { order.droppedTraces > 0 }
    /// Spans that the joined part will have; with none there is nothing to write.
    var spanCount: Int { order.spanCount }

    /// - Parameters:
    ///   - parts: of one tenant, at least one.
    ///   - dropped: traces to leave out.
    init(_ parts: [Part], dropping dropped: Set<TraceID> = []) throws(PartDamage) {
        let scratch = ReadScratch()
        var inputs: [MergeInput] = []
        var firstBlock = 0
        for part in parts {
            inputs.append(try MergeInput(part, firstBlock: firstBlock, scratch))
            firstBlock += part.directory.blocks.count
        }
        let order = try MergeOrder(inputs, dropping: dropped)
        var uses: [MergeVocabulary.Use] = []
        for (number, input) in inputs.enumerated() {
            uses.append(
                order.droppedTraces > 0
                    ? try order.use(of: input, number)
                    : MergeVocabulary.Use(allOf: input.vocabulary)
            )
        }
        vocabulary = MergeVocabulary(inputs.map(\.vocabulary), uses)
        self.inputs = inputs
        self.order = order
        tenant = parts.first?.entry.tenant ?? ""
        receivedAt = parts.map(\.entry.receivedAt).max() ?? 0
    }
}

/// Writes one part from several, or from one without some of its traces.
///
/// First the order of the traces is found and the vocabularies are joined. Then rows are copied block
/// by block, all fields but texts, noting where the owners of values come from; then texts and
/// attributes, a column at a time. Never more than a few blocks, one column and the order is in
/// memory.
struct PartMerge: ~Copyable {
    private let inputs: [MergeInput]
    private let order: MergeOrder
    private let vocabulary: MergeVocabulary
    /// Whether texts and names may be left over that no kept row has.
    private let dropsRows: Bool
    private var assembler: PartAssembler

    private var fields: FieldColumns
    private var block = PartDirectory.Block.empty
    private var blockResources: Column<UInt64>
    private var spans: MergeGroups
    private var events: MergeGroups
    private var links: MergeGroups
    private var unpacked: [Int: MergeBlock] = [:]
    private var traceCount = 0

    private static let numberFields = PartField.fixed.filter {
        [.spans, .events, .links].contains($0.table) && !$0.holdsText
    }

    /// - Parameter output: where the file goes; its head is written already.
    init(_ plan: MergeInputs, blockRows: Int, output: consuming PartOutput) {
        inputs = plan.inputs
        order = plan.order
        dropsRows = plan.dropsRows
        vocabulary = plan.vocabulary
        assembler = PartAssembler(
            tenant: plan.tenant,
            receivedAt: plan.receivedAt,
            vocabulary: plan.vocabulary.content,
            spanCount: plan.order.spanCount,
            blockRows: blockRows,
            output: output
        )
        fields = FieldColumns(Self.numberFields, blockCount: assembler.blockCount)
        spans = MergeGroups(formCount: plan.vocabulary.content.forms.count)
        events = MergeGroups(formCount: plan.vocabulary.content.eventForms.count)
        links = MergeGroups(formCount: plan.vocabulary.content.shapes.count)
        blockResources = Column()
    }

    /// Writes everything.
    ///
    /// - Parameter pause: called now and then, for work that cannot wait for the end.
    /// - Returns: what the manifest says of the part, but for its number.
    /// - Throws: `PartDamage` of an input, `DiskError` of the output.
    mutating func write(pause: () throws -> Void) throws -> Manifest.Entry {
        for index in order.traces.indices {
            let trace = order.traces[index]
            if trace.input < 0 {
                try appendMixed(trace)
            } else {
                try append(trace, inputs[Int(trace.input)])
            }
            traceCount += 1
            if traceCount % Limits.mergePauseTraces == 0 { try pause() }
        }
        if block.rowCount > 0 { try finishBlock() }
        unpacked = [:]
        for column in try fields.finish(to: &assembler.output) { assembler.add(column) }
        let columns = MergeColumns(inputs, vocabulary, dropsRows: dropsRows)
        try columns.write(spans, events, links, to: &assembler, pause: pause)
        return try assembler.finish()
    }

    // MARK: Rows

    /// A block of an input, unpacked; few are held.
    private mutating func unpack(_ input: MergeInput, _ index: Int) throws(PartDamage) -> MergeBlock
    {
        let number = input.firstBlock + index
        if let known = unpacked[number] {
            known.use = traceCount
            return known
        }
        if unpacked.count >= max(Limits.mergeBlocks, inputs.count * 2),
            let oldest = unpacked.min(by: { ($0.value.use, $0.key) < ($1.value.use, $1.key) })
        {
            unpacked[oldest.key] = nil
        }
        let block = try MergeBlock(input, index)
        block.use = traceCount
        unpacked[number] = block
        return block
    }

    /// Copies a trace that lies in one input whole.
    private mutating func append(_ trace: MergeOrder.Trace, _ input: MergeInput) throws {
        let source = trace.place
        let translation = vocabulary.translations[Int(trace.input)]
        let blockRows = input.directory.blockRows
        var row = source.rows.lowerBound
        var previous = trace.start
        while row < source.rows.upperBound {
            let from = try unpack(input, row / blockRows)
            let room = min(
                from.firstRow + from.rowCount,
                row + assembler.blockRows - block.rowCount
            )
            let rows = row - from.firstRow..<min(source.rows.upperBound, room) - from.firstRow
            copyParents(rows, from)
            copyTargets(from.links.rows(of: rows), from)
            previous = copyStarts(rows, from, after: previous)
            for row in rows {
                count(row, from, translation, parentID: try parentID(row, from, input))
            }
            copyRows(rows, from, translation)
            row += rows.count
            if block.rowCount == assembler.blockRows {
                try finishBlock()
                previous = trace.start
            }
        }
        let info = Int(trace.row) / blockRows
        let root = try input.reader.packed(.traceRoot, info)[Int(trace.row) % blockRows]
        guard root < UInt64(translation.forms.count) else {
            throw input.part.damage("a form is out of range")
        }
        try assembler.addTrace(
            TraceRowsWriter.Row(
                id: trace.id,
                start: trace.start,
                duration: try input.reader.duration(of: source),
                spanCount: source.rows.count,
                root: translation.forms[Int(root)]
            )
        )
    }

    /// Copies what does not depend on the rows around, and takes the rows into account.
    private mutating func copyRows(
        _ rows: Range<Int>,
        _ from: MergeBlock,
        _ translation: MergeVocabulary.Translation
    ) {
        fields.append(from.spanIDs[rows], .spanID)
        for (index, field) in MergeBlock.copiedFields.enumerated() {
            fields.append(from.copied[index], rows, field)
        }
        for row in rows {
            fields.append(UInt64(translation.forms[Int(from.forms.forms[row])]), .form)
            let resource = from.resources[row]
            fields.append(UInt64(translation.instances[resource]), .instance)
            blockResources.append(UInt64(translation.resources[resource]))
            block.note(start: from.starts[row], duration: from.elapsed(row))
        }
        spans.append(rows, of: from.forms, block: from.number, forms: translation.forms)
        let events = from.events.rows(of: rows)
        if !events.isEmpty {
            fields.append(from.eventTimes, events, .eventTime)
            for event in events {
                let form = from.eventForms.forms[event]
                fields.append(UInt64(translation.eventForms[Int(form)]), .eventForm)
            }
            self.events.append(
                events,
                of: from.eventForms,
                block: from.number,
                forms: translation.eventForms
            )
            block.eventCount += events.count
        }
        let links = from.links.rows(of: rows)
        if !links.isEmpty {
            for (index, field) in MergeBlock.copiedLinkFields.enumerated() {
                fields.append(from.linkFields[index], links, field)
            }
            for link in links {
                let shape = from.linkShapes.forms[link]
                fields.append(UInt64(translation.shapes[Int(shape)]), .linkShape)
            }
            self.links.append(
                links,
                of: from.linkShapes,
                block: from.number,
                forms: translation.shapes
            )
            block.linkCount += links.count
        }
    }

    /// Counts a row of a block for the totals.
    private mutating func count(
        _ row: Int,
        _ from: MergeBlock,
        _ translation: MergeVocabulary.Translation,
        parentID: UInt64
    ) {
        assembler.count(
            form: translation.forms[Int(from.forms.forms[row])],
            spanID: from.spanIDs[row],
            parentID: parentID,
            start: from.starts[row],
            duration: from.elapsed(row),
            isShared: from.isShared(row)
        )
    }

    /// - Returns: the start of the last row.
    private mutating func copyStarts(
        _ rows: Range<Int>,
        _ from: MergeBlock,
        after first: UInt64
    ) -> UInt64 {
        var previous = first
        for row in rows {
            fields.append(from.starts[row] &- previous, .start)
            previous = from.starts[row]
        }
        return previous
    }

    private mutating func copyParents(_ rows: Range<Int>, _ from: MergeBlock) {
        fields.append(from.parents[rows], .parent)
        let strangers =
            from.strangersBefore[rows.lowerBound]..<from.strangersBefore[rows.upperBound]
        fields.append(from.strangers[strangers], .parentID)
    }

    private mutating func copyTargets(_ rows: Range<Int>, _ from: MergeBlock) {
        if rows.isEmpty { return }
        fields.append(from.targets.codes[rows], .linkTarget)
        let foreign = from.targets.foreign(rows)
        fields.append(from.targets.highs[foreign], .linkTraceHigh)
        fields.append(from.targets.lows[foreign], .linkTraceLow)
        fields.append(from.targets.spans[from.targets.told(rows)], .linkSpanID)
    }

    // MARK: Mixed traces

    /// Copies a trace whose spans lie in several inputs, row by row: parents and the targets of links
    /// may be found now that were not before.
    private mutating func appendMixed(_ trace: MergeOrder.Trace) throws {
        let rows = order.rows(ofMixed: Int(trace.row))
        var family = TraceFamily()
        family.begin(count: rows.count)
        for place in rows {
            let input = inputs[Int(place.input)]
            let from = try unpack(input, Int(place.row) / input.directory.blockRows)
            family.add(from.spanIDs[Int(place.row) - from.firstRow])
        }
        family.finish()
        var previous = trace.start
        var finish = trace.start
        var root: UInt32?
        var firstForm: UInt32 = 0
        for (offset, place) in rows.enumerated() {
            let input = inputs[Int(place.input)]
            let translation = vocabulary.translations[Int(place.input)]
            let from = try unpack(input, Int(place.row) / input.directory.blockRows)
            let row = Int(place.row) - from.firstRow
            let parentID = try parentID(row, from, input)
            appendParent(parentID, offset, family)
            try appendTargets(row, from, input, trace.id, offset, family)
            previous = copyStarts(row..<row + 1, from, after: previous)
            count(row, from, translation, parentID: parentID)
            copyRows(row..<row + 1, from, translation)
            finish = max(finish, from.starts[row], from.end(row))
            let form = translation.forms[Int(from.forms.forms[row])]
            if offset == 0 { firstForm = form }
            if root == nil, parentID == 0 { root = form }
            if block.rowCount == assembler.blockRows {
                try finishBlock()
                previous = trace.start
            }
        }
        try assembler.addTrace(
            TraceRowsWriter.Row(
                id: trace.id,
                start: trace.start,
                duration: finish &- trace.start,
                spanCount: rows.count,
                root: root ?? firstForm
            )
        )
    }

    /// The parent of a row of a block, 0 for none.
    private func parentID(
        _ row: Int,
        _ from: MergeBlock,
        _ input: MergeInput
    ) throws(PartDamage) -> UInt64 {
        switch from.parents[row] {
        case 0: 0
        case 1: from.strangers[from.strangersBefore[row]]
        default: try spanID(from.parents[row], row, from, input)
        }
    }

    /// The id of the span that a parent code or link target, which is at least 2, means.
    private func spanID(
        _ code: UInt64,
        _ row: Int,
        _ from: MergeBlock,
        _ input: MergeInput
    ) throws(PartDamage) -> UInt64 {
        let place = try input.reader.row(code, from: from.firstRow + row) - from.firstRow
        if place >= 0, place < from.rowCount { return from.spanIDs[place] }
        return try input.reader.spanID(code, from: from.firstRow + row)
    }

    private mutating func appendParent(
        _ parentID: UInt64,
        _ offset: Int,
        _ family: borrowing TraceFamily
    ) {
        if parentID == 0 {
            fields.append(0, .parent)
        } else if let parent = family.find(parentID) {
            fields.append(2 &+ Zigzag.encode(UInt64(bitPattern: Int64(parent - offset))), .parent)
        } else {
            fields.append(1, .parent)
            fields.append(parentID, .parentID)
        }
    }

    private mutating func appendTargets(
        _ row: Int,
        _ from: MergeBlock,
        _ input: MergeInput,
        _ id: TraceID,
        _ offset: Int,
        _ family: borrowing TraceFamily
    ) throws(PartDamage) {
        for link in from.links.rows(of: row..<row + 1) {
            let code = from.targets.codes[link]
            if code == 0 {
                copyTargets(link..<link + 1, from)
                continue
            }
            let target =
                code == 1
                ? from.targets.spans[from.targets.told(link..<link + 1).lowerBound]
                : try spanID(code, row, from, input)
            if let place = family.find(target) {
                fields.append(
                    2 &+ Zigzag.encode(UInt64(bitPattern: Int64(place - offset))),
                    .linkTarget
                )
            } else {
                fields.append(1, .linkTarget)
                fields.append(target, .linkSpanID)
            }
        }
    }

    private mutating func finishBlock() throws(DiskError) {
        fields.withValues(.form) { assembler.formPostings.append(block: $0) }
        blockResources.withElements { assembler.resourcePostings.append(block: $0) }
        fields.withValues(.eventForm) { assembler.eventFormPostings.append(block: $0) }
        try fields.finishBlock(to: &assembler.output)
        spans.finishBlock()
        events.finishBlock()
        links.finishBlock()
        assembler.blocks.append(block)
        block = .empty
        blockResources.truncate(to: 0)
    }
}
