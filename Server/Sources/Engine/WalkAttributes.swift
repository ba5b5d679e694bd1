// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Which attributes of a part's spans, events and links a walk reads.
struct WalkKeys {
    /// By shape: places in its list of pairs.
    let pairs: [[Int]]

    /// Bytes of memory: an array for each shape, with its head of 32 bytes.
    var byteCount: Int { pairs.reduce(0) { $0 + 40 + 8 * $1.count } }

    /// - Parameter keys: `nil` for all.
    /// - Returns: `nil` where nothing in the part has one of the keys.
    init?(_ keys: Set<String>?, _ vocabulary: Vocabulary) {
        guard let keys else {
            pairs = vocabulary.shapes.map { Array($0.indices) }
            return
        }
        var names: Set<UInt32> = []
        for var key in keys {
            if let name = key.withUTF8({ vocabulary.name(.init($0)) }) { names.insert(name) }
        }
        guard !names.isEmpty else { return nil }
        pairs = vocabulary.shapes.map { shape in
            shape.indices.filter { names.contains(shape[$0].key) }
        }
    }
}

/// Copies attributes of the spans, events or links of one part into one batch of a walk. Values of a form
/// lie one behind the other in each column (`BlockLayout`): forms without a key that is asked for cost
/// nothing.
struct WalkAttributes {
    private let table: PartTable
    private let keys: WalkKeys
    private let session: PartSession
    private let vocabulary: Vocabulary
    /// By column of the part: its texts that the batch has.
    private var sources: [Int: WalkTexts] = [:]
    /// Bytes of memory that those take.
    private(set) var byteCount = 0

    /// One pair of a form in a block.
    private struct Cell {
        var key: UInt32
        var type: AttributeType
        /// Place in the block's values; -1 for the empty type, which has none.
        var slot: Int
        var base: Int
        var stride: Int
    }

    /// A column's values in a block.
    private struct Slot {
        var column: Int
        /// The values, or the ids of texts.
        var numbers: [UInt64] = []
        /// Texts that stand in the block.
        var texts: TextColumn?
        /// Where there is a dictionary.
        var dictionary: WalkTexts?
    }

    init(
        _ table: PartTable,
        _ keys: WalkKeys,
        _ session: PartSession,
        _ vocabulary: Vocabulary
    ) {
        self.table = table
        self.keys = keys
        self.session = session
        self.vocabulary = vocabulary
    }

    /// Appends the attributes of the owners in `runs` and returns their runs.
    ///
    /// - Parameter forms: those of the block's owners up to the last of `runs`.
    mutating func append(
        _ forms: [UInt64],
        _ runs: [Range<Int>],
        _ block: Int,
        _ target: inout SpanColumns,
        _ carrier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let formCount = PartReader.formCount(table, vocabulary)
        guard forms.allSatisfy({ $0 < UInt64(formCount) }) else {
            throw session.part.damage("a form is out of range")
        }
        var slots: [Slot] = []
        var cells: [Cell] = []
        // By form.
        var cellsOf = Array(repeating: 0..<0, count: formCount)
        let layout = try session.reader.layout(table, block)
        for (place, form) in layout.forms.enumerated() {
            let first = cells.count
            try appendCells(form, layout, place, block, &cells, &slots, &target, &carrier)
            cellsOf[Int(form)] = first..<cells.count
        }
        let count = runs.reduce(0) { $0 + $1.count }
        if cells.isEmpty { return Array(repeating: .empty, count: count) }
        var result: [Run] = []
        result.reserveCapacity(count)
        // How many owners of the form lie before, by form.
        var ranks = Array(repeating: 0, count: formCount)
        var seen = 0
        for run in runs {
            for row in seen..<run.lowerBound { ranks[Int(forms[row])] += 1 }
            seen = run.upperBound
            for row in run {
                let form = Int(truncatingIfNeeded: forms[row])
                let own = cellsOf[form]
                if own.isEmpty {
                    result.append(.empty)
                    continue
                }
                let rank = ranks[form]
                ranks[form] = rank &+ 1
                let first = target.attributes.count
                for place in own { try append(cells[place], rank, slots, &target) }
                result.append(Run(first: UInt32(first), count: UInt32(own.count)))
            }
        }
        return result
    }

    /// Appends the pairs of a form that are asked for.
    private mutating func appendCells(
        _ form: UInt32,
        _ layout: BlockLayout,
        _ place: Int,
        _ block: Int,
        _ cells: inout [Cell],
        _ slots: inout [Slot],
        _ target: inout SpanColumns,
        _ carrier: inout SpanCopier
    ) throws(PartDamage) {
        let shape = PartReader.shape(of: form, table, vocabulary)
        let wanted = keys.pairs[Int(shape)]
        if wanted.isEmpty { return }
        let steps = vocabulary.steps(shape: shape, table)
        for pair in wanted {
            let entry = vocabulary.shapes[Int(shape)][pair]
            let key = carrier.string(entry.key, vocabulary.shared.columns, &target)
            let column = steps[steps.startIndex + pair].column
            let slot = try slot(of: column, entry.type, block, &slots)
            let run = layout.run(place, pair: pair)
            cells.append(
                Cell(key: key, type: entry.type, slot: slot, base: run.base, stride: run.stride)
            )
        }
    }

    /// - Returns: -1 where values of the pair are nowhere, being empty.
    private mutating func slot(
        of column: Int32,
        _ type: AttributeType,
        _ block: Int,
        _ slots: inout [Slot]
    ) throws(PartDamage) -> Int {
        guard column >= 0 else {
            guard column == ValueStep.nowhere else {
                throw session.part.damage("an attribute has no column")
            }
            return -1
        }
        let column = Int(column)
        if let known = slots.firstIndex(where: { $0.column == column }) { return known }
        var slot = Slot(column: column)
        if !type.holdsText {
            slot.numbers = try session.reader.packed(column: column, block).values
        } else if session.part.directory.columns[column].hasDictionary {
            slot.numbers = try session.reader.packed(column: column, block).values
            if sources[column] == nil {
                let texts = WalkTexts(column, try dictionary(column))
                sources[column] = texts
                byteCount += texts.byteCount
            }
            slot.dictionary = sources[column]
        } else {
            slot.texts = try session.reader.texts(column: column, block)
        }
        slots.append(slot)
        return slots.count - 1
    }

    private func dictionary(_ column: Int) throws(PartDamage) -> TextDictionary {
        if let dictionary = try session.reader.dictionary(column) { return dictionary }
        throw session.part.damage("a text has no entry")
    }

    private func append(
        _ cell: Cell,
        _ rank: Int,
        _ slots: [Slot],
        _ target: inout SpanColumns
    ) throws(PartDamage) {
        guard cell.slot >= 0 else {
            target.attributes.append(key: cell.key, type: .empty, bits: 0)
            return
        }
        let index = cell.base &+ rank &* cell.stride
        if let texts = slots[cell.slot].texts {
            guard index < texts.count else { throw session.part.damage("a value is missing") }
            texts.withBytes(index) {
                target.attributes.append(key: cell.key, type: cell.type, bytes: $0)
            }
            return
        }
        guard index < slots[cell.slot].numbers.count else {
            throw session.part.damage("a value is missing")
        }
        var bits = slots[cell.slot].numbers[index]
        if let dictionary = slots[cell.slot].dictionary {
            bits = try dictionary.place(of: bits, session.reader, &target)
        }
        target.attributes.append(key: cell.key, type: cell.type, bits: bits)
    }
}

/// Texts of one dictionary that a batch has already: a text that stands in many spans is in the batch
/// once, and all their values mean the same bytes.
final class WalkTexts {
    private let column: Int
    private let dictionary: TextDictionary
    /// By id, plus one, where a text's bytes lie in the batch; 0 where they do not. Empty for a dictionary that
    /// is too long to remember.
    private var places: [UInt64]
    private var page = PackedTexts()
    /// Bytes of memory: of places, and of the page at hand.
    var byteCount: Int { 8 * places.count + Limits.dictionaryPageBytes }
    /// Id of the page's first text.
    private var pageFirst = 0
    /// Texts of a dictionary up to which each is remembered; 128 KiB.
    private static let rememberedTexts = 16_384

    init(_ column: Int, _ dictionary: TextDictionary) {
        self.column = column
        self.dictionary = dictionary
        let count = dictionary.count <= Self.rememberedTexts ? dictionary.count : 0
        places = Array(repeating: 0, count: count)
    }

    /// Where text `id` lies in the batch's bytes, as `AttributeColumns.value` has it.
    func place(
        of id: UInt64,
        _ reader: borrowing PartReader,
        _ target: inout SpanColumns
    ) throws(PartDamage) -> UInt64 {
        if id < UInt64(places.count), places[Int(id)] != 0 { return places[Int(id)] &- 1 }
        if id < UInt64(pageFirst) || id &- UInt64(pageFirst) >= UInt64(page.count) {
            (page, pageFirst) = try reader.dictionaryPage(column, of: id)
        }
        let first = target.attributes.bytes.count
        page.withBytes(Int(id) - pageFirst) { target.attributes.bytes.append(raw: $0) }
        let place =
            UInt64(first) << 32 | UInt64(target.attributes.bytes.count - first)
        if id < UInt64(places.count) { places[Int(id)] = place &+ 1 }
        return place
    }
}
