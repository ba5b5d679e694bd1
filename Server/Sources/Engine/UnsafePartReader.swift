// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What readers of one query share: made anew it costs more than a small read.
final class ReadScratch {
    let decompressor = Decompressor()
    /// Charged with what readers hold, by those that answer queries.
    let budget: QueryBudget?

    init(_ budget: QueryBudget? = nil) { self.budget = budget }
}

/// One query's view of one part: reads chunks, checks and unpacks them, and holds those in hand,
/// bounded in bytes.
///
/// Columns come in two forms: `packed` as they lie in the chunk, to read few rows, unchecked; and
/// `numbers`, all values of a block, of which every one that is an index is in range.
struct PartReader: ~Copyable {
    let part: Part
    let scratch: ReadScratch
    private var loaded: Vocabulary?
    private var held: [UInt64: Held] = [:]
    private var heldByteCount = 0
    private var clock: UInt64 = 0
    private let byteLimit: Int

    private enum Content {
        case packed(PackedIntegers)
        case numbers([UInt64])
        case texts(PackedTexts)
        case layout(BlockLayout)
        case page([UInt8])
    }

    private struct Held {
        var content: Content
        var byteCount: Int
        var use: UInt64
    }

    /// What a thing in hand is; part of its key.
    private enum Kind: UInt64 {
        case packed, numbers, starts, texts, layout, page, uncounted
    }

    /// - Parameter byteLimit: unpacked chunks that may be in hand.
    init(
        _ part: Part,
        _ scratch: ReadScratch = ReadScratch(),
        byteLimit: Int = Limits.readerBytes
    ) {
        self.part = part
        self.scratch = scratch
        self.byteLimit = byteLimit
    }

    var directory: PartDirectory { part.directory }

    /// What the numbers in the columns mean.
    var vocabulary: Vocabulary {
        mutating get throws(PartDamage) {
            if let loaded { return loaded }
            let vocabulary = try part.vocabulary()
            loaded = vocabulary
            return vocabulary
        }
    }

    // MARK: What is in hand

    private func key(_ kind: Kind, _ column: Int, _ block: Int) -> UInt64 {
        kind.rawValue << 60 | UInt64(column) << 32 | UInt64(block)
    }

    private mutating func find(_ key: UInt64) -> Content? {
        guard let index = held.index(forKey: key) else { return nil }
        clock += 1
        held.values[index].use = clock
        return held.values[index].content
    }

    private mutating func hold(_ content: Content, _ byteCount: Int, _ key: UInt64) {
        clock += 1
        if heldByteCount + byteCount > byteLimit { dropOldest() }
        held[key] = Held(content: content, byteCount: byteCount, use: clock)
        heldByteCount += byteCount
        scratch.budget?.charge(byteCount)
    }

    /// Drops the half that was used longest ago.
    private mutating func dropOldest() {
        for (key, item) in held.sorted(by: { $0.value.use < $1.value.use }) {
            if heldByteCount <= byteLimit / 2 { break }
            held[key] = nil
            heldByteCount -= item.byteCount
            scratch.budget?.release(item.byteCount)
        }
    }

    /// Lets go of everything in hand: the query is done with this part for now.
    mutating func release() {
        held = [:]
        scratch.budget?.release(heldByteCount)
        heldByteCount = 0
        loaded = nil
    }

    // MARK: Numbers

    /// The numbers of a fixed field in a block, those that are indices checked.
    mutating func numbers(_ field: PartField, _ block: Int) throws(PartDamage) -> [UInt64] {
        try numbers(column: Int(field.rawValue), block)
    }

    /// The numbers of a column in a block, or the ids of its texts, those that are indices checked.
    mutating func numbers(column: Int, _ block: Int) throws(PartDamage) -> [UInt64] {
        let key = key(.numbers, column, block)
        if case .numbers(let known) = find(key) { return known }
        let info = directory.columns[column]
        var values: [UInt64]
        if info.field.holdsIDs {
            values = try ids(info, block)
        } else {
            values = try packed(column: column, block).values
            if let limit = try limit(info, column) {
                guard values.allSatisfy({ $0 < limit }) else {
                    throw part.damage("a value is out of range")
                }
            }
        }
        hold(.numbers(values), 8 * values.count + 64, key)
        return values
    }

    private func ids(
        _ info: PartDirectory.Column,
        _ block: Int
    ) throws(PartDamage) -> [UInt64] {
        let count = count(info.field, block)
        guard !info.chunks[block].isNone else { return Array(repeating: 0, count: count ?? 0) }
        let bytes = try part.chunk(info.chunks[block])
        do throws(CorruptBytes) {
            let values = try RawIntegers.decode(bytes)
            guard count == nil || values.count == count else {
                throw CorruptBytes(what: "a column has the wrong length")
            }
            return values
        } catch { throw part.damage(error.what) }
    }

    /// One value of a column of ids in a block, `index` being below the count of its table's rows: the
    /// chunk is checked whole, but not copied.
    mutating func id(
        _ field: PartField,
        _ block: Int,
        _ index: Int
    ) throws(PartDamage) -> UInt64 {
        let column = Int(field.rawValue)
        let reference = directory.columns[column].chunks[block]
        if reference.isNone { return 0 }
        let key = key(.page, column, block)
        let bytes: [UInt8]
        if case .page(let known) = find(key) {
            bytes = known
        } else {
            bytes = try part.chunk(reference)
            guard bytes.count == 8 * (count(field, block) ?? 0) else {
                throw part.damage("a column has the wrong length")
            }
            hold(.page(bytes), bytes.count + 64, key)
        }
        var value: UInt64 = 0
        for place in (8 * index..<8 * index + 8).reversed() {
            value = value << 8 | UInt64(bytes[place])
        }
        return value
    }

    /// Numbers that are used as indices are below this.
    private mutating func limit(
        _ info: PartDirectory.Column,
        _ column: Int
    ) throws(PartDamage) -> UInt64? {
        switch info.field {
        case .form, .traceRoot: UInt64(try vocabulary.forms.count)
        case .eventForm: UInt64(try vocabulary.eventForms.count)
        case .linkShape: UInt64(try vocabulary.shapes.count)
        case .eventCount, .linkCount: 1 << 32
        case .traceSpanCount: UInt64(directory.spanCount) + 1
        case .indexRow: UInt64(directory.traceCount)
        case .attribute where info.hasDictionary: UInt64(try dictionary(column)?.count ?? 0)
        default: nil
        }
    }

    /// How many values a field has in a block; `nil` where only its chunk knows.
    private func count(_ field: PartField, _ block: Int) -> Int? {
        switch field {
        case .parentID, .linkTraceHigh, .linkTraceLow, .linkSpanID, .attribute: nil
        default:
            switch field.table {
            case .spans: directory.blocks[block].rowCount
            case .events: directory.blocks[block].eventCount
            case .links: directory.blocks[block].linkCount
            case .traces: directory.traceBlocks[block].rowCount
            case .index: directory.indexBlocks[block].rowCount
            }
        }
    }

    /// The numbers of a fixed field in a block as they lie in the chunk, unchecked.
    mutating func packed(_ field: PartField, _ block: Int) throws(PartDamage) -> PackedIntegers {
        try packed(column: Int(field.rawValue), block)
    }

    /// The numbers of a column in a block, or the ids of its texts, as they lie in the chunk,
    /// unchecked. Not for columns of ids.
    mutating func packed(column: Int, _ block: Int) throws(PartDamage) -> PackedIntegers {
        let key = key(.packed, column, block)
        if case .packed(let known) = find(key) { return known }
        let info = directory.columns[column]
        let count =
            info.field == .attribute
            ? try layout(info.table, block).valueCount(column) : count(info.field, block)
        guard !info.chunks[block].isNone else { return PackedIntegers(zeros: count ?? 0) }
        let bytes = try part.chunk(info.chunks[block])
        do throws(CorruptBytes) {
            let values = try PackedIntegers(chunk: bytes, scratch.decompressor)
            guard count == nil || values.count == count else {
                throw CorruptBytes(what: "a column has the wrong length")
            }
            hold(.packed(values), values.planes * values.count + 64, key)
            return values
        } catch { throw part.damage(error.what) }
    }

    /// The numbers of an attribute column in a block, or the ids of its texts: how many there should
    /// be is not looked at, so they tell only which values the block has.
    mutating func uncountedNumbers(
        _ column: Int,
        _ block: Int
    ) throws(PartDamage) -> PackedIntegers {
        let key = key(.uncounted, column, block)
        if case .packed(let known) = find(key) { return known }
        guard !directory.columns[column].chunks[block].isNone else {
            return PackedIntegers(zeros: 1)
        }
        let bytes = try part.chunk(directory.columns[column].chunks[block])
        do throws(CorruptBytes) {
            let values = try PackedIntegers(chunk: bytes, scratch.decompressor)
            hold(.packed(values), values.planes * values.count + 64, key)
            return values
        } catch { throw part.damage(error.what) }
    }

    /// The same for a column whose texts stand in the blocks.
    mutating func uncountedTexts(
        _ column: Int,
        _ block: Int
    ) throws(PartDamage) -> TextColumn {
        let key = key(.uncounted, column, block)
        if case .texts(let known) = find(key) { return TextColumn(known) }
        guard !directory.columns[column].chunks[block].isNone else { return TextColumn(empty: 1) }
        let bytes = try part.chunk(directory.columns[column].chunks[block])
        do throws(CorruptBytes) {
            let values = try PackedTexts(chunk: bytes, scratch.decompressor)
            hold(.texts(values), values.byteCount + 8 * values.count + 64, key)
            return TextColumn(values)
        } catch { throw part.damage(error.what) }
    }

    // MARK: Texts

    /// The values of a text column in a block.
    mutating func texts(column: Int, _ block: Int) throws(PartDamage) -> TextColumn {
        let info = directory.columns[column]
        if info.hasDictionary { return TextColumn(ids: try packed(column: column, block)) }
        let key = key(.texts, column, block)
        if case .texts(let known) = find(key) { return TextColumn(known) }
        let count =
            info.field == .attribute
            ? try layout(info.table, block).valueCount(column) : count(info.field, block)
        guard !info.chunks[block].isNone else { return TextColumn(empty: count ?? 0) }
        let bytes = try part.chunk(info.chunks[block])
        do throws(CorruptBytes) {
            let values = try PackedTexts(chunk: bytes, scratch.decompressor)
            guard count == nil || values.count == count else {
                throw CorruptBytes(what: "a column has the wrong length")
            }
            hold(.texts(values), values.byteCount + 8 * values.count + 64, key)
            return TextColumn(values)
        } catch { throw part.damage(error.what) }
    }

    // MARK: Dictionaries

    /// The index of a column's dictionary; `nil` where its texts stand in the blocks.
    func dictionary(_ column: Int) throws(PartDamage) -> TextDictionary? {
        try part.dictionary(column, scratch.decompressor)
    }

    /// The id of a text in a column's dictionary, if it is there.
    func dictionaryID(_ column: Int, _ text: [UInt8]) throws(PartDamage) -> Int? {
        guard let dictionary = try dictionary(column), !dictionary.pages.isEmpty else {
            return nil
        }
        let page = text.withRun(0..<text.count) { dictionary.page(for: $0) }
        let texts = try part.texts(page, of: dictionary, column, scratch.decompressor)
        let place = text.withRun(0..<text.count) { texts.find($0) }
        return place.map { dictionary.pages[page].first + $0 }
    }

    /// Calls `body` with text `id` of a column's dictionary, valid only during the call.
    func dictionaryText<Result>(
        _ column: Int,
        _ id: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(PartDamage) -> Result {
        let (texts, first) = try dictionaryPage(column, of: id)
        return texts.withBytes(Int(id) - first, body)
    }

    /// The ids from the first text that does not stand before `text` on.
    func dictionaryLowerBound(_ column: Int, _ text: [UInt8]) throws(PartDamage) -> Int {
        guard let dictionary = try dictionary(column), !dictionary.pages.isEmpty else { return 0 }
        let page = text.withRun(0..<text.count) { dictionary.page(for: $0) }
        let texts = try part.texts(page, of: dictionary, column, scratch.decompressor)
        return dictionary.pages[page].first + text.withRun(0..<text.count) { texts.lowerBound($0) }
    }

    /// The page that holds text `id` of a column's dictionary, and the id of its first text.
    func dictionaryPage(
        _ column: Int,
        of id: UInt64
    ) throws(PartDamage) -> (texts: PackedTexts, first: Int) {
        guard let dictionary = try dictionary(column), id < UInt64(dictionary.count) else {
            throw part.damage("a text has no entry")
        }
        let page = dictionary.page(of: Int(id))
        let first = dictionary.pages[page].first
        let texts = try part.texts(page, of: dictionary, column, scratch.decompressor)
        guard Int(id) >= first, Int(id) - first < texts.count else {
            throw part.damage("a text has no entry")
        }
        return (texts, first)
    }

    // MARK: Where values are

    /// The blocks that hold text `id` of a column's dictionary, ascending; `nil` for "maybe all".
    func blocks(holding id: UInt32, column: Int) throws(PartDamage) -> [Int]? {
        let id = Int(id)
        guard let dictionary = try dictionary(column), id < dictionary.count else { return nil }
        let page = dictionary.pages[dictionary.page(of: id)]
        guard !page.postings.isNone else { return nil }
        return try blocks(page.postings, id - page.first, of: page.count)
    }

    /// The blocks that hold spans of a form, ascending; `nil` for "maybe all".
    func blocks(holdingForm form: UInt32) throws(PartDamage) -> [Int]? {
        guard !directory.formPostings.isNone else { return nil }
        return try blocks(directory.formPostings, Int(form), of: nil)
    }

    /// The blocks that hold spans of a resource, ascending; `nil` for "maybe all".
    func blocks(holdingResource resource: UInt32) throws(PartDamage) -> [Int]? {
        guard !directory.resourcePostings.isNone else { return nil }
        return try blocks(directory.resourcePostings, Int(resource), of: nil)
    }

    /// The blocks that hold events of a form, ascending; `nil` for "maybe all".
    func blocks(holdingEventForm form: UInt32) throws(PartDamage) -> [Int]? {
        guard !directory.eventFormPostings.isNone else { return nil }
        return try blocks(directory.eventFormPostings, Int(form), of: nil)
    }

    private func blocks(
        _ reference: ChunkReference,
        _ index: Int,
        of count: Int?
    ) throws(PartDamage) -> [Int]? {
        let postings = try part.postings(reference, scratch.decompressor)
        guard index < postings.count, count == nil || postings.count == count else {
            throw part.damage("a list of blocks is too short")
        }
        do throws(CorruptBytes) {
            return try postings.blocks(of: index)
        } catch { throw part.damage(error.what) }
    }

    /// Which blocks may hold a value of this hash (`ValueHash`) in a column, by its filter; `nil`
    /// where it has none.
    mutating func blocks(
        mayHold hash: UInt64,
        column: Int
    ) throws(PartDamage) -> [Bool]? {
        guard let filter = try part.filter(column) else { return nil }
        let place = filter.page(of: hash)
        let key = key(.page, column, place)
        let page: [UInt8]
        if case .page(let known) = find(key) {
            page = known
        } else {
            page = try part.chunk(filter.pages[place])
            hold(.page(page), page.count + 64, key)
        }
        return directory.blocks.indices.map { filter.mayHold(hash, block: $0, page: page) }
    }

    // MARK: Forms

    /// How the owners of a table (spans, events or links) are grouped in a block.
    mutating func layout(_ table: PartTable, _ block: Int) throws(PartDamage) -> BlockLayout {
        let key = key(.layout, Int(table.rawValue), block)
        if case .layout(let known) = find(key) { return known }
        let vocabulary = try vocabulary
        let layout = BlockLayout(
            try packed(Self.formField(table), block),
            formCount: Self.formCount(table, vocabulary),
            columnCount: directory.columns.count
        ) { form in
            vocabulary.steps(shape: Self.shape(of: form, table, vocabulary), table)
        }
        guard let layout else { throw part.damage("a form is out of range") }
        hold(.layout(layout), layout.byteCount, key)
        return layout
    }

    /// The column that says which form an owner has.
    static func formField(_ table: PartTable) -> PartField {
        switch table {
        case .events: .eventForm
        case .links: .linkShape
        default: .form
        }
    }

    /// Forms that owners of a table may have.
    static func formCount(_ table: PartTable, _ vocabulary: Vocabulary) -> Int {
        switch table {
        case .events: vocabulary.eventForms.count
        case .links: vocabulary.shapes.count
        default: vocabulary.forms.count
        }
    }

    /// The shape of a form of a table.
    static func shape(of form: UInt32, _ table: PartTable, _ vocabulary: Vocabulary) -> UInt32 {
        switch table {
        case .events: vocabulary.eventForms[Int(form)].shape
        case .links: form
        default: vocabulary.forms[Int(form)].shape
        }
    }

    // MARK: Times

    /// The starts of all spans of a block, nanoseconds since 1970.
    mutating func starts(_ block: Int) throws(PartDamage) -> [UInt64] {
        let key = key(.starts, 0, block)
        if case .numbers(let known) = find(key) { return known }
        let base = block * directory.blockRows
        let rows = base..<base + directory.blocks[block].rowCount
        let steps = try packed(.start, block).values
        var starts: [UInt64] = []
        starts.reserveCapacity(rows.count)
        for trace in try traces(in: rows) {
            var start = trace.start
            for row in trace.rows.clamped(to: rows) {
                start &+= steps[row - base]
                starts.append(start)
            }
        }
        guard starts.count == rows.count else { throw part.damage("rows have no trace") }
        hold(.numbers(starts), 8 * starts.count + 64, key)
        return starts
    }

    /// The starts of the spans of a trace that lie in a block.
    mutating func starts(of trace: PartTrace, _ block: Int) throws(PartDamage) -> [UInt64] {
        let base = block * directory.blockRows
        let rows = trace.rows.clamped(to: base..<base + directory.blocks[block].rowCount)
        guard !rows.isEmpty else { return [] }
        var starts = try packed(.start, block).values(
            rows.lowerBound - base..<rows.upperBound - base
        )
        var start = trace.start
        for index in starts.indices {
            start &+= starts[index]
            starts[index] = start
        }
        return starts
    }
}

/// The values of a text column in a block.
struct TextColumn {
    let count: Int
    private let ids: PackedIntegers?
    private let texts: PackedTexts

    /// Texts that stand in the block itself.
    init(_ texts: PackedTexts) {
        self.texts = texts
        ids = nil
        count = texts.count
    }

    /// Texts of the column's dictionary.
    init(ids: PackedIntegers) {
        texts = PackedTexts()
        self.ids = ids
        count = ids.count
    }

    /// Empty texts.
    init(empty count: Int) {
        texts = PackedTexts()
        ids = nil
        self.count = count
    }

    /// Whether the texts stand in the column's dictionary.
    var hasDictionary: Bool { ids != nil }

    /// Where there is a dictionary: the id of value `index` in it, unchecked.
    func id(_ index: Int) -> UInt64 { ids?[index] ?? 0 }

    /// Where there is no dictionary: calls `body` with the bytes of value `index`, valid only during
    /// the call.
    func withBytes<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if index < texts.count { return texts.withBytes(index, body) }
        precondition(index < count && ids == nil, "text \(index) of \(count)")
        return body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}
