// SPDX-License-Identifier: Apache-2.0

import Platform
import Synchronization

/// A disk that behaves as if the engine above it had a bug.
final class PlantedDisk: Disk {
    struct State {
        /// Files whose sync is owed.
        var owed: [String: any DiskFile] = [:]
        /// What a log segment held at its last sync but one, by path.
        var older: [String: [UInt8]] = [:]
        /// Writes to the log with the sum of their bytes, by path.
        var writes: [String: [(range: Range<Int>, checksum: UInt32)]] = [:]
        var manifestByteCount = 0
        /// The last manifest was swallowed, and removals go with it.
        var isKeeping = false
    }

    let bug: PlantedBug
    let disk: SimulatedDisk
    let state = Mutex(State())

    init(_ disk: SimulatedDisk, _ bug: PlantedBug) {
        self.disk = disk
        self.bug = bug
    }

    static func isLog(_ path: String) -> Bool { path.hasSuffix(".log") }
    static func isPart(_ path: String) -> Bool { path.contains("/parts/") }
    static func isManifest(_ path: String) -> Bool { path.hasSuffix("/MANIFEST.new") }

    func open(_ path: String) throws(DiskError) -> any DiskFile {
        PlantedFile(try disk.open(path), path, self)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile {
        state.withLock {
            $0.writes[path] = nil
            $0.older[path] = nil
        }
        return PlantedFile(try disk.create(path), path, self)
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        if Self.isManifest(path) {
            if bug == .manifestInPlace { return try overwrite(newPath, with: path) }
            if bug == .expiredPartKept, swallows(path) { return }
        }
        state.withLock { state in
            state.writes[newPath] = nil
            state.older[newPath] = nil
        }
        try disk.rename(path, to: newPath)
    }

    private func overwrite(_ path: String, with other: String) throws(DiskError) {
        let source = try disk.open(other)
        let bytes = try source.read(at: 0, count: Int(clamping: try source.byteCount()))
        let file = try disk.create(path)
        try file.write([bytes], at: 0)
        try file.sync()
        try disk.remove(other)
    }

    /// A manifest that got shorter has lost parts: it is not put in place, nor are parts removed.
    private func swallows(_ path: String) -> Bool {
        let count = disk.bytes(of: path).count
        return state.withLock { state in
            state.isKeeping = count < state.manifestByteCount
            state.manifestByteCount = count
            return state.isKeeping
        }
    }

    func remove(_ path: String) throws(DiskError) {
        if bug == .expiredPartKept, Self.isPart(path), state.withLock({ $0.isKeeping }) { return }
        try disk.remove(path)
    }

    func link(_ path: String, to newPath: String) throws(DiskError) {
        try disk.link(path, to: newPath)
    }

    func list(_ directory: String) throws(DiskError) -> [String] { try disk.list(directory) }

    func createDirectory(_ path: String) throws(DiskError) { try disk.createDirectory(path) }

    func syncDirectory(_ path: String) throws(DiskError) {
        switch bug {
        case .logDirectoryNotSynced where path.hasSuffix("/log"): return
        case .partDirectoryNotSynced where path.hasSuffix("/parts"): return
        case .totalsDirectoryNotSynced where path.hasSuffix("/totals"): return
        case .manifestDirectoryNotSynced where path.hasSuffix("/data"): return
        default: try disk.syncDirectory(path)
        }
    }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { try disk.lock(path) }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        try disk.freeByteCount(path)
    }
}

private final class PlantedFile: DiskFile {
    private let file: any DiskFile
    private let path: String
    private let owner: PlantedDisk

    init(_ file: any DiskFile, _ path: String, _ owner: PlantedDisk) {
        self.file = file
        self.path = path
        self.owner = owner
    }

    private var isLog: Bool { PlantedDisk.isLog(path) }

    func read(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        let bytes = try file.read(at: offset, count: count)
        switch owner.bug {
        case .logReadStale where isLog && offset == 0:
            return owner.state.withLock { $0.older[path] } ?? bytes
        case .replayStopsAtDamage where isLog && offset == 0:
            return upToDamage(bytes)
        default: return bytes
        }
    }

    private func upToDamage(_ bytes: [UInt8]) -> [UInt8] {
        let writes = owner.state.withLock { $0.writes[path] ?? [] }
        for write in writes {
            let isWhole =
                write.range.upperBound <= bytes.count
                && CRC32C.checksum(bytes, write.range) == write.checksum
            if !isWhole {
                let sound = bytes.prefix(write.range.lowerBound)
                return sound + [UInt8](repeating: 0, count: bytes.count - sound.count)
            }
        }
        return bytes
    }

    func write(_ pieces: [[UInt8]], at offset: UInt64) throws(DiskError) {
        let joined = Array(pieces.joined())
        if isLog {
            owner.state.withLock { state in
                let start = Int(clamping: offset)
                state.writes[path, default: []].append(
                    (start..<start + joined.count, CRC32C.checksum(joined))
                )
            }
        }
        switch owner.bug {
        case .logErrorIgnored where isLog:
            do { try file.write([joined], at: offset) } catch {}
        case .logWriteShort where isLog && offset > 0:
            try file.write([Array(joined.prefix(joined.count / 2))], at: offset)
        default: try file.write([joined], at: offset)
        }
    }

    func sync() throws(DiskError) {
        switch owner.bug {
        case .logNotSynced where isLog: return
        case .partNotSynced where PlantedDisk.isPart(path): return
        case .manifestNotSynced where PlantedDisk.isManifest(path): return
        case .logSyncLate where isLog:
            let late = owner.state.withLock { state in
                let late = state.owed
                state.owed = [path: file]
                return late
            }
            for path in late.keys.sorted() { try late[path]?.sync() }
        case .syncTriedAgain:
            do { try file.sync() } catch { try file.sync() }
        case .logReadStale where isLog:
            let now = try file.read(at: 0, count: Int(clamping: try file.byteCount()))
            owner.state.withLock { $0.older[path] = $0.older[path + " now"] }
            owner.state.withLock { $0.older[path + " now"] = now }
            try file.sync()
        case .segmentRecycledEarly where PlantedDisk.isManifest(path):
            let segments = owner.disk.paths().filter(PlantedDisk.isLog)
            for segment in segments.dropLast() {
                try owner.disk.rename(segment, to: segment.dropLast(4) + ".free")
            }
            try file.sync()
        default: try file.sync()
        }
    }

    func bypassCache() -> Int { file.bypassCache() }

    func preallocate(_ byteCount: UInt64) throws(DiskError) { try file.preallocate(byteCount) }

    func byteCount() throws(DiskError) -> UInt64 { try file.byteCount() }
}
