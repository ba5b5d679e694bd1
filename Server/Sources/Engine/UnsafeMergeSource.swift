// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// A column of an input that gives values to a column of the joined part.
final class MergeSource {
    let input: MergeInput
    /// 0 spans, 1 events, 2 links.
    let table: Int
    /// Place in the input's columns.
    let column: Int
    private let isAttribute: Bool
    /// By id in the input's dictionary: the id in the joined one.
    var ids: [UInt32] = []
    /// By id in the input's dictionary: whether a row that stays has it; empty where all do.
    var isUsed: [Bool] = []
    /// By shape of the input: values that an owner of it has in the column.
    private var strides: [Int32] = []
    private var blocks: [Int: MergeValues] = [:]
    /// The dictionary's texts, where the joined column has none.
    private var pages: [PackedTexts] = []
    private var wasAsked = false

    /// - Parameter owner: the table that an attribute belongs to.
    init(_ input: MergeInput, _ table: Int, column: Int) {
        self.input = input
        self.table = table
        self.column = column
        let info = input.directory.columns[column]
        isAttribute = info.field == .attribute
        guard isAttribute else { return }
        for shape in input.vocabulary.shapes.indices {
            let step = input.vocabulary.steps(shape: UInt32(shape), info.table)
                .first { $0.column == Int32(column) }
            strides.append(step?.stride ?? 0)
        }
    }

    private var info: PartDirectory.Column { input.directory.columns[column] }

    /// Whether its blocks hold texts themselves.
    var isRaw: Bool { !info.hasDictionary && info.chunks.contains { !$0.isNone } }

    /// Whether it has no text but the empty one, and no chunk.
    var isEmpty: Bool { !info.hasDictionary && info.chunks.allSatisfy(\.isNone) }

    var hasDictionary: Bool { info.hasDictionary }

    /// Distinct values of each block, added up, where the column has a filter.
    var filterValues: Int? { info.filter.isNone ? nil : info.filterValues }

    // MARK: Blocks

    /// The values of one block, number `block` of the input.
    func values(_ block: Int) throws(PartDamage) -> MergeValues {
        if let known = blocks[block] {
            known.wasAsked = true
            return known
        }
        let made = try load(block)
        blocks[block] = made
        return made
    }

    private func load(_ block: Int) throws(PartDamage) -> MergeValues {
        let (bases, count) = bases(block)
        let chunk = info.chunks[block]
        guard !chunk.isNone else {
            return MergeValues(bases, numbers: PackedIntegers(zeros: count), texts: PackedTexts())
        }
        let bytes = try input.part.chunk(chunk)
        do throws(CorruptBytes) {
            if isRaw, info.field.holdsText || info.type.holdsText {
                let texts = try PackedTexts(chunk: bytes, input.reader.scratch.decompressor)
                guard texts.count == count else {
                    throw CorruptBytes(what: "a column has the wrong length")
                }
                return MergeValues(bases, numbers: PackedIntegers(zeros: 0), texts: texts)
            }
            let numbers = try PackedIntegers(chunk: bytes, input.reader.scratch.decompressor)
            guard numbers.count == count else {
                throw CorruptBytes(what: "a column has the wrong length")
            }
            return MergeValues(bases, numbers: numbers, texts: PackedTexts())
        } catch { throw input.part.damage(error.what) }
    }

    /// For each form present in a block where its values begin, and how many values there are.
    private func bases(_ block: Int) -> ([Int], count: Int) {
        guard isAttribute else {
            let info = input.directory.blocks[block]
            return ([], table == 0 ? info.rowCount : table == 1 ? info.eventCount : info.linkCount)
        }
        let present = input.present[table][block]
        var bases: [Int] = []
        bases.reserveCapacity(present.forms.count)
        var next = 0
        for (form, count) in zip(present.forms, present.counts) {
            bases.append(next)
            next += Int(strides[Int(shape(of: form))]) * Int(count)
        }
        return (bases, next)
    }

    /// The shape of a form of the input's table.
    func shape(of form: UInt32) -> UInt32 {
        switch table {
        case 0: input.vocabulary.forms[Int(form)].shape
        case 1: input.vocabulary.eventForms[Int(form)].shape
        default: form
        }
    }

    /// Lets go of what was not asked for since the last call.
    func forgetIdle() {
        for (block, values) in blocks {
            if values.wasAsked { values.wasAsked = false } else { blocks[block] = nil }
        }
        if !wasAsked { pages = [] }
        wasAsked = false
    }

    // MARK: Dictionaries

    func dictionary() throws(PartDamage) -> TextDictionary? {
        try input.reader.dictionary(column)
    }

    func page(_ index: Int, of dictionary: TextDictionary) throws(PartDamage) -> PackedTexts {
        try input.part.readTexts(index, of: dictionary, input.reader.scratch.decompressor)
    }

    /// Calls `body` with a text of the input's dictionary, all of which is held meanwhile.
    func withText(
        _ id: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(PartDamage) {
        wasAsked = true
        guard let dictionary = try dictionary() else {
            // A column without chunks: its texts are empty.
            body(UnsafeRawBufferPointer(start: nil, count: 0))
            return
        }
        if pages.isEmpty {
            for index in dictionary.pages.indices {
                pages.append(try page(index, of: dictionary))
            }
        }
        guard id < UInt64(dictionary.count) else { throw input.part.damage("a text has no entry") }
        let page = dictionary.page(of: Int(id))
        pages[page].withBytes(Int(id) - dictionary.pages[page].first, body)
    }
}

/// The values that a column has in one block of an input.
final class MergeValues {
    /// By form present in the block: where its values begin.
    let bases: [Int]
    /// Numbers, or ids of texts.
    let numbers: PackedIntegers
    /// Texts that stand in the block itself.
    let texts: PackedTexts
    var wasAsked = true

    init(_ bases: [Int], numbers: PackedIntegers, texts: PackedTexts) {
        self.bases = bases
        self.numbers = numbers
        self.texts = texts
    }
}

/// Goes through the dictionaries of several sources at once, in ascending order.
struct MergeDictionaries {
    private struct Cursor {
        let source: MergeSource
        let dictionary: TextDictionary?
        var page = -1
        var texts = PackedTexts()
        var index = 0
        /// Id of the text at hand.
        var id = -1
        var isDone = false
    }

    private var cursors: [Cursor] = []
    /// Texts found so far, and their bytes.
    private(set) var count = 0
    private(set) var byteCount = 0

    init(_ sources: [MergeSource]) throws(PartDamage) {
        for source in sources {
            let dictionary = try source.dictionary()
            let count = dictionary?.count ?? 1
            source.ids = Array(repeating: MergeVocabulary.unused, count: count)
            cursors.append(Cursor(source: source, dictionary: dictionary))
        }
        for index in cursors.indices { try advance(index) }
    }

    /// Calls `body` with each distinct text that is used and tells the sources its id.
    mutating func run<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws {
        while let first = smallest() {
            let leader = cursors[first]
            let id = UInt32(count)
            count += 1
            try leader.texts.withText(leader.index) { (text) throws(Failure) in
                byteCount += text.count
                try body(text)
            }
            for index in cursors.indices where !cursors[index].isDone {
                let isSame =
                    index == first
                    || cursors[index].texts.withBytes(cursors[index].index) { text in
                        leader.texts.withBytes(leader.index) { ByteOrder.isSame(text, $0) }
                    }
                guard isSame else { continue }
                cursors[index].source.ids[cursors[index].id] = id
                try advance(index)
            }
        }
    }

    private func smallest() -> Int? {
        var first: Int?
        for index in cursors.indices where !cursors[index].isDone {
            guard let best = first else {
                first = index
                continue
            }
            let isBefore = cursors[index].texts.withBytes(cursors[index].index) { text in
                cursors[best].texts.withBytes(cursors[best].index) {
                    ByteOrder.isBefore(text, $0)
                }
            }
            if isBefore { first = index }
        }
        return first
    }

    /// Goes on to the next text that is used.
    private mutating func advance(_ index: Int) throws(PartDamage) {
        repeat {
            cursors[index].index += 1
            cursors[index].id += 1
            guard let dictionary = cursors[index].dictionary else {
                // A column without a dictionary and without chunks has the empty text only.
                cursors[index].isDone = cursors[index].id > 0
                cursors[index].texts = PackedTexts([[]])
                cursors[index].index = 0
                return
            }
            while cursors[index].page < 0
                || cursors[index].index == cursors[index].texts.count
            {
                cursors[index].page += 1
                guard cursors[index].page < dictionary.pages.count else {
                    cursors[index].isDone = true
                    cursors[index].texts = PackedTexts()
                    return
                }
                cursors[index].texts = try cursors[index].source.page(
                    cursors[index].page,
                    of: dictionary
                )
                cursors[index].index = 0
            }
        } while !isUsed(cursors[index])
    }

    private func isUsed(_ cursor: Cursor) -> Bool {
        cursor.source.isUsed.isEmpty || cursor.source.isUsed[cursor.id]
    }
}
