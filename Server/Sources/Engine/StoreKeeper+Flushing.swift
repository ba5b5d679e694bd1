// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

extension StoreKeeper {
    /// Writes the whole head to parts, one a tenant.
    func flush() throws {
        try flushing.withLock { _ in
            let batches = state.withLock { $0.head }
            guard let last = batches.last else { return }
            var parts: [Part] = []
            do {
                for tenant in Set(batches.map(\.tenant)).sorted(by: { $0.name < $1.name }) {
                    let own = batches.filter { $0.tenant == tenant }
                    let receivedAt = own.map(\.receivedAt).max() ?? 0
                    parts.append(
                        try build(own.map(\.table), tenant, receivedAt: receivedAt, level: 1)
                    )
                }
            } catch {
                discard(parts)
                throw error
            }
            try commit(adding: parts) { manifest in
                manifest.flushedSequence = last.sequence
                return true
            } then: { state in
                state.head.removeFirst(batches.count)
                state.headByteCount -= batches.reduce(0) { $0 + $1.byteCount }
                state.headSpanCount -= batches.reduce(0) { $0 + $1.table.columns.count }
            }
            segments.release(flushed: last.sequence)
        }
    }

    /// Writes one part; no manifest lists it yet. A number is used once: a failed attempt's file is
    /// never taken for a later part.
    func build(
        _ tables: [SpanTable],
        _ tenant: Tenant,
        receivedAt: UInt64,
        level: Int32
    ) throws -> Part {
        let (number, storeKey) = manifest.withLock { manifest in
            defer { manifest.nextPart += 1 }
            return (manifest.nextPart, manifest.storeKey)
        }
        let path = names.newPart(number)
        var entry: Manifest.Entry
        do {
            let file = try disk.create(path)
            let head = PartFormat.head(storeKey: storeKey, number: number)
            var builder = PartBuilder(
                tables: tables,
                tenant: tenant,
                receivedAt: receivedAt,
                blockRows: options.blockRows,
                output: PartOutput(file: file, head: head, level: level)
            )
            entry = try builder.build()
            entry.number = number
            try disk.rename(path, to: names.part(number))
            try disk.syncDirectory(names.parts)
            return try Part(entry, storeKey: storeKey, names: names, disk: disk)
        } catch {
            try? disk.remove(path)
            try? disk.remove(names.part(number))
            throw error
        }
    }
}
