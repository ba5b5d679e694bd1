// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

extension StoreKeeper {
    /// Writes the head to files: spans to a part for each tenant, call statistics to a totals file. All
    /// of it, unless `writableHead` holds some back.
    func flush() throws {
        try flushing.withLock { _ in
            let batches = writableHead()
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
                // As they are now: what `take` found counted before is smaller.
                let written = state.head.prefix(batches.count)
                state.headByteCount -= written.reduce(0) { $0 + $1.byteCount }
                state.headSpanCount -= written.reduce(0) { $0 + $1.table.columns.count }
                state.head.removeFirst(batches.count)
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
        let path = names.part(number)
        let mark = names.newPart(number)
        do {
            try self.mark(mark, in: names.parts)
            let file = try disk.create(path)
            let head = PartFormat.head(storeKey: storeKey, number: number)
            var entry = try body(PartOutput(file: file, head: head, level: level))
            entry.number = number
            try disk.syncDirectory(names.parts)
            return try open(entry, storeKey)
        } catch {
            unmake(path, mark, in: names.parts)
            throw error
        }
    }

    /// Marks a file that is going to be made as one that no manifest lists yet, so that a start can
    /// tell it from one that only an older manifest does not list. The mark lasts before the file is
    /// there, and goes when a manifest that lists the file lasts, or once the file surely has gone.
    func mark(_ mark: String, in folder: String) throws(DiskError) {
        _ = try disk.create(mark)
        try disk.syncDirectory(folder)
    }

    /// Removes a file that no manifest lists, then its mark. Where that fails, the next start does it.
    func unmake(_ path: String, _ mark: String, in folder: String) {
        do throws(DiskError) {
            do throws(DiskError) {
                try disk.remove(path)
            } catch {
                guard error.isMissing else { throw error }
            }
            try disk.syncDirectory(folder)
            try disk.remove(mark)
        } catch {}
    }

    /// Opens a part that is in its place.
    func open(_ entry: Manifest.Entry, _ storeKey: UInt64) throws(PartDamage) -> Part {
        try Part(entry, storeKey: storeKey, names: names, disk: disk, cache: partCache)
    }
}
