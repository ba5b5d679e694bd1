// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// One column of texts, or of an attribute's values, while a head is being flushed.
///
/// Numbers are written block by block. Texts are numbered in order of appearance and written last,
/// when it is known whether a dictionary pays; where it plainly does not, numbering stops early.
struct FlushColumn: ~Copyable {
    /// Of the block in hand.
    private var numbers = Column<UInt64>()
    /// Texts not numbered yet, those of the block in hand; once numbering stopped, all.
    private var places = Column<UnsafeRawBufferPointer>()
    private var isRaw = false
    private var interner = TextInterner()
    /// Number of each text so far.
    private var ids = Column<UInt32>()
    private var hashes = Column<UInt64>()

    private let field: PartField
    private let table: PartTable
    private let key: UInt32
    private let type: AttributeType
    private let holdsText: Bool
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
        holdsText = field.holdsText
        self.blockCount = blockCount
        writer = ColumnWriter(field, blockCount: blockCount)
    }

    init(attribute key: UInt32, _ type: AttributeType, of table: PartTable, blockCount: Int) {
        field = .attribute
        self.table = table
        self.key = key
        self.type = type
        holdsText = type.holdsText
        self.blockCount = blockCount
        writer = ColumnWriter(attribute: key, type, of: table, blockCount: blockCount)
    }

    @inline(__always)
    mutating func append(_ number: UInt64) { numbers.append(number) }

    /// - Parameter text: stays where it is until the column is finished.
    @inline(__always)
    mutating func append(_ text: UnsafeRawBufferPointer) { places.append(text) }

    /// Room for all values of the block in hand, to be filled before `finishBlock`: texts as
    /// `UnsafeRawBufferPointer`, which must stay where they are until the column is finished, else
    /// `UInt64`.
    mutating func makeRoom(_ count: Int) -> UnsafeMutableRawPointer {
        var room: UnsafeMutableRawPointer?
        if holdsText {
            places.append(count: count) { room = UnsafeMutableRawPointer($0.baseAddress) }
        } else {
            numbers.append(count: count) { room = UnsafeMutableRawPointer($0.baseAddress) }
        }
        // Never nil: a column's memory has an address.
        return room ?? UnsafeMutableRawPointer(bitPattern: 1 << 12).unsafelyUnwrapped
    }

    mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        defer { block += 1 }
        if holdsText {
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
        if isRaw {
            ends.append(places.count)
            return
        }
        number()
        ends.append(ids.count)
        if ids.count >= Limits.sampledTexts,
            interner.count > ids.count / 100 * Limits.rawPercent
        {
            stopNumbering()
        }
    }

    /// Numbers the texts of the block in hand: first all hashes, then all look-ups, so that the
    /// memory they wait for is fetched side by side.
    private mutating func number() {
        let count = places.count
        hashes.truncate(to: 0)
        let hashing = TextHash()
        for index in 0..<count { hashes.append(hashing.of(places[index])) }
        var last: UInt64 = 0
        var id: UInt32 = 0
        for index in 0..<count {
            let text = places[index]
            // Values of one form lie together: mostly the same as the one before.
            if index == 0 || hashes[index] != last
                || !ByteOrder.isSame(interner.texts[Int(id)], text)
            {
                id = interner.intern(text, hash: hashes[index])
                last = hashes[index]
            }
            ids.append(id)
        }
        places.truncate(to: 0)
    }

    private mutating func stopNumbering() {
        isRaw = true
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
        guard holdsText else { return try writer.finish(to: &output) }
        let isSearched = field == .attribute || field == .statusMessage
        if !isRaw, interner.count > ids.count / 100 * Limits.dictionaryPercent, ids.count > 100 {
            stopNumbering()
        }
        if isRaw {
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
            for index in first..<end { numbers.append(UInt64(ranks[Int(ids[index])])) }
            try numbers.withElements { (numbers) throws(DiskError) in
                try writer.append(numbers: numbers, to: &output)
            }
            first = end
        }
    }
}
