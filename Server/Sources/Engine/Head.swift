// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// Spans of one request in memory: logged, found, not yet in a part.
final class HeadBatch: Sendable {
    let table: SpanTable
    let tenant: Tenant
    let sequence: UInt64
    let receivedAt: UInt64
    /// Bytes of memory held.
    let byteCount: Int
    let firstStart: UInt64
    let lastStart: UInt64
    private let names = Mutex<KnownNames?>(nil)

    init(_ table: SpanTable, payload: Payload, sequence: UInt64) {
        self.table = table
        tenant = payload.tenant
        receivedAt = payload.receivedAt
        self.sequence = sequence
        byteCount = table.columns.allocatedByteCount
        var first = UInt64.max
        var last: UInt64 = 0
        table.columns.start.withElements { starts in
            for start in starts {
                first = min(first, start)
                last = max(last, start)
            }
        }
        firstStart = first
        lastStart = last
    }

    /// Its names, collected when first asked for.
    var knownNames: KnownNames {
        names.withLock { known in
            if let known { return known }
            let collected = KnownNames(of: table)
            known = collected
            return collected
        }
    }
}

/// Finds the rows of a trace in the head, for the time of one query.
///
/// Open addressing on the low half of the id, with the rows of one slot chained:
/// ```
/// slots [·, 3, ·, 1]     next[3] = 0, next[1] = none      rows 3 and 0 share a slot
/// ```
struct HeadIndex {
    let batches: [HeadBatch]
    private var places: [SpanReference] = []
    private var slots: [Int32]
    private var next: [Int32]

    init(_ batches: [HeadBatch]) {
        self.batches = batches
        places = SpanSorting.all(batches.map(\.table))
        var size = 16
        while size < places.count { size *= 2 }
        slots = Array(repeating: -1, count: size)
        next = Array(repeating: -1, count: places.count)
        for (index, place) in places.enumerated() {
            let table = batches[Int(place.table)].table
            let slot = self.slot(table.columns.traceLow[Int(place.row)])
            next[index] = slots[slot]
            slots[slot] = Int32(index)
        }
    }

    /// Keyed by the process, so that a sender cannot choose ids that all fall into one slot.
    private func slot(_ low: UInt64) -> Int { low.hashValue & (slots.count - 1) }

    /// The spans that a look-up by `id` should find; tables are numbered as `batches`.
    func find(_ id: TraceID) -> [SpanReference] {
        var result: [SpanReference] = []
        var index = slots[slot(id.low)]
        while index >= 0 {
            let place = places[Int(index)]
            let table = batches[Int(place.table)].table
            let row = Int(place.row)
            let found = TraceID(
                high: table.columns.traceHigh[row],
                low: table.columns.traceLow[row]
            )
            if id.finds(found) { result.append(place) }
            index = next[Int(index)]
        }
        return result
    }
}

/// The names that spans of one batch or part carry.
struct KnownNames: Sendable {
    struct Operation: Hashable {
        var service: String
        var name: String
        var kind: SpanKind
    }

    struct Key: Hashable {
        var service: String
        var scope: AttributeScope
        var key: String
    }

    var operations: [Operation] = []
    var keys: [Key] = []

    init(of table: SpanTable) {
        var operationPairs = PairSet()
        var keyPairs = PairSet()
        var resources: Set<UInt32> = []
        let count = table.columns.count
        for row in 0..<count {
            let service = table.columns.service(row)
            let kind = table.columns.kind[row]
            if operationPairs.insert(service << 3 | UInt32(kind & 7), table.columns.name[row]) {
                operations.append(
                    Operation(
                        service: table.columns.strings.text(service),
                        name: table.columns.strings.text(table.columns.name[row]),
                        kind: SpanKind(rawValue: kind) ?? .unspecified
                    )
                )
            }
            resources.insert(table.columns.resource[row])
            addKeys(table, table.columns.spanAttributes[row], service, .span, &keyPairs)
            for event in table.columns.spanEvents[row].rows {
                addKeys(table, table.columns.events.attributes[event], service, .event, &keyPairs)
            }
        }
        for resource in resources {
            let service = table.columns.resources.service[Int(resource)]
            let run = table.columns.resources.attributes[Int(resource)]
            addKeys(table, run, service, .resource, &keyPairs)
        }
    }

    private mutating func addKeys(
        _ table: SpanTable,
        _ run: Run,
        _ service: UInt32,
        _ scope: AttributeScope,
        _ pairs: inout PairSet
    ) {
        let code: UInt32 = scope == .span ? 0 : scope == .resource ? 1 : 2
        for row in run.rows {
            let key = table.columns.attributes.key[row]
            guard pairs.insert(service << 2 | code, key) else { continue }
            keys.append(
                Key(
                    service: table.columns.strings.text(service),
                    scope: scope,
                    key: table.columns.strings.text(key)
                )
            )
        }
    }

    init(of directory: PartDirectory) {
        let names = directory.names.map { String(decoding: $0, as: UTF8.self) }
        operations = directory.operations.map {
            Operation(
                service: names[Int($0.service)],
                name: names[Int($0.name)],
                kind: SpanKind(rawValue: $0.kind) ?? .unspecified
            )
        }
        keys = directory.keys.map {
            Key(
                service: names[Int($0.service)],
                scope: $0.scope == 0 ? .span : $0.scope == 1 ? .resource : .event,
                key: names[Int($0.key)]
            )
        }
    }
}
