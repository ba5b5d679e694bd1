// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The best traces of a scan so far, in the plan's order: one more than the page holds, to know
/// whether there is a next one.
struct TraceRanking {
    /// A trace that satisfies the plan.
    struct Found {
        var id: TraceID
        /// What the order compares, larger first.
        var value: UInt64
        var origin: Origin
    }

    /// Where a trace's summary comes from, once it is known to be in the answer.
    enum Origin {
        /// All its spans lie in one part.
        case part(PartScan, PartTrace)
        /// Spans lie in the head, or in several places.
        case scattered
    }

    private let limit: Int
    private let cursor: ScanCursor?
    private(set) var best: [Found] = []

    init(_ plan: ScanPlan) {
        limit = plan.limit
        cursor = plan.cursor
    }

    /// Whether a trace of this value, or of a smaller one, could still be among the best.
    func mayBeKept(_ value: UInt64) -> Bool {
        guard best.count > limit, let last = best.last else { return true }
        return value >= last.value
    }

    /// Whether a trace stands behind the cursor and before the last one kept.
    func isWanted(_ id: TraceID, _ value: UInt64) -> Bool {
        if let cursor, !Self.isBefore((cursor.value, cursor.traceID), (value, id)) { return false }
        guard best.count > limit, let last = best.last else { return true }
        return Self.isBefore((value, id), (last.value, last.id))
    }

    /// Takes a trace in where it is wanted. Each trace may come once.
    mutating func keep(_ found: Found) {
        guard isWanted(found.id, found.value) else { return }
        var low = 0
        var high = best.count
        while low < high {
            let middle = (low + high) / 2
            if Self.isBefore((best[middle].value, best[middle].id), (found.value, found.id)) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        best.insert(found, at: low)
        if best.count > limit + 1 { best.removeLast() }
    }

    /// The page.
    var page: ArraySlice<Found> { best.prefix(limit) }

    /// Where the next page begins; `nil` when there is none.
    var next: ScanCursor? {
        guard best.count > limit, let last = page.last else { return nil }
        return ScanCursor(value: last.value, traceID: last.id)
    }

    private static func isBefore(_ a: (UInt64, TraceID), _ b: (UInt64, TraceID)) -> Bool {
        a.0 == b.0 ? a.1 < b.1 : a.0 > b.0
    }
}
