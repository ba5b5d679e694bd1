// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// One of the parts that are being joined.
final class MergeInput {
    let part: Part
    let vocabulary: Vocabulary
    /// The number of its first block, all inputs' blocks being numbered through.
    let firstBlock: Int
    var reader: PartReader
    /// By table (spans, events, links) and block: the forms present and how many owners each has.
    /// Filled as blocks are unpacked.
    var present: [[MergeForms]]

    /// By form: the resources of its service.
    let resources: [Range<Int>]

    var directory: PartDirectory { part.directory }

    init(_ part: Part, firstBlock: Int, _ scratch: ReadScratch) throws(PartDamage) {
        self.part = part
        self.firstBlock = firstBlock
        let vocabulary = try part.vocabulary()
        self.vocabulary = vocabulary
        resources = vocabulary.forms.map { vocabulary.resources(of: $0.service) }
        reader = PartReader(part, scratch, byteLimit: Limits.mergeReaderBytes)
        let empty = Array(repeating: MergeForms(), count: part.directory.blocks.count)
        present = [empty, empty, empty]
    }
}

/// The forms that one block of an input has, ascending, and how many owners of each.
struct MergeForms {
    var forms: [UInt32] = []
    var counts: [UInt32] = []
}

/// One block of an input, unpacked for copying.
final class MergeBlock {
    let number: Int
    /// Span row of its first span.
    let firstRow: Int
    let rowCount: Int
    let spanIDs: [UInt64]
    let starts: [UInt64]
    let parents: [UInt64]
    /// Parents that are not in the part; and by row, how many rows before have one.
    let strangers: [UInt64]
    let strangersBefore: [Int]
    /// By row: its row among the input's resources.
    let resources: [Int]
    let forms: MergeOwners
    /// Fields that are copied as they are.
    let copied: [PackedIntegers]
    let events: MergeChildren
    let links: MergeChildren
    let eventForms: MergeOwners
    let linkShapes: MergeOwners
    let eventTimes: PackedIntegers
    let linkFields: [PackedIntegers]
    let targets: MergeTargets
    /// Last used when this many traces were copied.
    var use = 0

    static let copiedFields: [PartField] = [
        .duration, .endsEarly, .eventCount, .linkCount, .droppedAttributes, .droppedEvents,
        .droppedLinks, .marks,
    ]
    static let copiedLinkFields: [PartField] = [.linkFlags, .linkDropped]

    init(_ input: MergeInput, _ block: Int) throws(PartDamage) {
        let info = input.directory.blocks[block]
        number = input.firstBlock + block
        firstRow = block * input.directory.blockRows
        rowCount = info.rowCount
        spanIDs = try input.reader.numbers(.spanID, block)
        starts = try input.reader.starts(block)
        parents = try input.reader.packed(.parent, block).values
        strangers = try input.reader.numbers(.parentID, block)
        var before: [Int] = []
        before.reserveCapacity(rowCount + 1)
        var count = 0
        for code in parents {
            before.append(count)
            if code == 1 { count += 1 }
        }
        before.append(count)
        strangersBefore = before
        var copied: [PackedIntegers] = []
        for field in Self.copiedFields { copied.append(try input.reader.packed(field, block)) }
        self.copied = copied
        forms = try MergeOwners(input, .spans, block)
        resources = try Self.resources(input, block, forms)
        events = MergeChildren(copied[2].values)
        links = MergeChildren(copied[3].values)
        eventForms = try MergeOwners(input, .events, block)
        linkShapes = try MergeOwners(input, .links, block)
        eventTimes = try input.reader.packed(.eventTime, block)
        var fields: [PackedIntegers] = []
        for field in Self.copiedLinkFields { fields.append(try input.reader.packed(field, block)) }
        linkFields = fields
        targets = try MergeTargets(input, block)
        guard count == strangers.count, events.end == UInt64(info.eventCount),
            links.end == UInt64(info.linkCount)
        else { throw input.part.damage("parents, events or links are missing") }
    }

    private static func resources(
        _ input: MergeInput,
        _ block: Int,
        _ owners: MergeOwners
    ) throws(PartDamage) -> [Int] {
        let instances = try input.reader.packed(.instance, block).values
        var rows: [Int] = []
        rows.reserveCapacity(instances.count)
        for (form, instance) in zip(owners.forms, instances) {
            let own = input.resources[Int(form)]
            guard instance < UInt64(own.count) else {
                throw input.part.damage("a span has no resource")
            }
            rows.append(own.lowerBound + Int(instance))
        }
        return rows
    }

    /// Nanoseconds since 1970.
    func end(_ row: Int) -> UInt64 { starts[row] &+ copied[0][row] }

    /// Nanoseconds from start to end of span `row`, 0 where the end lies before the start.
    func elapsed(_ row: Int) -> UInt64 { copied[1][row] == 0 ? copied[0][row] : 0 }

    func isShared(_ row: Int) -> Bool {
        copied[7][row] & UInt64(SpanMarks.shared.rawValue) != 0
    }
}

/// What the links of a block point to.
struct MergeTargets {
    let codes: [UInt64]
    /// Of links to other traces.
    let highs: [UInt64]
    let lows: [UInt64]
    /// Of links to spans that the row's trace does not have.
    let spans: [UInt64]
    /// By link: how many links before it point to another trace, and to a span that is told.
    private let foreignBefore: [Int]
    private let toldBefore: [Int]

    init(_ input: MergeInput, _ block: Int) throws(PartDamage) {
        codes = try input.reader.packed(.linkTarget, block).values
        var foreign = [0]
        var told = [0]
        for code in codes {
            foreign.append(foreign[foreign.count - 1] + (code == 0 ? 1 : 0))
            told.append(told[told.count - 1] + (code < 2 ? 1 : 0))
        }
        highs = try Self.ids(.linkTraceHigh, foreign[codes.count], input, block)
        lows = try Self.ids(.linkTraceLow, foreign[codes.count], input, block)
        spans = try Self.ids(.linkSpanID, told[codes.count], input, block)
        foreignBefore = foreign
        toldBefore = told
    }

    private static func ids(
        _ field: PartField,
        _ count: Int,
        _ input: MergeInput,
        _ block: Int
    ) throws(PartDamage) -> [UInt64] {
        if input.directory.columns[Int(field.rawValue)].chunks[block].isNone {
            return Array(repeating: 0, count: count)
        }
        let values = try input.reader.numbers(field, block)
        guard values.count == count else { throw input.part.damage("links are missing") }
        return values
    }

    /// Places in `highs` and `lows` of links `rows`.
    func foreign(_ rows: Range<Int>) -> Range<Int> {
        foreignBefore[rows.lowerBound]..<foreignBefore[rows.upperBound]
    }

    /// Places in `spans` of links `rows`.
    func told(_ rows: Range<Int>) -> Range<Int> {
        toldBefore[rows.lowerBound]..<toldBefore[rows.upperBound]
    }
}

/// Where the events or links of each span of a block begin.
struct MergeChildren {
    /// One more than there are rows; empty where no row has any.
    private let starts: [Int]

    init(_ counts: [UInt64]) {
        guard counts.contains(where: { $0 > 0 }) else {
            starts = []
            return
        }
        var starts = [0]
        starts.reserveCapacity(counts.count + 1)
        var next = 0
        for count in counts {
            next += Int(min(count, 1 << 32))
            starts.append(next)
        }
        self.starts = starts
    }

    var end: UInt64 { UInt64(starts.last ?? 0) }

    /// The children of span rows `rows`.
    func rows(of rows: Range<Int>) -> Range<Int> {
        starts.isEmpty ? 0..<0 : starts[rows.lowerBound]..<starts[rows.upperBound]
    }
}

/// The forms of the owners of one table in one block of an input.
struct MergeOwners {
    /// By owner: its form.
    let forms: [UInt64]
    /// By owner: the place of its form among those present.
    let places: [UInt32]
    /// By owner: how many owners of its form lie before it.
    let ranks: [UInt32]

    init(_ input: MergeInput, _ table: PartTable, _ block: Int) throws(PartDamage) {
        forms = try input.reader.numbers(PartReader.formField(table), block)
        let count = PartReader.formCount(table, input.vocabulary)
        var tally = [UInt32](repeating: 0, count: forms.isEmpty ? 0 : count)
        var ranks: [UInt32] = []
        ranks.reserveCapacity(forms.count)
        for form in forms {
            ranks.append(tally[Int(form)])
            tally[Int(form)] += 1
        }
        self.ranks = ranks
        var present = MergeForms()
        for form in tally.indices where tally[form] > 0 {
            present.counts.append(tally[form])
            tally[form] = UInt32(present.forms.count)
            present.forms.append(UInt32(form))
        }
        places = forms.map { tally[Int($0)] }
        input.present[table == .spans ? 0 : table == .events ? 1 : 2][block] = present
    }
}
