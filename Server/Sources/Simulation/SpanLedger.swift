// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What was sent, what was answered, and what must therefore be found.
struct SpanLedger {
    /// What a store owes for a span.
    enum Standing {
        /// It was acknowledged: it must be found until it is old enough to expire.
        case acknowledged
        /// Nobody knows: it may be found.
        case unknown
        /// It was refused: it must never be found.
        case refused
        /// It was not found after a start, deleted or expired: it must never be found again.
        case gone
    }

    struct Entry {
        var standing: Standing
        let fingerprint: UInt64
        let number: UInt64
        let service: String
        let isError: Bool
        /// The batches it was sent in, without those that are known to be gone.
        var batches: [Int]
        /// All that it was sent in and that were not refused.
        var copies: [Int]
        /// Its trace was to be deleted while it was stored, or may have been.
        var wasDeleted = false
    }

    struct Batch {
        let tenant: Int
        let spanIDs: [UInt64]
        let answer: Standing
        let receivedAt: UInt64
        /// Where its group was written in the log.
        let places: [(file: Int, range: Range<Int>)]
        /// Media faults that hit those places.
        var damageCount = 0
        /// It was acknowledged and went lost in damage to the log.
        var isLost = false
    }

    /// By tenant, then by raw span id.
    private(set) var entries: [[UInt64: Entry]]
    private(set) var batches: [Batch] = []
    /// Rows that a store may hold, exact duplicates counted each time.
    private(set) var sentRows = 0
    /// Batches that damage to the log may cost, and did.
    private(set) var lossLimit = 0
    private(set) var lossCount = 0
    /// Spans received at or before this may have expired.
    private(set) var expiryLimit: UInt64 = 0

    init(tenants: Int) { entries = Array(repeating: [:], count: tenants) }

    /// Notes the answer to a group of batches that was appended together.
    mutating func note(
        _ group: [(tenant: Int, numbers: [UInt64], batch: SpanBatch)],
        _ answer: Standing,
        places: [(file: Int, range: Range<Int>)]
    ) {
        for (tenant, numbers, batch) in group {
            let ids = numbers.map { SimulatedSpans.spanID($0).raw }
            batches.append(
                Batch(
                    tenant: tenant,
                    spanIDs: ids,
                    answer: answer,
                    receivedAt: batch.payload.receivedAt,
                    places: places
                )
            )
            if answer != .refused { sentRows += numbers.count }
            for row in 0..<batch.count {
                note(
                    tenant,
                    ids[row],
                    Entry(
                        standing: answer,
                        fingerprint: SimulatedSpans.fingerprint(batch.columns, row),
                        number: numbers[row],
                        service: batch.columns.strings.text(batch.columns.service(row)),
                        isError: batch.columns[row].status == .error,
                        batches: [batches.count - 1],
                        copies: answer == .refused ? [] : [batches.count - 1]
                    )
                )
            }
        }
    }

    private mutating func note(_ tenant: Int, _ id: UInt64, _ entry: Entry) {
        guard var known = entries[tenant][id] else {
            entries[tenant][id] = entry
            return
        }
        known.batches += entry.batches
        known.copies += entry.copies
        switch entry.standing {
        case .acknowledged: known.standing = .acknowledged
        case .unknown: if known.standing != .acknowledged { known.standing = .unknown }
        case .refused, .gone: break
        }
        entries[tenant][id] = known
    }

    /// Notes that the store looked at the ages of its spans.
    mutating func note(expiredUpTo limit: UInt64) { expiryLimit = max(expiryLimit, limit) }

    /// Notes that a span was looked for in a whole answer and not found. Where nobody knows whether
    /// another copy is in the log, only a start says.
    mutating func noteAbsent(_ tenant: Int, _ id: UInt64, isAfterStart: Bool) {
        guard let entry = entries[tenant][id] else { return }
        let rest = isAfterStart ? [] : entry.batches.filter { batches[$0].answer == .unknown }
        entries[tenant][id]?.batches = rest
        entries[tenant][id]?.standing = rest.isEmpty ? .gone : .unknown
    }

    /// Notes that a trace was to be deleted.
    ///
    /// - Parameter isDone: nothing of it is left; else it may be there or not.
    mutating func noteDeletion(_ tenant: Int, trace: Int, isDone: Bool) {
        for (id, entry) in entries[tenant] where SimulatedSpans.trace(entry.number) == trace {
            entries[tenant][id]?.wasDeleted = true
        }
        for (id, entry) in entries[tenant]
        where entry.standing == .acknowledged && SimulatedSpans.trace(entry.number) == trace {
            if isDone {
                noteAbsent(tenant, id, isAfterStart: false)
            } else {
                entries[tenant][id]?.standing = .unknown
            }
        }
    }

    /// Notes that a medium spoilt bytes of the log.
    mutating func note(damage: MediaDamage) {
        var hits = 0
        for index in batches.indices
        where batches[index].places.contains(where: {
            $0.file == damage.file && $0.range.overlaps(damage.range)
        }) {
            batches[index].damageCount += 1
            hits += 1
        }
        // One bit lies in one record, whatever was written together.
        lossLimit += damage.fault == .bitRot ? min(1, hits) : hits
    }

    /// Notes a batch that damage cost, once.
    mutating func noteLoss(of entry: Entry) {
        for index in entry.batches where batches[index].damageCount > 0 && !batches[index].isLost {
            guard batches[index].answer == .acknowledged, batches[index].receivedAt > expiryLimit
            else { continue }
            batches[index].isLost = true
            lossCount += 1
        }
    }

    /// Whether a span that was acknowledged may be missing from an answer that says it is whole.
    func mayBeMissing(_ entry: Entry) -> Bool {
        switch entry.standing {
        case .acknowledged:
            // Each copy by itself: one may be too old, another damaged.
            entry.batches.allSatisfy {
                let batch = batches[$0]
                return batch.answer != .acknowledged || batch.damageCount > 0
                    || batch.receivedAt <= expiryLimit
            }
        case .unknown, .refused, .gone: true
        }
    }

    /// How often totals that outlive spans may count a span: each copy that may have expired, and the
    /// one that is still there. What expired is counted for good, for nothing tells any more which
    /// spans those were.
    ///
    /// - Parameter isSeen: whether it is still found.
    func counts(of entry: Entry, isSeen: Bool) -> ClosedRange<Int> {
        let expired = entry.copies.filter { batches[$0].receivedAt <= expiryLimit }
        let most = expired.count + (isSeen ? 1 : 0)
        let isCounted =
            isSeen
            || !entry.wasDeleted
                && expired.contains {
                    batches[$0].answer == .acknowledged && batches[$0].damageCount == 0
                }
        return (isCounted ? 1 : 0)...max(most, isCounted ? 1 : 0)
    }

    func mayBeFound(_ entry: Entry) -> Bool {
        entry.standing == .acknowledged || entry.standing == .unknown
    }
}
