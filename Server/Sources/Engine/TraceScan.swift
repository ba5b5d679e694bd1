// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Runs a `ScanPlan`: finds traces with a matching span, judges each as a whole trace once, wherever
/// its spans lie, and keeps the best.
///
/// A trace starts no later than any of its spans, and lasts no shorter than its spans of one place
/// do. So `newest` goes from the newest batch or block to older ones and ends where the rest starts
/// before the last trace kept. `slowest` reads the rows of traces: where a trace lies in one part
/// only, its duration there decides whether its spans are looked at.
struct TraceScan {
    private let plan: ScanPlan
    private let gatherer: TraceGatherer
    private let context: QueryContext
    private var ranking: TraceRanking
    /// Traces of the head or of several places that were judged already.
    private var judged: Set<TraceID> = []

    /// Bytes that a trace in `judged`, or one on the way to be judged, takes.
    private static let candidateBytes = 64

    init(_ plan: ScanPlan, _ snapshot: Snapshot, _ context: QueryContext) {
        self.plan = plan
        self.context = context
        gatherer = TraceGatherer(snapshot, context)
        ranking = TraceRanking(plan)
    }

    mutating func run() throws -> ScanResult {
        guard plan.limit > 0, !plan.range.isEmpty else {
            return ScanResult(traces: [], cursor: nil, incomplete: gatherer.snapshot.incomplete)
        }
        try context.check()
        switch plan.order {
        case .newest: try findNewest()
        case .slowest: try findSlowest()
        }
        return try answer()
    }

    private func overlapsRange(_ first: UInt64, _ last: UInt64) -> Bool {
        last >= plan.range.lowerBound && first < plan.range.upperBound
    }

    private func answer() throws -> ScanResult {
        var traces: [TraceSummary] = []
        for found in ranking.page {
            try context.check()
            switch found.origin {
            case .part(let part, let trace): traces.append(try part.summary(trace))
            case .scattered:
                let gathered = try gatherer.gather(found.id)
                let digest = TraceDigest(gathered.rows[...], of: gathered.tables)
                traces.append(digest.summary(found.id, gathered, matched: matched(gathered)))
            }
        }
        return ScanResult(
            traces: traces,
            cursor: ranking.next,
            incomplete: gatherer.snapshot.incomplete
        )
    }

    private func matched(_ gathered: GatheredTrace) -> [SpanID] {
        var predicates: [UInt32: RowPredicate] = [:]
        var matched: [SpanID] = []
        for place in gathered.rows {
            if matched.count >= plan.matchedSpanLimit { break }
            let table = gathered.tables[Int(place.table)]
            let row = Int(place.row)
            guard plan.range.contains(table.columns.start[row]) else { continue }
            let predicate = predicates[place.table] ?? RowPredicate(plan.span, for: table)
            predicates[place.table] = predicate
            if predicate.matches(row, table.columns) {
                matched.append(SpanID(table.columns.spanID[row]))
            }
        }
        return matched
    }

    // MARK: Judging

    /// Judges a trace some of whose spans, not all in one part, match.
    private mutating func judgeScattered(_ id: TraceID) throws {
        guard judged.insert(id).inserted else { return }
        context.budget.charge(Self.candidateBytes)
        try context.check()
        let extent = try gatherer.extent(of: id)
        keep(id, start: extent.start, duration: extent.duration, .scattered)
    }

    /// Judges a trace that has a match in a part.
    private mutating func judge(_ trace: PartTrace, in part: PartScan) throws {
        let id = try part.session.reader.id(of: trace)
        if try gatherer.isElsewhere(id, than: part.session) {
            try judgeScattered(id)
        } else {
            let duration = try part.session.reader.duration(of: trace)
            keep(id, start: trace.start, duration: duration, .part(part, trace))
        }
    }

    private mutating func keep(
        _ id: TraceID,
        start: UInt64,
        duration: UInt64,
        _ origin: TraceRanking.Origin
    ) {
        guard plan.trace.allSatisfy({ $0.matches(duration: duration) }) else { return }
        let value = plan.order == .newest ? start : duration
        ranking.keep(.init(id: id, value: value, origin: origin))
    }
}

// MARK: Newest

extension TraceScan {
    /// The head, or a part, with what of it is still to be looked at.
    private struct Source {
        enum Place {
            case head
            /// Not looked into yet.
            case session(PartSession)
            case part(PartScan)
        }

        var place: Place
        /// Batches or blocks with the latest start that a trace found in them can have; the latest
        /// last.
        var units: [(bound: UInt64, index: Int)]
        /// Traces that begin in one block and go on in another, judged already.
        var straddlers: Set<Int> = []
    }

    private mutating func findNewest() throws {
        var sources: [Source] = []
        var units: [(bound: UInt64, index: Int)] = []
        for (index, batch) in gatherer.snapshot.head.enumerated()
        where overlapsRange(batch.firstStart, batch.lastStart) {
            units.append((min(batch.lastStart, plan.range.upperBound - 1), index))
        }
        units.sort { $0.bound < $1.bound }
        sources.append(Source(place: .head, units: units))
        for session in gatherer.sessions {
            let entry = session.part.entry
            guard overlapsRange(entry.firstStart, entry.lastStart) else { continue }
            sources.append(Source(place: .session(session), units: [(entry.lastStart, 0)]))
        }
        while true {
            var next: (bound: UInt64, source: Int)?
            for (index, source) in sources.enumerated() {
                guard let bound = source.units.last?.bound, next.map({ bound > $0.bound }) ?? true
                else { continue }
                next = (bound, index)
            }
            guard let next, ranking.mayBeKept(next.bound) else { return }
            try look(into: &sources[next.source])
        }
    }

    /// Looks at the newest unit that is left of a source.
    private mutating func look(into source: inout Source) throws {
        try context.check()
        guard let unit = source.units.popLast() else { return }
        switch source.place {
        case .head: try lookAt(gatherer.snapshot.head[unit.index])
        case .session(let session):
            let part = try PartScan(session, plan, context)
            guard !part.isNever else { return }
            source.place = .part(part)
            for (index, block) in session.part.directory.blocks.enumerated()
            where part.mayMatch(index) {
                // A matching span starts in the range, and its trace no later.
                source.units.append((min(block.lastStart, plan.range.upperBound - 1), index))
            }
            source.units.sort { $0.bound < $1.bound }
        case .part(let part): try lookAt(unit.index, of: part, &source.straddlers)
        }
    }

    private mutating func lookAt(_ batch: HeadBatch) throws {
        var bounds: [TraceID: UInt64] = [:]
        forEachMatch(in: batch) { id, start, _ in bounds[id] = min(bounds[id] ?? .max, start) }
        for (id, bound) in bounds.sorted(by: { $0.value > $1.value }) {
            if !ranking.mayBeKept(bound) { break }
            try judgeScattered(id)
        }
    }

    private mutating func lookAt(
        _ block: Int,
        of part: PartScan,
        _ straddlers: inout Set<Int>
    ) throws {
        let hits = try part.hits(block)
        guard !hits.isEmpty else { return }
        let base = block * part.session.part.directory.blockRows
        let rows = base..<base + hits.rowCount
        var found: [PartTrace] = []
        for trace in try part.session.reader.traces(in: rows) {
            let own = trace.rows.clamped(to: rows)
            guard ranking.mayBeKept(trace.start),
                hits.intersects(own.lowerBound - base..<own.upperBound - base)
            else { continue }
            if own != trace.rows, !straddlers.insert(trace.rows.lowerBound).inserted { continue }
            found.append(trace)
        }
        found.sort { $0.start > $1.start }
        for trace in found {
            if !ranking.mayBeKept(trace.start) { break }
            try context.check()
            try judge(trace, in: part)
        }
    }

    private func forEachMatch(in batch: HeadBatch, _ body: (TraceID, UInt64, UInt64) -> Void) {
        let predicate = RowPredicate(plan.span, for: batch.table)
        guard !predicate.isNever else { return }
        let table = batch.table
        for row in 0..<table.columns.count {
            let start = table.columns.start[row]
            guard plan.range.contains(start), predicate.matches(row, table.columns) else {
                continue
            }
            let id = TraceID(
                high: table.columns.traceHigh[row],
                low: table.columns.traceLow[row]
            )
            body(id, start, max(start, table.columns.end[row]))
        }
    }
}

// MARK: Slowest

extension TraceScan {
    private mutating func findSlowest() throws {
        let inHead = try findSlowestInHead()
        for session in gatherer.sessions {
            try context.check()
            let entry = session.part.entry
            guard overlapsRange(entry.firstStart, entry.lastStart) else { continue }
            let part = try PartScan(session, plan, context)
            guard !part.isNever else { continue }
            let mayMatch = session.part.directory.blocks.indices.map { part.mayMatch($0) }
            // The slowest first, so that others need not be looked into.
            let blocks = session.part.directory.traceBlocks
            for block in blocks.indices.sorted(by: { blocks[$0].longest > blocks[$1].longest }) {
                try lookAt(traces: block, of: part, mayMatch, inHead)
            }
        }
    }

    /// The extent of every trace with a match in the head is found by one walk over the head.
    ///
    /// - Returns: all traces of the head.
    private mutating func findSlowestInHead() throws -> Set<TraceID> {
        var candidates: Set<TraceID> = []
        for batch in gatherer.snapshot.head
        where overlapsRange(batch.firstStart, batch.lastStart) {
            try context.check()
            let known = candidates.count
            forEachMatch(in: batch) { id, _, _ in candidates.insert(id) }
            context.budget.charge((candidates.count - known) * Self.candidateBytes)
        }
        var all: Set<TraceID> = []
        var extents: [TraceID: TraceExtent] = [:]
        context.budget.charge(candidates.count * Self.candidateBytes)
        for batch in gatherer.snapshot.head {
            try context.check()
            let table = batch.table
            let known = all.count
            defer { context.budget.charge((all.count - known) * Self.candidateBytes) }
            for row in 0..<table.columns.count {
                let id = TraceID(
                    high: table.columns.traceHigh[row],
                    low: table.columns.traceLow[row]
                )
                all.insert(id)
                guard candidates.contains(id) else { continue }
                extents[id, default: TraceExtent()]
                    .add(table.columns.start[row], table.columns.end[row])
            }
        }
        for (id, extent) in extents {
            if try gatherer.isInParts(id) {
                try judgeScattered(id)
            } else {
                keep(id, start: extent.start, duration: extent.duration, .scattered)
            }
        }
        return all
    }

    /// - Parameters:
    ///   - mayMatch: by block of spans.
    ///   - inHead: traces of the head.
    private mutating func lookAt(
        traces block: Int,
        of part: PartScan,
        _ mayMatch: [Bool],
        _ inHead: Set<TraceID>
    ) throws {
        try context.check()
        let session = part.session
        let info = session.part.directory.traceBlocks[block]
        // Nobody else can make a trace of the only place there is last longer.
        let isAlone = gatherer.snapshot.head.isEmpty && gatherer.sessions.count == 1
        if isAlone, !ranking.mayBeKept(info.longest) { return }
        let blockRows = session.part.directory.blockRows
        let durations = try session.reader.numbers(.traceDuration, block)
        for (index, trace) in try session.reader.traces(block: block).enumerated() {
            let blocks = trace.rows.lowerBound / blockRows...(trace.rows.upperBound - 1) / blockRows
            guard blocks.contains(where: { mayMatch[$0] }) else { continue }
            if ranking.mayBeKept(durations[index]) {
                if try part.hasMatch(trace) { try judge(trace, in: part) }
            } else if !isAlone {
                let id = try session.reader.id(of: trace)
                let isElsewhere = try inHead.contains(id) || gatherer.isInParts(id, except: session)
                if isElsewhere, !judged.contains(id), try part.hasMatch(trace) {
                    try judgeScattered(id)
                }
            }
        }
    }
}
