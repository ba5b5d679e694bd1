// SPDX-License-Identifier: Apache-2.0

public import Platform
public import SkeinModel
public import Store

/// The store of one directory without threads: every call does its work, disk calls included, on the
/// calling thread and then returns.
///
/// `EmbeddedStore` puts the threads around it: one that appends, one that maintains, some that
/// answer. Calls may come from several threads at once.
public final class StoreCore: Sendable {
    let keeper: StoreKeeper
    private let lock: any DiskLock
    private let options: EngineOptions
    private let log: LogAppender
    private let totals = TotalsMemory()

    private init(
        lock: any DiskLock,
        options: EngineOptions,
        keeper: StoreKeeper,
        start: LogAppender.Start
    ) {
        self.lock = lock
        self.options = options
        self.keeper = keeper
        log = LogAppender(start: start, options: options, segments: keeper.segments, head: keeper)
    }

    /// Opens the store in `directory`, making it where it is missing or empty, and takes back what
    /// was acknowledged but not yet in a part.
    ///
    /// - Throws: `EngineError` with one line that says what is wrong and what to do. Nothing is
    ///   deleted but what the store itself left over.
    public static func open(
        directory: String,
        options: EngineOptions = EngineOptions(),
        disk: any Disk = PosixDisk(),
        clock: any Clock = SystemClock(),
        randomness: any Randomness = SystemRandomness(),
        decoder: any PayloadDecoder
    ) throws -> StoreCore {
        if let totals = options.totalsRetention, let spans = options.retention, totals < spans {
            throw EngineError(
                "minute totals would be kept for \(totals), spans for \(spans): totals must be kept "
                    + "for at least as long as the spans they count"
            )
        }
        let opening = StoreOpening(
            names: FileNames(directory: directory),
            options: options,
            disk: disk,
            clock: clock
        )
        do {
            return try open(opening, randomness, decoder)
        } catch let error as DiskError {
            throw EngineError(error)
        }
    }

    private static func open(
        _ opening: StoreOpening,
        _ randomness: any Randomness,
        _ decoder: any PayloadDecoder
    ) throws -> StoreCore {
        let lock = try opening.lock()
        do {
            let examination = StoreExamination(names: opening.names, disk: opening.disk)
            let manifest = try opening.begin(try examination.run(), randomness)
            let keeper = StoreKeeper(
                manifest: manifest,
                names: opening.names,
                disk: opening.disk,
                clock: opening.clock,
                options: opening.options
            )
            try keeper.openParts()
            try keeper.openTotals()
            try keeper.openRemoved()
            let start = try opening.replay(manifest, into: keeper, decoder)
            return StoreCore(lock: lock, options: opening.options, keeper: keeper, start: start)
        } catch {
            lock.release()
            throw error
        }
    }

    /// What the store counts.
    public var statistics: StoreStatistics { keeper.statistics }

    // MARK: Writing

    /// Makes all batches of a group durable and found with one sync.
    ///
    /// - Throws: where the group is refused, or where nothing of it is acknowledged.
    public func append(_ group: [SpanBatch]) throws(StoreError) {
        for batch in group { try admit(batch, waiting: 0) }
        try commit(group.filter { !$0.isEmpty })
    }

    /// Refuses a batch that is too large or that there is no room for.
    func admit(_ batch: SpanBatch, waiting byteCount: Int) throws(StoreError) {
        guard batch.payload.bytes.count <= Limits.payloadBytes else {
            throw .refused("a request may have \(Limits.payloadBytes) bytes")
        }
        guard batch.payload.tenant.name.utf8.count <= Limits.tenantBytes else {
            throw .refused("a tenant's name may have \(Limits.tenantBytes) bytes")
        }
        guard keeper.hasRoom(waiting: byteCount) else { throw .overloaded(retryAfterSeconds: 1) }
        // What cannot be read just now may have counted this very window.
        guard batch.calls == nil || !keeper.hasUnreadTotals(of: batch.payload.tenant) else {
            throw .overloaded(retryAfterSeconds: 30)
        }
    }

    /// Appends a group that was admitted.
    func commit(_ group: [SpanBatch]) throws(StoreError) { try log.append(group) }

    /// Removes all spans of exactly this trace that were acknowledged until now, and their bytes from
    /// every file.
    public func deleteTrace(_ id: TraceID, of tenant: Tenant) throws(StoreError) -> DeletedTrace {
        do {
            return try keeper.delete(id, tenant) { log.closeSegment() }
        } catch {
            throw .storageFailed(
                "deleting trace \(id.hex) failed, and has to be asked for again: \(error)"
            )
        }
    }

    /// Writes the head to parts now, whatever its size and age.
    public func flush() throws(StoreError) {
        do {
            try keeper.flush()
        } catch {
            throw .storageFailed("writing parts failed: \(error)")
        }
    }

    /// Makes one log segment ready ahead of need, or gives one back that came too late: what the
    /// thread of the log's files does again and again.
    public func prepareLog() { _ = try? keeper.segments.prepare() }

    /// Flushes what is large or old, expires, joins.
    public func maintain() { keeper.maintain() }

    /// Gives the directory up; to be called once, when nothing else is called any more.
    ///
    /// - Parameter flushing: `false` leaves the head to be replayed from the log at the next start,
    ///   as happens by itself where the flush fails.
    public func close(flushing: Bool = true) {
        log.closeSegment()
        if flushing {
            try? keeper.flush()
            keeper.dropUnused()
        }
        lock.release()
    }

    // MARK: Asking

    /// A page of traces that satisfy a plan.
    public func scan(_ plan: ScanPlan) throws(StoreError) -> ScanResult {
        try scan(plan, CancellationFlag())
    }

    /// Goes through the whole traces of a plan.
    public func walk(
        _ plan: WalkPlan,
        _ body: @escaping (WalkedTraces) throws(StoreError) -> WalkStep
    ) throws(StoreError) -> WalkResult {
        try walk(plan, CancellationFlag(), body)
    }

    /// All spans of traces.
    public func traces(_ request: TraceRequest) throws(StoreError) -> TraceSpans {
        try traces(request, CancellationFlag())
    }

    /// Why a trace that was looked for is not there.
    public func absence(
        of id: TraceID,
        in tenant: Tenant = .default
    ) throws(StoreError) -> TraceAbsence {
        try absence(of: id, in: tenant, CancellationFlag())
    }

    /// Names of services, operations, keys or values.
    public func names(_ request: NamesRequest) throws(StoreError) -> NamesResult {
        try names(request, CancellationFlag())
    }

    /// Calls, errors and durations of all spans of a range.
    public func totals(_ request: TotalsRequest) throws(StoreError) -> Totals {
        try totals(request, CancellationFlag())
    }

    func scan(_ plan: ScanPlan, _ flag: CancellationFlag) throws(StoreError) -> ScanResult {
        guard plan.limit <= Limits.scanTraces else {
            throw .refused("a page may have \(Limits.scanTraces) traces, not \(plan.limit)")
        }
        var result = try ask(plan.tenant, .range(plan.range), flag) { snapshot, context in
            var scan = TraceScan(plan, snapshot, context)
            return try scan.run()
        }
        result.incomplete += keeper.incompleteness(
            of: result.traces,
            plan.tenant,
            beyond: result.incomplete
        )
        return result
    }

    func walk(
        _ plan: WalkPlan,
        _ flag: CancellationFlag,
        _ body: @escaping (WalkedTraces) throws(StoreError) -> WalkStep
    ) throws(StoreError) -> WalkResult {
        try ask(plan.tenant, .range(plan.range), flag) { snapshot, context in
            let walk = TraceWalk(
                plan,
                snapshot,
                context,
                blockRows: keeper.options.blockRows,
                lost: keeper.lostParts(of: plan.tenant, beyond: snapshot.incomplete),
                report: { [keeper] in if !$0.isReadFailure { keeper.setAside($0) } },
                body
            )
            return try walk.run()
        }
    }

    func traces(
        _ request: TraceRequest,
        _ flag: CancellationFlag
    ) throws(StoreError) -> TraceSpans {
        guard request.ids.count <= Limits.requestedTraces else {
            throw .refused("a request may name \(Limits.requestedTraces) traces")
        }
        return try ask(request.tenant, .traces(request.ids), flag) { snapshot, context in
            try TraceGatherer(snapshot, context).spans(request.ids)
        }
    }

    func absence(
        of id: TraceID,
        in tenant: Tenant,
        _ flag: CancellationFlag
    ) throws(StoreError) -> TraceAbsence {
        let absence = try keeper.removal(of: id, tenant, flag)
        if absence.reason == .expired { return absence }
        return try ask(tenant, .traces([id]), flag) { snapshot, context in
            var absence = absence
            absence.incomplete += snapshot.incomplete
            guard absence.incomplete.isEmpty else { return absence }
            absence.reason = .neverSeen
            if let threshold = try snapshot.lowestThreshold(context),
                SamplingThreshold.isBelow(id, threshold)
            {
                absence.reason = .sampledOut
                absence.keptShare = SamplingThreshold.keptShare(threshold)
            }
            return absence
        }
    }

    func names(
        _ request: NamesRequest,
        _ flag: CancellationFlag
    ) throws(StoreError) -> NamesResult {
        try ask(request.tenant, .everything, flag) { snapshot, context in
            var query = NamesQuery(request, snapshot, context)
            return try query.run()
        }
    }

    func totals(_ request: TotalsRequest, _ flag: CancellationFlag) throws(StoreError) -> Totals {
        let plan = try TotalsPlan(request)
        return try ask(request.tenant, .totals(plan.range), flag) { snapshot, context in
            var query = TotalsQuery(plan, snapshot, context)
            let gaps = add(snapshot.totals, to: &query, plan)
            for part in snapshot.parts { query.add(part) }
            for facts in try totals.facts(snapshot, of: request.tenant, plan.range, context) {
                query.add(facts)
            }
            var answer = try query.run(incomplete: snapshot.incomplete + gaps)
            if request.asksForSampling {
                answer.maySample = try snapshot.maySample(in: plan.range, context)
            }
            return answer
        }
    }

    /// Counts in what is left of spans that are gone.
    ///
    /// - Returns: what of them was never counted.
    private func add(
        _ files: [TotalsFile],
        to query: inout TotalsQuery,
        _ plan: TotalsPlan
    ) -> [String] {
        var gaps: [String] = []
        let range = plan.range
        let minutes = plan.minutes
        for file in files
        where file.entry.lastStart / TotalsFormat.minute >= minutes.lowerBound
            && file.entry.firstStart / TotalsFormat.minute < minutes.upperBound
        {
            query.add(file)
            gaps += file.directory.gaps.filter {
                $0.lastStart >= range.lowerBound && $0.firstStart < range.upperBound
            }.map { TotalsFile.reason($0) }
        }
        return gaps
    }

    private func budget(for use: PartUse) -> QueryBudget {
        guard case .traces(let ids) = use, ids.count == 1 else {
            return QueryBudget(limit: keeper.options.queryMemoryBytes)
        }
        return QueryBudget(
            limit: keeper.options.traceMemoryBytes,
            advice: "the trace is too large to be read whole; search for some of its spans by "
                + "{ trace:id = \"…\" && … }"
        )
    }

    /// Runs a query. A part that turns out to be damaged is set aside and the query begins anew
    /// without it.
    private func ask<Answer>(
        _ tenant: Tenant,
        _ use: PartUse,
        _ flag: CancellationFlag,
        _ body: (Snapshot, QueryContext) throws -> Answer
    ) throws(StoreError) -> Answer {
        var excluded: [UInt64: String] = [:]
        while true {
            let context = QueryContext(flag: flag, budget: budget(for: use))
            do {
                return try body(
                    keeper.snapshot(tenant, for: use, excluding: excluded),
                    context
                )
            } catch let damage as PartDamage {
                if damage.isReadFailure {
                    excluded[damage.number] = damage.what
                } else {
                    keeper.setAside(damage)
                }
            } catch let error as StoreError {
                throw error
            } catch {
                throw .storageFailed("\(error)")
            }
        }
    }
}
