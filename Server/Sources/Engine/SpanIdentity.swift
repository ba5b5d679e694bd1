// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// One span of one table.
struct SpanReference: BitwiseCopyable {
    var table: UInt32
    var row: UInt32
}

/// What makes a span the exact duplicate of another: every field, its resource, scope, attributes,
/// events and links among them. Ids that hold only inside a batch are followed, not compared.
enum SpanIdentity {
    static func isSame(
        _ a: borrowing SpanColumns,
        _ i: Int,
        _ b: borrowing SpanColumns,
        _ j: Int
    ) -> Bool {
        guard a.spanID[i] == b.spanID[j], a.start[i] == b.start[j], a.end[i] == b.end[j],
            a.traceLow[i] == b.traceLow[j], a.traceHigh[i] == b.traceHigh[j],
            a.parentID[i] == b.parentID[j], a.kind[i] == b.kind[j], a.status[i] == b.status[j],
            a.flags[i] == b.flags[j], a.marks[i] == b.marks[j],
            a.droppedAttributes[i] == b.droppedAttributes[j],
            a.droppedEvents[i] == b.droppedEvents[j], a.droppedLinks[i] == b.droppedLinks[j]
        else { return false }
        return text(a, a.name[i], b, b.name[j])
            && text(a, a.statusMessage[i], b, b.statusMessage[j])
            && text(a, a.traceState[i], b, b.traceState[j])
            && resource(a, Int(a.resource[i]), b, Int(b.resource[j]))
            && scope(a, Int(a.scope[i]), b, Int(b.scope[j]))
            && attributes(a, a.spanAttributes[i], b, b.spanAttributes[j])
            && events(a, a.spanEvents[i], b, b.spanEvents[j])
            && links(a, a.spanLinks[i], b, b.spanLinks[j])
    }

    /// Equal for exact duplicates, and different for most others that share id and start.
    static func hash(_ a: borrowing SpanColumns, _ i: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(a.end[i])
        hasher.combine(a.parentID[i])
        hasher.combine(a.kind[i])
        a.strings.withBytes(of: a.name[i]) { hasher.combine(bytes: $0) }
        a.strings.withBytes(of: a.service(i)) { hasher.combine(bytes: $0) }
        for row in a.spanAttributes[i].rows {
            a.strings.withBytes(of: a.attributes.key[row]) { hasher.combine(bytes: $0) }
            if a.attributes.type(row).holdsText {
                a.attributes.withBytes(row) { hasher.combine(bytes: $0) }
            } else {
                hasher.combine(a.attributes.value[row])
            }
        }
        hasher.combine(a.spanEvents[i].count)
        return hasher.finalize()
    }

    private static func text(
        _ a: borrowing SpanColumns,
        _ i: UInt32,
        _ b: borrowing SpanColumns,
        _ j: UInt32
    ) -> Bool {
        a.strings.withBytes(of: i) { first in
            b.strings.withBytes(of: j) { first.elementsEqual($0) }
        }
    }

    private static func attributes(
        _ a: borrowing SpanColumns,
        _ i: Run,
        _ b: borrowing SpanColumns,
        _ j: Run
    ) -> Bool {
        guard i.count == j.count else { return false }
        for (x, y) in zip(i.rows, j.rows) {
            guard a.attributes.type[x] == b.attributes.type[y],
                text(a, a.attributes.key[x], b, b.attributes.key[y])
            else { return false }
            let isSame =
                a.attributes.type(x).holdsText
                ? a.attributes.withBytes(x) { first in
                    b.attributes.withBytes(y) { first.elementsEqual($0) }
                }
                : a.attributes.value[x] == b.attributes.value[y]
            if !isSame { return false }
        }
        return true
    }

    private static func resource(
        _ a: borrowing SpanColumns,
        _ i: Int,
        _ b: borrowing SpanColumns,
        _ j: Int
    ) -> Bool {
        a.resources.dropped[i] == b.resources.dropped[j]
            && text(a, a.resources.service[i], b, b.resources.service[j])
            && text(a, a.resources.schemaURL[i], b, b.resources.schemaURL[j])
            && attributes(a, a.resources.attributes[i], b, b.resources.attributes[j])
    }

    private static func scope(
        _ a: borrowing SpanColumns,
        _ i: Int,
        _ b: borrowing SpanColumns,
        _ j: Int
    ) -> Bool {
        a.scopes.dropped[i] == b.scopes.dropped[j]
            && text(a, a.scopes.name[i], b, b.scopes.name[j])
            && text(a, a.scopes.version[i], b, b.scopes.version[j])
            && text(a, a.scopes.schemaURL[i], b, b.scopes.schemaURL[j])
            && attributes(a, a.scopes.attributes[i], b, b.scopes.attributes[j])
    }

    private static func events(
        _ a: borrowing SpanColumns,
        _ i: Run,
        _ b: borrowing SpanColumns,
        _ j: Run
    ) -> Bool {
        guard i.count == j.count else { return false }
        for (x, y) in zip(i.rows, j.rows) {
            guard a.events.time[x] == b.events.time[y], a.events.dropped[x] == b.events.dropped[y],
                text(a, a.events.name[x], b, b.events.name[y]),
                attributes(a, a.events.attributes[x], b, b.events.attributes[y])
            else { return false }
        }
        return true
    }

    private static func links(
        _ a: borrowing SpanColumns,
        _ i: Run,
        _ b: borrowing SpanColumns,
        _ j: Run
    ) -> Bool {
        guard i.count == j.count else { return false }
        for (x, y) in zip(i.rows, j.rows) {
            guard a.links.traceHigh[x] == b.links.traceHigh[y],
                a.links.traceLow[x] == b.links.traceLow[y],
                a.links.spanID[x] == b.links.spanID[y], a.links.flags[x] == b.links.flags[y],
                a.links.dropped[x] == b.links.dropped[y],
                text(a, a.links.traceState[x], b, b.links.traceState[y]),
                attributes(a, a.links.attributes[x], b, b.links.attributes[y])
            else { return false }
        }
        return true
    }
}

/// Spans of several tables in the order parts and answers keep: trace id, start, span id; exact
/// duplicates left out.
enum SpanSorting {
    /// Which half of a trace id is compared first.
    enum IDOrder {
        /// As parts are sorted, so that a short id is a range.
        case lowFirst
        /// As answers are sorted.
        case highFirst
    }

    private struct Key {
        var first: UInt64
        var second: UInt64
        var start: UInt64
        var span: UInt64
        var place: SpanReference

        static func isBefore(_ a: Key, _ b: Key) -> Bool {
            if a.first != b.first { return a.first < b.first }
            if a.second != b.second { return a.second < b.second }
            if a.start != b.start { return a.start < b.start }
            return a.span < b.span
        }

        func isLike(_ other: Key) -> Bool {
            span == other.span && start == other.start && first == other.first
                && second == other.second
        }
    }

    static func sorted(
        _ references: [SpanReference],
        of tables: [SpanTable],
        by order: IDOrder
    ) -> [SpanReference] {
        var keys: [Key] = []
        keys.reserveCapacity(references.count)
        for place in references {
            let table = tables[Int(place.table)]
            let row = Int(place.row)
            let high = table.columns.traceHigh[row]
            let low = table.columns.traceLow[row]
            keys.append(
                Key(
                    first: order == .lowFirst ? low : high,
                    second: order == .lowFirst ? high : low,
                    start: table.columns.start[row],
                    span: table.columns.spanID[row],
                    place: place
                )
            )
        }
        keys.sort(by: Key.isBefore)
        var result: [SpanReference] = []
        result.reserveCapacity(keys.count)
        var index = 0
        while index < keys.count {
            var end = index + 1
            while end < keys.count, keys[end].isLike(keys[index]) { end += 1 }
            if end == index + 1 {
                result.append(keys[index].place)
            } else {
                result += distinct(keys[index..<end].map(\.place), of: tables)
            }
            index = end
        }
        return result
    }

    /// Leaves exact duplicates out of spans that share ids and start: few, or an attack; grouped by
    /// hash, so never quadratic.
    static func distinct(
        _ places: [SpanReference],
        of tables: [SpanTable]
    ) -> [SpanReference] {
        var result: [SpanReference] = []
        var seen: [Int: [SpanReference]] = [:]
        for place in places {
            let table = tables[Int(place.table)]
            let hash = SpanIdentity.hash(table.columns, Int(place.row))
            let isDuplicate = seen[hash, default: []].contains { other in
                SpanIdentity.isSame(
                    table.columns,
                    Int(place.row),
                    tables[Int(other.table)].columns,
                    Int(other.row)
                )
            }
            if isDuplicate { continue }
            seen[hash, default: []].append(place)
            result.append(place)
        }
        return result
    }

    /// Every row of every table.
    static func all(_ tables: [SpanTable]) -> [SpanReference] {
        var references: [SpanReference] = []
        references.reserveCapacity(tables.reduce(0) { $0 + $1.columns.count })
        for (index, table) in tables.enumerated() {
            for row in 0..<table.columns.count {
                references.append(SpanReference(table: UInt32(index), row: UInt32(row)))
            }
        }
        return references
    }
}
