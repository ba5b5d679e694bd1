// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

/// What can be found: the head and the live parts, and what had to be set aside.
struct StoreState {
    var head: [HeadBatch] = []
    var headByteCount = 0
    var headSpanCount = 0
    var parts: [Part] = []
    /// Parts set aside, with the reason.
    var lost: [Manifest.Entry] = []
    var statistics = StoreStatistics()
    var logFailure: String?
    var flushFailure: String?
}

/// One moment of the store as one query sees it.
struct Snapshot {
    let head: [HeadBatch]
    let parts: [Part]
    let incomplete: [String]
}

/// Owns what the store consists of and changes it: takes logged batches into the head, writes the
/// head to parts, joins parts, expires and sets aside.
///
/// All changes of the manifest are made under its lock, which is held over disk calls: only threads
/// of our own come here. `state` is locked for moments only.
final class StoreKeeper: LogSink {
    let names: FileNames
    let disk: any Disk
    let clock: any Clock
    let options: EngineOptions
    let segments: LogSegments
    private let state = Mutex(StoreState())
    private let manifest: Mutex<Manifest>
    private let wake: Monitor<Wake>
    private let openedWall: UInt64
    private let openedMonotonic: UInt64

    private struct Wake {
        var isAsked = false
        var isClosing = false
        var hasEnded = true
    }

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
        wake = Monitor(Wake())
        openedWall = clock.wallNanoseconds()
        openedMonotonic = clock.monotonicNanoseconds()
    }

    // MARK: What is there

    /// Everything of one tenant, without the parts in `excluded`.
    func snapshot(_ tenant: Tenant, excluding excluded: [UInt64: String] = [:]) -> Snapshot {
        let (head, parts, lost) = state.withLock { ($0.head, $0.parts, $0.lost) }
        var incomplete = lost.filter { $0.tenant == tenant.name }.map { entry in
            "part \(entry.number) with \(entry.spanCount) spans was set aside: "
                + (entry.lost ?? "damaged")
        }
        incomplete += excluded.sorted { $0.key < $1.key }.map { "part \($0) was left out: \($1)" }
        return Snapshot(
            head: head.filter { $0.tenant == tenant },
            parts: parts.filter {
                $0.entry.tenant == tenant.name && excluded[$0.number] == nil
            },
            incomplete: incomplete
        )
    }

    var statistics: StoreStatistics {
        let logBytes = segments.byteCount
        return state.withLock { state in
            var numbers = state.statistics
            numbers.headSpans = UInt64(state.headSpanCount)
            numbers.headBytes = UInt64(state.headByteCount)
            numbers.parts = state.parts.count
            numbers.partBytes = state.parts.reduce(0) { $0 + $1.entry.byteCount }
            numbers.spans = state.parts.reduce(numbers.headSpans) { $0 + $1.entry.spanCount }
            numbers.logBytes = UInt64(logBytes)
            numbers.quarantinedParts = state.lost.count
            numbers.failure = state.logFailure ?? state.flushFailure
            return numbers
        }
    }

    /// Whether the head and the log have room for more.
    func hasRoom(waiting byteCount: Int) -> Bool {
        let headByteCount = state.withLock { $0.headByteCount }
        return headByteCount + byteCount <= options.headLimitBytes
            && segments.hasRoom
    }

    // MARK: The log's side

    func insert(_ batch: SpanBatch, sequence: UInt64) {
        insert(HeadBatch(batch.table, payload: batch.payload, sequence: sequence), isNew: true)
    }

    /// Takes a batch into the head; those of a replay are not counted as appended.
    func insert(_ batch: HeadBatch, isNew: Bool) {
        let isFull = state.withLock { state in
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

    func logFailed(_ reason: String) { state.withLock { $0.logFailure = reason } }

    func note(damagedRecords: UInt64) {
        state.withLock { $0.statistics.damagedRecords += damagedRecords }
    }

    var isHeadFull: Bool { state.withLock { $0.headByteCount >= options.headFlushBytes } }

    /// Whether the log is half way to the length at which appends are refused. A small head can hold
    /// a long log back: every start begins a segment.
    var isLogLong: Bool { segments.unflushedByteCount >= options.logLimitBytes / 2 }

    // MARK: Opening

    /// Opens the parts that the manifest lists; sets aside those that cannot be read.
    func openParts() {
        let (entries, storeKey) = manifest.withLock { ($0.parts, $0.storeKey) }
        for entry in entries {
            if entry.lost != nil {
                state.withLock { $0.lost.append(entry) }
                continue
            }
            do throws(PartDamage) {
                let part = try Part(entry, storeKey: storeKey, names: names, disk: disk)
                state.withLock { $0.parts.append(part) }
            } catch {
                setAside(error)
            }
        }
    }

    // MARK: Flushing

    /// Writes the whole head to parts, one a tenant.
    func flush() throws {
        try manifest.withLock { manifest in
            let batches = state.withLock { $0.head }
            guard let last = batches.last else { return }
            var next = manifest
            next.flushedSequence = last.sequence
            var parts: [Part] = []
            var renamed = false
            do {
                for tenant in Set(batches.map(\.tenant)).sorted(by: { $0.name < $1.name }) {
                    let own = batches.filter { $0.tenant == tenant }
                    let receivedAt = own.map(\.receivedAt).max() ?? 0
                    parts.append(
                        try build(
                            own.map(\.table),
                            tenant,
                            receivedAt: receivedAt,
                            level: 1,
                            &next,
                            &manifest
                        )
                    )
                }
                try next.write(names, disk, renamed: &renamed)
            } catch {
                if !renamed { for part in parts { try? disk.remove(names.part(part.number)) } }
                throw error
            }
            manifest = next
            state.withLock { state in
                state.head.removeFirst(batches.count)
                state.headByteCount -= batches.reduce(0) { $0 + $1.byteCount }
                state.headSpanCount -= batches.reduce(0) { $0 + $1.table.columns.count }
                state.parts += parts
            }
            segments.release(flushed: last.sequence)
        }
    }

    /// Writes one part and adds it to `next`. The number is used up in `manifest` too, so that a
    /// failed attempt's file is never taken for a later part.
    private func build(
        _ tables: [SpanTable],
        _ tenant: Tenant,
        receivedAt: UInt64,
        level: Int32,
        _ next: inout Manifest,
        _ manifest: inout Manifest
    ) throws -> Part {
        let number = next.nextPart
        next.nextPart += 1
        manifest.nextPart = next.nextPart
        let path = names.newPart(number)
        var entry: Manifest.Entry
        do {
            let file = try disk.create(path)
            let head = PartFormat.head(storeKey: next.storeKey, number: number)
            var builder = PartBuilder(
                tables: tables,
                tenant: tenant,
                receivedAt: receivedAt,
                blockRows: options.blockRows,
                output: PartOutput(file: file, head: head, level: level)
            )
            entry = try builder.build()
            entry.number = number
            try disk.rename(path, to: names.part(number))
            try disk.syncDirectory(names.parts)
        } catch {
            try? disk.remove(path)
            try? disk.remove(names.part(number))
            throw error
        }
        next.parts.append(entry)
        return try Part(entry, storeKey: next.storeKey, names: names, disk: disk)
    }

    /// Removes what of the log holds nothing that is not in parts too; for a clean stop.
    func dropLog() {
        segments.release(flushed: manifest.withLock { $0.flushedSequence })
        segments.removeUnused()
    }

    // MARK: Joining

    /// Joins small neighbours of one tenant and size class, if there are enough of them.
    ///
    /// - Returns: whether parts were joined, so that it may be worth looking again.
    func merge() throws -> Bool {
        let parts = state.withLock { $0.parts }
        guard let group = MergePlan.choose(parts.map(\.entry)) else { return false }
        let chosen = parts.filter { group.contains($0.number) }
        var tables: [SpanTable] = []
        do throws(PartDamage) {
            for part in chosen { tables.append(try part.load()) }
        } catch {
            if !error.isReadFailure { setAside(error) }
            return false
        }
        try manifest.withLock { manifest in
            let live = Set(manifest.parts.filter { $0.lost == nil }.map(\.number))
            guard chosen.allSatisfy({ live.contains($0.number) }) else { return }
            var next = manifest
            var renamed = false
            let part = try build(
                tables,
                Tenant(chosen[0].entry.tenant),
                receivedAt: chosen.map(\.entry.receivedAt).max() ?? 0,
                level: 3,
                &next,
                &manifest
            )
            next.parts.removeAll { group.contains($0.number) }
            do {
                try next.write(names, disk, renamed: &renamed)
            } catch {
                if !renamed { try? disk.remove(names.part(part.number)) }
                throw error
            }
            manifest = next
            state.withLock { state in
                state.parts.removeAll { group.contains($0.number) }
                state.parts.append(part)
            }
            for number in group.sorted() { try? disk.remove(names.part(number)) }
        }
        return true
    }

    // MARK: Expiring and setting aside

    /// Removes parts whose newest span was received longer ago than the limit.
    func expire() throws {
        guard let retention = options.retention else { return }
        let limit = Self.nanoseconds(retention)
        let now = trustedNow
        try manifest.withLock { manifest in
            func isOld(_ entry: Manifest.Entry) -> Bool {
                now > entry.receivedAt && now - entry.receivedAt > limit
            }
            let old = manifest.parts.filter(isOld)
            guard !old.isEmpty else { return }
            var next = manifest
            next.parts.removeAll(where: isOld)
            var renamed = false
            try next.write(names, disk, renamed: &renamed)
            manifest = next
            let numbers = Set(old.map(\.number))
            state.withLock { state in
                state.parts.removeAll { numbers.contains($0.number) }
                state.lost.removeAll { numbers.contains($0.number) }
                state.statistics.expiredSpans += old.reduce(0) { $0 + $1.spanCount }
            }
            for number in numbers.sorted() { try? disk.remove(names.part(number)) }
        }
    }

    /// The wall clock, but never more than an hour ahead of what has really passed since the store
    /// was opened: a clock that jumps forward must not expire everything.
    private var trustedNow: UInt64 {
        let passed = clock.monotonicNanoseconds() &- openedMonotonic
        let (limit, overflow) = openedWall.addingReportingOverflow(passed &+ 3_600_000_000_000)
        return overflow ? clock.wallNanoseconds() : min(clock.wallNanoseconds(), limit)
    }

    static func nanoseconds(_ duration: Duration) -> UInt64 {
        let parts = duration.components
        let seconds = UInt64(clamping: parts.seconds)
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole &+ UInt64(clamping: parts.attoseconds / 1_000_000_000)
    }

    /// Takes a damaged part out of service and moves its file aside.
    func setAside(_ damage: PartDamage) {
        manifest.withLock { manifest in
            guard
                let index = manifest.parts.firstIndex(where: {
                    $0.number == damage.number && $0.lost == nil
                })
            else { return }
            manifest.parts[index].lost = damage.what
            let entry = manifest.parts[index]
            var renamed = false
            // Should this fail, the damage is found again at the next start.
            try? manifest.write(names, disk, renamed: &renamed)
            let path = names.part(damage.number)
            try? disk.rename(path, to: names.quarantine + path.dropFirst(names.parts.count))
            state.withLock { state in
                state.parts.removeAll { $0.number == damage.number }
                state.lost.append(entry)
            }
        }
    }

    // MARK: The thread

    /// Starts the thread that flushes by size and age, joins and expires.
    func start() {
        wake.update { $0.hasEnded = false }
        DedicatedThread.start(named: "skein-keeper", urgency: .background) { [self] in
            while true {
                let isClosing = wake.wait(upTo: options.maintenanceInterval) { wake -> Bool? in
                    if wake.isClosing { return true }
                    guard wake.isAsked else { return nil }
                    wake.isAsked = false
                    return false
                }
                if isClosing == true { break }
                maintain()
            }
            wake.update { $0.hasEnded = true }
        }
    }

    /// Ends the thread. Blocks until it ended.
    func stop() {
        wake.update { $0.isClosing = true }
        wake.wait { $0.hasEnded ? () : nil }
    }

    /// One round of what the thread does.
    func maintain() {
        do {
            if isHeadFull || isLogLong || isHeadOld { try flush() }
            try expire()
            // New spans go first: joining is never urgent, a full head refuses appends.
            while options.merging, try merge() { if isHeadFull { try flush() } }
            state.withLock { $0.flushFailure = nil }
        } catch {
            state.withLock { $0.flushFailure = "writing parts failed: \(error)" }
        }
    }

    private var isHeadOld: Bool {
        guard let oldest = state.withLock({ $0.head.first?.receivedAt }) else { return false }
        let now = clock.wallNanoseconds()
        return now > oldest && now - oldest > Self.nanoseconds(options.headFlushAge)
    }
}

/// Which parts to join.
enum MergePlan {
    /// Numbers of neighbours of one tenant and size class (powers of four), enough of them and not
    /// too large together.
    static func choose(_ entries: [Manifest.Entry]) -> Set<UInt64>? {
        let classes = Dictionary(grouping: entries) { entry in
            "\(entry.tenant)/\((64 - entry.spanCount.leadingZeroBitCount) / 2)"
        }
        for (_, group) in classes.sorted(by: { $0.key < $1.key })
        where group.count >= Limits.mergeParts {
            let chosen = group.sorted { $0.number < $1.number }.prefix(Limits.mergeParts)
            let spans = chosen.reduce(0) { $0 + $1.spanCount }
            if spans <= UInt64(Limits.mergedSpans) { return Set(chosen.map(\.number)) }
        }
        return nil
    }
}

extension Part {
    /// All spans of the part in memory.
    func load() throws(PartDamage) -> SpanTable {
        var reader = PartReader(self)
        var columns = SpanColumns(capacity: directory.spanCount)
        var copier = SpanCopier(source: shared.columns)
        try reader.append(0..<directory.spanCount, to: &columns, &copier)
        return SpanTable(columns)
    }
}
