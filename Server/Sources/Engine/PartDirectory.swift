// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// What a part says of itself: read at start, held in memory while the part lives, hence small.
/// Names and what is made of them stand in the vocabulary (`PartVocabulary`), read when needed.
///
/// Stored as one frame, in the order of `encode`: numbers as varints, texts with their length before
/// them.
struct PartDirectory: Sendable {
    /// A block of span rows.
    struct Block: Sendable, Equatable {
        var rowCount: Int
        var eventCount: Int
        var linkCount: Int
        var firstStart: UInt64
        var lastStart: UInt64
        var shortest: UInt64
        var longest: UInt64

        /// A block without rows, to which spans may be noted.
        static let empty = Block(
            rowCount: 0,
            eventCount: 0,
            linkCount: 0,
            firstStart: .max,
            lastStart: 0,
            shortest: .max,
            longest: 0
        )
    }

    /// A block of trace rows.
    struct TraceBlock: Sendable, Equatable {
        var rowCount: Int
        /// Span row of its first trace.
        var firstSpan: Int
        /// Starts of its first and its last trace.
        var firstStart: UInt64
        var lastStart: UInt64
        /// Longest and shortest duration of a trace.
        var longest: UInt64
        var shortest: UInt64
    }

    /// A block of the trace index.
    struct IndexBlock: Sendable, Equatable {
        var rowCount: Int
        /// Low halves of its first and its last id.
        var first: UInt64
        var last: UInt64
    }

    /// Smallest and largest number of a block, as codes whose order is that of the numbers
    /// (`code`). Not-a-numbers lie outside all others.
    struct Bounds: Sendable, Equatable {
        /// Larger than `largest` where the block has no value.
        var smallest = UInt64.max
        var largest: UInt64 = 0

        /// The code of a value of type int or double, given its bits.
        static func code(_ bits: UInt64, _ type: AttributeType) -> UInt64 {
            let sign: UInt64 = 1 << 63
            guard type == .double else { return bits ^ sign }
            return bits & sign == 0 ? bits | sign : ~bits
        }
    }

    /// One column: a fixed field, or an attribute key of one type.
    struct Column: Sendable, Equatable {
        /// The key of a column that holds what found no column of its own.
        static let overflowKey = UInt32.max

        var field: PartField
        /// For attributes: the table that they belong to, spans, events or links.
        var table: PartTable
        /// For attributes: id in the vocabulary's names.
        var key: UInt32
        var type: AttributeType
        /// Values in all blocks.
        var valueCount = 0
        /// For texts: the index of all distinct ones (`TextDictionary`); chunks then hold their ids.
        var dictionary = ChunkReference.none
        /// Which blocks may hold a value (`ValueFilter`): by text where texts stand in the blocks
        /// themselves, else by number or id.
        var filter = ChunkReference.none
        /// What the filter was made for: distinct values of each block, added up; an estimate.
        var filterValues = 0
        /// One a block; `none` where all values are zero (or there are none).
        var chunks: [ChunkReference]
        /// For attributes of type int or double: one a block.
        var bounds: [Bounds] = []

        var hasDictionary: Bool { !dictionary.isNone }
    }

    var tenant: String
    var blockRows: Int
    var spanCount: Int
    var traceCount: Int
    var firstStart: UInt64
    var lastStart: UInt64
    var receivedAt: UInt64
    /// Bytes of the longest texts of one column and block.
    var longestTexts: Int
    /// Attribute keys that found no column of their own, and how many values they have.
    var overflowKeys: Int
    var overflowValues: Int
    var vocabulary: ChunkReference
    /// Blocks by form, by resource and by event form; see `Postings`.
    var formPostings: ChunkReference
    var resourcePostings: ChunkReference
    var eventFormPostings: ChunkReference
    /// Chunks of the totals section, that of its index first; see `TotalsFormat`.
    var totals: [ChunkReference]
    var blocks: [Block]
    var traceBlocks: [TraceBlock]
    var indexBlocks: [IndexBlock]
    var columns: [Column]
    var filter: TraceFilter

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(run: tenant.utf8)
        for number in [blockRows, spanCount, traceCount] { writer.append(varint: number) }
        for number in [firstStart, lastStart, receivedAt] { writer.append(varint: number) }
        for number in [longestTexts, overflowKeys, overflowValues] { writer.append(varint: number) }
        for chunk in [vocabulary, formPostings, resourcePostings, eventFormPostings] {
            chunk.encode(to: &writer)
        }
        writer.append(varint: totals.count)
        for chunk in totals { chunk.encode(to: &writer) }
        writer.append(varint: blocks.count)
        for block in blocks {
            for count in [block.rowCount, block.eventCount, block.linkCount] {
                writer.append(varint: count)
            }
            writer.append(varint: block.firstStart &- firstStart)
            writer.append(varint: block.lastStart &- block.firstStart)
            writer.append(varint: block.shortest)
            writer.append(varint: block.longest)
        }
        writer.append(varint: traceBlocks.count)
        for block in traceBlocks {
            writer.append(varint: block.rowCount)
            writer.append(varint: block.firstSpan)
            writer.append(varint: block.firstStart &- firstStart)
            writer.append(varint: block.lastStart &- block.firstStart)
            writer.append(varint: block.longest)
            writer.append(varint: block.shortest)
        }
        writer.append(varint: indexBlocks.count)
        for block in indexBlocks {
            writer.append(varint: block.rowCount)
            writer.append(block.first)
            writer.append(block.last)
        }
        encodeColumns(to: &writer)
        filter.encode(to: &writer)
        return writer.bytes
    }

    private func encodeColumns(to writer: inout ByteWriter) {
        writer.append(varint: columns.count)
        for column in columns {
            writer.append(column.field.rawValue)
            writer.append(column.table.rawValue)
            writer.append(varint: column.key)
            writer.append(column.type.rawValue)
            writer.append(varint: column.valueCount)
            column.dictionary.encode(to: &writer)
            column.filter.encode(to: &writer)
            writer.append(varint: column.filterValues)
            writer.append(varint: column.chunks.count)
            var place: UInt64 = 0
            for chunk in column.chunks {
                chunk.encode(to: &writer, after: place)
                if !chunk.isNone { place = chunk.end }
            }
            writer.append(varint: column.bounds.count)
            for bounds in column.bounds {
                writer.append(varint: Zigzag.encode(bounds.smallest ^ 1 << 63))
                writer.append(varint: bounds.largest &- bounds.smallest)
            }
        }
    }
}

extension PartDirectory {
    /// - Parameter bytes: the frame's content.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        tenant = try reader.text()
        blockRows = try reader.index(below: 1 << 24)
        spanCount = try reader.index(below: 1 << 40)
        traceCount = try reader.index(below: spanCount + 1)
        firstStart = try reader.varint()
        lastStart = try reader.varint()
        receivedAt = try reader.varint()
        longestTexts = try reader.index(below: 1 << 40)
        overflowKeys = try reader.index(below: 1 << 40)
        overflowValues = try reader.index(below: 1 << 40)
        vocabulary = try ChunkReference(parsing: &reader)
        formPostings = try ChunkReference(parsing: &reader)
        resourcePostings = try ChunkReference(parsing: &reader)
        eventFormPostings = try ChunkReference(parsing: &reader)
        totals = []
        for _ in 0..<(try reader.count()) { totals.append(try ChunkReference(parsing: &reader)) }
        blocks = []
        traceBlocks = []
        indexBlocks = []
        columns = []
        filter = TraceFilter(traceCount: 0)
        try parseBlocks(&reader)
        for _ in 0..<(try reader.count(ofAtLeast: 10)) { columns.append(try Self.column(&reader)) }
        filter = try TraceFilter(parsing: &reader)
        try check(rest: reader.remaining)
    }

    private mutating func parseBlocks(_ reader: inout ByteReader) throws(CorruptBytes) {
        for _ in 0..<(try reader.count(ofAtLeast: 7)) {
            let rowCount = try reader.index(below: blockRows + 1)
            let eventCount = try reader.index(below: 1 << 32)
            let linkCount = try reader.index(below: 1 << 32)
            let first = firstStart &+ (try reader.varint())
            blocks.append(
                Block(
                    rowCount: rowCount,
                    eventCount: eventCount,
                    linkCount: linkCount,
                    firstStart: first,
                    lastStart: first &+ (try reader.varint()),
                    shortest: try reader.varint(),
                    longest: try reader.varint()
                )
            )
        }
        for _ in 0..<(try reader.count(ofAtLeast: 6)) {
            let rowCount = try reader.index(below: blockRows + 1)
            let firstSpan = try reader.index(below: spanCount + 1)
            let first = firstStart &+ (try reader.varint())
            traceBlocks.append(
                TraceBlock(
                    rowCount: rowCount,
                    firstSpan: firstSpan,
                    firstStart: first,
                    lastStart: first &+ (try reader.varint()),
                    longest: try reader.varint(),
                    shortest: try reader.varint()
                )
            )
        }
        for _ in 0..<(try reader.count(ofAtLeast: 17)) {
            indexBlocks.append(
                IndexBlock(
                    rowCount: try reader.index(below: blockRows + 1),
                    first: try reader.number(),
                    last: try reader.number()
                )
            )
        }
    }

    private static func column(_ reader: inout ByteReader) throws(CorruptBytes) -> Column {
        guard let field = PartField(rawValue: try reader.number()),
            let table = PartTable(rawValue: try reader.number())
        else { throw CorruptBytes(what: "a column is unknown") }
        let key = try reader.small()
        guard let type = AttributeType(rawValue: try reader.number()) else {
            throw CorruptBytes(what: "a column is unknown")
        }
        var column = Column(field: field, table: table, key: key, type: type, chunks: [])
        column.valueCount = try reader.index(below: 1 << 40)
        column.dictionary = try ChunkReference(parsing: &reader)
        column.filter = try ChunkReference(parsing: &reader)
        column.filterValues = try reader.index(below: 1 << 40)
        var place: UInt64 = 0
        let count = try reader.count()
        column.chunks.reserveCapacity(count)
        for _ in 0..<count {
            let chunk = try ChunkReference(parsing: &reader, after: place)
            if !chunk.isNone { place = chunk.end }
            column.chunks.append(chunk)
        }
        for _ in 0..<(try reader.count(ofAtLeast: 2)) {
            let smallest = Zigzag.decode(try reader.varint()) ^ 1 << 63
            let largest = smallest &+ (try reader.varint())
            column.bounds.append(Bounds(smallest: smallest, largest: largest))
        }
        return column
    }

    /// Blocks that a table is cut into.
    func blockCount(of table: PartTable) -> Int {
        switch table {
        case .spans, .events, .links: blocks.count
        case .traces: traceBlocks.count
        case .index: indexBlocks.count
        }
    }

    /// What readers rely on without looking again.
    private func check(rest: Int) throws(CorruptBytes) {
        func isCut(_ counts: [Int], into total: Int) -> Bool {
            counts.reduce(0, +) == total && counts.dropLast().allSatisfy { $0 == blockRows }
                && counts.last != 0
        }
        let isConsistent =
            rest == 0 && blockRows > 0 && isCut(blocks.map(\.rowCount), into: spanCount)
            && isCut(traceBlocks.map(\.rowCount), into: traceCount)
            && isCut(indexBlocks.map(\.rowCount), into: traceCount)
            && columns.count >= PartField.fixed.count
            && zip(columns, PartField.fixed).allSatisfy { $0.field == $1 && $0.table == $1.table }
            && columns.dropFirst(PartField.fixed.count).allSatisfy { $0.field == .attribute }
            && columns.allSatisfy {
                $0.chunks.count == blockCount(of: $0.table)
                    && ($0.bounds.isEmpty || $0.bounds.count == $0.chunks.count)
            }
        guard isConsistent else { throw CorruptBytes(what: "its directory contradicts itself") }
        var row = 0
        for block in traceBlocks {
            // Every trace has a span.
            guard block.firstSpan >= row else { throw CorruptBytes(what: "its traces overlap") }
            row = block.firstSpan + block.rowCount
        }
    }
}
