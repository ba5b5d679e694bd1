// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

extension StoreKeeper {
    /// Writes the whole head to files: spans to a part for each tenant, call statistics to a totals
    /// file.
    func flush() throws {
        try flushing.withLock { _ in
            let batches = state.withLock { $0.head }
            guard let last = batches.lazy.map(\.sequence).max() else { return }
            var parts: [Part] = []
            var totals: [TotalsFile] = []
            do {
                for tenant in Set(batches.map(\.tenant)).sorted(by: { $0.name < $1.name }) {
                    let all = batches.filter { $0.tenant == tenant }
                    if let file = try writeCalls(of: all, tenant) { totals.append(file) }
                    let own = all.filter { $0.table.columns.count > 0 }
                    guard !own.isEmpty else { continue }
                    let receivedAt = own.map(\.receivedAt).max() ?? 0
                    let part = try build(level: 1) { output in
                        var flush = PartFlush(
                            tables: own.map(\.table),
                            tenant: tenant,
                            receivedAt: receivedAt,
                            blockRows: options.blockRows,
                            output: output
                        )
                        return try flush.write()
                    }
                    parts.append(part)
                }
            } catch {
                discard(parts)
                discard(totals)
                throw error
            }
            try commit(adding: parts, addingTotals: totals) { manifest in
                manifest.flushedSequence = last
                return true
            } then: { state in
                state.head.removeFirst(batches.count)
                state.headByteCount -= batches.reduce(0) { $0 + $1.byteCount }
                state.headSpanCount -= batches.reduce(0) { $0 + $1.table.columns.count }
            }
            segments.release(flushed: last)
        }
    }

    /// Writes one part; no manifest lists it yet. A number is used once: a failed attempt's file is
    /// never taken for a later part.
    ///
    /// - Parameters:
    ///   - level: of zstd.
    ///   - body: writes what follows the head.
    func build(
        level: Int32,
        _ body: (consuming PartOutput) throws -> Manifest.Entry
    ) throws -> Part {
        let (number, storeKey) = manifest.withLock { manifest in
            defer { manifest.nextPart += 1 }
            return (manifest.nextPart, manifest.storeKey)
        }
        let path = names.newPart(number)
        do {
            let file = try disk.create(path)
            let head = PartFormat.head(storeKey: storeKey, number: number)
            var entry = try body(PartOutput(file: file, head: head, level: level))
            entry.number = number
            try disk.rename(path, to: names.part(number))
            try disk.syncDirectory(names.parts)
            return try open(entry, storeKey)
        } catch {
            try? disk.remove(path)
            try? disk.remove(names.part(number))
            throw error
        }
    }
    /// Opens a part that is in its place.
    func open(_ entry: Manifest.Entry, _ storeKey: UInt64) throws(PartDamage) -> Part {
        try Part(entry, storeKey: storeKey, names: names, disk: disk, cache: partCache)
    }
}
