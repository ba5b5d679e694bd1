// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

extension StoreKeeper {
    /// Removes every span of exactly this trace that was acknowledged until now. When it returns,
    /// their bytes are in no file but those that the answer names.
    ///
    /// The log first, the parts last: as long as anything is left, the trace is still found, so that
    /// a call after a crash half way finishes the work. Spans that come later are stored again.
    ///
    /// ```
    /// head, log segments --flush--> parts      segments removed, none kept for overwriting
    /// part 7 (with), part 9 (with)  --rewrite--> part 12, part 13 (without)
    /// one manifest: 7, 9 out, 12, 13 in        7 and 9 removed
    /// ```
    ///
    /// - Parameter closeSegment: has the log close its open segment, so that it can be removed.
    func delete(
        _ id: TraceID,
        _ tenant: Tenant,
        closeSegment: () -> Void
    ) throws -> DeletedTrace {
        guard try isStored(id, tenant) else {
            return DeletedTrace(traceID: id, spanCount: 0, incomplete: remains(of: id, tenant))
        }
        try segments.withoutRecycling {
            closeSegment()
            try flush()
            guard !isHeadWaiting else {
                throw EngineError(
                    "the log cannot be emptied while a totals file cannot be read: look at the "
                        + "disk's health"
                )
            }
            segments.release(flushed: manifest.withLock { $0.flushedSequence })
        }
        let spanCount = try rewriting.withLock { _ in try rewrite(without: id, tenant) }
        state.withLock { $0.statistics.deletedSpans += spanCount }
        return DeletedTrace(
            traceID: id,
            spanCount: spanCount,
            incomplete: remains(of: id, tenant)
        )
    }

    private func isStored(_ id: TraceID, _ tenant: Tenant) throws -> Bool {
        let snapshot = snapshot(tenant)
        for batch in snapshot.head {
            let table = batch.table
            for row in 0..<table.columns.count
            where table.columns.traceLow[row] == id.low && table.columns.traceHigh[row] == id.high {
                return true
            }
        }
        return try !holders(of: id, snapshot.parts).isEmpty
    }

    /// The parts that hold the trace, with its rows there. Damaged ones are set aside.
    private func holders(
        of id: TraceID,
        _ parts: [Part]
    ) throws -> [(part: Part, rows: Range<Int>)] {
        var holders: [(part: Part, rows: Range<Int>)] = []
        for part in parts {
            do throws(PartDamage) {
                if let rows = try part.rows(of: id) { holders.append((part, rows)) }
            } catch {
                guard !error.isReadFailure else { throw error }
                setAside(error)
            }
        }
        return holders
    }

    private func rewrite(without id: TraceID, _ tenant: Tenant) throws -> UInt64 {
        while true {
            let holders = try holders(of: id, snapshot(tenant).parts)
            if holders.isEmpty { return 0 }
            var made: [Part] = []
            do {
                for (part, rows) in holders where rows.count < part.directory.spanCount {
                    made.append(try join(try MergeInputs([part], dropping: [id])))
                }
            } catch {
                discard(made)
                // The damage is in an answer's `incomplete` from now on.
                guard let damage = error as? PartDamage, !damage.isReadFailure else { throw error }
                setAside(damage)
                continue
            }
            let numbers = Set(holders.map(\.part.number))
            guard try replace(numbers, by: made) else { continue }
            let left = numbers.intersection(
                try disk.list(names.parts).compactMap { FileNames.number(in: $0, suffix: ".part") }
            )
            for number in left.sorted() { try disk.remove(names.part(number)) }
            try disk.syncDirectory(names.parts)
            return holders.reduce(0) { $0 + UInt64($1.rows.count) }
        }
    }

    /// What could not be searched.
    private func remains(of id: TraceID, _ tenant: Tenant) -> [String] {
        var reasons = snapshot(tenant, for: .traces([id])).incomplete
        let aside = (try? disk.list(names.quarantine)) ?? []
        reasons += aside.filter { $0.hasSuffix(".log") }.map {
            "the damaged log segment quarantine/\($0) was not searched"
        }
        return reasons
    }
}

extension Part {
    /// The span rows of exactly this trace; `nil` where the part has none.
    func rows(of id: TraceID) throws(PartDamage) -> Range<Int>? {
        var reader = PartReader(self)
        for trace in try reader.find(id) where try reader.id(of: trace) == id { return trace.rows }
        return nil
    }
}
