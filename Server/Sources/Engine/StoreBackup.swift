// SPDX-License-Identifier: Apache-2.0

public import Platform

public import Store

/// Copies of a store: made while a server writes it or while none runs, brought back into a
/// directory of their own.
///
/// Nobody is asked: parts never change, the manifest is replaced as a whole, the log is read behind
/// its writer. A copy holds together when the manifest is the same after as before; else it is begun
/// anew, with what is there already. Everything acknowledged before the call is in the copy.
public enum StoreBackup {
    /// What a backup holds.
    public struct Summary: Sendable {
        public var spanCount: UInt64 = 0
        public var partCount = 0
        /// Requests in the log that are not in parts yet.
        public var recordCount: UInt64 = 0
        /// Bytes of all its files.
        public var byteCount: UInt64 = 0
        /// Of those, bytes that take no room of their own: parts that share the store's files.
        public var linkedByteCount: UInt64 = 0
        /// When the backup was begun, nanoseconds since 1970.
        public var madeAt: UInt64 = 0
        /// Newest receipt of a span in its parts, nanoseconds since 1970; what retention counts from.
        public var receivedAt: UInt64 = 0
        /// What is missing from it, because it was missing from the store.
        public var incomplete: [String] = []
    }

    /// Makes a backup.
    ///
    /// It is built in `target` with `.partial` after it, and named `target` once it is whole and on
    /// disk: one that was interrupted is never taken for a good one, and is cleared away by the next.
    ///
    /// - Parameters:
    ///   - directory: the store's directory.
    ///   - target: a path where nothing is.
    /// - Throws: `EngineError` with one line that says what is wrong and what to do.
    public static func make(
        of directory: String,
        at target: String,
        disk: any Disk = PosixDisk(),
        clock: any Clock = SystemClock()
    ) throws -> Summary {
        do {
            var making = try BackupMaking(directory, target, disk, clock)
            return try making.run()
        } catch let error as DiskError {
            throw EngineError("\(error). No backup was made")
        }
    }

    /// Brings a backup back, copying and verifying every file.
    ///
    /// - Parameters:
    ///   - backup: a directory that `make` made.
    ///   - directory: where to; it must be missing or empty.
    ///   - decoder: reads the log's payloads, as at a start.
    /// - Throws: `EngineError` with one line that says what is wrong and what to do. What was copied
    ///   until then stays, marked as unfinished, and is no store.
    public static func restore(
        _ backup: String,
        into directory: String,
        disk: any Disk = PosixDisk(),
        decoder: any PayloadDecoder
    ) throws -> Summary {
        do {
            return try BackupRestoring(backup, directory, disk, decoder).run()
        } catch let error as DiskError {
            throw EngineError("\(error). The backup was not restored")
        }
    }
}

/// One backup in the making.
private struct BackupMaking {
    private let source: FileNames
    private let target: String
    private let partial: FileNames
    private let disk: any Disk
    private let madeAt: UInt64
    private var linked: Set<UInt64> = []
    private var copied: Set<UInt64> = []
    private var totals: Set<UInt64> = []
    /// Readings of the log that missed a record.
    private var gaps = 0

    init(_ directory: String, _ target: String, _ disk: any Disk, _ clock: any Clock) throws {
        guard try disk.list(directory).contains("MANIFEST") else {
            throw EngineError(
                "\(directory) holds no Skein data: there is no MANIFEST in it; name the folder that "
                    + "`skein serve --data` names"
            )
        }
        source = FileNames(directory: directory)
        self.target = target.withoutTrailingSlash
        partial = FileNames(directory: self.target + ".partial")
        self.disk = disk
        madeAt = clock.wallNanoseconds()
        guard try !disk.exists(self.target) else {
            throw EngineError("\(target) is there already: name a path where nothing is")
        }
    }

    mutating func run() throws -> StoreBackup.Summary {
        try disk.createDirectory(partial.directory)
        guard let lock = try disk.lock(partial.lock) else {
            throw EngineError(
                "\(partial.directory) is being written by another backup: wait for it"
            )
        }
        defer { lock.release() }
        try clear()
        for directory in [partial.log, partial.parts, partial.totals] {
            try disk.createDirectory(directory)
        }
        for _ in 0..<Limits.backupAttempts {
            if let summary = try attempt() { return summary }
        }
        throw EngineError(
            "\(source.directory) changed faster than it could be copied, \(Limits.backupAttempts) "
                + "times: try again when less is written. No backup was made"
        )
    }

    /// Removes what an interrupted backup left, and refuses what is somebody else's.
    private func clear() throws {
        let known = Set(
            ["LOCK", "MANIFEST", FileNames.backupMarker, "log", "parts", "totals"]
                + FileNames.companions
        )
        let present = try disk.list(partial.directory)
        if let stranger = present.first(where: { !known.contains($0) }) {
            throw EngineError(
                "\(partial.directory) is in the way, with \(stranger) in it: remove it, or name "
                    + "another path"
            )
        }
        for name in present where name == "MANIFEST" || name == FileNames.backupMarker {
            try disk.remove(partial.directory + "/" + name)
        }
        for directory in [partial.log, partial.parts, partial.totals]
        where try disk.exists(directory) {
            for name in try disk.list(directory) { try disk.remove(directory + "/" + name) }
        }
    }

    /// - Returns: `nil` where the store changed meanwhile.
    private mutating func attempt() throws -> StoreBackup.Summary? {
        let (manifest, bytes) = try Manifest.read(source, disk)
        guard try takeParts(manifest), try takeTotals(manifest) else { return nil }
        for name in try disk.list(partial.log) { try disk.remove(partial.log + "/" + name) }
        var log = LogCopy(source, disk, manifest)
        let segments = try log.copy(to: partial)
        guard try Manifest.read(source, disk).bytes == bytes else { return nil }
        if log.found.lostCount > 0, gaps < Limits.logReadings {
            gaps += 1
            return nil
        }
        // Still missing after several readings: they are lost in the store too.
        var incomplete: [String] = []
        if log.found.lostCount > 0 {
            incomplete.append("\(log.found.lostCount) records of the log are damaged in the store")
        }
        incomplete += manifest.parts.compactMap { part in
            part.lost.map {
                "part \(part.number) with \(part.spanCount) spans was set aside: \($0)"
            }
        }
        return try finish(manifest, bytes, segments, log.recordCount, incomplete)
    }

    /// - Returns: `false` where a part went away, so that the manifest must have changed.
    private mutating func takeParts(_ manifest: Manifest) throws -> Bool {
        let live = manifest.parts.filter { $0.lost == nil }.map(\.number)
        for number in live where !linked.contains(number) && !copied.contains(number) {
            do {
                try disk.link(source.part(number), to: partial.part(number))
                linked.insert(number)
            } catch let error where error.isMissing {
                return false
            } catch {
                // Another file system, or one without links.
                do {
                    try disk.copy(source.part(number), to: partial.part(number))
                    copied.insert(number)
                } catch {
                    guard error.isMissing else { throw error }
                    return false
                }
            }
        }
        for number in linked.union(copied).subtracting(live).sorted() {
            try disk.remove(partial.part(number))
            linked.remove(number)
            copied.remove(number)
        }
        return true
    }

    private mutating func takeTotals(_ manifest: Manifest) throws -> Bool {
        let live = manifest.totals.map(\.number)
        for number in live where !totals.contains(number) {
            do {
                try disk.copy(source.totals(number), to: partial.totals(number))
            } catch {
                guard error.isMissing else { throw error }
                return false
            }
            totals.insert(number)
        }
        for number in totals.subtracting(live).sorted() {
            try disk.remove(partial.totals(number))
            totals.remove(number)
        }
        return true
    }

    private func finish(
        _ manifest: Manifest,
        _ bytes: [UInt8],
        _ segments: [BackupMarker.File],
        _ recordCount: UInt64,
        _ incomplete: [String]
    ) throws -> StoreBackup.Summary {
        let parts = manifest.parts.filter { $0.lost == nil }
        var marker = BackupMarker(
            madeAt: madeAt,
            receivedAt: parts.map(\.receivedAt).max() ?? 0,
            spanCount: parts.reduce(0) { $0 + $1.spanCount },
            recordCount: recordCount
        )
        marker.files = [
            BackupMarker.File(
                path: "MANIFEST",
                byteCount: UInt64(bytes.count),
                checksum: CRC32C.checksum(bytes)
            )
        ]
        marker.files += segments
        marker.files += parts.map {
            BackupMarker.File(
                path: FileNames.relativePart($0.number),
                byteCount: $0.byteCount,
                checksum: $0.checksum
            )
        }
        marker.files += manifest.totals.map {
            BackupMarker.File(
                path: FileNames.relativeTotals($0.number),
                byteCount: $0.byteCount,
                checksum: $0.checksum
            )
        }
        try disk.copyCompanions(of: source, to: partial)
        try disk.write(bytes, to: partial.manifest)
        try disk.write(marker.encode(), to: partial.directory + "/" + FileNames.backupMarker)
        for directory in [partial.log, partial.parts, partial.totals] {
            try disk.syncDirectory(directory)
        }
        try disk.remove(partial.lock)
        try disk.syncDirectory(partial.directory)
        try disk.rename(partial.directory, to: target)
        try disk.syncDirectory(target.parentDirectory)
        var summary = StoreBackup.Summary(marker, parts: parts.count)
        summary.linkedByteCount = parts.filter { linked.contains($0.number) }
            .reduce(0) { $0 + $1.byteCount }
        summary.incomplete = incomplete
        return summary
    }
}

extension StoreBackup.Summary {
    init(_ marker: BackupMarker, parts: Int) {
        spanCount = marker.spanCount
        partCount = parts
        recordCount = marker.recordCount
        byteCount = marker.files.reduce(0) { $0 &+ $1.byteCount }
        madeAt = marker.madeAt
        receivedAt = marker.receivedAt
    }
}

extension String {
    fileprivate var withoutTrailingSlash: String {
        var path = self
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// The directory that a path lies in.
    var parentDirectory: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }

    /// The last part of a path.
    var lastComponent: String {
        lastIndex(of: "/").map { String(self[index(after: $0)...]) } ?? self
    }
}

extension Disk {
    /// Copies the files that the server keeps beside the store's, as far as there are any.
    func copyCompanions(of source: FileNames, to target: FileNames) throws {
        let present = try list(source.directory)
        for name in FileNames.companions where present.contains(name) {
            _ = try copy(source.directory + "/" + name, to: target.directory + "/" + name)
        }
    }

    /// Whether a file or directory of this name is there.
    func exists(_ path: String) throws(DiskError) -> Bool {
        do {
            return try list(path.parentDirectory).contains(path.lastComponent)
        } catch {
            if error.isMissing { return false }
            throw error
        }
    }
}
