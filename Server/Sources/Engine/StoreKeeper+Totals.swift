// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

/// Minute totals outlive spans: what retention removes is counted into a totals file first.
///
/// ```
/// part 7 (too old) --count--> totals 31.totals, marked by 31.new --sync, sync folder
/// one manifest: part 7 out, totals 31 in        then part 7's file is removed
/// ```
/// A crash before the manifest leaves the part and a file that nothing lists (garbage, removed at the
/// next start); a crash after it the file and a part that nothing lists. Never both, never neither.
///
/// A totals file holds the section that the parts had, and what their removal takes from the traces
/// that lie in other places too (`TotalsChanges.corrections`). So answers are the same as before.
/// What comes later is counted without them: a late span whose caller is gone has no caller, and one
/// that was counted already counts again, for what a totals file counted has no ids any more.
extension StoreKeeper {
    /// What is to be written to a totals file.
    struct TotalsContent: ~Copyable {
        var directory: TotalsFileDirectory
        var sections: [TotalsSection] = []
        var facts = TotalsFacts()
        /// New call statistics, or those of files that are joined.
        var calls = TotalsCalls()
        var callFiles: [TotalsFile] = []
        var windows = KnownWindows()
    }

    static let day: UInt64 = 86_400_000_000_000

    // MARK: Parts that go

    /// Whether what was received then is still counted when its spans are gone.
    func keepsTotals(receivedAt: UInt64, _ now: UInt64) -> Bool {
        guard let retention = options.totalsRetention else { return true }
        return now <= receivedAt || now - receivedAt <= Self.nanoseconds(retention)
    }

    /// Cuts parts that go into groups of one totals file each: of one tenant and day, with no more in
    /// their sections than one may hold.
    func totalsGroups(of entries: [Manifest.Entry]) -> [[Manifest.Entry]] {
        let live = state.withLock { $0.parts }
        let parts = Dictionary(uniqueKeysWithValues: live.map { ($0.number, $0) })
        let sorted = entries.sorted {
            ($0.tenant, $0.receivedAt, $0.number) < ($1.tenant, $1.receivedAt, $1.number)
        }
        var groups: [[Manifest.Entry]] = []
        var plan = TotalsMergePlan(options)
        for entry in sorted {
            let last = groups.last?.last
            let index = parts[entry.number]
                .flatMap { try? TotalsSection($0, cache: PartCache(byteLimit: 0)) }
                .flatMap { $0?.index }
            if let last, last.tenant == entry.tenant,
                last.receivedAt / Self.day == entry.receivedAt / Self.day, plan.add(index)
            {
                groups[groups.count - 1].append(entry)
                continue
            }
            groups.append([entry])
            plan = TotalsMergePlan(options)
            _ = plan.add(index)
        }
        return groups
    }

    /// Writes the totals of parts of one tenant that go; no manifest lists the file yet.
    ///
    /// - Throws: `PartDamage` of a part that the disk will not read now, unless it has to go all the
    ///   same; `DiskError`.
    func writeTotals(of entries: [Manifest.Entry], _ now: UInt64) throws -> TotalsFile {
        let isOverdue = isOverdue(entries, now)
        var unread: [UInt64: String] = [:]
        while true {
            do {
                return try write(try content(of: entries, unread))
            } catch let damage as PartDamage {
                if !damage.isReadFailure {
                    setAside(damage)
                } else if isOverdue, unread[damage.number] == nil {
                    unread[damage.number] = damage.what
                } else {
                    throw damage
                }
            }
        }
    }

    /// Whether parts are a day past their time.
    private func isOverdue(_ entries: [Manifest.Entry], _ now: UInt64) -> Bool {
        guard let retention = options.retention else { return false }
        let (limit, overflow) = Self.nanoseconds(retention)
            .addingReportingOverflow(Limits.unreadableNanoseconds)
        return !overflow
            && entries.allSatisfy { now > $0.receivedAt && now - $0.receivedAt > limit }
    }

    private func content(
        of entries: [Manifest.Entry],
        _ unread: [UInt64: String]
    ) throws -> TotalsContent {
        let tenant = entries.first?.tenant ?? ""
        var content = TotalsContent(directory: TotalsFileDirectory(tenant: tenant))
        content.directory.partCount = UInt64(entries.count)
        let snapshot = snapshot(Tenant(tenant), excluding: unread)
        let lost = state.withLock { $0.lost }
        var counted: Set<UInt64> = []
        for entry in entries {
            content.directory.receivedAt = max(content.directory.receivedAt, entry.receivedAt)
            content.directory.include(entry.firstStart...max(entry.firstStart, entry.lastStart))
            if let part = snapshot.parts.first(where: { $0.number == entry.number }),
                let section = try TotalsSection(part, cache: PartCache(byteLimit: 0))
            {
                content.sections.append(section)
                counted.insert(entry.number)
            } else if entry.spanCount > 0 {
                let known = lost.first { $0.entry.number == entry.number }
                if known?.isUnread == true, unread[entry.number] == nil {
                    throw PartDamage(
                        number: entry.number,
                        what: known?.entry.lost ?? "it cannot be read",
                        isReadFailure: true
                    )
                }
                content.directory.gaps.append(
                    TotalsFileDirectory.Gap(
                        firstStart: entry.firstStart,
                        lastStart: entry.lastStart,
                        spanCount: entry.spanCount,
                        reason: "part \(entry.number) could not be read: "
                            + (known?.entry.lost ?? unread[entry.number] ?? "it has no totals")
                    )
                )
            }
        }
        let context = QueryContext(
            flag: CancellationFlag(),
            budget: QueryBudget(limit: Limits.totalsMemoryBytes)
        )
        var changes = TotalsChanges()
        do {
            content.facts = try changes.corrections(removing: counted, snapshot, context)
        } catch let error as StoreError {
            // Never a reason to keep what has to go.
            content.directory.gaps.append(
                TotalsFileDirectory.Gap(
                    firstStart: content.directory.firstStart,
                    lastStart: content.directory.lastStart,
                    spanCount: 0,
                    reason: "calls between these and other spans are not told: \(error)"
                )
            )
        }
        return content
    }

    // MARK: Files

    /// Writes a totals file and opens it; no manifest lists it yet.
    func write(_ content: consuming TotalsContent) throws -> TotalsFile {
        let (number, storeKey) = manifest.withLock { manifest in
            defer { manifest.nextPart += 1 }
            return (manifest.nextPart, manifest.storeKey)
        }
        var directory = content.directory
        directory.foldGaps()
        let path = names.totals(number)
        let mark = names.newTotals(number)
        do {
            try self.mark(mark, in: names.totals)
            let file = try disk.create(path)
            var output = PartOutput(
                file: file,
                head: TotalsFileFormat.head(storeKey: storeKey, number: number),
                level: 3
            )
            var merge = TotalsMerge(content.sections)
            directory.section = try merge.write(to: &output)
            for piece in content.facts.pieces(of: Limits.totalsFacts) {
                output.encoder.append(frame: piece.facts.encode())
                directory.changes.append(
                    TotalsFileDirectory.Changes(
                        minutes: piece.minutes,
                        chunk: try output.finishChunk()
                    )
                )
                directory.include(piece.minutes, minuteNanoseconds: TotalsFormat.minute)
            }
            try Self.write(
                content.calls,
                joining: content.callFiles,
                content.windows,
                to: &output,
                &directory
            )
            _ = try output.finish(directory: directory.encode(), tail: TotalsFileFormat.tail)
            let sum = try disk.read(path)
            try disk.syncDirectory(names.totals)
            let entry = Manifest.TotalsFile(
                number: number,
                byteCount: sum.byteCount,
                firstStart: directory.firstStart,
                lastStart: directory.lastStart,
                receivedAt: directory.receivedAt,
                checksum: sum.checksum,
                tenant: directory.tenant
            )
            return try open(entry, storeKey)
        } catch {
            unmake(path, mark, in: names.totals)
            throw error
        }
    }

    private func open(
        _ entry: Manifest.TotalsFile,
        _ storeKey: UInt64
    ) throws(PartDamage) -> TotalsFile {
        try TotalsFile(entry, storeKey: storeKey, names: names, disk: disk, cache: partCache)
    }

    /// Removes totals files that no manifest lists.
    func discard(_ files: [TotalsFile]) {
        for file in files {
            unmake(names.totals(file.number), names.newTotals(file.number), in: names.totals)
        }
    }

    /// Puts totals files in the place of others, unless one of those has gone meanwhile.
    private func replace(totals numbers: Set<UInt64>, by files: [TotalsFile]) throws -> Bool {
        let isMade = try commit(addingTotals: files) { manifest in
            guard Set(manifest.totals.map(\.number)).isSuperset(of: numbers) else { return false }
            manifest.totals.removeAll { numbers.contains($0.number) }
            return true
        } then: { state in
            state.totals.removeAll { numbers.contains($0.number) }
            state.lostTotals.removeAll { numbers.contains($0.entry.number) }
        }
        if isMade { for number in numbers.sorted() { try? disk.remove(names.totals(number)) } }
        return isMade
    }

    // MARK: Totals that go

    /// Removes totals files that are too old, then the oldest of those that are too many bytes.
    func expireTotals(_ now: UInt64) throws {
        let files = manifest.withLock { $0.totals }
        var gone = Set(
            files.filter { !keepsTotals(receivedAt: $0.receivedAt, now) }.map(\.number)
        )
        if let limit = options.retentionBytes {
            var rest = files.filter { !gone.contains($0.number) }
            var byteCount = rest.reduce(UInt64(0)) { $0 &+ $1.byteCount }
            rest.sort { ($0.receivedAt, $0.number) < ($1.receivedAt, $1.number) }
            for file in rest where byteCount > limit / Limits.totalsShare {
                gone.insert(file.number)
                byteCount -= file.byteCount
            }
        }
        guard !gone.isEmpty, try replace(totals: gone, by: []) else { return }
        state.withLock { $0.statistics.expiredTotalsFiles += UInt64(gone.count) }
    }

    // MARK: Joining

    /// Joins totals files of one tenant and day, when there are several of a day of which nothing more
    /// comes, or many of one that goes on.
    func mergeTotals() throws { try rewriting.withLock { _ in try mergeTotals(trustedNow) } }

    private func mergeTotals(_ now: UInt64) throws {
        let files = state.withLock { $0.totals }
        let expiring = expiringDays
        let days = Dictionary(grouping: files) { file in
            TotalsDay(file.entry.tenant, receivedAt: file.entry.receivedAt)
        }
        for (day, files) in days.sorted(by: { $0.key < $1.key }) {
            let isOver = day.day < now / Self.day && !expiring.contains(day)
            let least = isOver ? 2 : Limits.totalsFiles
            guard files.count >= least else { continue }
            do {
                for group in try joinable(files) where group.count >= least {
                    let joined = try write(try content(of: group, now))
                    _ = try replace(totals: Set(group.map(\.number)), by: [joined])
                }
            } catch let damage as PartDamage {
                // What cannot be read just now is left for later.
                if !damage.isReadFailure { setAside(damage) }
            }
        }
    }

    /// Days of which parts are left that will go: each leaves a totals file of its own.
    private var expiringDays: Set<TotalsDay> {
        guard options.retention != nil || options.retentionBytes != nil else { return [] }
        return manifest.withLock { manifest in
            Set(manifest.parts.map { TotalsDay($0.tenant, receivedAt: $0.receivedAt) })
        }
    }

    /// Cuts the files of a day into groups that fit into one file each, in the order in which they were
    /// made: a full file ends a group and keeps nothing behind it from being joined.
    private func joinable(_ files: [TotalsFile]) throws -> [[TotalsFile]] {
        var groups: [[TotalsFile]] = []
        var plan = TotalsMergePlan(options)
        for file in files.sorted(by: { $0.number < $1.number }) {
            let index = try file.section()?.index
            let cells = file.directory.callCells
            if let last = groups.last, last.count < Limits.totalsJoinedFiles,
                plan.add(index, callCells: cells)
            {
                groups[groups.count - 1].append(file)
                continue
            }
            groups.append([file])
            plan = TotalsMergePlan(options)
            _ = plan.add(index, callCells: cells)
        }
        return groups
    }

    private struct TotalsDay: Hashable, Comparable {
        let tenant: String
        let day: UInt64

        init(_ tenant: String, receivedAt: UInt64) {
            self.tenant = tenant
            day = receivedAt / StoreKeeper.day
        }

        static func < (a: TotalsDay, b: TotalsDay) -> Bool { (a.tenant, a.day) < (b.tenant, b.day) }
    }

    private func content(of files: [TotalsFile], _ now: UInt64) throws -> TotalsContent {
        let tenant = files.first?.entry.tenant ?? ""
        var content = TotalsContent(directory: TotalsFileDirectory(tenant: tenant))
        for file in files {
            let own = file.directory
            content.directory.partCount &+= own.partCount
            content.directory.receivedAt = max(content.directory.receivedAt, own.receivedAt)
            content.directory.include(own.firstStart...max(own.firstStart, own.lastStart))
            content.directory.gaps += own.gaps
            if let section = try file.section() { content.sections.append(section) }
            for number in own.changes.indices { content.facts.add(try file.changes(number)) }
            content.windows.merge(try file.windows())
        }
        content.callFiles = files
        content.facts.settle()
        // A file tells of the first copy of a window; one that came again may still be in the log.
        let (known, oldest) = state.withLock { ($0.windows[Tenant(tenant)], $0.oldestReceipt) }
        if let known { content.windows.hear(known) }
        content.windows.forget(min(now, oldest))
        _ = content.windows.bound(options.callSenders)
        return content
    }

    // MARK: At a start, and when damage is met

    /// Opens the totals files that the manifest lists; sets aside those that are damaged or missing.
    ///
    /// - Throws: `EngineError` for a file of another format version.
    func openTotals() throws {
        let (entries, storeKey) = manifest.withLock { ($0.totals, $0.storeKey) }
        for entry in entries {
            do throws(PartDamage) {
                let file = try open(entry, storeKey)
                try take(file)
            } catch {
                try disk.refuseOtherVersion(ofTotals: names.totals(entry.number))
                if error.isReadFailure {
                    let lost = LostTotals(entry: entry, reason: error.what)
                    state.withLock { $0.lostTotals.append(lost) }
                } else {
                    setAside(error)
                }
            }
        }
    }

    /// Tries the totals files again that could not be read at the start.
    func openUnreadTotals() {
        let numbers = state.withLock { $0.lostTotals.map(\.entry.number) }
        for number in numbers {
            do throws(PartDamage) {
                try manifest.withLock { (manifest) throws(PartDamage) in
                    guard let entry = manifest.totals.first(where: { $0.number == number }) else {
                        return
                    }
                    try take(try open(entry, manifest.storeKey))
                }
            } catch {
                if !error.isReadFailure { setAside(error) }
            }
        }
    }

    /// Takes a damaged totals file out of service, moves it aside, and puts one in its place that
    /// says what is missing.
    ///
    /// - Returns: `false` where the damage is not of a totals file.
    func setAsideTotals(_ damage: PartDamage) -> Bool {
        let known = manifest.withLock { $0.totals.first { $0.number == damage.number } }
        guard let entry = known else { return false }
        var directory = TotalsFileDirectory(tenant: entry.tenant)
        directory.receivedAt = entry.receivedAt
        directory.include(entry.firstStart...max(entry.firstStart, entry.lastStart))
        let counted = state.withLock { state in
            state.totals.first { $0.number == damage.number }?.directory.partCount
        }
        directory.partCount = counted ?? 0
        let gap = TotalsFileDirectory.Gap(
            firstStart: entry.firstStart,
            lastStart: entry.lastStart,
            spanCount: 0,
            reason: "totals file \(damage.number) was set aside: \(damage.what)"
        )
        directory.gaps = [gap]
        let path = names.totals(damage.number)
        do {
            let marker = try write(TotalsContent(directory: directory))
            try commit(addingTotals: [marker]) { manifest in
                guard let index = manifest.totals.firstIndex(of: entry) else { return false }
                manifest.totals.remove(at: index)
                return true
            } then: { state in
                state.totals.removeAll { $0.number == entry.number }
                state.lostTotals.removeAll { $0.entry.number == entry.number }
            }
            try? disk.rename(path, to: names.quarantinedTotals(damage.number))
        } catch {
            // The damage is found again at the next start; until then it is missed aloud.
            state.withLock { state in
                state.totals.removeAll { $0.number == entry.number }
                state.lostTotals.removeAll { $0.entry.number == entry.number }
                state.lostTotals.append(LostTotals(entry: entry, reason: damage.what))
            }
        }
        return true
    }
}

/// A totals file that the disk would not read, or that could not be replaced.
struct LostTotals {
    let entry: Manifest.TotalsFile
    let reason: String

    /// What answers say of it.
    var text: String { "totals file \(entry.number) is left out: \(reason)" }

    func concerns(_ range: Range<UInt64>) -> Bool {
        entry.lastStart >= range.lowerBound && entry.firstStart < range.upperBound
    }
}

extension TotalsFileDirectory {
    /// Widens the range, so that spans of these minutes lie in it.
    mutating func include(_ minutes: ClosedRange<UInt64>, minuteNanoseconds: UInt64) {
        let (first, isPast) = minutes.lowerBound.multipliedReportingOverflow(by: minuteNanoseconds)
        let (end, overflow) = (minutes.upperBound &+ 1)
            .multipliedReportingOverflow(by: minuteNanoseconds)
        let last = overflow ? UInt64.max : end - 1
        include((isPast ? last : min(first, last))...last)
    }

    /// Makes one gap of those beyond the bound.
    fileprivate mutating func foldGaps() {
        guard gaps.count > Limits.totalsGaps else { return }
        let rest = gaps[(Limits.totalsGaps - 1)...]
        let folded = Gap(
            firstStart: rest.map(\.firstStart).min() ?? 0,
            lastStart: rest.map(\.lastStart).max() ?? 0,
            spanCount: rest.reduce(0) { $0 &+ $1.spanCount },
            reason: "\(rest.count) more parts or totals files could not be read"
        )
        gaps = Array(gaps.prefix(Limits.totalsGaps - 1)) + [folded]
    }
}

extension Disk {
    /// Refuses a totals file of another format version: that is no damage.
    func refuseOtherVersion(ofTotals path: String) throws {
        guard let file = try? openForReading(path),
            let head = try? file.read(at: 0, count: TotalsFileFormat.headByteCount),
            let version = TotalsFileFormat.version(of: head),
            !TotalsFileFormat.readVersions.contains(version)
        else { return }
        throw EngineError.otherVersion(path, found: version, read: TotalsFileFormat.version)
    }
}
