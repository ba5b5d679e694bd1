// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

extension PartReader {
    /// Appends the spans of a trace to `target`, all that was stored of them.
    ///
    /// - Parameter copier: made from `vocabulary.shared`; carries names, resources and scopes over.
    mutating func append(
        _ trace: PartTrace,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) {
        try append(trace, try id(of: trace), rows: trace.rows, to: &target, &copier)
    }

    /// Appends some spans of a trace.
    ///
    /// - Parameter rows: inside the trace's, at least one.
    mutating func append(
        _ trace: PartTrace,
        _ id: TraceID,
        rows: Range<Int>,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) {
        let blockRows = directory.blockRows
        let vocabulary = try vocabulary
        for block in rows.lowerBound / blockRows...(rows.upperBound - 1) / blockRows {
            var copy = RowCopy(trace, id, rows, block: block, vocabulary, directory)
            try copy.run(&self, to: &target, &copier)
        }
    }

    /// The parents of `rows` of a block, 0 for none.
    mutating func parentIDs(_ rows: Range<Int>, _ block: Int) throws(PartDamage) -> [UInt64] {
        let codes = try packed(.parent, block).values(0..<rows.upperBound)
        var next = codes[..<rows.lowerBound].reduce(0) { $1 == 1 ? $0 + 1 : $0 }
        var result: [UInt64] = []
        result.reserveCapacity(rows.count)
        for row in rows {
            switch codes[row] {
            case 0: result.append(0)
            case 1:
                let strangers = try numbers(.parentID, block)
                guard next < strangers.count else { throw part.damage("a parent is missing") }
                result.append(strangers[next])
                next += 1
            default: result.append(try spanID(codes[row], from: block * directory.blockRows + row))
            }
        }
        return result
    }

    /// The row that a parent code or link target of `row`, which is at least 2, means.
    func row(_ code: UInt64, from row: Int) throws(PartDamage) -> Int {
        let distance = Int64(bitPattern: Zigzag.decode(code &- 2))
        let (place, isTooFar) = Int64(row).addingReportingOverflow(distance)
        guard !isTooFar, place >= 0, place < Int64(directory.spanCount) else {
            throw part.damage("a span that is referred to is out of range")
        }
        return Int(place)
    }

    /// The id of the span that a parent code or link target of `row` means.
    mutating func spanID(_ code: UInt64, from row: Int) throws(PartDamage) -> UInt64 {
        let place = try self.row(code, from: row)
        return try numbers(.spanID, place / directory.blockRows)[place % directory.blockRows]
    }

    /// Value `index` of a field of links; zero where a block has no chunk.
    mutating func linked(
        _ field: PartField,
        _ index: Int,
        _ block: Int
    ) throws(PartDamage) -> UInt64 {
        if directory.columns[Int(field.rawValue)].chunks[block].isNone { return 0 }
        let values = try numbers(field, block)
        guard index < values.count else { throw part.damage("a link is missing") }
        return values[index]
    }

    /// The rows of events or links that span rows `rows` of a block own, `counts` being how many
    /// each span has, from the block's first on.
    func children(
        _ counts: [UInt64],
        _ rows: Range<Int>,
        _ total: Int
    ) throws(PartDamage) -> Range<Int> {
        var first: UInt64 = 0
        for row in 0..<rows.lowerBound { first &+= min(counts[row], 1 << 32) }
        var end = first
        for row in rows { end &+= min(counts[row], 1 << 32) }
        guard end <= UInt64(total) else { throw part.damage("events or links are missing") }
        return Int(first)..<Int(end)
    }
}

/// Copies the spans of a trace that lie in one block.
private struct RowCopy {
    private let id: TraceID
    private let trace: PartTrace
    private let block: Int
    private let base: Int
    /// Rows inside the block.
    private let rows: Range<Int>
    private let vocabulary: Vocabulary
    private let directory: PartDirectory
    private var starts: [UInt64] = []

    init(
        _ trace: PartTrace,
        _ id: TraceID,
        _ wanted: Range<Int>,
        block: Int,
        _ vocabulary: Vocabulary,
        _ directory: PartDirectory
    ) {
        self.trace = trace
        self.id = id
        self.block = block
        self.vocabulary = vocabulary
        self.directory = directory
        base = block * directory.blockRows
        let own = wanted.clamped(to: base..<base + directory.blocks[block].rowCount)
        rows = own.lowerBound - base..<own.upperBound - base
    }

    mutating func run(
        _ reader: inout PartReader,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) {
        let before = max(trace.rows.lowerBound, base)
        starts = Array(
            try reader.starts(of: trace, block)[(base + rows.lowerBound - before)...]
                .prefix(rows.count)
        )
        let forms = try reader.packed(.form, block).values(0..<rows.upperBound)
        let spanIDs = try reader.numbers(.spanID, block)
        let parents = try reader.parentIDs(rows, block)
        let durations = try values(.duration, &reader)
        let endsEarly = try values(.endsEarly, &reader)
        let instances = try values(.instance, &reader)
        let messages = try strings(.statusMessage, &reader, &target)
        let states = try strings(.traceState, &reader, &target)
        let droppedAttributes = try values(.droppedAttributes, &reader)
        let droppedEvents = try values(.droppedEvents, &reader)
        let droppedLinks = try values(.droppedLinks, &reader)
        let marks = try values(.marks, &reader)
        var owners = OwnerValues(.spans, block, forms, rows)
        let attributes = try owners.append(vocabulary, &reader, to: &target, &copier)
        let events = try events(&reader, to: &target, &copier)
        let links = try links(spanIDs, &reader, to: &target, &copier)
        for index in 0..<rows.count {
            let form = vocabulary.forms[Int(forms[rows.lowerBound + index])]
            guard let resource = vocabulary.resource(instances[index], of: form) else {
                throw reader.part.damage("a span has no resource")
            }
            let end = starts[index] &+ durations[index]
            guard (end < starts[index]) == (endsEarly[index] != 0) else {
                throw reader.part.damage("an end lies on the wrong side of its start")
            }
            let shared = vocabulary.shared
            target.append(
                SpanRow(
                    traceID: id,
                    spanID: SpanID(spanIDs[rows.lowerBound + index]),
                    parentID: SpanID(parents[index]),
                    start: starts[index],
                    end: end,
                    name: copier.string(form.name, shared.columns, &target),
                    kind: SpanKind(rawValue: form.kind) ?? .unspecified,
                    status: StatusCode(rawValue: form.status) ?? .unset,
                    statusMessage: messages[index],
                    traceState: states[index],
                    flags: form.flags,
                    resource: copier.resource(resource, shared.columns, &target),
                    scope: copier.scope(Int(form.scope), shared.columns, &target),
                    attributes: attributes[index],
                    events: events[index],
                    links: links[index],
                    droppedAttributes: UInt32(truncatingIfNeeded: droppedAttributes[index]),
                    droppedEvents: UInt32(truncatingIfNeeded: droppedEvents[index]),
                    droppedLinks: UInt32(truncatingIfNeeded: droppedLinks[index]),
                    marks: SpanMarks(rawValue: UInt8(truncatingIfNeeded: marks[index]))
                )
            )
        }
    }

    /// A field of the rows.
    private func values(
        _ field: PartField,
        _ reader: inout PartReader
    ) throws(PartDamage) -> [UInt64] {
        try reader.packed(field, block).values(rows)
    }

    /// A text field of the rows, as strings of `target`.
    private func strings(
        _ field: PartField,
        _ reader: inout PartReader,
        _ target: inout SpanColumns
    ) throws(PartDamage) -> [UInt32] {
        let column = Int(field.rawValue)
        return try strings(column, rows, &reader, &target)
    }

    private func strings(
        _ column: Int,
        _ rows: Range<Int>,
        _ reader: inout PartReader,
        _ target: inout SpanColumns
    ) throws(PartDamage) -> [UInt32] {
        var ids: [UInt32] = []
        ids.reserveCapacity(rows.count)
        let texts = try reader.texts(column: column, block)
        for row in rows {
            if texts.hasDictionary {
                let id = try reader.dictionaryText(column, texts.id(row)) {
                    target.strings.intern($0)
                }
                ids.append(id)
            } else {
                ids.append(texts.withBytes(row) { target.strings.intern($0) })
            }
        }
        return ids
    }

    private func events(
        _ reader: inout PartReader,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let total = directory.blocks[block].eventCount
        if total == 0 { return Array(repeating: .empty, count: rows.count) }
        let counts = try reader.packed(.eventCount, block).values(0..<rows.upperBound)
        let owned = try reader.children(counts, rows, total)
        if owned.isEmpty { return Array(repeating: .empty, count: rows.count) }
        let times = try reader.packed(.eventTime, block).values(owned)
        let forms = try reader.packed(.eventForm, block).values(0..<owned.upperBound)
        var owners = OwnerValues(.events, block, forms, owned)
        let attributes = try owners.append(vocabulary, &reader, to: &target, &copier)
        var runs: [Run] = []
        var event = 0
        for (index, row) in rows.enumerated() {
            let first = target.events.count
            for _ in 0..<Int(counts[row]) {
                let form = vocabulary.eventForms[Int(forms[owned.lowerBound + event])]
                target.events.append(
                    time: starts[index] &+ Zigzag.decode(times[event]),
                    name: copier.string(form.name, vocabulary.shared.columns, &target),
                    attributes: attributes[event],
                    dropped: form.dropped
                )
                event += 1
            }
            runs.append(Run(first: UInt32(first), count: UInt32(target.events.count - first)))
        }
        return runs
    }

    private func links(
        _ spanIDs: [UInt64],
        _ reader: inout PartReader,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let total = directory.blocks[block].linkCount
        if total == 0 { return Array(repeating: .empty, count: rows.count) }
        let counts = try reader.packed(.linkCount, block).values(0..<rows.upperBound)
        let owned = try reader.children(counts, rows, total)
        if owned.isEmpty { return Array(repeating: .empty, count: rows.count) }
        let targets = try targets(counts, owned, &reader)
        let states = try strings(
            Int(PartField.linkTraceState.rawValue),
            owned,
            &reader,
            &target
        )
        let flags = try reader.packed(.linkFlags, block).values(owned)
        let dropped = try reader.packed(.linkDropped, block).values(owned)
        let shapes = try reader.packed(.linkShape, block).values(0..<owned.upperBound)
        var owners = OwnerValues(.links, block, shapes, owned)
        let attributes = try owners.append(vocabulary, &reader, to: &target, &copier)
        var runs: [Run] = []
        var link = 0
        for row in rows {
            let first = target.links.count
            for _ in 0..<Int(counts[row]) {
                target.links.append(
                    traceID: targets[link].trace,
                    spanID: SpanID(targets[link].span),
                    traceState: states[link],
                    flags: UInt32(truncatingIfNeeded: flags[link]),
                    attributes: attributes[link],
                    dropped: UInt32(truncatingIfNeeded: dropped[link])
                )
                link += 1
            }
            runs.append(Run(first: UInt32(first), count: UInt32(target.links.count - first)))
        }
        return runs
    }

    /// What the links in `owned` point to.
    private func targets(
        _ counts: [UInt64],
        _ owned: Range<Int>,
        _ reader: inout PartReader
    ) throws(PartDamage) -> [(trace: TraceID, span: UInt64)] {
        let codes = try reader.packed(.linkTarget, block).values(0..<owned.upperBound)
        var foreign = 0
        var strangers = 0
        for code in codes[..<owned.lowerBound] where code < 2 {
            strangers += 1
            if code == 0 { foreign += 1 }
        }
        var result: [(trace: TraceID, span: UInt64)] = []
        var link = owned.lowerBound
        for row in rows {
            for _ in 0..<Int(counts[row]) {
                let code = codes[link]
                link += 1
                if code >= 2 {
                    result.append((id, try reader.spanID(code, from: base + row)))
                    continue
                }
                var trace = id
                if code == 0 {
                    trace = TraceID(
                        high: try reader.linked(.linkTraceHigh, foreign, block),
                        low: try reader.linked(.linkTraceLow, foreign, block)
                    )
                    foreign += 1
                }
                result.append((trace, try reader.linked(.linkSpanID, strangers, block)))
                strangers += 1
            }
        }
        return result
    }
}

/// The attributes of some owners (spans, events or links) of a block.
private struct OwnerValues {
    private let table: PartTable
    private let block: Int
    /// Forms of the block's owners up to the last one wanted.
    private let forms: [UInt64]
    private let wanted: Range<Int>
    private var columns: [Values] = []
    /// Where a column of the part stands in `columns`, plus one; 0 while it was not needed.
    private var slots: [UInt32] = []

    /// The values of a column in the block.
    private enum Values {
        case numbers(PackedIntegers)
        /// Texts that stand in the block.
        case texts(TextColumn)
        case ids(PackedIntegers, DictionaryPage)
    }

    /// The page of a dictionary that was looked at last.
    private struct DictionaryPage {
        var texts = PackedTexts()
        /// Id of its first text.
        var first = 0
    }

    init(_ table: PartTable, _ block: Int, _ forms: [UInt64], _ wanted: Range<Int>) {
        self.table = table
        self.block = block
        self.forms = forms
        self.wanted = wanted
    }

    /// Appends the attributes and returns their runs.
    mutating func append(
        _ vocabulary: Vocabulary,
        _ reader: inout PartReader,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let formCount = PartReader.formCount(table, vocabulary)
        guard forms[..<wanted.upperBound].allSatisfy({ $0 < UInt64(formCount) }) else {
            throw reader.part.damage("a form is out of range")
        }
        let layout = try reader.layout(table, block)
        slots = Array(repeating: 0, count: reader.directory.columns.count)
        // How many owners of the form lie before, by form.
        var ranks = Array(repeating: 0, count: formCount)
        for form in forms[..<wanted.lowerBound] { ranks[Int(form)] += 1 }
        var result: [Run] = []
        result.reserveCapacity(wanted.count)
        for form in forms[wanted] {
            let rank = ranks[Int(form)]
            ranks[Int(form)] = rank + 1
            let shape = PartReader.shape(of: UInt32(form), table, vocabulary)
            guard let place = layout.index(of: UInt32(form)) else {
                throw reader.part.damage("a form is out of range")
            }
            let first = target.attributes.count
            let steps = vocabulary.steps(shape: shape, table)
            for (pair, entry) in vocabulary.shapes[Int(shape)].enumerated() {
                let key = copier.string(entry.key, vocabulary.shared.columns, &target)
                let step = steps[steps.startIndex + pair]
                guard step.column >= 0 else {
                    guard step.column == ValueStep.nowhere else {
                        throw reader.part.damage("an attribute has no column")
                    }
                    target.attributes.append(key: key, type: .empty, bits: 0)
                    continue
                }
                let run = layout.run(place, pair: pair)
                let index = run.base + rank * run.stride
                try append(key, entry.type, step.column, index, &reader, &target)
            }
            result.append(
                Run(first: UInt32(first), count: UInt32(target.attributes.count - first))
            )
        }
        return result
    }

    private mutating func append(
        _ key: UInt32,
        _ type: AttributeType,
        _ column: Int32,
        _ index: Int,
        _ reader: inout PartReader,
        _ target: inout SpanColumns
    ) throws(PartDamage) {
        let slot = try slot(of: Int(column), type, &reader)
        switch columns[slot] {
        case .numbers(let numbers):
            guard index < numbers.count else { throw reader.part.damage("a value is missing") }
            target.attributes.append(key: key, type: type, bits: numbers[index])
        case .texts(let texts):
            guard index < texts.count else { throw reader.part.damage("a value is missing") }
            texts.withBytes(index) { target.attributes.append(key: key, type: type, bytes: $0) }
        case .ids(let ids, var page):
            guard index < ids.count else { throw reader.part.damage("a value is missing") }
            let id = ids[index]
            if id < UInt64(page.first) || id - UInt64(page.first) >= UInt64(page.texts.count) {
                (page.texts, page.first) = try reader.dictionaryPage(Int(column), of: id)
                columns[slot] = .ids(ids, page)
            }
            page.texts.withBytes(Int(id) - page.first) {
                target.attributes.append(key: key, type: type, bytes: $0)
            }
        }
    }

    /// Where the values of a column stand in `columns`; reads them when first needed.
    private mutating func slot(
        of column: Int,
        _ type: AttributeType,
        _ reader: inout PartReader
    ) throws(PartDamage) -> Int {
        if slots[column] != 0 { return Int(slots[column]) - 1 }
        if !type.holdsText {
            columns.append(.numbers(try reader.packed(column: column, block)))
        } else if reader.directory.columns[column].hasDictionary {
            let ids = try reader.packed(column: column, block)
            columns.append(.ids(ids, DictionaryPage()))
        } else {
            columns.append(.texts(try reader.texts(column: column, block)))
        }
        slots[column] = UInt32(columns.count)
        return columns.count - 1
    }
}
