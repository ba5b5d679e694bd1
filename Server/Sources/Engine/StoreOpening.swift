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

    /// Makes the directory that was examined ready: from here on it is changed.
    ///
    /// - Returns: its manifest, the first one for a new store.
    func begin(
        _ found: StoreExamination.Findings,
        _ randomness: any Randomness
    ) throws -> Manifest {
        for directory in [
            names.log, names.parts, names.totals, names.removed, names.quarantine,
        ] {
            try disk.createDirectory(directory)
        }
        guard var manifest = found.manifest else {
            let manifest = Manifest(storeKey: randomness.next())
            var renamed = false
            try manifest.write(names, disk, renamed: &renamed)
            return manifest
        }
        // A process that was killed may have renamed it without the name being on the disk yet; where a
        // sync of the directory failed, no later one brings that to the disk. What it no longer lists
        // is removed below: a power cut must not bring the one before it back. So it is put there anew,
        // in a file of its own: what a crash left may be the manifest itself under its other name.
        if try disk.list(names.directory).contains("MANIFEST.new") {
            try disk.remove(names.newManifest)
        }
        // What is set aside keeps its number for itself.
        let numbers = found.strangers.map(\.number)
        manifest.nextPart = max(manifest.nextPart, (numbers.max() ?? 0) + 1)
        var renamed = false
        do throws(DiskError) {
            try manifest.write(names, disk, renamed: &renamed)
        } catch {
            // A full disk must still answer.
            guard error.isOutOfSpace else { throw error }
            try disk.syncDirectory(names.directory)
        }
        for stranger in found.strangers {
            try disk.rename(stranger.path, to: names.quarantine + "/" + stranger.name)
        }
        // Where the sync after a removal failed, no later one brings that to the disk: it is made anew.
        for path in found.gone { _ = try disk.create(path) }
        for path in found.gone + found.garbage { try disk.remove(path) }
        if !found.garbage.isEmpty || !found.marks.isEmpty {
            // A file that came back without its mark would be taken for that of a later manifest: one
            // that a start before this one removed, too.
            try disk.syncDirectory(names.parts)
            try disk.syncDirectory(names.totals)
        }
        for path in found.marks { try disk.remove(path) }
        return manifest
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
        // Of two of one name set aside only the later would be left.
        let aside = (try? disk.list(names.quarantine)) ?? []
        let asideNumbers = aside.compactMap { FileNames.number(in: $0, suffix: ".log") }
        highest = max(highest, asideNumbers.max() ?? 0)
        // A segment that is not here now must not come back after a power cut: what stands in it and
        // was never acknowledged would be found.
        try disk.syncDirectory(names.log)
        let decoding = OrderedDecoding(decoder, threads: options.replayThreads)
        defer { decoding.close() }
        var replay = LogReplay(flushed: manifest.flushedSequence, keeper: keeper, decoding)
        var previous: UInt64?
        for number in numbers.sorted() {
            try replaySegment(number, after: previous, manifest, &replay)
            previous = number
        }
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
        after previous: UInt64?,
        _ manifest: Manifest,
        _ replay: inout LogReplay
    ) throws {
        let path = names.segment(number)
        let bytes = try disk.segmentBytes(path)
        try LogSegmentHeader.refuseOtherVersion(of: bytes, path)
        let key = LogSegmentHeader.key(store: manifest.storeKey, number: number)
        var scanner = LogScanner(bytes, key: key)
        let lostBefore = replay.found.lostBeforeEndCount
        var records: [LogRecord] = []
        while let record = scanner.next() { records.append(record) }
        // A write that went to the wrong place may have put a newer record before an older one. What
        // is flushed must be all that came before it.
        if zip(records, records.dropFirst()).contains(where: { $0.sequence > $1.sequence }) {
            records.sort { $0.sequence < $1.sequence }
        }
        for record in records { try replay.take(record) }
        replay.found.note(damaged: scanner.damaged)
        let isDamaged = replay.found.lostBeforeEndCount > lostBefore
        // What seemed to be torn at the end of the segment before was followed by others.
        if isDamaged, let previous { replay.noteDamage(in: previous) }
        try replay.close(
            LogSegments.Closed(
                number: number,
                byteCount: bytes.count,
                lastSequence: replay.found.highest,
                damaged: isDamaged,
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
                "\(names.manifest) cannot be read: \(error.what). Nothing was changed; restore "
                    + "a backup into a new folder"
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
        self.init("\(error). No data was lost; \(hint)")
    }
}
