// SPDX-License-Identifier: Apache-2.0

public import Platform
public import Store

import SkeinModel

/// The store of one directory on one machine. See `Engine.swift` for how it works.
///
/// Close it before letting it go: its threads hold it until then.
public final class EmbeddedStore: TraceStore {
    private let lock: any DiskLock
    private let options: EngineOptions
    private let keeper: StoreKeeper
    private let log: LogWriter
    private let queries: QueryPool

    private init(
        lock: any DiskLock,
        options: EngineOptions,
        keeper: StoreKeeper,
        start: LogWriter.Start
    ) {
        self.lock = lock
        self.options = options
        self.keeper = keeper
        log = LogWriter(start: start, options: options, segments: keeper.segments, head: keeper)
        queries = QueryPool(threads: max(1, options.queryThreads))
        keeper.start()
    }

    /// Opens the store in `directory`, making it where it is missing or empty, and takes back what
    /// was acknowledged but not yet in a part. Blocks.
    ///
    /// - Throws: `EngineError` with one line that says what is wrong and what to do, `DiskError`
    ///   where a call failed. Nothing is deleted but what the store itself left over.
    public static func open(
        directory: String,
        options: EngineOptions = EngineOptions(),
        disk: any Disk = PosixDisk(),
        clock: any Clock = SystemClock(),
        randomness: any Randomness = SystemRandomness(),
        decoder: any PayloadDecoder
    ) throws -> EmbeddedStore {
        let opening = StoreOpening(
            names: FileNames(directory: directory),
            options: options,
            disk: disk,
            clock: clock
        )
        let lock = try opening.lock()
        do {
            let manifest = try opening.manifest(randomness)
            let keeper = StoreKeeper(
                manifest: manifest,
                names: opening.names,
                disk: disk,
                clock: clock,
                options: options
            )
            try opening.removeGarbage(manifest)
            keeper.openParts()
            let start = try opening.replay(manifest, into: keeper, decoder)
            return EmbeddedStore(lock: lock, options: options, keeper: keeper, start: start)
        } catch {
            lock.release()
            throw error
        }
    }

    /// Refuses new work, answers what waits, writes the head to parts and gives the directory up.
    ///
    /// - Parameter flushing: `false` leaves the head to be replayed from the log at the next start,
    ///   as happens by itself where the last flush fails.
    public func close(flushing: Bool = true) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            DedicatedThread.start(named: "skein-close") { [self] in
                log.close()
                keeper.stop()
                if flushing { try? keeper.flush() }
                queries.close()
                lock.release()
                done.resume()
            }
        }
    }

    public var capabilities: Capabilities {
        options.durability == .fsync
            ? [.durable, .orderBySlowest, .totals] : [.orderBySlowest, .totals]
    }

    public var statistics: StoreStatistics { keeper.statistics }

    public func append(_ batch: SpanBatch) async throws(StoreError) {
        guard batch.payload.bytes.count <= Limits.payloadBytes else {
            throw .refused("a request may have \(Limits.payloadBytes) bytes")
        }
        guard batch.payload.tenant.name.utf8.count <= Limits.tenantBytes else {
            throw .refused("a tenant's name may have \(Limits.tenantBytes) bytes")
        }
        if batch.count == 0 { return }
        guard keeper.hasRoom(waiting: log.waitingByteCount) else {
            throw .overloaded(retryAfterSeconds: 1)
        }
        try await log.append(batch).get()
    }

    public func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        guard plan.limit <= Limits.scanTraces else {
            throw .refused("a page may have \(Limits.scanTraces) traces, not \(plan.limit)")
        }
        return try await ask(plan.tenant) { snapshot, flag in
            var scan = TraceScan(plan, snapshot, flag)
            return try scan.run()
        }
    }

    public func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        guard request.ids.count <= Limits.requestedTraces else {
            throw .refused("a request may name \(Limits.requestedTraces) traces")
        }
        return try await ask(request.tenant) { snapshot, flag in
            try TraceGatherer(snapshot).spans(request.ids, flag)
        }
    }

    public func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        try await ask(request.tenant) { snapshot, flag in
            var query = NamesQuery(request, snapshot, flag)
            return try query.run()
        }
    }

    public func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        try await ask(request.tenant) { snapshot, flag in
            var query = TotalsQuery(request, snapshot, flag)
            return try query.run()
        }
    }

    /// Writes the head to parts now, whatever its size and age.
    public func flush() async throws(StoreError) {
        let keeper = keeper
        try await queries.run { _ in
            do {
                try keeper.flush()
                return .success(())
            } catch {
                return .failure(.storageFailed("writing parts failed: \(error)"))
            }
        }
    }

    /// Does now what the background does every `maintenanceInterval`: flushes what is large or old,
    /// expires, joins.
    public func maintain() async throws(StoreError) {
        let keeper = keeper
        try await queries.run { _ in
            keeper.maintain()
            return .success(())
        }
    }

    /// Runs a query on a thread of its own. A part that turns out to be damaged is set aside and the
    /// query begins anew without it.
    private func ask<Answer: Sendable>(
        _ tenant: Tenant,
        _ body: @escaping @Sendable (Snapshot, CancellationFlag) throws -> Answer
    ) async throws(StoreError) -> Answer {
        let keeper = keeper
        return try await queries.run { flag in
            var excluded: [UInt64: String] = [:]
            while true {
                do {
                    return .success(
                        try body(keeper.snapshot(tenant, excluding: excluded), flag)
                    )
                } catch let damage as PartDamage {
                    if damage.isReadFailure {
                        excluded[damage.number] = damage.what
                    } else {
                        keeper.setAside(damage)
                    }
                } catch let error as StoreError {
                    return .failure(error)
                } catch {
                    return .failure(.storageFailed("\(error)"))
                }
            }
        }
    }
}
