// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// Whole parts go, the oldest first. A part is as old as its newest span, counted from its receipt:
/// an import of old traces is as young as the import.
extension StoreKeeper {
    /// Removes parts that are too old, then the oldest of those that are too many bytes together.
    func expire() throws {
        if let retention = options.retention {
            let limit = Self.nanoseconds(retention)
            let now = trustedNow
            try remove({ entries in
                entries.filter { now > $0.receivedAt && now - $0.receivedAt > limit }
            }) { $0.statistics.expiredSpans += $1 }
        }
        if let limit = options.retentionBytes {
            try remove({ entries in
                var rest = entries.reduce(0) { $0 &+ $1.byteCount }
                var surplus: [Manifest.Entry] = []
                for entry in entries.sorted(by: Self.isOlder).dropLast() where rest > limit {
                    rest -= entry.byteCount
                    surplus.append(entry)
                }
                return surplus
            }) { $0.statistics.evictedSpans += $1 }
        }
    }

    private static func isOlder(_ one: Manifest.Entry, _ other: Manifest.Entry) -> Bool {
        (one.receivedAt, one.number) < (other.receivedAt, other.number)
    }

    /// Removes the parts that `choose` picks, set aside or not, for good: their files go as soon as
    /// the manifest without them is on disk. Queries under way finish on their open files.
    ///
    /// - Parameters:
    ///   - choose: picks among all parts.
    ///   - count: is told how many spans went.
    private func remove(
        _ choose: ([Manifest.Entry]) -> [Manifest.Entry],
        _ count: (inout StoreState, UInt64) -> Void
    ) throws {
        var removed: [Manifest.Entry] = []
        let isMade = try commit { manifest in
            removed = choose(manifest.parts)
            let numbers = Set(removed.map(\.number))
            manifest.parts.removeAll { numbers.contains($0.number) }
            return !removed.isEmpty
        } then: { state in
            let numbers = Set(removed.map(\.number))
            state.parts.removeAll { numbers.contains($0.number) }
            state.lost.removeAll { numbers.contains($0.entry.number) }
            state.statistics.expiredParts += UInt64(removed.count)
            state.statistics.expiredBytes += removed.reduce(0) { $0 + $1.byteCount }
            count(&state, removed.reduce(0) { $0 + $1.spanCount })
        }
        guard isMade else { return }
        for entry in removed.sorted(by: { $0.number < $1.number }) {
            let folder = entry.lost == nil ? names : names.inQuarantine
            try? disk.remove(folder.part(entry.number))
        }
    }

    /// The wall clock, but never more than an hour ahead of what has really passed since the store
    /// was opened: a clock that jumps forward must not expire everything.
    private var trustedNow: UInt64 {
        let passed = clock.monotonicNanoseconds() &- openedMonotonic
        let (limit, overflow) = openedWall.addingReportingOverflow(passed &+ 3_600_000_000_000)
        return overflow ? clock.wallNanoseconds() : min(clock.wallNanoseconds(), limit)
    }
}
