// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Resources and scopes in a part's vocabulary.
///
/// A resource: service, schema URL (name ids), dropped count, attributes. A scope: name, version,
/// schema URL, dropped count, attributes. An attribute: key (name id), type (1), then a number
/// (8) or a run of bytes; the list ends with the item.
enum ResourceCoding {
    /// Resource `row` of `source`.
    ///
    /// - Parameter name: the part's id of a string of `source`.
    static func resource(
        _ row: Int,
        of source: borrowing SpanColumns,
        name: (UInt32) -> UInt32
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(varint: name(source.resources.service[row]))
        writer.append(varint: name(source.resources.schemaURL[row]))
        writer.append(varint: source.resources.dropped[row])
        append(attributes: source.resources.attributes[row], of: source, to: &writer, key: name)
        return writer.bytes
    }

    /// Scope `row` of `source`.
    static func scope(
        _ row: Int,
        of source: borrowing SpanColumns,
        name: (UInt32) -> UInt32
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(varint: name(source.scopes.name[row]))
        writer.append(varint: name(source.scopes.version[row]))
        writer.append(varint: name(source.scopes.schemaURL[row]))
        writer.append(varint: source.scopes.dropped[row])
        append(attributes: source.scopes.attributes[row], of: source, to: &writer, key: name)
        return writer.bytes
    }

    private static func append(
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
