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
    /// What queries share of parts.
    let partCache = PartCache(byteLimit: Limits.partCacheBytes)
    private let state = Mutex(StoreState())
    private let manifest: Mutex<Manifest>
    private let wake: Monitor<Wake>
    private let quiet: Mutex<Quiet>
    private let openedWall: UInt64
    private let openedMonotonic: UInt64

    /// Batches appended so far, and since when no more came.
    private struct Quiet {
        var batches: UInt64
        var since: UInt64
    }

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
        segments = LogSegments(names: names, disk: disk)
        wake = Monitor(Wake())
        openedWall = clock.wallNanoseconds()
        openedMonotonic = clock.monotonicNanoseconds()
        quiet = Mutex(Quiet(batches: 0, since: openedMonotonic))
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
            && segments.unflushedByteCount < options.logLimitBytes
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
                let part = try open(entry, storeKey)
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
                    let number = Self.takeNumber(&manifest)
                    let entry = try writePart(number, manifest.storeKey, level: 1) { output in
                        var flush = PartFlush(
                            tables: own.map(\.table),
                            tenant: tenant,
                            receivedAt: own.map(\.receivedAt).max() ?? 0,
                            blockRows: options.blockRows,
                            output: output
                        )
                        return try flush.write()
                    }
                    next.parts.append(entry)
                    parts.append(try open(entry, manifest.storeKey))
                }
                next.nextPart = manifest.nextPart
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

    /// Writes the file of part `number` and moves it to its place.
    ///
    /// - Parameter body: writes what follows the head.
    private func writePart(
        _ number: UInt64,
        _ storeKey: UInt64,
        level: Int32,
        _ body: (consuming PartOutput) throws -> Manifest.Entry
    ) throws -> Manifest.Entry {
        let path = names.newPart(number)
        do {
            let file = try disk.create(path)
            let head = PartFormat.head(storeKey: storeKey, number: number)
            var entry = try body(PartOutput(file: file, head: head, level: level))
            entry.number = number
            try disk.rename(path, to: names.part(number))
            try disk.syncDirectory(names.parts)
            return entry
        } catch {
            try? disk.remove(path)
            try? disk.remove(names.part(number))
            throw error
        }
    }

    /// Takes a number for a part. It is used up, so that a failed attempt's file is never taken for
    /// a later part.
    private static func takeNumber(_ manifest: inout Manifest) -> UInt64 {
        manifest.nextPart += 1
        return manifest.nextPart - 1
    }

    private func open(_ entry: Manifest.Entry, _ storeKey: UInt64) throws(PartDamage) -> Part {
        try Part(entry, storeKey: storeKey, names: names, disk: disk, cache: partCache)
    }

    // MARK: Joining

    /// Joins neighbouring parts of one tenant, if there are enough of them.
    ///
    /// - Returns: whether parts were joined, so that it may be worth looking again.
    func merge() throws -> Bool {
        let parts = state.withLock { $0.parts }
        guard let numbers = MergePlan.choose(parts.map(\.entry), isQuiet: isQuiet) else {
            return false
        }
        let group = Set(numbers)
        let chosen = parts.filter { group.contains($0.number) }
        do {
            try join(chosen, numbers)
        } catch let damage as PartDamage {
            // A part that cannot be read just now is left for later.
            if damage.isReadFailure { return false }
            setAside(damage)
        }
        return true
    }

    /// Writes one part in place of several. The manifest is free meanwhile, for a large merge takes
    /// seconds: the head is flushed in between where it fills up.
    private func join(_ parts: [Part], _ numbers: [UInt64]) throws {
        let (number, storeKey) = manifest.withLock { manifest in
            (Self.takeNumber(&manifest), manifest.storeKey)
        }
        let inputs = try MergeInputs(parts)
        let entry = try writePart(number, storeKey, level: 3) { output in
            var merge = PartMerge(inputs, blockRows: options.blockRows, output: output)
            return try merge.write { if isHeadFull || isLogLong { try flush() } }
        }
        let group = Set(numbers)
        try manifest.withLock { manifest in
            let live = Set(manifest.parts.lazy.filter { $0.lost == nil }.map(\.number))
            // Expired or set aside meanwhile: what was joined must not come back.
            guard live.isSuperset(of: group) else {
                try? disk.remove(names.part(number))
                return
            }
            var next = manifest
            next.parts.removeAll { group.contains($0.number) }
            next.parts.append(entry)
            var renamed = false
            let part: Part
            do {
                part = try open(entry, storeKey)
                try next.write(names, disk, renamed: &renamed)
            } catch {
                if !renamed { try? disk.remove(names.part(number)) }
                throw error
            }
            manifest = next
            state.withLock { state in
                state.parts.removeAll { group.contains($0.number) }
                state.parts.append(part)
            }
            for number in numbers { try? disk.remove(names.part(number)) }
        }
    }

    /// Whether nothing was appended for a while, so that there is time for leftovers.
    private var isQuiet: Bool {
        let batches = state.withLock { $0.statistics.appendedBatches }
        let now = clock.monotonicNanoseconds()
        return quiet.withLock { quiet in
            if quiet.batches != batches { quiet = Quiet(batches: batches, since: now) }
            return now &- quiet.since >= Self.nanoseconds(options.mergeQuietAge)
        }
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
            while options.merging, try merge() { if isHeadFull || isLogLong { try flush() } }
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
