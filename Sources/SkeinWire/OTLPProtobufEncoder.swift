// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

extension OTLP {
    /// Encodes spans as an `ExportTraceServiceRequest`, which is a `TracesData` too.
    ///
    /// - Parameters:
    ///   - columns: The batch.
    ///   - rows: Which spans of it; all where `nil`. They are grouped by resource and scope and keep
    ///     their order within one.
    /// - Returns: The request's bytes.
    public static func encodeProtobuf(
        _ columns: borrowing SpanColumns,
        rows: Range<Int>? = nil
    ) -> [UInt8] {
        let groups = RowGroups(columns, rows: rows)
        var writer = ProtobufWriter(capacity: (rows?.count ?? columns.count) * 256)
        for resource in groups.resources {
            let outer = writer.begin(1, digits: 3)
            writer.resource(1, resource.row, columns)
            for scope in resource.scopes {
                let inner = writer.begin(2, digits: 3)
                writer.scope(1, scope.row, columns)
                for row in scope.spans { writer.span(2, row, columns) }
                writer.text(3, columns.scopes.schemaURL[scope.row], columns)
                writer.end(inner)
            }
            writer.text(3, columns.resources.schemaURL[resource.row], columns)
            writer.end(outer)
        }
        return writer.bytes
    }
}

extension ProtobufWriter {
    fileprivate mutating func text(
        _ field: UInt32,
        _ id: UInt32,
        _ columns: borrowing SpanColumns
    ) {
        if id != 0 { columns.strings.withBytes(of: id) { bytes(field, $0) } }
    }

    fileprivate mutating func resource(
        _ field: UInt32,
        _ row: Int,
        _ columns: borrowing SpanColumns
    ) {
        let mark = begin(field, digits: 2)
        attributes(1, columns.resources.attributes[row], columns)
        varint(2, UInt64(columns.resources.dropped[row]))
        end(mark)
    }

    fileprivate mutating func scope(
        _ field: UInt32,
        _ row: Int,
        _ columns: borrowing SpanColumns
    ) {
        let mark = begin(field)
        text(1, columns.scopes.name[row], columns)
        text(2, columns.scopes.version[row], columns)
        attributes(3, columns.scopes.attributes[row], columns)
        varint(4, UInt64(columns.scopes.dropped[row]))
        end(mark)
    }

    fileprivate mutating func span(
        _ field: UInt32,
        _ row: Int,
        _ columns: borrowing SpanColumns
    ) {
        let mark = begin(field, digits: 2)
        id(1, columns.traceHigh[row], columns.traceLow[row])
        id(2, columns.spanID[row])
        text(3, columns.traceState[row], columns)
        id(4, columns.parentID[row])
        text(5, columns.name[row], columns)
        varint(6, UInt64(columns.kind[row]))
        fixed64(7, columns.start[row])
        fixed64(8, columns.end[row])
        attributes(9, columns.spanAttributes[row], columns)
        varint(10, UInt64(columns.droppedAttributes[row]))
        for event in columns.spanEvents[row].rows { self.event(11, event, columns) }
        varint(12, UInt64(columns.droppedEvents[row]))
        for link in columns.spanLinks[row].rows { self.link(13, link, columns) }
        varint(14, UInt64(columns.droppedLinks[row]))
        if columns.status[row] != 0 || columns.statusMessage[row] != 0 {
            let status = begin(15)
            text(2, columns.statusMessage[row], columns)
            varint(3, UInt64(columns.status[row]))
            end(status)
        }
        fixed32(16, columns.flags[row])
        end(mark)
    }

    private mutating func event(
        _ field: UInt32,
        _ row: Int,
        _ columns: borrowing SpanColumns
    ) {
        let mark = begin(field)
        fixed64(1, columns.events.time[row])
        text(2, columns.events.name[row], columns)
        attributes(3, columns.events.attributes[row], columns)
        varint(4, UInt64(columns.events.dropped[row]))
        end(mark)
    }

    private mutating func link(
        _ field: UInt32,
        _ row: Int,
        _ columns: borrowing SpanColumns
    ) {
        let mark = begin(field)
        id(1, columns.links.traceHigh[row], columns.links.traceLow[row])
        id(2, columns.links.spanID[row])
        text(3, columns.links.traceState[row], columns)
        attributes(4, columns.links.attributes[row], columns)
        varint(5, UInt64(columns.links.dropped[row]))
        fixed32(6, columns.links.flags[row])
        end(mark)
    }

    private mutating func attributes(
        _ field: UInt32,
        _ run: Run,
        _ columns: borrowing SpanColumns
    ) {
        for row in run.rows {
            let mark = begin(field)
            text(1, columns.attributes.key[row], columns)
            let value = begin(2)
            let bits = columns.attributes.value[row]
            switch columns.attributes.type(row) {
            case .empty: break
            case .string: columns.attributes.withBytes(row) { bytes(1, always: $0) }
            case .bool: varint(2, always: bits)
            case .int: varint(3, always: bits)
            case .double: fixed64(4, always: bits)
            case .array: columns.attributes.withBytes(row) { bytes(5, always: $0) }
            case .map: columns.attributes.withBytes(row) { bytes(6, always: $0) }
            case .bytes: columns.attributes.withBytes(row) { bytes(7, always: $0) }
            }
            end(value)
            end(mark)
        }
    }
}
