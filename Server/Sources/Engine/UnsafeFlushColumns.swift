// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// One column of texts, or of an attribute's values, while a head is being flushed.
///
/// Numbers are written block by block. Texts are numbered in order of appearance and written last,
/// when it is known whether a dictionary pays; where it plainly does not, numbering stops early.
struct FlushColumn: ~Copyable {
    /// How values are kept until they are written.
    enum Keeping: Int32 {
        /// Numbers, those of the block in hand.
        case numbers
        /// All texts, by their number.
        case ids
        /// All texts, by their place.
        case places
    }

    private(set) var keeping = Keeping.numbers
    /// Of the block in hand.
    private var numbers = Column<UInt64>()
    private var places = Column<UnsafeRawBufferPointer>()
    private var interner = TextInterner()
    private var ids = Column<UInt32>()
    private var emptyTexts = 0

    private let field: PartField
    private let table: PartTable
    private let key: UInt32
    private let type: AttributeType
    private let blockCount: Int
    private var block = 0

    private var writer: ColumnWriter
    /// Where each block ends among the texts.
    private var ends: [Int] = []
    private var isSampled = false

    init(_ field: PartField, blockCount: Int) {
        self.field = field
        table = field.table
        key = 0
        type = .empty
        keeping = field.holdsText ? .ids : .numbers
        self.blockCount = blockCount
        writer = ColumnWriter(field, blockCount: blockCount)
    }

    init(attribute key: UInt32, _ type: AttributeType, of table: PartTable, blockCount: Int) {
        field = .attribute
        self.table = table
        self.key = key
        self.type = type
        keeping = type.holdsText ? .ids : .numbers
        self.blockCount = blockCount
        writer = ColumnWriter(attribute: key, type, of: table, blockCount: blockCount)
    }

    @inline(__always)
    mutating func append(_ number: UInt64) { numbers.append(number) }

    /// - Parameter text: stays where it is until the column is finished.
    @inline(__always)
    mutating func append(_ text: UnsafeRawBufferPointer) {
        if text.isEmpty {
            emptyTexts &+= 1
        } else {
            appendFilled(text)
        }
    }

    /// Adds the empty texts that were only counted so far: mostly there are no others.
    private mutating func appendEmptyTexts() {
        guard emptyTexts > 0 else { return }
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        if keeping == .places {
            places.append(count: emptyTexts) { $0.initialize(repeating: empty) }
        } else {
            let id = interner.intern(empty)
            ids.append(count: emptyTexts) { $0.initialize(repeating: id) }
        }
        emptyTexts = 0
    }

    private mutating func appendFilled(_ text: UnsafeRawBufferPointer) {
        appendEmptyTexts()
        if keeping == .places {
            places.append(text)
        } else {
            ids.append(number(text, after: ids.isEmpty ? 0 : ids[ids.count &- 1]))
        }
    }

    /// The number of a text.
    ///
    /// - Parameter last: number of a text that is perhaps the same.
    @inline(__always)
    mutating func number(_ text: UnsafeRawBufferPointer, after last: UInt32) -> UInt32 {
        if Int(last) < interner.count, ByteOrder.isSame(interner.texts[Int(last)], text) {
            return last
        }
        return interner.intern(text)
    }

    /// Room for all values of the block in hand, to be filled before `finishBlock` as `keeping`
    /// says: `UInt64`; `UInt32` numbers of texts; or `UnsafeRawBufferPointer`, which must stay where
    /// they are until the column is finished.
    mutating func makeRoom(_ count: Int) -> UnsafeMutableRawPointer {
        var room: UnsafeMutableRawPointer?
        switch keeping {
        case .numbers:
            numbers.append(count: count) { room = UnsafeMutableRawPointer($0.baseAddress) }
        case .ids: ids.append(count: count) { room = UnsafeMutableRawPointer($0.baseAddress) }
        case .places:
            places.append(count: count) { room = UnsafeMutableRawPointer($0.baseAddress) }
        }
        guard let room else { preconditionFailure("a column's memory has an address") }
        return room
    }

    mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        defer { block += 1 }
        if keeping != .numbers {
            finishTexts()
            return
        }
        if type == .int, numbers.count > 0, !isSampled {
            isSampled = true
            let distinct = numbers.withElements { Self.distinct($0) }
            // A number that stands in every block is found by reading; few distinct ones do.
            if distinct > Limits.unfilteredNumbers {
                writer.filter(values: distinct * (blockCount - block))
            }
        }
        try numbers.withElements { (numbers) throws(DiskError) in
            try writer.append(numbers: numbers, to: &output)
        }
        numbers.truncate(to: 0)
    }

    private mutating func finishTexts() {
        appendEmptyTexts()
        ends.append(keeping == .places ? places.count : ids.count)
        if keeping == .ids, ids.count >= Limits.sampledTexts,
            interner.count > ids.count / 100 * Limits.rawPercent
        {
            stopNumbering()
        }
    }

    private mutating func stopNumbering() {
        keeping = .places
        for index in 0..<ids.count { places.append(interner.texts[Int(ids[index])]) }
        ids = Column()
        interner = TextInterner()
    }

    private static func distinct(_ numbers: UnsafeBufferPointer<UInt64>) -> Int {
        var seen = RecordInterner<UInt64>()
        let hashing = TextHash()
        for number in numbers { _ = seen.intern(number, hash: hashing.combine(0, number)) }
        return seen.count
    }

    mutating func finish(to output: inout PartOutput) throws(DiskError) -> PartDirectory.Column {
        guard keeping != .numbers else { return try writer.finish(to: &output) }
        let isSearched = field == .attribute || field == .statusMessage
        if keeping == .ids, interner.count > ids.count / 100 * Limits.dictionaryPercent,
            ids.count > 100
        {
            stopNumbering()
        }
        if keeping == .places {
            let count = max(places.count, 1)
            let byteCount = (0..<places.count).reduce(0) { $0 + places[$1].count }
            if isSearched, byteCount / count <= Limits.filteredTextBytes {
                writer.filter(values: count)
            }
            try writeTexts(to: &output)
        } else {
            try writeIDs(isSearched: isSearched, to: &output)
        }
        return try writer.finish(to: &output)
    }

    private mutating func writeTexts(to output: inout PartOutput) throws(DiskError) {
        var run = TextRun()
        var first = 0
        for end in ends {
            run.removeAll()
            for index in first..<end { run.append(places[index]) }
            try writer.append(texts: run, to: &output)
            first = end
        }
    }

    private mutating func writeIDs(
        isSearched: Bool,
        to output: inout PartOutput
    ) throws(DiskError) {
        let order = interner.texts.withElements { TextSort.order($0) }
        var dictionary = TextDictionaryWriter()
        for id in order { try dictionary.append(interner.texts[Int(id)], to: &output) }
        try writer.use(dictionary, valueCount: ids.count, isSearched: isSearched, &output)
        let ranks = FlushVocabulary.ranks(order)
        var first = 0
        for end in ends {
            numbers.truncate(to: 0)
            numbers.append(count: end - first) { target in
                ids.withElements { ids in
                    ranks.withUnsafeBufferPointer { ranks in
                        // Bound: numbers of texts, each of which has a rank.
                        for index in first..<end {
                            target[index &- first] = UInt64(ranks[Int(ids[index])])
                        }
                    }
                }
            }
            try numbers.withElements { (numbers) throws(DiskError) in
                try writer.append(numbers: numbers, to: &output)
            }
            first = end
        }
    }
}
