// SPDX-License-Identifier: Apache-2.0

public import Platform
public import SkeinModel
public import Store

/// The store of one directory on one machine: `StoreCore` with its threads. See `Engine.swift` for
/// how it works.
///
/// Close it before letting it go: its threads hold it until then.
public final class EmbeddedStore: TraceStore {
    private let core: StoreCore
    private let options: EngineOptions
    private let log: LogWriter
    private let queries: QueryPool
    /// For work that takes seconds: it must not keep queries waiting.
    private let chores = QueryPool(threads: 1)

    private init(_ core: StoreCore, _ options: EngineOptions) {
        self.core = core
        self.options = options
        log = LogWriter(options: options) { (group) throws(StoreError) in try core.commit(group) }
        queries = QueryPool(threads: max(1, options.queryThreads))
        core.keeper.start()
        if options.segmentsAhead > 0 { core.keeper.segments.start() }
    }

    /// Opens the store in `directory`, making it where it is missing or empty, and takes back what
    /// was acknowledged but not yet in a part. Blocks.
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
    ) throws -> EmbeddedStore {
        EmbeddedStore(
            try StoreCore.open(
                directory: directory,
                options: options,
                disk: disk,
                clock: clock,
                randomness: randomness,
                decoder: decoder
            ),
            options
        )
    }

    /// Refuses new work, answers what waits, writes the head to parts and gives the directory up.
    ///
    /// - Parameter flushing: `false` leaves the head to be replayed from the log at the next start,
    ///   as happens by itself where the last flush fails.
    public func close(flushing: Bool = true) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            DedicatedThread.start(named: "skein-close") { [self] in
                log.close()
                core.keeper.stop()
                core.keeper.segments.stop()
                queries.close()
                chores.close()
                core.close(flushing: flushing)
                done.resume()
            }
        }
    }

    public var capabilities: Capabilities {
        let able: Capabilities = [.orderBySlowest, .totals, .deletion, .callStatistics]
        return options.durability == .fsync ? able.union(.durable) : able
    }

    public var statistics: StoreStatistics { core.statistics }

    public func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        if batch.isEmpty { return done(.success(())) }
        do throws(StoreError) {
            try core.admit(batch, waiting: log.waitingByteCount)
        } catch {
            return done(.failure(error))
        }
        log.append(batch, answer: done)
    }

    public func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        let core = core
        return try await queries.run { flag throws(StoreError) in try core.scan(plan, flag) }
    }

    public func walk(
        _ plan: WalkPlan,
        _ body: @escaping @Sendable (WalkedTraces) throws(StoreError) -> WalkStep
    ) async throws(StoreError) -> WalkResult {
        let core = core
        return try await queries.run { flag throws(StoreError) in try core.walk(plan, flag, body) }
    }

    public func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        let core = core
        return try await queries.run { flag throws(StoreError) in try core.traces(request, flag) }
    }

    public func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        let core = core
        return try await queries.run { flag throws(StoreError) in try core.names(request, flag) }
    }

    public func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        let core = core
        return try await queries.run { flag throws(StoreError) in try core.totals(request, flag) }
    }

    public func absence(
        of id: TraceID,
        in tenant: Tenant
    ) async throws(StoreError) -> TraceAbsence {
        let core = core
        return try await queries.run { flag throws(StoreError) in
            try core.absence(of: id, in: tenant, flag)
        }
    }

    public func deleteTrace(
        _ id: TraceID,
        of tenant: Tenant
    ) async throws(StoreError) -> DeletedTrace {
        let core = core
        return try await chores.run { _ throws(StoreError) in try core.deleteTrace(id, of: tenant) }
    }

    /// Writes the head to parts now, whatever its size and age.
    public func flush() async throws(StoreError) {
        let core = core
        try await queries.run { _ throws(StoreError) in try core.flush() }
    }

    /// Does now what the background does every `maintenanceInterval`: flushes what is large or old,
    /// expires, joins.
    public func maintain() async throws(StoreError) {
        let core = core
        try await queries.run { _ throws(StoreError) in core.maintain() }
    }
}
