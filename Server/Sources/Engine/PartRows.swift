// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

extension PartReader {
    /// Appends span rows `rows` to `target`.
    ///
    /// - Parameter copier: made from `part.shared`; carries names, resources and scopes over.
    mutating func append(
        _ rows: Range<Int>,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) {
        guard !rows.isEmpty else { return }
        let blockRows = directory.blockRows
        for block in rows.lowerBound / blockRows...(rows.upperBound - 1) / blockRows {
            let base = block * blockRows
            let local =
                max(
                    rows.lowerBound - base,
                    0
                )..<min(
                    rows.upperBound - base,
                    directory.blocks[block].rowCount
                )
            try append(local, of: block, to: &target, &copier)
        }
    }

    private mutating func append(
        _ rows: Range<Int>,
        of block: Int,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) {
        let base = block * directory.blockRows
        let starts = try numbers(.start, block)
        let ends = try numbers(.end, block)
        let spanIDs = try numbers(.spanID, block)
        let parents = try parentIDs(rows, block)
        let names = try numbers(.name, block)
        let kinds = try numbers(.kind, block)
        let statuses = try numbers(.status, block)
        let messages = try texts(column: Int(PartField.statusMessage.rawValue), block)
        let states = try texts(column: Int(PartField.traceState.rawValue), block)
        let flags = try numbers(.flags, block)
        let resources = try numbers(.resource, block)
        let scopes = try numbers(.scope, block)
        let droppedAttributes = try numbers(.droppedAttributes, block)
        let droppedEvents = try numbers(.droppedEvents, block)
        let droppedLinks = try numbers(.droppedLinks, block)
        let marks = try numbers(.marks, block)
        let shapes = try numbers(.shape, block)
        let attributes = try attributes(.spans, block, shapes, rows, to: &target, &copier)
        var absolute: [UInt64] = []
        var ids: [TraceID] = []
        for trace in try traces(in: base + rows.lowerBound..<base + rows.upperBound) {
            for row in trace.rows.clamped(to: base + rows.lowerBound..<base + rows.upperBound) {
                absolute.append(trace.start &+ starts[row - base])
                ids.append(trace.id)
            }
        }
        guard ids.count == rows.count else { throw part.damage("rows have no trace") }
        let events = try events(rows, block, absolute, to: &target, &copier)
        let links = try links(rows, block, to: &target, &copier)
        for (index, row) in rows.enumerated() {
            target.append(
                SpanRow(
                    traceID: ids[index],
                    spanID: SpanID(spanIDs[row]),
                    parentID: SpanID(parents[index]),
                    start: absolute[index],
                    end: absolute[index] &+ ends[row],
                    name: copier.string(Self.id(names[row]), part.shared.columns, &target),
                    kind: SpanKind(rawValue: UInt8(truncatingIfNeeded: kinds[row]))
                        ?? .unspecified,
                    status: StatusCode(rawValue: UInt8(truncatingIfNeeded: statuses[row]))
                        ?? .unset,
                    statusMessage: intern(messages, row, &target),
                    traceState: intern(states, row, &target),
                    flags: Self.id(flags[row]),
                    resource: copier.resource(Int(resources[row]), part.shared.columns, &target),
                    scope: copier.scope(Int(scopes[row]), part.shared.columns, &target),
                    attributes: attributes[index],
                    events: events[index],
                    links: links[index],
                    droppedAttributes: Self.id(droppedAttributes[row]),
                    droppedEvents: Self.id(droppedEvents[row]),
                    droppedLinks: Self.id(droppedLinks[row]),
                    marks: SpanMarks(rawValue: UInt8(truncatingIfNeeded: marks[row]))
                )
            )
        }
    }

    private static func id(_ number: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: number) }

    private func intern(
        _ column: TextColumn,
        _ index: Int,
        _ target: inout SpanColumns
    ) -> UInt32 {
        column.texts.withBytes(column.place(index)) { target.strings.intern($0) }
    }

    /// The parents of `rows` of a block, 0 for none.
    mutating func parentIDs(_ rows: Range<Int>, _ block: Int) throws(PartDamage) -> [UInt64] {
        let codes = try numbers(.parent, block)
        let strangers = try numbers(.parentID, block)
        var next = codes[..<rows.lowerBound].reduce(0) { $1 == 1 ? $0 + 1 : $0 }
        var result: [UInt64] = []
        result.reserveCapacity(rows.count)
        for row in rows {
            switch codes[row] {
            case 0: result.append(0)
            case 1:
                guard next < strangers.count else { throw part.damage("a parent is missing") }
                result.append(strangers[next])
                next += 1
            default:
                let place = try parentRow(codes[row], block * directory.blockRows + row)
                let ids = try numbers(.spanID, place / directory.blockRows)
                result.append(ids[place % directory.blockRows])
            }
        }
        return result
    }

    /// The row that the parent code of `row`, which is at least 2, means.
    func parentRow(_ code: UInt64, _ row: Int) throws(PartDamage) -> Int {
        let distance = Int64(bitPattern: Zigzag.decode(code &- 2))
        let (place, isTooFar) = Int64(row).addingReportingOverflow(distance)
        guard !isTooFar, place >= 0, place < Int64(directory.spanCount) else {
            throw part.damage("a parent is out of range")
        }
        return Int(place)
    }

    private mutating func events(
        _ rows: Range<Int>,
        _ block: Int,
        _ starts: [UInt64],
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let counts = try numbers(.eventCount, block)
        let owned = try children(counts, rows, directory.blocks[block].eventCount)
        guard !owned.isEmpty else { return Array(repeating: .empty, count: rows.count) }
        let times = try numbers(.eventTime, block)
        let names = try numbers(.eventName, block)
        let dropped = try numbers(.eventDropped, block)
        let shapes = try numbers(.eventShape, block)
        let attributes = try attributes(.events, block, shapes, owned, to: &target, &copier)
        var runs: [Run] = []
        var event = owned.lowerBound
        for (index, row) in rows.enumerated() {
            let first = target.events.count
            for _ in 0..<Int(counts[row]) {
                target.events.append(
                    time: starts[index] &+ Zigzag.decode(times[event]),
                    name: copier.string(Self.id(names[event]), part.shared.columns, &target),
                    attributes: attributes[event - owned.lowerBound],
                    dropped: Self.id(dropped[event])
                )
                event += 1
            }
            runs.append(Run(first: UInt32(first), count: UInt32(target.events.count - first)))
        }
        return runs
    }

    private mutating func links(
        _ rows: Range<Int>,
        _ block: Int,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let counts = try numbers(.linkCount, block)
        let owned = try children(counts, rows, directory.blocks[block].linkCount)
        guard !owned.isEmpty else { return Array(repeating: .empty, count: rows.count) }
        let highs = try numbers(.linkTraceHigh, block)
        let lows = try numbers(.linkTraceLow, block)
        let ids = try numbers(.linkSpanID, block)
        let states = try texts(column: Int(PartField.linkTraceState.rawValue), block)
        let flags = try numbers(.linkFlags, block)
        let dropped = try numbers(.linkDropped, block)
        let shapes = try numbers(.linkShape, block)
        let attributes = try attributes(.links, block, shapes, owned, to: &target, &copier)
        var runs: [Run] = []
        var link = owned.lowerBound
        for row in rows {
            let first = target.links.count
            for _ in 0..<Int(counts[row]) {
                target.links.append(
                    traceID: TraceID(high: highs[link], low: lows[link]),
                    spanID: SpanID(ids[link]),
                    traceState: intern(states, link, &target),
                    flags: Self.id(flags[link]),
                    attributes: attributes[link - owned.lowerBound],
                    dropped: Self.id(dropped[link])
                )
                link += 1
            }
            runs.append(Run(first: UInt32(first), count: UInt32(target.links.count - first)))
        }
        return runs
    }

    /// The rows of events or links that `rows` own, `counts` being how many each span has.
    func children(
        _ counts: [UInt64],
        _ rows: Range<Int>,
        _ total: Int
    ) throws(PartDamage) -> Range<Int> {
        var first = 0
        for row in 0..<rows.lowerBound { first += Int(counts[row]) }
        var end = first
        for row in rows { end += Int(counts[row]) }
        guard end <= total else { throw part.damage("events or links are missing") }
        return first..<end
    }

    /// Appends the attributes of `owners` and returns their runs. `shapes` are those of the block.
    private mutating func attributes(
        _ table: PartTable,
        _ block: Int,
        _ shapes: [UInt64],
        _ owners: Range<Int>,
        to target: inout SpanColumns,
        _ copier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        var cursors = try attributeCursors(table, shapes, before: owners.lowerBound)
        var runs: [Run] = []
        runs.reserveCapacity(owners.count)
        for owner in owners {
            let pairs = part.shapes[Int(shapes[owner])]
            let first = target.attributes.count
            for pair in pairs {
                let key = copier.string(pair.key, part.shared.columns, &target)
                guard pair.type != .empty else {
                    target.attributes.append(key: key, type: .empty, bits: 0)
                    continue
                }
                let column = try attributeColumn(pair, table)
                let index = cursors[column, default: 0]
                cursors[column] = index + 1
                if pair.type.holdsText {
                    let texts = try texts(column: column, block)
                    guard index < texts.count else { throw part.damage("a value is missing") }
                    texts.texts.withBytes(texts.place(index)) {
                        target.attributes.append(key: key, type: pair.type, bytes: $0)
                    }
                } else {
                    let values = try numbers(column: column, block, count: nil)
                    guard index < values.count else { throw part.damage("a value is missing") }
                    target.attributes.append(key: key, type: pair.type, bits: values[index])
                }
            }
            runs.append(Run(first: UInt32(first), count: UInt32(pairs.count)))
        }
        return runs
    }

    private func attributeColumn(
        _ pair: (key: UInt32, type: AttributeType),
        _ table: PartTable
    ) throws(PartDamage) -> Int {
        guard let column = part.column(pair.key, pair.type, table) else {
            throw part.damage("an attribute has no column")
        }
        return column
    }

    /// How many values of each column lie before owner `owner` of a block.
    private func attributeCursors(
        _ table: PartTable,
        _ shapes: [UInt64],
        before owner: Int
    ) throws(PartDamage) -> [Int: Int] {
        var owners: [UInt64: Int] = [:]
        for shape in shapes[..<owner] { owners[shape, default: 0] += 1 }
        var cursors: [Int: Int] = [:]
        for (shape, count) in owners {
            for pair in part.shapes[Int(shape)] where pair.type != .empty {
                cursors[try attributeColumn(pair, table), default: 0] += count
            }
        }
        return cursors
    }
}
