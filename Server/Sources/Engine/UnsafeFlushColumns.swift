// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// One column of texts, or of an attribute's values, while a head is being flushed.
///
/// Numbers are written block by block. Texts are numbered in order of appearance and written last,
/// when it is known whether a dictionary pays; where it plainly does not, numbering stops early.
struct FlushColumn: ~Copyable {
    // What every value touches comes first, so that it lies close together.
    private var isRaw = false
    private var textByteCount = 0
    /// Number of each text so far.
    private var ids = Column<UInt32>()
    private var interner = TextInterner()
    /// Once texts are no longer numbered: where each lies.
    private var places = Column<UnsafeRawBufferPointer>()
    private var numbers = Column<UInt64>()

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
    mutating func append(_ text: UnsafeRawBufferPointer) {
        textByteCount &+= text.count
        if isRaw {
            places.append(text)
            return
        }
        // Values of one form lie together: mostly the same as the one before.
        if ids.count > 0 {
            let last = ids[ids.count &- 1]
            if ByteOrder.isSame(interner.texts[Int(last)], text) {
                ids.append(last)
                return
            }
        }
        ids.append(interner.intern(text))
    }

    private var textCount: Int { isRaw ? places.count : ids.count }

    mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        defer { block += 1 }
        if holdsText {
            ends.append(textCount)
            if !isRaw, ids.count >= Limits.sampledTexts,
                interner.count > ids.count / 100 * Limits.rawPercent
            {
                stopNumbering()
            }
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
            if isSearched, textByteCount / count <= Limits.filteredTextBytes {
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

/// The attribute columns of a head that is being flushed, and which of them each shape fills.
struct FlushAttributes: ~Copyable {
    private let columns: UnsafeMutableBufferPointer<FlushColumn>
    /// By table (spans, events, links) and shape: where its columns begin in `places`.
    private var starts = Column<Int>()
    private let shapeCount: Int
    /// For each entry of a shape the column << 1, and 1 where it holds texts; -1 for a value of the
    /// empty type, which has none.
    private var places = Column<Int32>()
    private(set) var overflowKeys = 0
    /// By table and shape: how many of its values go to an overflow column.
    private var overflowing = Column<Int>()

    private struct Kind: Hashable {
        var table: PartTable
        var key: UInt32
        var type: AttributeType
    }

    static let tables: [PartTable] = [.spans, .events, .links]

    /// - Parameters:
    ///   - uses: by table (spans, events, links) how many owners each shape has.
    init(_ shapes: [[PartVocabulary.Entry]], uses: [[Int]], blockCount: Int) {
        var counts: [Kind: Int] = [:]
        for (table, uses) in zip(Self.tables, uses) {
            for (shape, entries) in shapes.enumerated() where uses[shape] > 0 {
                for entry in entries where entry.type != .empty {
                    let kind = Kind(table: table, key: entry.key, type: entry.type)
                    counts[kind, default: 0] += uses[shape]
                }
            }
        }
        let own = Self.withColumn(counts)
        var kinds: [Kind] = []
        var numbers: [Kind: Int] = [:]
        shapeCount = shapes.count
        for (table, uses) in zip(Self.tables, uses) {
            for (shape, entries) in shapes.enumerated() {
                starts.append(places.count)
                overflowing.append(0)
                guard uses[shape] > 0 else { continue }
                for entry in entries {
                    guard entry.type != .empty else {
                        places.append(-1)
                        continue
                    }
                    var kind = Kind(table: table, key: entry.key, type: entry.type)
                    if let own, !own.contains(kind) {
                        kind.key = PartDirectory.Column.overflowKey
                        overflowing[overflowing.count - 1] += 1
                    }
                    let number = numbers[kind] ?? kinds.count
                    if number == kinds.count {
                        numbers[kind] = number
                        kinds.append(kind)
                    }
                    places.append(Int32(number) << 1 | (entry.type.holdsText ? 1 : 0))
                }
            }
        }
        overflowKeys = own.map { counts.count - $0.count } ?? 0
        columns = .allocate(capacity: kinds.count)
        for (number, kind) in kinds.enumerated() {
            columns.initializeElement(
                at: number,
                to: FlushColumn(
                    attribute: kind.key,
                    kind.type,
                    of: kind.table,
                    blockCount: blockCount
                )
            )
        }
    }

    deinit { columns.deinitialize().deallocate() }

    /// The keys that get a column, those with the most values; `nil` where all do.
    private static func withColumn(_ counts: [Kind: Int]) -> Set<Kind>? {
        guard
            tables.contains(where: { table in
                counts.keys.lazy.filter { $0.table == table }.count > Limits.attributeColumns
            })
        else { return nil }
        var own: Set<Kind> = []
        for table in tables {
            let all = counts.filter { $0.key.table == table }.sorted {
                if $0.value != $1.value { return $0.value > $1.value }
                return $0.key.key == $1.key.key
                    ? $0.key.type.rawValue < $1.key.type.rawValue : $0.key.key < $1.key.key
            }
            own.formUnion(all.prefix(Limits.attributeColumns).map(\.key))
        }
        return own
    }

    /// Values of a shape that go to overflow columns.
    func overflow(_ table: Int, shape: Int) -> Int {
        overflowing[table * shapeCount + shape]
    }

    /// Adds the values of one owner.
    ///
    /// - Parameters:
    ///   - table: 0 spans, 1 events, 2 links.
    ///   - rows: attributes of `view`, as many as the shape has entries.
    @inline(__always)
    mutating func append(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ table: Int,
        shape: Int
    ) {
        var place = starts[table &* shapeCount &+ shape]
        for row in rows {
            let code = Int(places[place])
            place &+= 1
            if code < 0 { continue }
            // Bound: `places` holds numbers of columns, or less than 0.
            if code & 1 != 0 {
                columns[code >> 1].append(view.pointee.text(row))
            } else {
                columns[code >> 1].append(view.pointee.value[row])
            }
        }
    }

    mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        for index in 0..<columns.count { try columns[index].finishBlock(to: &output) }
    }

    mutating func finish(into assembler: inout PartAssembler) throws(DiskError) {
        assembler.overflowKeys = overflowKeys
        for index in 0..<columns.count {
            assembler.add(try columns[index].finish(to: &assembler.output))
        }
    }
}
