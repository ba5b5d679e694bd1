// SPDX-License-Identifier: Apache-2.0

public import Platform
public import Store

/// Reads everything that a store or a backup consists of, and says what is damaged. Changes nothing
/// and needs no lock: where a running server replaces files meanwhile, their successors are read.
public struct StoreVerification {
    /// What was found.
    public struct Summary: Sendable {
        public var fileCount = 0
        public var spanCount: UInt64 = 0
        /// Requests in the log that are not in parts yet.
        public var recordCount: UInt64 = 0
        public var byteCount: UInt64 = 0
        /// Files that are damaged or missing, or were set aside because they are.
        public var damagedCount = 0

        /// Whether all that was ever acknowledged, and was not removed, can be read.
        public var isSound: Bool { damagedCount == 0 }
    }

    private let names: FileNames
    private let disk: any Disk
    private let decoder: any PayloadDecoder
    private let tell: (String) -> Void
    private var summary = Summary()
    private var verifiedParts: Set<UInt64> = []
    private var verifiedTotals: Set<UInt64> = []
    private var toldLost: Set<UInt64> = []

    /// Verifies the store or the backup in `directory`.
    ///
    /// - Parameters:
    ///   - decoder: reads the log's payloads, as at a start.
    ///   - tell: is called with a line for each file.
    /// - Throws: `EngineError` where there is no store, or one of another format version.
    public static func verify(
        directory: String,
        disk: any Disk = PosixDisk(),
        decoder: any PayloadDecoder,
        tell: (String) -> Void
    ) throws -> Summary {
        try withoutActuallyEscaping(tell) { tell in
            var verification = StoreVerification(
                names: FileNames(directory: directory),
                disk: ReadingDisk(disk),
                decoder: decoder,
                tell: tell
            )
            do {
                try verification.run()
            } catch let error as DiskError {
                throw EngineError(error)
            }
            return verification.summary
        }
    }

    private init(
        names: FileNames,
        disk: any Disk,
        decoder: any PayloadDecoder,
        tell: @escaping (String) -> Void
    ) {
        self.names = names
        self.disk = disk
        self.decoder = decoder
        self.tell = tell
    }

    private mutating func run() throws {
        let present = try disk.list(names.directory)
        guard present.contains("MANIFEST") else {
            throw EngineError(
                "\(names.directory) holds no Skein data: there is no MANIFEST in it"
            )
        }
        for _ in 0..<Limits.verificationAttempts {
            let (manifest, bytes) = try Manifest.read(names, disk)
            try verifyParts(manifest)
            try verifyTotals(manifest)
            let log = try verifyLog(manifest)
            // What was merged, flushed or removed meanwhile has successors to be read.
            guard try Manifest.read(names, disk).bytes == bytes else { continue }
            for line in log.lines { tell(line) }
            summary.recordCount = log.recordCount
            summary.damagedCount += log.damagedCount
            summary.fileCount += log.lines.count + 1
            summary.byteCount += log.byteCount + UInt64(bytes.count)
            tell("ok       MANIFEST: \(bytes.count) bytes")
            try verifyRemoved(manifest)
            try verifyRest(manifest, isBackup: present.contains(FileNames.backupMarker))
            return
        }
        throw EngineError("\(names.directory) changed faster than it could be read: try again")
    }

    // MARK: Parts and totals

    private mutating func verifyParts(_ manifest: Manifest) throws {
        for entry in manifest.parts where !verifiedParts.contains(entry.number) {
            if let reason = entry.lost {
                guard toldLost.insert(entry.number).inserted else { continue }
                damaged(
                    FileNames.relativePart(entry.number),
                    "\(entry.spanCount) spans were set aside: \(reason)"
                )
                continue
            }
            do throws(PartDamage) {
                let part = try Part(
                    entry,
                    storeKey: manifest.storeKey,
                    names: names,
                    disk: disk
                )
                try part.verify()
            } catch {
                let now = try Manifest.read(names, disk).manifest
                guard now.parts.contains(entry) else { continue }
                if let file = try? disk.open(names.part(entry.number)),
                    let head = try? file.read(at: 0, count: PartFormat.headByteCount),
                    let version = PartFormat.version(of: head), version != PartFormat.version
                {
                    throw EngineError.otherVersion(
                        names.part(entry.number),
                        found: version,
                        read: PartFormat.version
                    )
                }
                verifiedParts.insert(entry.number)
                damaged(FileNames.relativePart(entry.number), error.what)
                continue
            }
            verifiedParts.insert(entry.number)
            summary.fileCount += 1
            summary.spanCount += entry.spanCount
            summary.byteCount += entry.byteCount
            tell(
                "ok       \(FileNames.relativePart(entry.number)): \(entry.spanCount) spans, "
                    + "\(entry.byteCount) bytes"
            )
        }
    }

    private mutating func verifyTotals(_ manifest: Manifest) throws {
        for entry in manifest.totals where verifiedTotals.insert(entry.number).inserted {
            let path = FileNames.relativeTotals(entry.number)
            do {
                let sum = try disk.read(names.totals(entry.number))
                let file = try TotalsFile(
                    entry,
                    storeKey: manifest.storeKey,
                    names: names,
                    disk: disk
                )
                try file.verify()
                guard sum == (entry.byteCount, entry.checksum) else {
                    throw file.damage("it is not the file that the manifest lists")
                }
                summary.fileCount += 1
                summary.byteCount += entry.byteCount
                tell(
                    "ok       \(path): totals of \(file.directory.partCount) parts, "
                        + "\(entry.byteCount) bytes"
                )
                for gap in file.directory.gaps {
                    tell("missing  \(path): \(TotalsFile.reason(gap))")
                }
            } catch {
                let now = try Manifest.read(names, disk).manifest
                guard now.totals.contains(entry) else { continue }
                try disk.refuseOtherVersion(ofTotals: names.totals(entry.number))
                damaged(path, (error as? PartDamage)?.what ?? "\(error)")
            }
        }
    }

    private mutating func damaged(_ path: String, _ what: String) {
        summary.fileCount += 1
        summary.damagedCount += 1
        tell("DAMAGED  \(path): \(what)")
    }

    /// What is remembered of removed traces: a backup has none of it.
    private mutating func verifyRemoved(_ manifest: Manifest) throws {
        for name in (try? disk.list(names.removed)) ?? [] {
            guard let number = FileNames.number(in: name, suffix: ".ids") else { continue }
            let path = FileNames.relativeRemoved(number)
            do {
                let file = try disk.openForReading(names.removed(number))
                let removed = try RemovedTraces(
                    file,
                    number: number,
                    storeKey: manifest.storeKey
                )
                try removed.verify(file)
                summary.fileCount += 1
                summary.byteCount += removed.byteCount
                tell(
                    "ok       \(path): \(removed.traceCount) removed traces, "
                        + "\(removed.byteCount) bytes"
                )
            } catch let error as DiskError where error.isMissing {
                // Forgotten meanwhile.
            } catch let error as CorruptBytes {
                damaged(path, "\(error.what); no span is lost, the file may be removed")
            } catch {
                damaged(path, "\(error)")
            }
        }
    }

    // MARK: The log

    private struct Log {
        var lines: [String] = []
        var recordCount: UInt64 = 0
        var byteCount: UInt64 = 0
        var damagedCount = 0
    }

    /// Reads the log until nothing is missing in it, or several times: a record may be written while
    /// its segment is read.
    private func verifyLog(_ manifest: Manifest) throws -> Log {
        var log = Log()
        for _ in 0..<Limits.logReadings {
            log = Log()
            var check = LogVerification(names, disk, manifest, decoder)
            for name in try disk.list(names.log) {
                guard let number = FileNames.number(in: name, suffix: ".log") else { continue }
                do {
                    let segment = try check.take(number)
                    log.byteCount += UInt64(segment.byteCount)
                    if segment.undecodableCount > 0 { log.damagedCount += 1 }
                    log.lines.append(Self.line(name, segment))
                } catch let error as DiskError where error.isMissing {
                    continue
                }
            }
            log.recordCount = check.recordCount
            guard check.missingCount > 0 else { break }
            log.damagedCount += 1
            log.lines.append("DAMAGED  log: \(check.missingCount) records are missing")
        }
        return log
    }

    private static func line(_ name: String, _ segment: LogVerification.Segment) -> String {
        let word = segment.undecodableCount > 0 ? "DAMAGED " : "ok      "
        var line =
            "\(word) log/\(name): \(segment.recordCount) records, \(segment.waitingCount) in no part "
            + "yet, \(segment.byteCount) bytes"
        if segment.damagedCount > 0 {
            line += ", \(segment.damagedCount) cut off or damaged"
        }
        if segment.undecodableCount > 0 {
            line += ", \(segment.undecodableCount) not to be decoded"
        }
        return line
    }

    // MARK: The rest

    private mutating func verifyRest(_ manifest: Manifest, isBackup: Bool) throws {
        if isBackup {
            do {
                let path = names.directory + "/" + FileNames.backupMarker
                let marker = try BackupMarker(
                    parsing: try disk.bytes(of: path, limit: Limits.markerBytes, "a BACKUP file")
                )
                let content = try BackupContent(names, disk, marker, manifest)
                for file in content.files where !file.isPart {
                    let sum = try disk.read(file.path(in: names))
                    guard sum == (file.stated.byteCount, file.stated.checksum) else {
                        damaged(file.stated.path, "it is not what the BACKUP file states")
                        continue
                    }
                }
                summary.fileCount += 1
                tell("ok       BACKUP: made at \(marker.madeAt)")
            } catch let error as CorruptBytes {
                damaged("BACKUP", error.what)
            } catch let error as EngineError {
                damaged("BACKUP", error.description)
            }
        }
        for name in (try? disk.list(names.quarantine)) ?? [] {
            tell("aside    quarantine/\(name): damaged, kept for whoever wants to look at it")
        }
    }
}
