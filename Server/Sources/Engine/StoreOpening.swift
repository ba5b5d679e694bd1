// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// The steps from a directory to a running store.
struct StoreOpening {
    let names: FileNames
    let options: EngineOptions
    let disk: any Disk
    let clock: any Clock

    /// Takes the directory for this process, making it where it is missing.
    func lock() throws -> any DiskLock {
        try disk.createDirectory(names.directory)
        let present = try disk.list(names.directory)
        if present.contains(FileNames.backupMarker) {
            throw EngineError(
                "\(names.directory) is a backup: bring it back with `skein restore "
                    + "\(names.directory) --data DIR`, and name DIR here"
            )
        }
        if present.contains(FileNames.restoreMarker) {
            throw EngineError(
                "\(names.directory) holds a restore that did not end: remove what is in it, and "
                    + "restore again"
            )
        }
        let strangers = present.filter { !FileNames.known.contains($0) }
        if !present.contains("MANIFEST"), let stranger = strangers.first {
            throw EngineError(
                "\(names.directory) is not empty (\(stranger)) and holds no Skein data: "
                    + "choose an empty or a new directory"
            )
        }
        guard let lock = try disk.lock(names.lock) else {
            throw EngineError(
                "\(names.directory) is in use by another process: stop it, or choose another "
                    + "directory"
            )
        }
        return lock
    }

    /// Reads the manifest, or makes the first one of a new store.
    func manifest(_ randomness: any Randomness) throws -> Manifest {
        for directory in [names.log, names.parts, names.totals, names.quarantine] {
            try disk.createDirectory(directory)
        }
        let present = try disk.list(names.directory)
        guard present.contains("MANIFEST") else {
            return try makeManifest(randomness)
        }
        let manifest = try Manifest.read(names, disk).manifest
        // A process that was killed may have renamed it without the name being on the disk yet; where a
        // sync of the directory failed, no later one brings that to the disk. What it no longer lists
        // is removed below: a power cut must not bring the one before it back. So it is put there anew,
        // in a file of its own: what a crash left may be the manifest itself under its other name.
        if present.contains("MANIFEST.new") { try disk.remove(names.newManifest) }
        var renamed = false
        do throws(DiskError) {
            try manifest.write(names, disk, renamed: &renamed)
        } catch {
            // A full disk must still answer.
            guard error.isOutOfSpace else { throw error }
            try disk.syncDirectory(names.directory)
        }
        return manifest
    }

    private func makeManifest(_ randomness: any Randomness) throws -> Manifest {
        let segments = try disk.list(names.log)
        let parts = try disk.list(names.parts)
        let totals = try disk.list(names.totals)
        if segments.contains(where: { FileNames.number(in: $0, suffix: ".log") != nil })
            || parts.contains(where: { FileNames.number(in: $0, suffix: ".part") != nil })
            || totals.contains(where: { FileNames.number(in: $0, suffix: ".totals") != nil })
        {
            throw EngineError(
                "\(names.manifest) is missing although there is data beside it. Nothing was "
                    + "changed; put the file back from a backup"
            )
        }
        let manifest = Manifest(storeKey: randomness.next())
        var renamed = false
        try manifest.write(names, disk, renamed: &renamed)
        return manifest
    }

    /// Refuses a manifest that was put beside another store's files: by it they would be garbage.
    func refuseStrangers(_ manifest: Manifest) throws {
        for name in try disk.list(names.parts) {
            guard let number = FileNames.number(in: name, suffix: ".part"),
                let file = try? disk.open(names.part(number)),
                let head = try? file.read(at: 0, count: PartFormat.headByteCount),
                let key = PartFormat.storeKey(of: head), key != manifest.storeKey
            else { continue }
            throw stranger(names.part(number))
        }
        for name in try disk.list(names.totals) {
            guard let number = FileNames.number(in: name, suffix: ".totals"),
                let file = try? disk.open(names.totals(number)),
                let head = try? file.read(at: 0, count: TotalsFileFormat.headByteCount),
                let key = TotalsFileFormat.storeKey(of: head), key != manifest.storeKey
            else { continue }
            throw stranger(names.totals(number))
        }
        for name in try disk.list(names.log) {
            guard let number = FileNames.number(in: name, suffix: ".log"),
                let file = try? disk.open(names.segment(number)),
                let head = try? file.read(at: 0, count: LogSegmentHeader.byteCount),
                let header = LogSegmentHeader(parsing: head), header.number == number,
                header.key != LogSegmentHeader.key(store: manifest.storeKey, number: number)
            else { continue }
            throw stranger(names.segment(number))
        }
    }

    private func stranger(_ path: String) -> EngineError {
        EngineError(
            "\(path) belongs to another store than \(names.manifest). Nothing was changed; put the "
                + "manifest of this directory back, or move the file away"
        )
    }

    /// Removes what a crash left half made, and parts and totals that nothing refers to.
    func removeGarbage(_ manifest: Manifest) throws {
        if try disk.list(names.directory).contains("MANIFEST.new") {
            try disk.remove(names.newManifest)
        }
        try removeGarbage(names.parts, ".part", live: Set(manifest.parts.map(\.number)))
        try removeGarbage(names.totals, ".totals", live: Set(manifest.totals.map(\.number)))
    }

    private func removeGarbage(
        _ directory: String,
        _ suffix: String,
        live: Set<UInt64>
    ) throws {
        for name in try disk.list(directory) {
            let isHalfMade = FileNames.number(in: name, suffix: ".new") != nil
            let number = FileNames.number(in: name, suffix: suffix)
            if isHalfMade || number.map({ !live.contains($0) }) ?? false {
                try disk.remove(directory + "/" + name)
            }
        }
    }

    /// Takes the log's records that are not in parts yet into the head.
    func replay(
        _ manifest: Manifest,
        into keeper: StoreKeeper,
        _ decoder: any PayloadDecoder
    ) throws -> LogAppender.Start {
        var numbers: [UInt64] = []
        var highest: UInt64 = 0
        for name in try disk.list(names.log) {
            if let number = FileNames.number(in: name, suffix: ".log") {
                numbers.append(number)
                highest = max(highest, number)
            } else if let number = FileNames.number(in: name, suffix: ".free") {
                // A rename that was cut short may have left its file the name of a live segment too.
                highest = max(highest, number)
                try disk.remove(names.freeSegment(number))
            }
        }
        // A segment that is not here now must not come back after a power cut: what stands in it and
        // was never acknowledged would be found.
        try disk.syncDirectory(names.log)
        let decoding = OrderedDecoding(decoder, threads: options.replayThreads)
        defer { decoding.close() }
        var replay = LogReplay(flushed: manifest.flushedSequence, keeper: keeper, decoding)
        for number in numbers.sorted() { try replaySegment(number, manifest, &replay) }
        try replay.finish()
        keeper.note(damagedRecords: replay.found.lostCount)
        return LogAppender.Start(
            storeKey: manifest.storeKey,
            segmentNumber: highest + 1,
            sequence: LogSequence.nextEpoch(after: replay.found.highest)
        )
    }

    private func replaySegment(
        _ number: UInt64,
        _ manifest: Manifest,
        _ replay: inout LogReplay
    ) throws {
        let path = names.segment(number)
        let bytes = try disk.segmentBytes(path)
        try LogSegmentHeader.refuseOtherVersion(of: bytes, path)
        let key = LogSegmentHeader.key(store: manifest.storeKey, number: number)
        var scanner = LogScanner(bytes, key: key)
        let lostBefore = replay.found.lostCount
        var records: [LogRecord] = []
        while let record = scanner.next() { records.append(record) }
        // A write that went to the wrong place may have put a newer record before an older one. What
        // is flushed must be all that came before it.
        if zip(records, records.dropFirst()).contains(where: { $0.sequence > $1.sequence }) {
            records.sort { $0.sequence < $1.sequence }
        }
        for record in records { try replay.take(record) }
        replay.found.note(damaged: scanner.damaged)
        try replay.close(
            LogSegments.Closed(
                number: number,
                byteCount: bytes.count,
                lastSequence: replay.found.highest,
                damaged: replay.found.lostCount > lostBefore,
                isFromEarlier: true
            )
        )
    }
}

extension Manifest {
    /// Reads the manifest of a directory.
    ///
    /// - Returns: it, and its bytes as they stand on disk.
    /// - Throws: `EngineError` for one that this program does not read.
    static func read(
        _ names: FileNames,
        _ disk: any Disk
    ) throws -> (manifest: Manifest, bytes: [UInt8]) {
        let bytes = try disk.bytes(of: names.manifest, limit: Limits.manifestBytes, "a manifest")
        if let found = version(of: bytes), found != version {
            throw EngineError.otherVersion(names.manifest, found: found, read: version)
        }
        do {
            return (try Manifest(parsing: bytes), bytes)
        } catch {
            throw EngineError(
                "\(names.manifest) cannot be read: \(error.what). Nothing was changed; put the "
                    + "file back from a backup"
            )
        }
    }
}

extension EngineError {
    /// What to do about a failed call on a directory.
    init(_ error: DiskError) {
        let hint =
            if error.isDenied {
                "make it readable and writable for the user that runs Skein, or name another "
                    + "directory"
            } else if error.isOutOfSpace {
                "free some space on that disk, or name a directory on another"
            } else if error.isMissing {
                "check the path"
            } else {
                "look at the disk's health, or name another directory"
            }
        self.init("\(error). Nothing was changed; \(hint)")
    }
}
