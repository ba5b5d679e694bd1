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
        for directory in [names.log, names.parts, names.quarantine] {
            try disk.createDirectory(directory)
        }
        guard try disk.list(names.directory).contains("MANIFEST") else {
            return try makeManifest(randomness)
        }
        let file = try disk.open(names.manifest)
        let bytes = try file.read(at: 0, count: Int(clamping: try file.byteCount()))
        do {
            return try Manifest(parsing: bytes)
        } catch {
            throw EngineError(
                "\(names.manifest) cannot be read: \(error.what). Nothing was changed; put the "
                    + "file back from a backup, or open the directory with the version that wrote it"
            )
        }
    }

    private func makeManifest(_ randomness: any Randomness) throws -> Manifest {
        let segments = try disk.list(names.log)
        let parts = try disk.list(names.parts)
        if segments.contains(where: { FileNames.number(in: $0, suffix: ".log") != nil })
            || parts.contains(where: { FileNames.number(in: $0, suffix: ".part") != nil })
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

    /// Removes what a crash left half made, and parts that nothing refers to.
    func removeGarbage(_ manifest: Manifest) throws {
        if try disk.list(names.directory).contains("MANIFEST.new") {
            try disk.remove(names.newManifest)
        }
        let live = Set(manifest.parts.map(\.number))
        for name in try disk.list(names.parts) {
            let isHalfMade = FileNames.number(in: name, suffix: ".new") != nil
            let number = FileNames.number(in: name, suffix: ".part")
            if isHalfMade || number.map({ !live.contains($0) }) ?? false {
                try disk.remove(names.parts + "/" + name)
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
                highest = max(highest, number)
                let file = try disk.open(names.freeSegment(number))
                keeper.segments.add(free: number, byteCount: Int(clamping: try file.byteCount()))
            }
        }
        var replay = LogReplay(flushed: manifest.flushedSequence)
        for number in numbers.sorted() {
            try replaySegment(number, manifest, into: keeper, decoder, &replay)
        }
        keeper.note(damagedRecords: replay.lostCount)
        return LogAppender.Start(
            storeKey: manifest.storeKey,
            segmentNumber: highest + 1,
            sequence: replay.highest + 1
        )
    }

    private func replaySegment(
        _ number: UInt64,
        _ manifest: Manifest,
        into keeper: StoreKeeper,
        _ decoder: any PayloadDecoder,
        _ replay: inout LogReplay
    ) throws {
        let path = names.segment(number)
        let file = try disk.open(path)
        let bytes = try file.read(at: 0, count: Int(clamping: try file.byteCount()))
        if let version = LogSegmentHeader.version(of: bytes), version != LogSegmentHeader.version {
            throw EngineError(
                "\(path) has format version \(version), this program reads "
                    + "\(LogSegmentHeader.version): open the directory with the version that wrote it"
            )
        }
        let key = LogSegmentHeader.key(store: manifest.storeKey, number: number)
        var scanner = LogScanner(bytes, key: key)
        let lostBefore = replay.lostCount
        while let record = scanner.next() {
            guard replay.take(record.sequence) else { continue }
            do {
                let columns = try decoder.decode(record.payload)
                keeper.insert(
                    HeadBatch(
                        SpanTable(columns),
                        payload: record.payload,
                        sequence: record.sequence
                    ),
                    isNew: false
                )
            } catch {
                replay.noteUndecodable()
            }
        }
        replay.note(damaged: scanner.damaged)
        keeper.segments.add(
            closed: LogSegments.Closed(
                number: number,
                byteCount: bytes.count,
                lastSequence: replay.highest,
                damaged: replay.lostCount > lostBefore
            )
        )
        if keeper.isHeadFull || keeper.isLogLong { try keeper.flush() }
    }
}

/// Which records of the log were found, so that missing ones can be counted.
struct LogReplay {
    /// Newest sequence known to the store.
    private(set) var highest: UInt64
    private let flushed: UInt64
    private var found: Set<UInt64> = []
    private var damaged: Set<UInt64> = []
    private var undecodable: UInt64 = 0

    init(flushed: UInt64) {
        self.flushed = flushed
        highest = flushed
    }

    /// Notes a record; `false` when its spans are in a part already.
    mutating func take(_ sequence: UInt64) -> Bool {
        guard sequence > flushed else { return false }
        found.insert(sequence)
        highest = max(highest, sequence)
        return true
    }

    /// Notes the sequences that records with a wrong checksum state. Only one next to those found
    /// counts: a damaged number may say anything.
    mutating func note(damaged sequences: [UInt64]) {
        for sequence in sequences where sequence > flushed { damaged.insert(sequence) }
    }

    mutating func noteUndecodable() { undecodable += 1 }

    /// Records that were written and cannot be read. One torn by a crash before it was acknowledged
    /// counts too, for it cannot be told from one that was.
    var lostCount: UInt64 {
        let gaps = highest - flushed - UInt64(found.count)
        var torn: UInt64 = 0
        while damaged.contains(highest + 1 + torn) { torn += 1 }
        return gaps + torn + undecodable
    }
}
