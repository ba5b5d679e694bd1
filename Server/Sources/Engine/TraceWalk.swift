// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Runs a `WalkPlan`: goes from the newest block or traces of the head to older ones and tells each trace
/// once, whole.
///
/// A trace all of whose spans lie in one part is copied in bulk (`WalkCopier`), with the columns that
/// are asked for. One that lies in several places is gathered where it is met first, and remembered.
///
/// What was told cannot be told anew. So a part that turns out to be damaged later on is left out of
/// the rest, and what was copied but not yet told is copied again without it.
final class TraceWalk {
    typealias Body = (WalkedTraces) throws(StoreError) -> WalkStep

    private let plan: WalkPlan
    private let gatherer: TraceGatherer
    private let context: QueryContext
    private let body: Body
    private let lost: [LostPart]
    /// Sets a damaged part aside.
    private let report: (PartDamage) -> Void
    private var result: WalkResult
    private var head: HeadTraces?
    private var state = State()
    /// What `state` was when the last batch was told.
    private var toldState = State()
    private var hasTold = false
    /// Traces of several places that were met; those behind `toldState.metCount` of `metOrder` are still
    /// to be told.
    private var met: Set<TraceID> = []
    private var metOrder: [TraceID] = []
    /// Traces that lie in one part each, and what was gathered.
    private var alone = WalkBatch()
    private var mixed = WalkBatch()
    private var copiers: [ObjectIdentifier: WalkCopier] = [:]
    private var carriers: [ObjectIdentifier: TraceGatherer.Carrier] = [:]
    /// Bytes charged for both batches.
    private var charged = 0
    /// Spans after which the next batch is told: few at first, for whoever needs but few traces.
    private var batchSpans: Int
    private let largestBatch: Int
    /// Damage found while a told trace was described.
    private var damageInBody: PartDamage?

    /// What is still to be told.
    private struct State {
        var parts: [PartWalk] = []
        var head: HeadWalk?
        var metCount = 0

        var bound: UInt64? {
            var bound = head?.bound
            for part in parts { bound = [bound, part.bound].compactMap(\.self).max() }
            return bound
        }
    }

    /// Bytes that a trace in `met` takes.
    private static let metBytes = 80
    /// Bytes that the base columns of a span take.
    private static let spanBytes = 61

    init(
        _ plan: WalkPlan,
        _ snapshot: Snapshot,
        _ context: QueryContext,
        blockRows: Int,
        lost: [LostPart],
        report: @escaping (PartDamage) -> Void,
        _ body: @escaping Body
    ) {
        self.plan = plan
        self.context = context
        self.body = body
        self.lost = lost
        self.report = report
        gatherer = TraceGatherer(snapshot, context)
        result = WalkResult()
        result.add(snapshot.incomplete)
        largestBatch = 2 * blockRows
        batchSpans = max(1, blockRows / 4)
    }

    /// - Throws: `PartDamage` only where nothing was told yet.
    func run() throws -> WalkResult {
        guard !plan.range.isEmpty else { return result }
        try context.check()
        if !gatherer.snapshot.head.isEmpty {
            let traces = try HeadTraces(gatherer.snapshot.head, context)
            state.head = try HeadWalk(traces, of: gatherer.snapshot.head, plan, context)
            head = traces
        }
        state.parts = gatherer.sessions.compactMap { PartWalk($0, plan) }
        toldState = state
        while true {
            do {
                try tellAll()
                return result
            } catch let damage as PartDamage where hasTold {
                goOn(without: damage)
            }
        }
    }

    private func tellAll() throws {
        while let bound = state.bound {
            try context.check()
            if state.head?.bound == bound {
                try takeHead()
            } else if let place = state.parts.firstIndex(where: { $0.bound == bound }) {
                try take(place)
            }
            charge()
            try context.check()
            let count = alone.columns.count + mixed.columns.count
            // Half of the memory is left for what the next block needs.
            if count >= batchSpans || charged > context.budget.limit / 2 {
                if try tell() == .stop { return }
                batchSpans = min(2 * batchSpans, largestBatch)
            }
        }
        _ = try tell()
    }

    private func goOn(without damage: PartDamage) {
        report(damage)
        result.add(["part \(damage.number) was left out: \(damage.what)"])
        gatherer.leaveOut(damage.number)
        toldState.parts.removeAll { $0.session.part.number == damage.number }
        state = toldState
        for id in metOrder[state.metCount...] { met.remove(id) }
        context.budget.release((metOrder.count - state.metCount) * Self.metBytes)
        metOrder.removeSubrange(state.metCount...)
        clear()
    }

    // MARK: Taking

    /// Takes the next traces of a part.
    private func take(_ place: Int) throws {
        let session = state.parts[place].session
        let candidates = try state.parts[place].next(plan, context)
        if state.parts[place].bound == nil { state.parts.remove(at: place) }
        guard !candidates.isEmpty else { return }
        var found: [WalkTrace] = []
        // One that was met is told, or will be: where a part was left out since, this may be all of it.
        for candidate in candidates where !met.contains(candidate.id) {
            let trace = candidate.trace
            if try isElsewhere(candidate.id, than: session) {
                try takeScattered(candidate.id)
            } else if isWanted(trace.start, candidate.duration) {
                found.append(WalkTrace(trace: trace, id: candidate.id))
            }
        }
        if found.isEmpty { return }
        try reserve(found)
        var first = alone.columns.count
        try copier(of: session).append(found, to: &alone.columns, context)
        for trace in found {
            alone.rows.append(first..<first + trace.trace.rows.count)
            alone.origins.append(.part(session, trace.trace))
            first += trace.trace.rows.count
        }
    }

    /// Looks, before it is copied, whether there is room: the last of the traces may be of any length.
    private func reserve(_ traces: [WalkTrace]) throws(StoreError) {
        let spanCount = traces.reduce(0) { $0 + $1.trace.rows.count }
        context.budget.charge(spanCount * Self.spanBytes)
        defer { context.budget.release(spanCount * Self.spanBytes) }
        try context.check()
    }

    private func isElsewhere(_ id: TraceID, than session: PartSession) throws -> Bool {
        if let head, head.contains(id) { return true }
        return try gatherer.isInParts(id, except: session)
    }

    private func isWanted(_ start: UInt64, _ duration: UInt64) -> Bool {
        if let latest = plan.latestStart, start > latest { return false }
        return plan.trace.allSatisfy { $0.matches(duration: duration) }
    }

    /// Takes a trace that lies in several places, unless it was taken before.
    private func takeScattered(_ id: TraceID) throws {
        guard met.insert(id).inserted else { return }
        metOrder.append(id)
        state.metCount += 1
        context.budget.charge(Self.metBytes)
        let extent = try gatherer.extent(of: id)
        guard isWanted(extent.start, extent.duration) else { return }
        let gathered = try gather(id, plan.fields) ?? gatherer.gather(id, head)
        let first = mixed.columns.count
        try gatherer.copy(gathered, to: &mixed.columns, &carriers)
        mixed.close(.scattered(id), from: first)
        charge()
        try context.check()
    }

    /// Gathers a trace with nothing but some columns.
    ///
    /// - Returns: `nil` where spans share id and start: only all of their columns tell whether they are
    ///   duplicates.
    private func gather(_ id: TraceID, _ fields: SpanFields) throws -> GatheredTrace? {
        var gathered = gatherer.headRows(of: id, head)
        for session in gatherer.sessions {
            guard let trace = try session.find(exactly: id) else { continue }
            let found = [WalkTrace(trace: trace, id: id)]
            try reserve(found)
            var columns = SpanColumns()
            try WalkCopier(session, fields).append(found, to: &columns, context)
            WalkCopier.fill(&columns)
            gathered.add(columns)
        }
        return gathered.sortIfDistinct() ? gathered : nil
    }

    /// Takes the next traces of the head.
    private func takeHead() throws {
        guard let head, let traces = state.head?.next(spans: batchSpans) else { return }
        var references: [SpanReference] = []
        for trace in traces where !met.contains(trace.id) {
            if try gatherer.isInParts(trace.id) {
                try takeScattered(trace.id)
            } else if isWanted(trace.extent.start, trace.extent.duration) {
                references += head.rows(of: trace.id)
            }
        }
        let tables = gatherer.snapshot.head.map(\.table)
        var first = mixed.columns.count
        var last: TraceID?
        for place in SpanSorting.sorted(references, of: tables, by: .highFirst) {
            let table = tables[Int(place.table)]
            let row = Int(place.row)
            let id = TraceID(
                high: table.columns.traceHigh[row],
                low: table.columns.traceLow[row]
            )
            if let done = last, done != id {
                mixed.close(.scattered(done), from: first)
                first = mixed.columns.count
            }
            last = id
            let carrier = carriers[ObjectIdentifier(table)] ?? TraceGatherer.Carrier(table)
            carriers[ObjectIdentifier(table)] = carrier
            carrier.copier.copy(row, from: table.columns, to: &mixed.columns)
        }
        if let last { mixed.close(.scattered(last), from: first) }
    }

    private func copier(of session: PartSession) throws(PartDamage) -> WalkCopier {
        if let known = copiers[ObjectIdentifier(session)] { return known }
        let made = try WalkCopier(session, plan.fields)
        copiers[ObjectIdentifier(session)] = made
        return made
    }

    private func charge() {
        let names = copiers.values.reduce(0) { $0 + $1.byteCount }
        let held =
            names + alone.columns.allocatedByteCount + mixed.columns.allocatedByteCount
        context.budget.charge(held - charged)
        charged = held
    }

    // MARK: Telling

    /// Tells what was taken.
    private func tell() throws(StoreError) -> WalkStep {
        let bound = min(state.bound ?? 0, plan.latestStart ?? .max)
        var alone = WalkBatch()
        swap(&alone, &self.alone)
        var mixed = WalkBatch()
        swap(&mixed, &self.mixed)
        defer { clear() }
        toldState = state
        // Those of the second are still to be told with the first.
        var latest = bound
        for rows in mixed.rows { latest = max(latest, mixed.columns.start[rows.lowerBound]) }
        WalkCopier.fill(&alone.columns)
        if try tell(alone, bound: latest) == .stop { return .stop }
        return try tell(mixed, bound: bound)
    }

    private func tell(
        _ batch: consuming WalkBatch,
        bound: UInt64
    ) throws(StoreError) -> WalkStep {
        let rows = batch.rows
        if rows.isEmpty { return .goOn }
        let origins = batch.origins
        let spans = TraceSpans(columns: batch.columns)
        noteLost(spans, rows)
        hasTold = true
        let traces = WalkedTraces(spans: spans, rows: rows, bound: bound) {
            (index) throws(StoreError) in
            try self.summary(origins[index])
        }
        do throws(StoreError) {
            return try body(traces)
        } catch {
            if let damageInBody { report(damageInBody) }
            throw error
        }
    }

    private func summary(_ origin: WalkBatch.Origin) throws(StoreError) -> TraceSummary {
        do {
            switch origin {
            case .part(let session, let trace): return try session.reader.summary(of: trace)
            case .scattered(let id):
                let gathered =
                    try gather(id, SpanFields(.parentID)) ?? gatherer.gather(id, head)
                let digest = TraceDigest(gathered.rows[...], of: gathered.tables)
                return digest.summary(id, gathered, matched: [])
            }
        } catch let error as StoreError {
            throw error
        } catch let damage as PartDamage {
            damageInBody = damage
            throw .storageFailed(
                "part \(damage.number) was left out: \(damage.what); ask again for an answer "
                    + "without it"
            )
        } catch {
            throw .storageFailed("\(error)")
        }
    }

    /// Says which parts that were set aside may hold more of told traces.
    private func noteLost(_ spans: TraceSpans, _ rows: [Range<Int>]) {
        for part in lost where !result.incomplete.contains(part.reason) {
            for rows in rows {
                var extent = TraceExtent()
                for row in rows { extent.add(spans.columns.start[row], spans.columns.end[row]) }
                let id = TraceID(
                    high: spans.columns.traceHigh[rows.lowerBound],
                    low: spans.columns.traceLow[rows.lowerBound]
                )
                if part.mayHold(id, start: extent.start, duration: extent.duration) {
                    result.add([part.reason])
                    break
                }
            }
        }
    }

    private func clear() {
        alone = WalkBatch()
        mixed = WalkBatch()
        copiers = [:]
        carriers = [:]
        context.budget.release(charged)
        charged = 0
    }
}
