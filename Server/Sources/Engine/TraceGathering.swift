// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// One query's reader of a part; a class so that a list can hold it.
final class PartSession {
    let part: Part
    var reader: PartReader

    init(_ part: Part, _ scratch: ReadScratch) {
        self.part = part
        reader = PartReader(part, scratch)
    }

    /// The spans of exactly this trace: a part has them in one place.
    func find(exactly id: TraceID) throws(PartDamage) -> PartTrace? {
        for trace in try reader.find(id) {
            if id.high != 0 { return trace }
            if try reader.id(of: trace) == id { return trace }
        }
        return nil
    }
}

/// All stored spans of one trace, in order of start, exact duplicates left out.
struct GatheredTrace {
    /// The batches of the head that hold some of it, then what was read from parts.
    var tables: [SpanTable] = []
    /// How many of `tables` are the head's, which live as long as the snapshot does.
    var headTableCount = 0
    var rows: [SpanReference] = []
    /// Bytes read from parts for it.
    var byteCount = 0

    /// Adds what was read from a part.
    mutating func add(_ columns: consuming SpanColumns) {
        let table = UInt32(tables.count)
        for row in 0..<columns.count {
            rows.append(SpanReference(table: table, row: UInt32(row)))
        }
        byteCount += columns.allocatedByteCount
        tables.append(SpanTable(columns))
    }

    /// Sorts the spans.
    ///
    /// - Returns: `false` where some share id and start, so that they may be duplicates.
    mutating func sortIfDistinct() -> Bool {
        var keys = rows.map { place in
            let table = tables[Int(place.table)]
            return (
                start: table.columns.start[Int(place.row)],
                id: table.columns.spanID[Int(place.row)], place: place
            )
        }
        keys.sort { ($0.start, $0.id) < ($1.start, $1.id) }
        rows = keys.map(\.place)
        return zip(keys, keys.dropFirst()).allSatisfy {
            $0.start != $1.start || $0.id != $1.id
        }
    }
}

/// Brings the spans of a trace together from the head and all parts, for the time of one query.
final class TraceGatherer {
    let snapshot: Snapshot
    private(set) var sessions: [PartSession]
    private let context: QueryContext

    init(_ snapshot: Snapshot, _ context: QueryContext) {
        self.snapshot = snapshot
        self.context = context
        let scratch = ReadScratch(context.budget)
        sessions = snapshot.parts.map { PartSession($0, scratch) }
        // Weak: the readers hold the budget.
        context.budget.reclaim = { [weak self] in
            for session in self?.sessions ?? [] { session.reader.release() }
        }
    }

    /// Goes on without a part that turned out to be damaged.
    func leaveOut(_ number: UInt64) {
        for session in sessions where session.part.number == number { session.reader.release() }
        sessions.removeAll { $0.part.number == number }
    }

    /// Whether spans of exactly this trace lie anywhere but in `part`.
    func isElsewhere(_ id: TraceID, than part: PartSession) throws -> Bool {
        if snapshot.head.contains(where: { $0.contains(id) }) { return true }
        return try isInParts(id, except: part)
    }

    /// Whether spans of exactly this trace lie in a part other than `part`.
    func isInParts(_ id: TraceID, except part: PartSession? = nil) throws -> Bool {
        for session in sessions
        where session !== part && session.part.directory.filter.mayContain(id.low) {
            if try session.find(exactly: id) != nil { return true }
        }
        return false
    }

    /// When exactly this trace begins and ends, by the head's spans and the parts' rows of traces.
    func extent(of id: TraceID) throws -> TraceExtent {
        var extent = TraceExtent()
        for batch in snapshot.head {
            batch.forEachRow(of: id, isExact: true) { row in
                extent.add(batch.table.columns.start[row], batch.table.columns.end[row])
            }
        }
        for session in sessions {
            guard let trace = try session.find(exactly: id) else { continue }
            let duration = try session.reader.duration(of: trace)
            extent.add(trace.start, trace.start &+ duration)
        }
        return extent
    }

    /// The spans of exactly this trace.
    ///
    /// - Parameter head: where the head's traces stand, if that is known.
    func gather(_ id: TraceID, _ head: HeadTraces? = nil) throws -> GatheredTrace {
        var gathered = headRows(of: id, head)
        for session in sessions {
            guard let trace = try session.find(exactly: id) else { continue }
            var columns = SpanColumns()
            var copier = SpanCopier(source: try session.reader.vocabulary.shared.columns)
            try session.reader.append(trace, to: &columns, &copier)
            gathered.add(columns)
        }
        gathered.rows = SpanSorting.sorted(gathered.rows, of: gathered.tables, by: .highFirst)
        return gathered
    }

    /// The spans of exactly this trace that are in the head, in the order they came.
    func headRows(of id: TraceID, _ head: HeadTraces?) -> GatheredTrace {
        var gathered = GatheredTrace()
        if let head {
            for place in head.rows(of: id) {
                let table = snapshot.head[Int(place.table)].table
                if gathered.tables.last !== table { gathered.tables.append(table) }
                let own = UInt32(gathered.tables.count - 1)
                gathered.rows.append(SpanReference(table: own, row: place.row))
            }
        } else {
            for batch in snapshot.head {
                let table = UInt32(gathered.tables.count)
                batch.forEachRow(of: id, isExact: true) { row in
                    gathered.rows.append(SpanReference(table: table, row: UInt32(row)))
                }
                if gathered.rows.last?.table == table { gathered.tables.append(batch.table) }
            }
        }
        gathered.headTableCount = gathered.tables.count
        return gathered
    }
}

// MARK: Whole traces

extension TraceGatherer {
    /// Where a trace lies.
    private struct Places {
        var isInHead = false
        var parts: [(session: Int, trace: PartTrace)] = []
    }

    /// Carries one source's names over into the answer, for as long as the answer is made.
    final class Carrier {
        var copier: SpanCopier

        init(_ source: SpanTable) { copier = SpanCopier(source: source.columns) }
    }

    /// Answers `traces`: an id asked for twice, or in its short and its long form, is told once.
    func spans(_ ids: [TraceID]) throws -> TraceSpans {
        try context.check()
        var places: [TraceID: Places] = [:]
        // In one order every time: a simulated run must repeat itself.
        let ids = Set(ids).sorted()
        for id in ids {
            for batch in snapshot.head {
                batch.forEachRow(of: id, isExact: false) { row in
                    let high = batch.table.columns.traceHigh[row]
                    places[TraceID(high: high, low: id.low), default: Places()].isInHead = true
                }
            }
        }
        for (number, session) in sessions.enumerated() {
            try context.check()
            // Several look-ups may find one trace of the part.
            var seen: Set<TraceID> = []
            for id in ids {
                for trace in try session.reader.find(id) {
                    let own = try session.reader.id(of: trace)
                    guard seen.insert(own).inserted else { continue }
                    places[own, default: Places()].parts.append((number, trace))
                }
            }
        }
        var columns = SpanColumns()
        var carriers: [ObjectIdentifier: Carrier] = [:]
        for (id, place) in places.sorted(by: { $0.key < $1.key }) {
            let held = columns.allocatedByteCount
            if !place.isInHead, place.parts.count == 1, let only = place.parts.first {
                let session = sessions[only.session]
                let source = try session.reader.vocabulary.shared
                let carrier = carriers[ObjectIdentifier(source)] ?? Carrier(source)
                carriers[ObjectIdentifier(source)] = carrier
                try session.reader.append(only.trace, to: &columns, &carrier.copier)
            } else {
                try copy(try gather(id), to: &columns, &carriers)
            }
            context.budget.charge(columns.allocatedByteCount - held)
            try context.check()
        }
        return TraceSpans(columns: columns, incomplete: snapshot.incomplete)
    }

    /// - Parameter carriers: of the head's batches; others are made for the trace.
    func copy(
        _ trace: GatheredTrace,
        to columns: inout SpanColumns,
        _ carriers: inout [ObjectIdentifier: Carrier]
    ) throws {
        context.budget.charge(trace.byteCount)
        defer { context.budget.release(trace.byteCount) }
        try context.check()
        var own: [Carrier] = []
        for (index, table) in trace.tables.enumerated() {
            let carrier = carriers[ObjectIdentifier(table)] ?? Carrier(table)
            // What was read from a part is gone soon, and its address may be used again.
            if index < trace.headTableCount { carriers[ObjectIdentifier(table)] = carrier }
            own.append(carrier)
        }
        for place in trace.rows {
            let table = trace.tables[Int(place.table)]
            own[Int(place.table)].copier.copy(Int(place.row), from: table.columns, to: &columns)
        }
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
