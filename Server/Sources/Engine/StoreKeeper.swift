// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

/// Owns what the store consists of and changes it: takes logged batches into the head, writes the
/// head to parts, joins parts, removes old ones, deletes traces, sets damage aside. Each of these is
/// an extension in a file of its own.
///
/// Locks, in the order in which they may be taken:
/// ```
/// rewriting   one at a time replaces parts by others: merge, delete. Held over seconds of work.
/// flushing    one at a time takes batches from the head's front. Held over a flush.
/// manifest    held while the manifest on disk is replaced, and `state` with it.
/// state       held for moments.
/// ```
/// Only threads of our own come here.
final class StoreKeeper: LogSink {
    let names: FileNames
    let disk: any Disk
    let clock: any Clock
    let options: EngineOptions
    let segments: LogSegments
    let reserve: DiskReserve
    /// What queries share of parts.
    let partCache = PartCache(byteLimit: Limits.partCacheBytes)
    let state = Mutex(StoreState())
    let manifest: Mutex<Manifest>
    let flushing = Mutex(())
    let rewriting = Mutex(())
    let wake = Monitor(Wake())
    let quiet = Mutex(Quiet())
    /// Which traces were removed, the oldest removal first.
    let removed = Mutex<[RemovedTraces]>([])
    let openedWall: UInt64
    let openedMonotonic: UInt64

    init(
        manifest: Manifest,
        names: FileNames,
        disk: any Disk,
        clock: any Clock,
        options: EngineOptions
    ) {
        self.names = names
        self.disk = disk
        self.clock = clock
        self.options = options
        self.manifest = Mutex(manifest)
        segments = LogSegments(names: names, disk: disk, options: options)
        reserve = DiskReserve(names, byteCount: options.reserveBytes, disk: disk)
        openedWall = clock.wallNanoseconds()
        openedMonotonic = clock.monotonicNanoseconds()
    }

    // MARK: What is there

    /// Everything of one tenant, without the parts in `excluded`.
    func snapshot(
        _ tenant: Tenant,
        for use: PartUse = .everything,
        excluding excluded: [UInt64: String] = [:]
    ) -> Snapshot {
        let (head, parts, lost, totals, lostTotals) = state.withLock {
            ($0.head, $0.parts, $0.lost, $0.totals, $0.lostTotals)
        }
        var incomplete = lost.filter { $0.entry.tenant == tenant.name && $0.concerns(use) }
            .map(\.reason)
        incomplete += excluded.sorted { $0.key < $1.key }.map { "part \($0) was left out: \($1)" }
        if case .totals(let range) = use {
            incomplete += lostTotals.filter {
                $0.entry.tenant == tenant.name && $0.concerns(range)
            }.map(\.text)
        }
        let own = head.filter { $0.tenant == tenant }
        return Snapshot(
            head: own.filter { $0.table.columns.count > 0 },
            parts: parts.filter {
                $0.entry.tenant == tenant.name && excluded[$0.number] == nil
            },
            totals: totals.filter {
                $0.entry.tenant == tenant.name && excluded[$0.number] == nil
            },
            calls: own.compactMap(\.calls),
            incomplete: incomplete
        )
    }

    /// Why found traces may have more spans than were found, beyond what `incomplete` says.
    func incompleteness(
        of traces: [TraceSummary],
        _ tenant: Tenant,
        beyond incomplete: [String]
    ) -> [String] {
        lostParts(of: tenant, beyond: incomplete).filter { part in
            traces.contains {
                part.mayHold($0.traceID, start: $0.start, duration: $0.duration)
            }
        }.map(\.reason)
    }

    /// What was set aside of a tenant, but for what `incomplete` tells.
    func lostParts(of tenant: Tenant, beyond incomplete: [String]) -> [LostPart] {
        state.withLock { $0.lost }.filter { part in
            part.entry.tenant == tenant.name && !incomplete.contains(part.reason)
        }
    }

    var statistics: StoreStatistics {
        let logBytes = segments.byteCount
        return state.withLock { $0.numbers(logByteCount: logBytes) }
    }

    /// Whether the head and the log have room for more.
    func hasRoom(waiting byteCount: Int) -> Bool {
        let headByteCount = state.withLock { $0.headByteCount }
        return headByteCount + byteCount <= options.headLimitBytes
            && segments.hasRoom
    }

    // MARK: The log's side

    func insert(_ batch: SpanBatch, sequence: UInt64) {
        insert(HeadBatch(batch, sequence: sequence), isNew: true)
    }

    /// Takes a batch into the head; those of a replay are not counted as appended.
    func insert(_ batch: HeadBatch, isNew: Bool) {
        let isFull = state.withLock { state in
            let batch = state.counting(batch, senders: options.callSenders)
            state.head.append(batch)
            state.headByteCount += batch.byteCount
            state.headSpanCount += batch.table.columns.count
            if isNew {
                state.statistics.appendedBatches += 1
                state.statistics.appendedSpans += UInt64(batch.table.columns.count)
                state.logFailure = nil
            }
            return state.headByteCount >= options.headFlushBytes
        }
        if isFull || isLogLong { wake.update { $0.isAsked = true } }
    }

    func logSynced() { state.withLock { $0.statistics.logSyncs += 1 } }

    func logFailed(_ reason: String, cure: LogFailure.Cure) {
        state.withLock { $0.logFailure = LogFailure(reason: reason, cure: cure) }
        wake.update { $0.isAsked = true }
    }

    func note(damagedRecords: UInt64) {
        state.withLock { $0.statistics.damagedRecords += damagedRecords }
    }

    var isHeadFull: Bool { state.withLock { $0.headByteCount >= options.headFlushBytes } }

    /// Whether the log is half way to the length at which appends are refused. A small head can hold
    /// a long log back: every start begins a segment.
    var isLogLong: Bool { segments.unflushedByteCount >= options.logLimitBytes / 2 }

    /// Removes what of the log holds nothing that is not in parts too, and the reserve; for a clean
    /// stop.
    func dropUnused() {
        segments.release(flushed: manifest.withLock { $0.flushedSequence })
        segments.removeUnused()
        reserve.release()
    }

    // MARK: Changing the manifest

    /// Replaces the manifest on disk and in memory, and with it what queries see.
    ///
    /// - Parameters:
    ///   - parts, totals: new files that the change lists. They are removed when the change cannot be made,
    ///     unless it may be what a crash leaves.
    ///   - change: edits the manifest; `false` gives the change up.
    ///   - then: edits the state in the same moment.
    /// - Returns: whether the change was made.
    @discardableResult
    func commit(
        adding parts: [Part] = [],
        addingTotals totals: [TotalsFile] = [],
        _ change: (inout Manifest) -> Bool,
        then: (inout StoreState) -> Void
    ) throws -> Bool {
        var isPlaced = false
        do {
            let isMade = try manifest.withLock { manifest in
                var next = manifest
                guard change(&next) else { return false }
                next.parts += parts.map(\.entry)
                next.totals += totals.map(\.entry)
                try next.write(names, disk, renamed: &isPlaced)
                manifest = next
                state.withLock { state in
                    then(&state)
                    state.parts += parts
                    state.totals += totals
                }
                return true
            }
            if isMade {
                for part in parts { try? disk.remove(names.newPart(part.number)) }
                for file in totals { try? disk.remove(names.newTotals(file.number)) }
            } else {
                discard(parts)
                discard(totals)
            }
            return isMade
        } catch {
            if !isPlaced {
                discard(parts)
                discard(totals)
            }
            throw error
        }
    }

    /// Removes files that no manifest lists.
    func discard(_ parts: [Part]) {
        for part in parts {
            unmake(names.part(part.number), names.newPart(part.number), in: names.parts)
        }
    }

    static func nanoseconds(_ duration: Duration) -> UInt64 {
        let parts = duration.components
        let seconds = UInt64(clamping: parts.seconds)
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole &+ UInt64(clamping: parts.attoseconds / 1_000_000_000)
    }
}
