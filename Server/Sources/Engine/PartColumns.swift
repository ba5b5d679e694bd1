// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// One column of a part being built.
struct ColumnBuilder {
    let field: PartField
    let table: PartTable
    let key: UInt32
    let type: AttributeType
    let holdsText: Bool
    /// Numbers of the block being filled.
    var values: [UInt64] = []
    /// For texts: ids of all rows so far; they are written last, when it is known whether a
    /// dictionary pays.
    var ids: [UInt32] = []
    /// For texts: where each finished block ends in `ids`.
    var ends: [Int] = []
    var chunks: [ChunkReference?] = []

    init(_ field: PartField) {
        self.field = field
        table = field.table
        key = 0
        type = .empty
        holdsText = field.holdsText
    }

    init(attribute key: UInt32, _ type: AttributeType, of table: PartTable) {
        field = .attribute
        self.table = table
        self.key = key
        self.type = type
        holdsText = type.holdsText
    }

    /// Writes the numbers of block `index`; for texts notes where it ends.
    mutating func finishBlock(_ index: Int, to output: inout PartOutput) throws(DiskError) {
        if holdsText {
            while ends.count < index { ends.append(0) }
            ends.append(ids.count)
            return
        }
        while chunks.count < index { chunks.append(nil) }
        let isZero = field != .attribute && values.allSatisfy { $0 == 0 }
        if values.isEmpty || isZero {
            chunks.append(nil)
        } else {
            var body: [UInt8] = []
            PackedIntegers.encode(values, to: &body)
            chunks.append(try output.append(body))
        }
        values.removeAll(keepingCapacity: true)
    }

    /// Writes what is left when all rows are in.
    mutating func finish(
        texts: borrowing StringTable,
        scratch: inout [UInt32],
        to output: inout PartOutput
    ) throws(DiskError) -> PartDirectory.Column {
        var column = PartDirectory.Column(
            field: field,
            table: table,
            key: key,
            type: type,
            chunks: chunks
        )
        guard holdsText else { return column }
        // `scratch` maps ids of all texts to ids of this column's texts.
        var distinct: [UInt32] = []
        for id in ids where scratch[Int(id)] == .max {
            scratch[Int(id)] = UInt32(distinct.count)
            distinct.append(id)
        }
        let usesDictionary = distinct.count * 2 <= ids.count
        if usesDictionary {
            column.dictionary = try output.append(PackedTexts.encode(distinct[...], of: texts))
        }
        var first = 0
        for end in ends {
            defer { first = max(first, end) }
            guard end > first else {
                column.chunks.append(nil)
                continue
            }
            var body: [UInt8] = []
            if usesDictionary {
                PackedIntegers.encode(ids[first..<end].map { UInt64(scratch[Int($0)]) }, to: &body)
            } else {
                body = PackedTexts.encode(ids[first..<end], of: texts)
            }
            column.chunks.append(try output.append(body))
        }
        for id in distinct { scratch[Int(id)] = .max }
        return column
    }
}

/// A set of pairs of small ids; the pairs are ours, so the hash need not be keyed.
struct PairSet {
    private var slots: [UInt64] = Array(repeating: .max, count: 64)
    private(set) var pairs: [UInt64] = []

    /// - Returns: whether the pair is new.
    @discardableResult
    mutating func insert(_ a: UInt32, _ b: UInt32) -> Bool {
        let pair = UInt64(a) << 32 | UInt64(b)
        guard place(pair) else { return false }
        pairs.append(pair)
        if pairs.count * 2 > slots.count {
            slots = Array(repeating: .max, count: slots.count * 2)
            for pair in pairs { _ = place(pair) }
        }
        return true
    }

    private mutating func place(_ pair: UInt64) -> Bool {
        let mask = slots.count - 1
        let hash = pair &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 32) & mask
        while slots[slot] != .max {
            if slots[slot] == pair { return false }
            slot = (slot + 1) & mask
        }
        slots[slot] = pair
        return true
    }
}

/// Resources and scopes in a part's directory.
///
/// A resource: service, schema URL (name ids), dropped count, attributes. A scope: name, version,
/// schema URL, dropped count, attributes. An attribute: key (name id), type (1), then a number
/// (8) or a run of bytes; the list ends with the item.
enum ResourceCoding {
    static func append(
        attributes run: Run,
        of source: borrowing SpanColumns,
        to writer: inout ByteWriter,
        key: (UInt32) -> UInt32
    ) {
        for row in run.rows {
            writer.append(varint: key(source.attributes.key[row]))
            writer.append(source.attributes.type[row])
            if source.attributes.type(row).holdsText {
                source.attributes.withBytes(row) { writer.append(run: $0) }
            } else {
                writer.append(source.attributes.value[row])
            }
        }
    }

    static func readResource(
        _ bytes: [UInt8],
        into columns: inout SpanColumns
    ) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        let names = columns.strings.count
        let service = UInt32(try reader.index(below: names))
        let schema = UInt32(try reader.index(below: names))
        let dropped = try reader.small()
        let run = try readAttributes(&reader, into: &columns)
        _ = columns.resources.append(
            service: service,
            attributes: run,
            dropped: dropped,
            schemaURL: schema
        )
    }

    static func readScope(
        _ bytes: [UInt8],
        into columns: inout SpanColumns
    ) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        let names = columns.strings.count
        let name = UInt32(try reader.index(below: names))
        let version = UInt32(try reader.index(below: names))
        let schema = UInt32(try reader.index(below: names))
        let dropped = try reader.small()
        let run = try readAttributes(&reader, into: &columns)
        _ = columns.scopes.append(
            name: name,
            version: version,
            attributes: run,
            dropped: dropped,
            schemaURL: schema
        )
    }

    private static func readAttributes(
        _ reader: inout ByteReader,
        into columns: inout SpanColumns
    ) throws(CorruptBytes) -> Run {
        let first = columns.attributes.count
        while reader.remaining > 0 {
            let key = UInt32(try reader.index(below: columns.strings.count))
            guard let type = AttributeType(rawValue: try reader.number()) else {
                throw CorruptBytes(what: "an attribute type is unknown")
            }
            if type.holdsText {
                let value = Array(try reader.run())
                value.withRun(0..<value.count) {
                    columns.attributes.append(key: key, type: type, bytes: $0)
                }
            } else {
                columns.attributes.append(key: key, type: type, bits: try reader.number())
            }
        }
        return Run(first: UInt32(first), count: UInt32(columns.attributes.count - first))
    }
}
