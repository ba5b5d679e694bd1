// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What can be found: the head and the live parts, and what had to be set aside.
struct StoreState {
    var head: [HeadBatch] = []
    var headByteCount = 0
    var headSpanCount = 0
    var parts: [Part] = []
    var lost: [LostPart] = []
    var totals: [TotalsFile] = []
    /// Windows of call statistics that are in the head or in a totals file.
    var windows: [Tenant: KnownWindows] = [:]
    /// When senders were last forgotten, in hours since 1970.
    var forgottenHour: UInt64 = 0
    /// Totals files that could not be read or replaced; unlike damaged ones they are tried again.
    var lostTotals: [LostTotals] = []
    /// Names of what is set aside, as it was when its bytes were last counted.
    var quarantine: [String] = []
    /// Counters; the sizes are filled in by `numbers`.
    var statistics = StoreStatistics()
    var logFailure: LogFailure?
    var flushFailure: String?

    /// When the oldest record was received that is in the log alone; `.max` where none is.
    var oldestReceipt: UInt64 { head.reduce(.max) { min($0, $1.receivedAt) } }

    /// The batch to keep of one that came: the same, but without call statistics that were counted
    /// before. Records come in the same order at a replay, so the same ones count then.
    ///
    /// - Parameter senders: of a tenant that are known, at most.
    mutating func counting(_ batch: HeadBatch, senders: Int) -> HeadBatch {
        guard let calls = batch.calls else { return batch }
        let isNew = windows[batch.tenant, default: KnownWindows()].insert(
            calls.window,
            of: calls.sender,
            receivedAt: batch.receivedAt
        )
        if isNew {
            bound(batch.tenant, senders: senders)
            statistics.countedWindows += 1
            return batch
        }
        statistics.repeatedWindows += 1
        return batch.emptied
    }

    /// Forgets senders of a tenant beyond the bound.
    mutating func bound(_ tenant: Tenant, senders: Int) {
        guard let forgotten = windows[tenant]?.bound(senders) else { return }
        statistics.forgottenSenders += UInt64(forgotten)
    }

    /// Empties the batches of windows that a totals file turned out to have counted.
    mutating func empty(_ windows: KnownWindows, of tenant: Tenant) {
        for (place, batch) in head.enumerated() where batch.tenant == tenant {
            guard let calls = batch.calls, windows.contains(calls.window, of: calls.sender) else {
                continue
            }
            let emptied = batch.emptied
            headByteCount += emptied.byteCount - batch.byteCount
            head[place] = emptied
            statistics.countedWindows -= 1
            statistics.repeatedWindows += 1
        }
    }

    /// What operators are told.
    func numbers(logByteCount: Int) -> StoreStatistics {
        var numbers = statistics
        numbers.headSpans = UInt64(headSpanCount)
        numbers.headBytes = UInt64(headByteCount)
        numbers.parts = parts.count
        numbers.partBytes = parts.reduce(0) { $0 + $1.entry.byteCount }
        numbers.spans = parts.reduce(numbers.headSpans) { $0 + $1.entry.spanCount }
        numbers.totalsFiles = totals.count
        numbers.totalsBytes = totals.reduce(0) { $0 + $1.entry.byteCount }
        numbers.logBytes = UInt64(logByteCount)
        numbers.overflowedKeys = parts.reduce(0) { max($0, $1.directory.overflowKeys) }
        numbers.overflowedValues = parts.reduce(0) { $0 &+ UInt64($1.directory.overflowValues) }
        numbers.quarantinedParts = lost.count
        numbers.quarantinedSpans = lost.reduce(0) { $0 + $1.entry.spanCount }
        numbers.failure = logFailure?.reason ?? flushFailure
        return numbers
    }
}

/// Why appends fail.
struct LogFailure {
    /// What makes the log take groups again.
    enum Cure {
        /// Room on the disk.
        case room
        /// By itself, or never: the next group finds out.
        case anotherTry
        /// A start: the disk is not trusted any more.
        case restart
    }

    var reason: String
    var cure: Cure
}

/// One moment of the store as one query sees it.
struct Snapshot {
    /// Those that have spans.
    let head: [HeadBatch]
    let parts: [Part]
    /// What is left of parts that are gone.
    var totals: [TotalsFile] = []
    /// Call statistics in the head.
    var calls: [CallCounts] = []
    let incomplete: [String]
}

/// What a query looks at, to tell which missing parts it would have used.
enum PartUse {
    /// All spans of the tenant.
    case everything
    /// Spans that start in here.
    case range(Range<UInt64>)
    /// Spans of these traces, whenever they start.
    case traces([TraceID])
    /// Counts of spans that start in here, those that are gone included.
    case totals(Range<UInt64>)
}

/// A part that was set aside, with what is still known of it.
struct LostPart {
    let entry: Manifest.Entry
    /// Which traces it holds; `nil` where that cannot be read any more.
    let filter: TraceFilter?
    /// The disk would not read it; the file may be whole.
    var isUnread = false

    /// Whether a query of this use would have looked into it.
    func concerns(_ use: PartUse) -> Bool {
        switch use {
        case .everything: true
        case .range(let range), .totals(let range):
            entry.lastStart >= range.lowerBound && entry.firstStart < range.upperBound
        case .traces(let ids):
            filter.map { filter in ids.contains { filter.mayContain($0.low) } } ?? true
        }
    }

    /// Whether it may hold more spans of a trace that was found elsewhere. Where its ids cannot be
    /// read, nearness in time decides.
    func mayHold(_ id: TraceID, start: UInt64, duration: UInt64) -> Bool {
        if let filter { return filter.mayContain(id.low) }
        let (end, isPastEnd) = start.addingReportingOverflow(duration)
        let last = isPastEnd ? .max : end
        let reach = Limits.traceReachNanoseconds
        let (lastNear, overflow) = last.addingReportingOverflow(reach)
        return entry.lastStart >= start - min(start, reach)
            && entry.firstStart <= (overflow ? .max : lastNear)
    }

    /// What answers say of it.
    var reason: String {
        "part \(entry.number) with \(entry.spanCount) spans "
            + (isUnread ? "is left out: " : "was set aside: ") + (entry.lost ?? "damaged")
    }
}
