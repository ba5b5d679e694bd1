// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Runs a `ScanPlan`: candidates from the head, then from parts with the newest spans first; each
/// candidate is judged as a whole trace; the best are kept.
///
/// A trace starts no later than any of its spans. So with `newest` wanted, a part whose newest span
/// is older than the last trace kept cannot change the answer, and is not read.
struct TraceScan {
    /// A trace that satisfies the plan.
    private struct Found {
        var id: TraceID
        /// What the order compares, larger first.
        var value: UInt64
        var origin: Origin
    }

    private enum Origin {
        /// All its spans lie in one part; matching rows.
        case part(PartSession, PartReader.Trace, [Int])
        case gathered(TraceSummary)
    }

    private struct Candidate {
        var trace: PartReader.Trace
        var matched: [Int]
    }

    private let plan: ScanPlan
    private let gatherer: TraceGatherer
    private let flag: CancellationFlag
    /// In order; one more than the limit, to know whether there is a next page.
    private var best: [Found] = []
    /// Traces of several places that were judged already.
    private var judged: Set<TraceID> = []
    private var headPredicates: [RowPredicate] = []

    init(_ plan: ScanPlan, _ snapshot: Snapshot, _ flag: CancellationFlag) {
        self.plan = plan
        self.flag = flag
        gatherer = TraceGatherer(snapshot)
    }

    mutating func run() throws -> ScanResult {
        guard plan.limit > 0, !plan.range.isEmpty else {
            return ScanResult(traces: [], cursor: nil, incomplete: gatherer.snapshot.incomplete)
        }
        try scanHead()
        let sessions = gatherer.sessions.sorted {
            $0.part.entry.lastStart > $1.part.entry.lastStart
        }
        for session in sessions {
            try flag.check()
            let entry = session.part.entry
            guard entry.lastStart >= plan.range.lowerBound,
                entry.firstStart < plan.range.upperBound,
                mayBeKept(bound: entry.lastStart)
            else { continue }
            try scan(session)
        }
        return try answer()
    }

    /// Whether a trace that starts no later than `bound` could still be among the best.
    private func mayBeKept(bound: UInt64) -> Bool {
        guard plan.order == .newest, best.count > plan.limit, let last = best.last else {
            return true
        }
        return bound >= last.value
    }

    // MARK: The head

    private mutating func scanHead() throws {
        let batches = gatherer.snapshot.head
        headPredicates = batches.map { RowPredicate(plan.span, for: $0.table) }
        var bounds: [TraceID: UInt64] = [:]
        for (index, batch) in batches.enumerated() {
            try flag.check()
            let predicate = headPredicates[index]
            guard !predicate.isNever, batch.lastStart >= plan.range.lowerBound,
                batch.firstStart < plan.range.upperBound
            else { continue }
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
                bounds[id] = min(bounds[id] ?? .max, start)
            }
        }
        for (id, bound) in bounds.sorted(by: { $0.value > $1.value }) {
            if !mayBeKept(bound: bound) { break }
            try flag.check()
            try judgeGathered(id)
        }
    }

    // MARK: Parts

    private mutating func scan(_ session: PartSession) throws {
        let predicate = PartPredicate(plan.span, for: session.part)
        guard !predicate.isNever else { return }
        var candidates: [Candidate] = []
        for (index, block) in session.part.directory.blocks.enumerated() {
            guard block.lastStart >= plan.range.lowerBound,
                block.firstStart < plan.range.upperBound, predicate.mayMatch(block)
            else { continue }
            try flag.check()
            try collect(session, predicate, index, block, &candidates)
        }
        if plan.order == .newest { candidates.sort { $0.trace.start > $1.trace.start } }
        for candidate in candidates {
            if !mayBeKept(bound: candidate.trace.start) { break }
            try flag.check()
            try judge(candidate, of: session)
        }
    }

    private func collect(
        _ session: PartSession,
        _ predicate: PartPredicate,
        _ index: Int,
        _ block: PartDirectory.Block,
        _ candidates: inout [Candidate]
    ) throws {
        let hits = try predicate.rows(of: index, &session.reader)
        guard hits.contains(true) else { return }
        let isInside =
            plan.range.contains(block.firstStart) && plan.range.contains(block.lastStart)
        let starts = isInside ? [] : try session.reader.numbers(.start, index)
        let base = index * session.part.directory.blockRows
        let rows = base..<base + block.rowCount
        for trace in try session.reader.traces(in: rows) {
            var matched: [Int] = []
            var isHit = false
            for row in trace.rows.clamped(to: rows) where hits[row - base] {
                if !isInside, !plan.range.contains(trace.start &+ starts[row - base]) { continue }
                isHit = true
                if matched.count == plan.matchedSpanLimit { break }
                matched.append(row)
            }
            guard isHit else { continue }
            if let last = candidates.indices.last,
                candidates[last].trace.rows.lowerBound == trace.rows.lowerBound
            {
                // The trace began in an earlier block.
                let room = max(0, plan.matchedSpanLimit - candidates[last].matched.count)
                candidates[last].matched += matched.prefix(room)
            } else if mayBeKept(bound: trace.start) {
                candidates.append(Candidate(trace: trace, matched: matched))
            }
        }
    }

    private mutating func judge(_ candidate: Candidate, of session: PartSession) throws {
        if try gatherer.isElsewhere(candidate.trace.id, than: session) {
            try judgeGathered(candidate.trace.id)
            return
        }
        let duration = try session.reader.duration(of: candidate.trace)
        guard plan.trace.allSatisfy({ $0.matches(duration: duration) }) else { return }
        keep(
            Found(
                id: candidate.trace.id,
                value: plan.order == .newest ? candidate.trace.start : duration,
                origin: .part(session, candidate.trace, candidate.matched)
            )
        )
    }

    // MARK: Judging

    private mutating func judgeGathered(_ id: TraceID) throws {
        guard judged.insert(id).inserted else { return }
        let gathered = try gatherer.gather([id], isExact: true)
        let digest = TraceDigest(gathered.rows[...], of: gathered.tables)
        guard plan.trace.allSatisfy({ $0.matches(duration: digest.duration) }) else { return }
        let value = plan.order == .newest ? digest.start : digest.duration
        guard isWanted(id, value) else { return }
        keep(
            Found(
                id: id,
                value: value,
                origin: .gathered(digest.summary(id, gathered, matched: matched(gathered)))
            )
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
            let known =
                Int(place.table) < headPredicates.count
                ? headPredicates[Int(place.table)] : predicates[place.table]
            let predicate = known ?? RowPredicate(plan.span, for: table)
            predicates[place.table] = predicate
            if predicate.matches(row, table.columns) {
                matched.append(SpanID(table.columns.spanID[row]))
            }
        }
        return matched
    }

    /// Whether a trace stands behind the cursor and before the last one kept.
    private func isWanted(_ id: TraceID, _ value: UInt64) -> Bool {
        if let cursor = plan.cursor,
            !Self.isBefore((cursor.value, cursor.traceID), (value, id))
        {
            return false
        }
        guard best.count > plan.limit, let last = best.last else { return true }
        return Self.isBefore((value, id), (last.value, last.id))
    }

    private static func isBefore(_ a: (UInt64, TraceID), _ b: (UInt64, TraceID)) -> Bool {
        a.0 == b.0 ? a.1 < b.1 : a.0 > b.0
    }

    private mutating func keep(_ found: Found) {
        guard isWanted(found.id, found.value) else { return }
        var low = 0
        var high = best.count
        while low < high {
            let middle = (low + high) / 2
            if Self.isBefore((best[middle].value, best[middle].id), (found.value, found.id)) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        best.insert(found, at: low)
        if best.count > plan.limit + 1 { best.removeLast() }
    }

    private func answer() throws -> ScanResult {
        var traces: [TraceSummary] = []
        for found in best.prefix(plan.limit) {
            switch found.origin {
            case .gathered(let summary): traces.append(summary)
            case .part(let session, let trace, let matched):
                var summary = try session.reader.summary(of: trace)
                let blockRows = session.part.directory.blockRows
                for row in matched {
                    let ids = try session.reader.numbers(.spanID, row / blockRows)
                    summary.matchedSpans.append(SpanID(ids[row % blockRows]))
                }
                traces.append(summary)
            }
        }
        var cursor: ScanCursor?
        if best.count > plan.limit, let last = best.prefix(plan.limit).last {
            cursor = ScanCursor(value: last.value, traceID: last.id)
        }
        return ScanResult(
            traces: traces,
            cursor: cursor,
            incomplete: gatherer.snapshot.incomplete
        )
    }
}
