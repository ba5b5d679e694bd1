// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store

/// Builds one part from spans in memory: sorts, drops exact duplicates, cuts into blocks, encodes.
///
/// One pass over the sorted rows. Numbers leave for the file block by block; texts stay as ids
/// until the end, when it is known whether a dictionary pays.
struct PartBuilder: ~Copyable {
    /// Ids of one source table carried over so far; `UInt32.max` for not yet.
    private struct Translation {
        var names: [UInt32]
        var resources: [UInt32]
        var scopes: [UInt32]
    }

    private let tables: [SpanTable]
    private let tenant: Tenant
    private let receivedAt: UInt64
    private let blockRows: Int
    private var output: PartOutput

    private var names = StringTable()
    private var texts = StringTable()
    private var resourceTable = StringTable()
    private var scopeTable = StringTable()
    private var shapes = StringTable()
    private var shapeColumns: [PartTable: [[Int]?]] = [:]
    private var attributeColumns: [UInt64: Int] = [:]
    private var translations: [Translation]
    private var columns: [ColumnBuilder]
    private var shapeScratch = ByteWriter()

    private var blocks: [PartDirectory.Block] = []
    private var block = PartBuilder.emptyBlock
    private var traceBlocks: [PartDirectory.TraceBlock] = []
    private var traceBlock: PartDirectory.TraceBlock?
    private var filter: TraceFilter
    private var spanCount = 0
    private var traceCount = 0
    private var operationPairs = PairSet()
    private var operations: Set<PartDirectory.Operation> = []
    private var spanShapes = PairSet()
    private var eventShapes = PairSet()

    /// - Parameters:
    ///   - receivedAt: newest receipt among the spans.
    ///   - output: where the file goes; its head is written already.
    init(
        tables: [SpanTable],
        tenant: Tenant,
        receivedAt: UInt64,
        blockRows: Int,
        output: consuming PartOutput
    ) {
        self.tables = tables
        self.tenant = tenant
        self.receivedAt = receivedAt
        self.blockRows = blockRows
        self.output = output
        translations = tables.map {
            Translation(
                names: Array(repeating: .max, count: $0.columns.strings.count),
                resources: Array(repeating: .max, count: $0.columns.resources.count),
                scopes: Array(repeating: .max, count: $0.columns.scopes.count)
            )
        }
        columns = PartField.allCases.dropLast().map { ColumnBuilder($0) }
        filter = TraceFilter(traceCount: 0)
        for table in PartTable.allCases { shapeColumns[table] = [[]] }
    }

    /// Builds and writes everything.
    mutating func build() throws(DiskError) -> Manifest.Entry {
        let rows = SpanSorting.sorted(SpanSorting.all(tables), of: tables, by: .lowFirst)
        filter = TraceFilter(traceCount: countTraces(rows))
        var first = 0
        while first < rows.count {
            let id = traceID(rows[first])
            var end = first + 1
            while end < rows.count, traceID(rows[end]) == id { end += 1 }
            try add(trace: id, rows[first..<end])
            first = end
        }
        if block.rowCount > 0 { try finishBlock() }
        if traceBlock != nil { try finishTraceBlock() }
        return try finish()
    }

    private func traceID(_ place: SpanReference) -> TraceID {
        let table = tables[Int(place.table)]
        let row = Int(place.row)
        return TraceID(high: table.columns.traceHigh[row], low: table.columns.traceLow[row])
    }

    private func countTraces(_ rows: [SpanReference]) -> Int {
        var count = 0
        var last: TraceID?
        for place in rows {
            let id = traceID(place)
            if id != last { count += 1 }
            last = id
        }
        return count
    }

    private mutating func add(
        trace id: TraceID,
        _ rows: ArraySlice<SpanReference>
    ) throws(DiskError) {
        filter.insert(id.low)
        let parents = FamilyIndex(rows, of: tables)
        let summary = TraceDigest(rows, of: tables)
        let firstSpan = spanCount
        for (index, place) in rows.enumerated() {
            let table = tables[Int(place.table)]
            add(
                place,
                table.columns,
                parent: parents.parent(of: index),
                traceStart: summary.start
            )
            if block.rowCount == blockRows { try finishBlock() }
        }
        append(.traceHigh, id.high)
        append(.traceLow, id.low)
        append(.traceSpanCount, UInt64(rows.count))
        append(.traceStart, summary.start)
        append(.traceDuration, summary.duration)
        append(.traceErrorCount, UInt64(summary.errorCount))
        let root = rows[rows.startIndex + summary.root]
        let rootTable = tables[Int(root.table)]
        let source = Int(root.table)
        append(.traceRootService, UInt64(name(rootTable.columns.service(Int(root.row)), source)))
        append(.traceRootName, UInt64(name(rootTable.columns.name[Int(root.row)], source)))
        append(.traceServices, bytes: encode(summary.services))
        traceCount += 1
        traceBlock = PartDirectory.TraceBlock(
            rowCount: (traceBlock?.rowCount ?? 0) + 1,
            firstSpan: traceBlock?.firstSpan ?? firstSpan,
            first: traceBlock?.first ?? id,
            last: id
        )
        if traceBlock?.rowCount == blockRows { try finishTraceBlock() }
    }

    private mutating func encode(_ services: [TraceDigest.Service]) -> [UInt8] {
        var writer = ByteWriter()
        for service in services {
            let table = tables[service.source]
            writer.append(varint: name(table.columns.service(service.row), service.source))
            writer.append(varint: service.spanCount)
            writer.append(varint: service.errorCount)
        }
        return writer.bytes
    }

    // MARK: One span

    private mutating func add(
        _ place: SpanReference,
        _ source: borrowing SpanColumns,
        parent: Int?,
        traceStart: UInt64
    ) {
        let row = Int(place.row)
        let from = Int(place.table)
        let start = source.start[row]
        append(.spanID, source.spanID[row])
        let parentID = source.parentID[row]
        if parentID == 0 {
            append(.parent, 0)
        } else if let parent {
            append(.parent, 2 + Zigzag.encode(UInt64(bitPattern: Int64(parent))))
        } else {
            append(.parent, 1)
            append(.parentID, parentID)
        }
        append(.start, start &- traceStart)
        append(.end, source.end[row] &- start)
        append(.endsEarly, source.end[row] < start ? 1 : 0)
        let nameID = name(source.name[row], from)
        append(.name, UInt64(nameID))
        append(.kind, UInt64(source.kind[row]))
        append(.status, UInt64(source.status[row]))
        append(.statusMessage, text: source.statusMessage[row], source)
        append(.traceState, text: source.traceState[row], source)
        append(.flags, UInt64(source.flags[row]))
        let resourceRow = resource(Int(source.resource[row]), source, from)
        append(.resource, UInt64(resourceRow))
        append(.scope, UInt64(scope(Int(source.scope[row]), source, from)))
        let shape = addAttributes(source.spanAttributes[row], source, from, .spans)
        append(.shape, UInt64(shape))
        append(.droppedAttributes, UInt64(source.droppedAttributes[row]))
        append(.droppedEvents, UInt64(source.droppedEvents[row]))
        append(.droppedLinks, UInt64(source.droppedLinks[row]))
        append(.marks, UInt64(source.marks[row]))
        addEvents(source.spanEvents[row], source, from, start: start, resource: resourceRow)
        addLinks(source.spanLinks[row], source, from)
        let kind = source.kind[row]
        if operationPairs.insert(resourceRow << 3 | UInt32(kind & 7), nameID) {
            let service = name(source.service(row), from)
            operations.insert(PartDirectory.Operation(service: service, name: nameID, kind: kind))
        }
        spanShapes.insert(resourceRow, shape)
        note(start: start, duration: source.duration(row))
        spanCount += 1
    }

    private mutating func note(start: UInt64, duration: UInt64) {
        block.rowCount += 1
        block.firstStart = min(block.firstStart, start)
        block.lastStart = max(block.lastStart, start)
        block.shortest = min(block.shortest, duration)
        block.longest = max(block.longest, duration)
    }

    private mutating func addEvents(
        _ run: Run,
        _ source: borrowing SpanColumns,
        _ from: Int,
        start: UInt64,
        resource: UInt32
    ) {
        append(.eventCount, UInt64(run.count))
        block.eventCount += Int(run.count)
        for row in run.rows {
            append(.eventTime, Zigzag.encode(source.events.time[row] &- start))
            append(.eventName, UInt64(name(source.events.name[row], from)))
            append(.eventDropped, UInt64(source.events.dropped[row]))
            let shape = addAttributes(source.events.attributes[row], source, from, .events)
            append(.eventShape, UInt64(shape))
            eventShapes.insert(resource, shape)
        }
    }

    private mutating func addLinks(_ run: Run, _ source: borrowing SpanColumns, _ from: Int) {
        append(.linkCount, UInt64(run.count))
        block.linkCount += Int(run.count)
        for row in run.rows {
            append(.linkTraceHigh, source.links.traceHigh[row])
            append(.linkTraceLow, source.links.traceLow[row])
            append(.linkSpanID, source.links.spanID[row])
            append(.linkTraceState, text: source.links.traceState[row], source)
            append(.linkFlags, UInt64(source.links.flags[row]))
            append(.linkDropped, UInt64(source.links.dropped[row]))
            let shape = addAttributes(source.links.attributes[row], source, from, .links)
            append(.linkShape, UInt64(shape))
        }
    }

    /// Adds the values of `run` to their columns and returns the id of its keys and types.
    private mutating func addAttributes(
        _ run: Run,
        _ source: borrowing SpanColumns,
        _ from: Int,
        _ table: PartTable
    ) -> UInt32 {
        if run.count == 0 { return 0 }
        shapeScratch.bytes.removeAll(keepingCapacity: true)
        for row in run.rows {
            shapeScratch.append(varint: name(source.attributes.key[row], from))
            shapeScratch.append(source.attributes.type[row])
        }
        let bytes = shapeScratch.bytes
        let shape = bytes.withRun(0..<bytes.count) { shapes.intern($0) }
        let places = columnsOf(shape, table)
        var index = 0
        for row in run.rows {
            let column = places[index]
            index += 1
            if column < 0 { continue }
            if columns[column].holdsText {
                let id = source.attributes.withBytes(row) { texts.intern($0) }
                columns[column].ids.append(id)
            } else {
                columns[column].values.append(source.attributes.value[row])
            }
        }
        return shape
    }

    private mutating func columnsOf(_ shape: UInt32, _ table: PartTable) -> [Int] {
        let index = Int(shape)
        if let known = shapeColumns[table], index < known.count, let places = known[index] {
            return places
        }
        let bytes = shapes.withBytes(of: shape) { [UInt8]($0) }
        let places = ShapeCoding.pairs(bytes).map { column($0.key, $0.type, table) }
        var all = shapeColumns[table] ?? []
        while all.count <= index { all.append(nil) }
        all[index] = places
        shapeColumns[table] = all
        return places
    }

    private mutating func column(_ key: UInt32, _ type: AttributeType, _ table: PartTable) -> Int {
        if type == .empty { return -1 }
        var key = key
        func code(_ key: UInt32) -> UInt64 {
            UInt64(key) << 16 | UInt64(type.rawValue) << 8 | UInt64(table.rawValue)
        }
        if let known = attributeColumns[code(key)] { return known }
        let own = columns.lazy.filter { $0.field == .attribute && $0.table == table }.count
        if own >= Limits.attributeColumns { key = PartDirectory.Column.overflowKey }
        if let known = attributeColumns[code(key)] { return known }
        columns.append(ColumnBuilder(attribute: key, type, of: table))
        attributeColumns[code(key)] = columns.count - 1
        return columns.count - 1
    }

    // MARK: Translation of ids

    private mutating func name(_ id: UInt32, _ from: Int) -> UInt32 {
        let known = translations[from].names[Int(id)]
        if known != .max { return known }
        let table = tables[from]
        let new = table.columns.strings.withBytes(of: id) { names.intern($0) }
        translations[from].names[Int(id)] = new
        return new
    }

    private mutating func resource(
        _ row: Int,
        _ source: borrowing SpanColumns,
        _ from: Int
    ) -> UInt32 {
        let known = translations[from].resources[row]
        if known != .max { return known }
        var writer = ByteWriter()
        writer.append(varint: name(source.resources.service[row], from))
        writer.append(varint: name(source.resources.schemaURL[row], from))
        writer.append(varint: source.resources.dropped[row])
        ResourceCoding.append(
            attributes: source.resources.attributes[row],
            of: source,
            to: &writer
        ) { name($0, from) }
        let bytes = writer.bytes
        // Ids begin at 1, for 0 is the empty text, which no resource is.
        let new = bytes.withRun(0..<bytes.count) { resourceTable.intern($0) } - 1
        translations[from].resources[row] = new
        return new
    }

    private mutating func scope(
        _ row: Int,
        _ source: borrowing SpanColumns,
        _ from: Int
    ) -> UInt32 {
        let known = translations[from].scopes[row]
        if known != .max { return known }
        var writer = ByteWriter()
        writer.append(varint: name(source.scopes.name[row], from))
        writer.append(varint: name(source.scopes.version[row], from))
        writer.append(varint: name(source.scopes.schemaURL[row], from))
        writer.append(varint: source.scopes.dropped[row])
        ResourceCoding.append(
            attributes: source.scopes.attributes[row],
            of: source,
            to: &writer
        ) { name($0, from) }
        let bytes = writer.bytes
        let new = bytes.withRun(0..<bytes.count) { scopeTable.intern($0) } - 1
        translations[from].scopes[row] = new
        return new
    }

    // MARK: Columns

    private mutating func append(_ field: PartField, _ value: UInt64) {
        columns[Int(field.rawValue)].values.append(value)
    }

    private mutating func append(
        _ field: PartField,
        text id: UInt32,
        _ source: borrowing SpanColumns
    ) {
        let new = id == 0 ? 0 : source.strings.withBytes(of: id) { texts.intern($0) }
        columns[Int(field.rawValue)].ids.append(new)
    }

    private mutating func append(_ field: PartField, bytes: [UInt8]) {
        let id = bytes.withRun(0..<bytes.count) { texts.intern($0) }
        columns[Int(field.rawValue)].ids.append(id)
    }

    private static var emptyBlock: PartDirectory.Block {
        PartDirectory.Block(
            rowCount: 0,
            eventCount: 0,
            linkCount: 0,
            firstStart: .max,
            lastStart: 0,
            shortest: .max,
            longest: 0
        )
    }

    private mutating func finishBlock() throws(DiskError) {
        for index in columns.indices where columns[index].table != .traces {
            try columns[index].finishBlock(blocks.count, to: &output)
        }
        blocks.append(block)
        block = Self.emptyBlock
    }

    private mutating func finishTraceBlock() throws(DiskError) {
        guard let finished = traceBlock else { return }
        for index in columns.indices where columns[index].table == .traces {
            try columns[index].finishBlock(traceBlocks.count, to: &output)
        }
        traceBlocks.append(finished)
        traceBlock = nil
    }

    private mutating func finish() throws(DiskError) -> Manifest.Entry {
        var scratch = [UInt32](repeating: .max, count: texts.count)
        var finished: [PartDirectory.Column] = []
        for index in columns.indices {
            finished.append(
                try columns[index].finish(texts: texts, scratch: &scratch, to: &output)
            )
        }
        let directory = PartDirectory(
            tenant: tenant.name,
            blockRows: blockRows,
            spanCount: spanCount,
            traceCount: traceCount,
            firstStart: blocks.map(\.firstStart).min() ?? 0,
            lastStart: blocks.map(\.lastStart).max() ?? 0,
            receivedAt: receivedAt,
            names: Self.all(names, from: 0),
            resources: Self.all(resourceTable, from: 1),
            scopes: Self.all(scopeTable, from: 1),
            shapes: Self.all(shapes, from: 0),
            operations: Array(operations),
            keys: collectKeys(),
            blocks: blocks,
            traceBlocks: traceBlocks,
            columns: finished,
            filter: filter
        )
        let (byteCount, checksum) = try output.finish(directory)
        return Manifest.Entry(
            number: 0,
            byteCount: byteCount,
            spanCount: UInt64(spanCount),
            firstStart: directory.firstStart,
            lastStart: directory.lastStart,
            receivedAt: receivedAt,
            checksum: checksum,
            tenant: tenant.name,
            lost: nil
        )
    }

    private static func all(_ table: borrowing StringTable, from first: UInt32) -> [[UInt8]] {
        var items: [[UInt8]] = []
        var id = first
        while Int(id) < table.count {
            items.append(table.withBytes(of: id) { [UInt8]($0) })
            id += 1
        }
        return items
    }

    /// Which keys stand in which scope of which service.
    private mutating func collectKeys() -> [PartDirectory.Key] {
        var keys: Set<PartDirectory.Key> = []
        var services: [UInt32] = []
        for bytes in Self.all(resourceTable, from: 1) {
            var reader = ByteReader(bytes)
            // Written above by this builder: a service, a schema, a count, attributes.
            guard let service = try? reader.small(), (try? reader.varint()) != nil,
                (try? reader.varint()) != nil
            else { continue }
            services.append(service)
            while reader.remaining > 0 {
                guard let key = try? reader.small(),
                    let raw = try? reader.number(UInt8.self),
                    let type = AttributeType(rawValue: raw)
                else { break }
                keys.insert(PartDirectory.Key(service: service, scope: 1, key: key))
                if type.holdsText {
                    if (try? reader.run()) == nil { break }
                } else if (try? reader.number(UInt64.self)) == nil {
                    break
                }
            }
        }
        for (scope, pairs) in [(UInt8(0), spanShapes.pairs), (2, eventShapes.pairs)] {
            for pair in pairs {
                let service = services[Int(pair >> 32)]
                let shape = UInt32(truncatingIfNeeded: pair)
                let bytes = shapes.withBytes(of: shape) { [UInt8]($0) }
                for entry in ShapeCoding.pairs(bytes) {
                    keys.insert(PartDirectory.Key(service: service, scope: scope, key: entry.key))
                }
            }
        }
        return Array(keys)
    }
}

/// The list of keys and types of an owner's attributes: key id (varint), type (1), repeated.
enum ShapeCoding {
    static func pairs(_ bytes: [UInt8]) -> [(key: UInt32, type: AttributeType)] {
        var reader = ByteReader(bytes)
        var pairs: [(key: UInt32, type: AttributeType)] = []
        while reader.remaining > 0, let key = try? reader.small(),
            let raw = try? reader.number(UInt8.self), let type = AttributeType(rawValue: raw)
        {
            pairs.append((key, type))
        }
        return pairs
    }
}
