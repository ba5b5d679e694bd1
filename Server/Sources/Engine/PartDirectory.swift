// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// What a part says of itself: read at start, held in memory while the part lives.
///
/// Written in the order of `encode`: numbers as varints, texts with their length before them.
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
    }

    /// A block of trace rows.
    struct TraceBlock: Sendable, Equatable {
        var rowCount: Int
        /// Span row of its first trace.
        var firstSpan: Int
        /// Its first and last trace.
        var first: TraceID
        var last: TraceID
    }

    /// One column: a fixed field, or an attribute key of one type.
    struct Column: Sendable, Equatable {
        /// The key of a column that holds what found no column of its own.
        static let overflowKey = UInt32.max

        var field: PartField
        /// For attributes: the table that they belong to, spans, events or links.
        var table: PartTable
        /// For attributes: id in `names`.
        var key: UInt32
        var type: AttributeType
        /// For texts: all distinct ones; chunks then hold their numbers.
        var dictionary: ChunkReference?
        /// One a block; `nil` where all values are zero (or there are none).
        var chunks: [ChunkReference?]
    }

    /// What an operation list holds.
    struct Operation: Sendable, Hashable {
        var service: UInt32
        var name: UInt32
        var kind: UInt8
    }

    /// What a key list holds.
    struct Key: Sendable, Hashable {
        var service: UInt32
        /// 0 span, 1 resource, 2 event.
        var scope: UInt8
        var key: UInt32
    }

    var tenant: String
    var blockRows: Int
    var spanCount: Int
    var traceCount: Int
    var firstStart: UInt64
    var lastStart: UInt64
    var receivedAt: UInt64
    /// Text by id; 0 is empty.
    var names: [[UInt8]]
    /// Each as `ResourceCoding` writes it.
    var resources: [[UInt8]]
    var scopes: [[UInt8]]
    /// By id, 0 the empty one: pairs of key id and type, as varints.
    var shapes: [[UInt8]]
    var operations: [Operation]
    var keys: [Key]
    var blocks: [Block]
    var traceBlocks: [TraceBlock]
    var columns: [Column]
    var filter: TraceFilter

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(run: tenant.utf8)
        for number in [blockRows, spanCount, traceCount] { writer.append(varint: number) }
        for number in [firstStart, lastStart, receivedAt] { writer.append(varint: number) }
        for list in [names, resources, scopes, shapes] {
            writer.append(varint: list.count)
            for item in list { writer.append(run: item) }
        }
        writer.append(varint: operations.count)
        for operation in operations {
            writer.append(varint: operation.service)
            writer.append(varint: operation.name)
            writer.append(operation.kind)
        }
        writer.append(varint: keys.count)
        for key in keys {
            writer.append(varint: key.service)
            writer.append(key.scope)
            writer.append(varint: key.key)
        }
        writer.append(varint: blocks.count)
        for block in blocks {
            for count in [block.rowCount, block.eventCount, block.linkCount] {
                writer.append(varint: count)
            }
            for number in [block.firstStart, block.lastStart, block.shortest, block.longest] {
                writer.append(varint: number)
            }
        }
        writer.append(varint: traceBlocks.count)
        for block in traceBlocks {
            writer.append(varint: block.rowCount)
            writer.append(varint: block.firstSpan)
            for half in [block.first.high, block.first.low, block.last.high, block.last.low] {
                writer.append(half)
            }
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
            writer.append(UInt8(column.dictionary == nil ? 0 : 1))
            column.dictionary?.encode(to: &writer)
            writer.append(varint: column.chunks.count)
            for chunk in column.chunks {
                writer.append(UInt8(chunk == nil ? 0 : 1))
                chunk?.encode(to: &writer)
            }
        }
    }
}

extension PartDirectory {
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        tenant = try reader.text()
        blockRows = try reader.index(below: 1 << 32)
        spanCount = try reader.index(below: 1 << 40)
        traceCount = try reader.index(below: spanCount + 1)
        firstStart = try reader.varint()
        lastStart = try reader.varint()
        receivedAt = try reader.varint()
        names = try Self.runs(&reader)
        resources = try Self.runs(&reader)
        scopes = try Self.runs(&reader)
        shapes = try Self.runs(&reader)
        operations = []
        for _ in 0..<(try reader.count(ofAtLeast: 3)) {
            operations.append(
                Operation(
                    service: UInt32(try reader.index(below: names.count)),
                    name: UInt32(try reader.index(below: names.count)),
                    kind: try reader.number()
                )
            )
        }
        keys = []
        for _ in 0..<(try reader.count(ofAtLeast: 3)) {
            keys.append(
                Key(
                    service: UInt32(try reader.index(below: names.count)),
                    scope: try reader.number(),
                    key: UInt32(try reader.index(below: names.count))
                )
            )
        }
        blocks = []
        for _ in 0..<(try reader.count(ofAtLeast: 7)) {
            blocks.append(
                Block(
                    rowCount: try reader.index(below: blockRows + 1),
                    eventCount: try reader.index(below: 1 << 32),
                    linkCount: try reader.index(below: 1 << 32),
                    firstStart: try reader.varint(),
                    lastStart: try reader.varint(),
                    shortest: try reader.varint(),
                    longest: try reader.varint()
                )
            )
        }
        traceBlocks = []
        for _ in 0..<(try reader.count(ofAtLeast: 34)) {
            traceBlocks.append(
                TraceBlock(
                    rowCount: try reader.index(below: blockRows + 1),
                    firstSpan: try reader.index(below: spanCount + 1),
                    first: TraceID(high: try reader.number(), low: try reader.number()),
                    last: TraceID(high: try reader.number(), low: try reader.number())
                )
            )
        }
        columns = []
        for _ in 0..<(try reader.count(ofAtLeast: 6)) {
            columns.append(try Self.column(&reader, names: names.count))
        }
        filter = try TraceFilter(parsing: &reader)
        try check()
    }

    private static func runs(_ reader: inout ByteReader) throws(CorruptBytes) -> [[UInt8]] {
        var runs: [[UInt8]] = []
        for _ in 0..<(try reader.count()) { runs.append(Array(try reader.run())) }
        return runs
    }

    private static func column(
        _ reader: inout ByteReader,
        names: Int
    ) throws(CorruptBytes) -> Column {
        guard let field = PartField(rawValue: try reader.number()),
            let table = PartTable(rawValue: try reader.number())
        else { throw CorruptBytes(what: "a column is unknown") }
        let key = try reader.small()
        guard let type = AttributeType(rawValue: try reader.number()),
            key < UInt32(names) || key == Column.overflowKey
        else { throw CorruptBytes(what: "a column is unknown") }
        var column = Column(field: field, table: table, key: key, type: type, chunks: [])
        if try reader.number(UInt8.self) != 0 {
            column.dictionary = try ChunkReference(parsing: &reader)
        }
        for _ in 0..<(try reader.count()) {
            let isThere = try reader.number(UInt8.self) != 0
            column.chunks.append(isThere ? try ChunkReference(parsing: &reader) : nil)
        }
        return column
    }

    /// What readers rely on without looking again.
    private func check() throws(CorruptBytes) {
        var rows = 0
        for (index, block) in blocks.enumerated() {
            rows += block.rowCount
            guard block.rowCount == blockRows || index == blocks.count - 1, block.rowCount > 0
            else { throw CorruptBytes(what: "a block has the wrong length") }
        }
        let traces = traceBlocks.reduce(0) { $0 + $1.rowCount }
        let fixed = PartField.allCases.dropLast()
        guard rows == spanCount, traces == traceCount, blockRows > 0,
            columns.count >= fixed.count,
            zip(columns, fixed).allSatisfy({ $0.field == $1 && $0.table == $1.table }),
            columns.dropFirst(fixed.count).allSatisfy({ $0.field == .attribute }),
            names.first?.isEmpty == true, shapes.first?.isEmpty == true
        else { throw CorruptBytes(what: "its directory contradicts itself") }
    }
}

/// Says which trace ids are surely not in a part: a Bloom filter, 10 bits a trace, 7 probes, under
/// 1 % false hits. Keyed by the low half of the id, so that short ids are found.
struct TraceFilter: Sendable, Equatable {
    private var words: [UInt64]
    private static let probes = 7

    init(traceCount: Int) {
        words = Array(repeating: 0, count: max(1, (traceCount * 10 + 63) / 64))
    }

    mutating func insert(_ low: UInt64) {
        for probe in 0..<Self.probes {
            let bit = bit(low, probe)
            words[bit >> 6] |= 1 << UInt64(bit & 63)
        }
    }

    func mayContain(_ low: UInt64) -> Bool {
        for probe in 0..<Self.probes {
            let bit = bit(low, probe)
            if words[bit >> 6] & 1 << UInt64(bit & 63) == 0 { return false }
        }
        return true
    }

    private func bit(_ low: UInt64, _ probe: Int) -> Int {
        // Ids may be small numbers: spread them first.
        let first = low &* 0x9E37_79B9_7F4A_7C15 ^ low >> 32
        let second = low &* 0xC2B2_AE3D_27D4_EB4F | 1
        let hash = first &+ UInt64(probe) &* second
        return Int(hash.multipliedFullWidth(by: UInt64(words.count * 64)).high)
    }

    func encode(to writer: inout ByteWriter) {
        writer.append(varint: words.count)
        for word in words { writer.append(word) }
    }

    init(parsing reader: inout ByteReader) throws(CorruptBytes) {
        words = []
        for _ in 0..<(try reader.count(ofAtLeast: 8)) { words.append(try reader.number()) }
        guard !words.isEmpty else { throw CorruptBytes(what: "its filter is empty") }
    }
}
