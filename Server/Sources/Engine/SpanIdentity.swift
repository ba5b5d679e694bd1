// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// One span of one table.
struct SpanReference: BitwiseCopyable {
    var table: UInt32
    var row: UInt32
}

/// Tells exact duplicates from other spans that share ids and start. Every field counts, resource, scope,
/// attributes, events and links among them; ids that hold only inside a batch are followed, not compared.
///
/// The work is linear in what the spans hold, whoever made them up: the hash takes in all that is
/// compared, and a resource or scope is read once, however many spans are of it.
struct SpanDuplicates {
    private let tables: [SpanTable]
    private var seen: [Int: [SpanReference]] = [:]
    private var resources = OwnerNumbers(
        hash: SpanIdentity.hash(resource:_:into:),
        isSame: SpanIdentity.resource
    )
    private var scopes = OwnerNumbers(
        hash: SpanIdentity.hash(scope:_:into:),
        isSame: SpanIdentity.scope
    )

    init(of tables: [SpanTable]) { self.tables = tables }

    /// Notes a span.
    ///
    /// - Returns: `false` where the same was noted before.
    mutating func insert(_ place: SpanReference) -> Bool {
        let hash = hash(place)
        var others = seen[hash] ?? []
        guard !others.contains(where: { isSame($0, place) }) else { return false }
        others.append(place)
        seen[hash] = others
        return true
    }

    private mutating func isSame(_ one: SpanReference, _ other: SpanReference) -> Bool {
        guard resource(one) == resource(other), scope(one) == scope(other) else { return false }
        return SpanIdentity.isSame(
            tables[Int(one.table)].columns,
            Int(one.row),
            tables[Int(other.table)].columns,
            Int(other.row)
        )
    }

    private mutating func hash(_ place: SpanReference) -> Int {
        var hasher = Hasher()
        hasher.combine(resource(place))
        hasher.combine(scope(place))
        SpanIdentity.hash(tables[Int(place.table)].columns, Int(place.row), into: &hasher)
        return hasher.finalize()
    }

    private mutating func resource(_ place: SpanReference) -> Int {
        let row = tables[Int(place.table)].columns.resource[Int(place.row)]
        return resources.number(SpanReference(table: place.table, row: row), tables)
    }

    private mutating func scope(_ place: SpanReference) -> Int {
        let row = tables[Int(place.table)].columns.scope[Int(place.row)]
        return scopes.number(SpanReference(table: place.table, row: row), tables)
    }
}

/// Numbers resources or scopes of several tables: those with the same content share a number.
private struct OwnerNumbers {
    let hash: (Int, borrowing SpanColumns, inout Hasher) -> Void
    let isSame: (borrowing SpanColumns, Int, borrowing SpanColumns, Int) -> Bool
    private var numbers: [UInt64: Int] = [:]
    private var contents: [Int: [(owner: SpanReference, number: Int)]] = [:]
    private var count = 0

    init(
        hash: @escaping (Int, borrowing SpanColumns, inout Hasher) -> Void,
        isSame: @escaping (borrowing SpanColumns, Int, borrowing SpanColumns, Int) -> Bool
    ) {
        self.hash = hash
        self.isSame = isSame
    }

    /// - Parameter owner: the row is one of the table's resources or scopes.
    mutating func number(_ owner: SpanReference, _ tables: [SpanTable]) -> Int {
        let key = UInt64(owner.table) << 32 | UInt64(owner.row)
        if let known = numbers[key] { return known }
        let table = tables[Int(owner.table)]
        var hasher = Hasher()
        hash(Int(owner.row), table.columns, &hasher)
        let content = hasher.finalize()
        let like = contents[content]?.first { other, _ in
            isSame(
                tables[Int(other.table)].columns,
                Int(other.row),
                table.columns,
                Int(owner.row)
            )
        }
        let number = like?.number ?? count
        if like == nil {
            contents[content, default: []].append((owner, number))
            count += 1
        }
        numbers[key] = number
        return number
    }
}

/// What two spans, resources or scopes have in common.
private enum SpanIdentity {
    /// Whether two spans are the same but for resource and scope.
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
            && attributes(a, a.spanAttributes[i], b, b.spanAttributes[j])
            && events(a, a.spanEvents[i], b, b.spanEvents[j])
            && links(a, a.spanLinks[i], b, b.spanLinks[j])
    }

    /// Takes in what `isSame` compares, but for ids and start, which the spans share.
    static func hash(_ a: borrowing SpanColumns, _ i: Int, into hasher: inout Hasher) {
        hasher.combine(a.end[i])
        hasher.combine(a.parentID[i])
        hasher.combine(a.kind[i])
        hasher.combine(a.status[i])
        hasher.combine(a.flags[i])
        hasher.combine(a.marks[i])
        hasher.combine(a.droppedAttributes[i])
        hasher.combine(a.droppedEvents[i])
        hasher.combine(a.droppedLinks[i])
        hash(text: a.name[i], a, into: &hasher)
        hash(text: a.statusMessage[i], a, into: &hasher)
        hash(text: a.traceState[i], a, into: &hasher)
        hash(attributes: a.spanAttributes[i], a, into: &hasher)
        hasher.combine(a.spanEvents[i].count)
        for row in a.spanEvents[i].rows {
            hasher.combine(a.events.time[row])
            hasher.combine(a.events.dropped[row])
            hash(text: a.events.name[row], a, into: &hasher)
            hash(attributes: a.events.attributes[row], a, into: &hasher)
        }
        hasher.combine(a.spanLinks[i].count)
        for row in a.spanLinks[i].rows {
            hasher.combine(a.links.traceHigh[row])
            hasher.combine(a.links.traceLow[row])
            hasher.combine(a.links.spanID[row])
            hasher.combine(a.links.flags[row])
            hasher.combine(a.links.dropped[row])
            hash(text: a.links.traceState[row], a, into: &hasher)
            hash(attributes: a.links.attributes[row], a, into: &hasher)
        }
    }

    static func hash(resource i: Int, _ a: borrowing SpanColumns, into hasher: inout Hasher) {
        hasher.combine(a.resources.dropped[i])
        hash(text: a.resources.service[i], a, into: &hasher)
        hash(text: a.resources.schemaURL[i], a, into: &hasher)
        hash(attributes: a.resources.attributes[i], a, into: &hasher)
    }

    static func hash(scope i: Int, _ a: borrowing SpanColumns, into hasher: inout Hasher) {
        hasher.combine(a.scopes.dropped[i])
        hash(text: a.scopes.name[i], a, into: &hasher)
        hash(text: a.scopes.version[i], a, into: &hasher)
        hash(text: a.scopes.schemaURL[i], a, into: &hasher)
        hash(attributes: a.scopes.attributes[i], a, into: &hasher)
    }

    private static func hash(
        text id: UInt32,
        _ a: borrowing SpanColumns,
        into hasher: inout Hasher
    ) {
        a.strings.withBytes(of: id) { bytes in
            hasher.combine(bytes.count)
            hasher.combine(bytes: bytes)
        }
    }

    private static func hash(
        attributes run: Run,
        _ a: borrowing SpanColumns,
        into hasher: inout Hasher
    ) {
        hasher.combine(run.count)
        for row in run.rows {
            hasher.combine(a.attributes.type[row])
            hash(text: a.attributes.key[row], a, into: &hasher)
            if a.attributes.type(row).holdsText {
                a.attributes.withBytes(row) { bytes in
                    hasher.combine(bytes.count)
                    hasher.combine(bytes: bytes)
                }
            } else {
                hasher.combine(a.attributes.value[row])
            }
        }
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

    static func resource(
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

    static func scope(
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
