// SPDX-License-Identifier: Apache-2.0

import Platform
import Store
import Synchronization

extension StoreKeeper {
    /// Opens the parts that the manifest lists; sets aside those that are damaged or missing.
    ///
    /// - Throws: `EngineError` for a part of another format version: that is no damage, and nothing
    ///   is changed.
    func openParts() throws {
        let (entries, storeKey) = manifest.withLock { ($0.parts, $0.storeKey) }
        for entry in entries {
            if entry.lost != nil {
                let part = try? Part(
                    entry,
                    storeKey: storeKey,
                    names: names.inQuarantine,
                    disk: disk,
                    cache: partCache
                )
                let lost = LostPart(entry: entry, filter: part?.directory.filter)
                state.withLock { $0.lost.append(lost) }
                continue
            }
            do throws(PartDamage) {
                let part = try open(entry, storeKey)
                state.withLock { $0.parts.append(part) }
            } catch {
                try refuseOtherVersion(of: names.part(entry.number))
                if error.isReadFailure {
                    // The file may be whole: it stays, is missed aloud, and is tried again.
                    var unread = entry
                    unread.lost = error.what
                    let lost = LostPart(entry: unread, filter: nil, isUnread: true)
                    state.withLock { $0.lost.append(lost) }
                } else {
                    setAside(error)
                }
            }
        }
    }

    /// Tries the parts again that could not be read at the start.
    func openUnreadParts() {
        let numbers = state.withLock { $0.lost.filter(\.isUnread).map(\.entry.number) }
        for number in numbers {
            do throws(PartDamage) {
                // Under the lock, so that nothing expires what is being opened.
                try manifest.withLock { (manifest) throws(PartDamage) in
                    guard let entry = manifest.parts.first(where: { $0.number == number }) else {
                        return
                    }
                    let part = try open(entry, manifest.storeKey)
                    state.withLock { state in
                        state.lost.removeAll { $0.entry.number == number }
                        state.parts.append(part)
                    }
                }
            } catch {
                if !error.isReadFailure { setAside(error) }
            }
        }
    }

    private func refuseOtherVersion(of path: String) throws {
        guard let file = try? disk.open(path),
            let head = try? file.read(at: 0, count: PartFormat.headByteCount),
            let version = PartFormat.version(of: head), version != PartFormat.version
        else { return }
        throw EngineError.otherVersion(path, found: version, read: PartFormat.version)
    }

    /// Takes a damaged part out of service and moves its file aside.
    func setAside(_ damage: PartDamage) {
        if setAsideTotals(damage) { return }
        manifest.withLock { manifest in
            guard
                let index = manifest.parts.firstIndex(where: {
                    $0.number == damage.number && $0.lost == nil
                })
            else { return }
            manifest.parts[index].lost = damage.what
            let entry = manifest.parts[index]
            var isPlaced = false
            // Should this fail, the damage is found again at the next start.
            try? manifest.write(names, disk, renamed: &isPlaced)
            try? disk.rename(
                names.part(damage.number),
                to: names.inQuarantine.part(damage.number)
            )
            state.withLock { state in
                let part = state.parts.first { $0.number == damage.number }
                state.parts.removeAll { $0.number == damage.number }
                state.lost.removeAll { $0.entry.number == damage.number }
                state.lost.append(LostPart(entry: entry, filter: part?.directory.filter))
            }
        }
    }

    /// Removes the oldest of the files that are set aside and that nothing counts as missing any more:
    /// log segments, totals files, files of removed traces, files of others. Parts go when retention would have removed them.
    func boundQuarantine() {
        guard let present = try? disk.list(names.quarantine) else { return }
        guard state.withLock({ $0.quarantine != present }) else { return }
        let lost = Set(manifest.withLock { $0.parts.filter { $0.lost != nil }.map(\.number) })
        var files: [(number: UInt64, name: String, byteCount: UInt64)] = []
        for name in present {
            let part = FileNames.number(in: name, suffix: ".part")
            let number =
                part ?? FileNames.number(in: name, suffix: ".log")
                ?? FileNames.number(in: name, suffix: ".totals")
                ?? FileNames.number(in: name, suffix: ".ids")
            guard let number, part.map({ !lost.contains($0) }) ?? true,
                let file = try? disk.openForReading(names.quarantine + "/" + name),
                let byteCount = try? file.byteCount()
            else { continue }
            files.append((number, name, byteCount))
        }
        var byteCount = files.reduce(UInt64(0)) { $0 &+ $1.byteCount }
        let limit = options.quarantineBytes
        for file in files.sorted(by: { $0.number < $1.number }) where byteCount > limit {
            try? disk.remove(names.quarantine + "/" + file.name)
            byteCount -= file.byteCount
        }
        let left = (try? disk.list(names.quarantine)) ?? []
        state.withLock { state in
            state.quarantine = left
            state.statistics.quarantineBytes = byteCount
        }
    }
}

extension PartFormat {
    /// The version that an undamaged head of a part states; `nil` where it is no such head.
    static func version(of head: [UInt8]) -> UInt32? {
        var reader = ByteReader(head)
        guard head.count == headByteCount, (try? reader.number(UInt32.self)) == headMagic,
            (try? reader.number(UInt32.self)) == CRC32C.checksum(head, 8..<headByteCount)
        else { return nil }
        return try? reader.number()
    }

    /// The key of the store that wrote an undamaged head of a part of this version.
    static func storeKey(of head: [UInt8]) -> UInt64? {
        guard version(of: head) == version else { return nil }
        var reader = ByteReader(head, from: 16)
        return try? reader.number()
    }
}
