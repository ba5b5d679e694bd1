// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// One query's reader of a part; a class so that a list can hold it.
final class PartSession {
    let part: Part
    var reader: PartReader

    init(_ part: Part) {
        self.part = part
        reader = PartReader(part)
    }
}

/// All stored spans of one trace, in order of start, exact duplicates left out.
struct GatheredTrace {
    /// The head's batches first, then what was read from parts.
    var tables: [SpanTable]
    var rows: [SpanReference]
}

/// Brings the spans of a trace together from the head and all parts, for the time of one query.
final class TraceGatherer {
    let snapshot: Snapshot
    let sessions: [PartSession]
    let head: HeadIndex?
    private let headTables: [SpanTable]

    init(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        sessions = snapshot.parts.map { PartSession($0) }
        head = snapshot.head.isEmpty ? nil : HeadIndex(snapshot.head)
        headTables = snapshot.head.map(\.table)
    }

    /// Whether spans of exactly this trace lie anywhere but in `part`.
    func isElsewhere(_ id: TraceID, than part: PartSession) throws -> Bool {
        if let head, head.find(id).contains(where: { traceID($0) == id }) { return true }
        for session in sessions where session !== part {
            if try session.reader.find(id).contains(where: { $0.id == id }) { return true }
        }
        return false
    }

    private func traceID(_ place: SpanReference) -> TraceID {
        let table = headTables[Int(place.table)]
        let row = Int(place.row)
        return TraceID(high: table.columns.traceHigh[row], low: table.columns.traceLow[row])
    }

    /// The spans that look-ups by `ids` find.
    ///
    /// - Parameter isExact: ids mean themselves only, not their long forms.
    func gather(_ ids: [TraceID], isExact: Bool) throws -> GatheredTrace {
        var rows: [SpanReference] = []
        if let head {
            for id in ids {
                for place in head.find(id) where !isExact || traceID(place) == id {
                    rows.append(place)
                }
            }
        }
        var tables = headTables
        for session in sessions {
            var found: [PartReader.Trace] = []
            for id in ids {
                for trace in try session.reader.find(id) where !isExact || trace.id == id {
                    found.append(trace)
                }
            }
            guard !found.isEmpty else { continue }
            var columns = SpanColumns()
            var copier = SpanCopier(source: session.part.shared.columns)
            for trace in found.sorted(by: { $0.rows.lowerBound < $1.rows.lowerBound }) {
                try session.reader.append(trace.rows, to: &columns, &copier)
            }
            for row in 0..<columns.count {
                rows.append(SpanReference(table: UInt32(tables.count), row: UInt32(row)))
            }
            tables.append(SpanTable(columns))
        }
        return GatheredTrace(
            tables: tables,
            rows: SpanSorting.sorted(rows, of: tables, by: .highFirst)
        )
    }

    /// Answers `traces`.
    func spans(_ ids: [TraceID], _ flag: CancellationFlag) throws -> TraceSpans {
        try flag.check()
        // An id asked for twice, or in its short and its long form, is found once: duplicates fall
        // out when rows are sorted.
        let gathered = try gather(Array(Set(ids)), isExact: false)
        var columns = SpanColumns(capacity: gathered.rows.count)
        // One copier a table in use, made when first needed; rows of one table lie together mostly.
        let order = gathered.rows.enumerated().sorted { $0.element.table < $1.element.table }
        var places = Array(repeating: 0, count: gathered.rows.count)
        var copied = SpanColumns(capacity: gathered.rows.count)
        var index = 0
        while index < order.count {
            try flag.check()
            let table = gathered.tables[Int(order[index].element.table)]
            var copier = SpanCopier(source: table.columns)
            let number = order[index].element.table
            while index < order.count, order[index].element.table == number {
                places[order[index].offset] = copied.count
                copier.copy(Int(order[index].element.row), from: table.columns, to: &copied)
                index += 1
            }
        }
        if places.elementsEqual(0..<places.count) {
            return TraceSpans(columns: copied, incomplete: snapshot.incomplete)
        }
        var copier = SpanCopier(source: copied)
        for place in places { copier.copy(place, from: copied, to: &columns) }
        return TraceSpans(columns: columns, incomplete: snapshot.incomplete)
    }
}

extension TraceDigest {
    /// The digest as an answer.
    func summary(_ id: TraceID, _ gathered: GatheredTrace, matched: [SpanID]) -> TraceSummary {
        let rootPlace = gathered.rows[root]
        let rootTable = gathered.tables[Int(rootPlace.table)]
        let rootRow = Int(rootPlace.row)
        return TraceSummary(
            traceID: id,
            rootService: rootTable.columns.strings.text(rootTable.columns.service(rootRow)),
            rootOperation: rootTable.columns.strings.text(rootTable.columns.name[rootRow]),
            start: start,
            duration: duration,
            spanCount: gathered.rows.count,
            errorCount: errorCount,
            services: services.map { service in
                let table = gathered.tables[service.source]
                return TraceSummary.ServiceCount(
                    name: table.columns.strings.text(table.columns.service(service.row)),
                    spanCount: service.spanCount,
                    errorCount: service.errorCount
                )
            }.sorted { $0.name < $1.name },
            matchedSpans: matched
        )
    }
}
