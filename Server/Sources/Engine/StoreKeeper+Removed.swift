// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

/// What is remembered of traces that retention removed (`RemovedTraces`). Deletion by request leaves
/// nothing behind, and so nothing here.
///
/// None of this may keep retention from making room: what cannot be written is not remembered.
extension StoreKeeper {
    /// Notes the traces of parts that are about to be removed. Those set aside have none that could be
    /// read.
    func remember(_ entries: [Manifest.Entry], _ cause: TraceAbsence.Cause, _ now: UInt64) {
        let numbers = Set(entries.map(\.number))
        let parts = state.withLock { $0.parts.filter { numbers.contains($0.number) } }
        let tenants = Dictionary(grouping: parts, by: \.entry.tenant)
        let known = removed.withLock { $0 }
        for (tenant, parts) in tenants.sorted(by: { $0.key < $1.key }) {
            // Parts that could not be removed are met every time.
            let number = parts.reduce(0) { max($0, $1.number) }
            if known.contains(where: { $0.number == number && $0.partCount == parts.count }) {
                continue
            }
            guard let made = try? write(parts, tenant, cause, now) else { continue }
            removed.withLock { removed in
                removed.removeAll { $0.number == made.number }
                removed.append(made)
                removed.sort { ($0.removedAt, $0.number) < ($1.removedAt, $1.number) }
            }
        }
        boundRemoved(now)
    }

    private func write(
        _ parts: [Part],
        _ tenant: String,
        _ cause: TraceAbsence.Cause,
        _ now: UInt64
    ) throws -> RemovedTraces {
        let count = parts.reduce(0) { $0 + $1.directory.traceCount }
        var filter = RemovedTraces.Filter(traceCount: count)
        for part in parts {
            var reader = PartReader(part)
            for block in part.directory.traceBlocks.indices {
                for low in try reader.numbers(.traceLow, block) { filter.insert(low) }
            }
        }
        let made = RemovedTraces(
            number: parts.reduce(0) { max($0, $1.number) },
            removedAt: now,
            partCount: parts.count,
            cause: cause,
            tenant: tenant,
            filter
        )
        let path = names.newRemoved(made.number)
        do {
            let file = try disk.create(path)
            let key = manifest.withLock { $0.storeKey }
            try file.write(made.encode(filter, storeKey: key), at: 0)
            try file.sync()
            try disk.rename(path, to: names.removed(made.number))
            try disk.syncDirectory(names.removed)
        } catch {
            try? disk.remove(path)
            throw error
        }
        return made
    }

    /// Forgets what is too old, too many files or too many bytes, the oldest first.
    func boundRemoved(_ now: UInt64) {
        let gone = removed.withLock { removed -> [RemovedTraces] in
            var byteCount = removed.reduce(0) { $0 + $1.byteCount }
            var count = 0
            for file in removed {
                let isOld =
                    now > file.removedAt && now - file.removedAt > Limits.removedNanoseconds
                guard
                    isOld || byteCount > options.removedBytes
                        || removed.count - count > Limits.removedFiles
                else { break }
                byteCount -= file.byteCount
                count += 1
            }
            defer { removed.removeFirst(count) }
            return Array(removed.prefix(count))
        }
        for file in gone { try? disk.remove(names.removed(file.number)) }
    }

    /// Reads what is remembered. What is damaged is set aside; of a version to come it is left alone.
    func openRemoved() throws {
        let key = manifest.withLock { $0.storeKey }
        var found: [RemovedTraces] = []
        for name in try disk.list(names.removed) {
            if let number = FileNames.number(in: name, suffix: ".new") {
                try disk.remove(names.newRemoved(number))
            }
            guard let number = FileNames.number(in: name, suffix: ".ids"),
                let file = try? disk.openForReading(names.removed(number))
            else { continue }
            do {
                found.append(try RemovedTraces(file, number: number, storeKey: key))
            } catch is CorruptBytes {
                let page = try? file.read(at: 0, count: RemovedTraces.pageByteCount)
                let version = page.flatMap { RemovedTraces.version(of: $0) }
                guard version ?? RemovedTraces.version == RemovedTraces.version else { continue }
                setAsideRemoved(number)
            } catch {}
        }
        found.sort { ($0.removedAt, $0.number) < ($1.removedAt, $1.number) }
        removed.withLock { $0 = found }
    }

    private func setAsideRemoved(_ number: UInt64) {
        removed.withLock { $0.removeAll { $0.number == number } }
        try? disk.rename(names.removed(number), to: names.quarantinedRemoved(number))
    }

    /// Whether a trace was removed, as far as that is remembered; the reason is `nil` where it was not.
    func removal(
        of id: TraceID,
        _ tenant: Tenant,
        _ flag: CancellationFlag
    ) throws(StoreError) -> TraceAbsence {
        var absence = TraceAbsence(reason: nil)
        absence.retention = options.retention.map { Self.nanoseconds($0) }
        let files = removed.withLock { $0.filter { $0.tenant == tenant.name } }
        absence.rememberedSince = files.first?.removedAt
        var isRight = 1.0
        for file in files.reversed() {
            try flag.check()
            isRight *= 1 - file.errorRate
            guard absence.reason == nil else { continue }
            do {
                let disk = try disk.openForReading(names.removed(file.number))
                guard try file.mayContain(id.low, disk) else { continue }
                absence.reason = .expired
                absence.removedAt = file.removedAt
                absence.cause = file.cause
            } catch {
                if error is CorruptBytes { setAsideRemoved(file.number) }
                absence.incomplete.append(
                    "\(FileNames.relativeRemoved(file.number)), which tells traces that were "
                        + "removed, cannot be read"
                )
            }
        }
        if absence.reason == .expired { absence.errorRate = 1 - isRight }
        return absence
    }
}
