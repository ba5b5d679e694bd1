// SPDX-License-Identifier: Apache-2.0

import Platform
import Store
import Synchronization

/// Whole parts go, the oldest first. A part is as old as its newest span, counted from its receipt:
/// an import of old traces is as young as the import.
extension StoreKeeper {
    /// Removes parts that are too old, then the oldest of those that are too many bytes together;
    /// their totals stay for longer.
    func expire() throws {
        try rewriting.withLock { _ in
            let now = trustedNow
            try expireTotals(now)
            boundRemoved(now)
            if let retention = options.retention {
                let limit = Self.nanoseconds(retention)
                let entries = manifest.withLock { $0.parts }
                let old = entries.filter { now > $0.receivedAt && now - $0.receivedAt > limit }
                try remove(old, .age, now) { $0.statistics.expiredSpans += $1 }
            }
            if let limit = options.retentionBytes {
                try remove(surplus(over: limit), .room, now) { $0.statistics.evictedSpans += $1 }
            }
        }
    }

    /// The oldest parts, so many that the rest and the totals files have at most `limit` bytes.
    private func surplus(over limit: UInt64) -> [Manifest.Entry] {
        let (entries, totals) = manifest.withLock { ($0.parts, $0.totals) }
        var rest = entries.reduce(0) { $0 &+ $1.byteCount }
        rest &+= totals.reduce(0) { $0 &+ $1.byteCount }
        var surplus: [Manifest.Entry] = []
        for entry in entries.sorted(by: Self.isOlder).dropLast() where rest > limit {
            rest -= entry.byteCount
            surplus.append(entry)
        }
        return surplus
    }

    private static func isOlder(_ one: Manifest.Entry, _ other: Manifest.Entry) -> Bool {
        (one.receivedAt, one.number) < (other.receivedAt, other.number)
    }

    /// Removes parts, set aside or not, for good: their files go as soon as the manifest without them
    /// is on disk, which lists their totals instead. Queries under way finish on their open files.
    ///
    /// Call it with `rewriting` held: nothing else may replace the parts meanwhile.
    ///
    /// - Parameter count: is told how many spans went.
    private func remove(
        _ entries: [Manifest.Entry],
        _ cause: TraceAbsence.Cause,
        _ now: UInt64,
        _ count: (inout StoreState, UInt64) -> Void
    ) throws {
        if entries.isEmpty { return }
        // Before the parts go: then their traces are never unknown. Where a part stays after all, its
        // traces are found, and what is remembered of them is not asked.
        remember(entries, cause, now)
        let kept = entries.filter { keepsTotals(receivedAt: $0.receivedAt, now) }
        let keptNumbers = Set(kept.map(\.number))
        let rest = entries.filter { !keptNumbers.contains($0.number) }
        if !rest.isEmpty { try remove(rest, totals: [], count) }
        for group in totalsGroups(of: kept) {
            do {
                try removeCounted(group, now, count)
            } catch let error as DiskError where error.isOutOfSpace {
                reserve.release()
                try removeSingly(group, now, count)
            }
        }
    }

    /// Removes parts once their totals are written.
    private func removeCounted(
        _ group: [Manifest.Entry],
        _ now: UInt64,
        _ count: (inout StoreState, UInt64) -> Void
    ) throws {
        do {
            let totals = try writeTotals(of: group, now)
            try remove(group, totals: [totals], count)
        } catch let damage as PartDamage {
            // The disk will not read what has to be counted: they are left for the next round.
            guard damage.isReadFailure else { throw damage }
        }
    }

    /// Removes parts on a full disk, one after another: the totals of one need less room than those of
    /// a day, and each part that goes makes some. Where those of the first have no room even so, it goes
    /// uncounted, and answers say so: else nothing that has to be written would ever have room again.
    private func removeSingly(
        _ group: [Manifest.Entry],
        _ now: UInt64,
        _ count: (inout StoreState, UInt64) -> Void
    ) throws {
        for (index, entry) in group.sorted(by: Self.isOlder).enumerated() {
            do {
                try removeCounted([entry], now, count)
            } catch let error as DiskError where error.isOutOfSpace && index == 0 {
                var directory = TotalsFileDirectory(tenant: entry.tenant)
                directory.receivedAt = entry.receivedAt
                directory.partCount = 1
                directory.include(entry.firstStart...max(entry.firstStart, entry.lastStart))
                directory.gaps = [
                    TotalsFileDirectory.Gap(
                        firstStart: entry.firstStart,
                        lastStart: entry.lastStart,
                        spanCount: entry.spanCount,
                        reason: "the disk had no room for the totals of part \(entry.number)"
                    )
                ]
                let gap = try write(TotalsContent(directory: directory))
                try remove([entry], totals: [gap], count)
            }
        }
    }

    private func remove(
        _ entries: [Manifest.Entry],
        totals: [TotalsFile],
        _ count: (inout StoreState, UInt64) -> Void
    ) throws {
        let numbers = Set(entries.map(\.number))
        var removed: [Manifest.Entry] = []
        try commit(addingTotals: totals) { manifest in
            // A part may have been set aside since, never replaced.
            removed = manifest.parts.filter { numbers.contains($0.number) }
            manifest.parts.removeAll { numbers.contains($0.number) }
            return true
        } then: { state in
            state.parts.removeAll { numbers.contains($0.number) }
            state.lost.removeAll { numbers.contains($0.entry.number) }
            state.statistics.expiredParts += UInt64(removed.count)
            state.statistics.expiredBytes += removed.reduce(0) { $0 + $1.byteCount }
            for file in totals {
                state.statistics.uncountedSpans += file.directory.gaps.reduce(0) {
                    $0 &+ $1.spanCount
                }
            }
            count(&state, removed.reduce(0) { $0 + $1.spanCount })
        }
        for entry in removed.sorted(by: { $0.number < $1.number }) {
            let folder = entry.lost == nil ? names : names.inQuarantine
            try? disk.remove(folder.part(entry.number))
        }
    }

    /// The wall clock, but never more than an hour ahead of what has really passed since the store
    /// was opened: a clock that jumps forward must not expire everything.
    var trustedNow: UInt64 {
        let passed = clock.monotonicNanoseconds() &- openedMonotonic
        let (limit, overflow) = openedWall.addingReportingOverflow(passed &+ 3_600_000_000_000)
        return overflow ? clock.wallNanoseconds() : min(clock.wallNanoseconds(), limit)
    }
}
