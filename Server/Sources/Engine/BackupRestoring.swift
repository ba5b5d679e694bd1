// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// A backup on its way back.
///
/// What is copied follows from the manifest and from names that this program would give, never from
/// a path that a file states; links are not followed. The manifest is written last: until then the
/// directory is marked as unfinished and is no store.
struct BackupRestoring {
    private let backup: FileNames
    private let target: FileNames
    private let disk: any Disk
    private let decoder: any PayloadDecoder

    init(
        _ backup: String,
        _ directory: String,
        _ disk: any Disk,
        _ decoder: any PayloadDecoder
    ) {
        self.backup = FileNames(directory: backup)
        target = FileNames(directory: directory)
        self.disk = disk
        self.decoder = decoder
    }

    func run() throws -> StoreBackup.Summary {
        let marker = try readMarker()
        let (manifest, bytes) = try Manifest.read(backup, disk)
        let content = try BackupContent(backup, disk, marker, manifest)
        try disk.createDirectory(target.directory)
        let present = try disk.list(target.directory).filter { $0 != "LOCK" && $0 != "lost+found" }
        if let stranger = present.first {
            throw EngineError(
                "\(target.directory) is not empty (\(stranger)): a backup is restored into an empty "
                    + "or a new directory"
            )
        }
        guard let lock = try disk.lock(target.lock) else {
            throw EngineError("\(target.directory) is in use by another process: stop it")
        }
        defer { lock.release() }
        let unfinished = target.directory + "/" + FileNames.restoreMarker
        try disk.write([], to: unfinished)
        for directory in [target.log, target.parts, target.totals, target.quarantine] {
            try disk.createDirectory(directory)
        }
        try disk.syncDirectory(target.directory)
        for file in content.files { try copy(file) }
        try disk.copyCompanions(of: backup, to: target)
        try verify(manifest, content)
        for directory in [target.log, target.parts, target.totals] {
            try disk.syncDirectory(directory)
        }
        try disk.write(bytes, to: target.manifest)
        try disk.syncDirectory(target.directory)
        try disk.remove(unfinished)
        try disk.syncDirectory(target.directory)
        var summary = StoreBackup.Summary(marker, parts: content.partCount)
        summary.incomplete = manifest.parts.compactMap { part in
            part.lost.map {
                "part \(part.number) with \(part.spanCount) spans was set aside: \($0)"
            }
        }
        return summary
    }

    private func readMarker() throws -> BackupMarker {
        let path = backup.directory + "/" + FileNames.backupMarker
        guard !backup.directory.hasSuffix(".partial") else {
            throw EngineError(
                "\(backup.directory) is a backup that was interrupted: make a new one, which clears it "
                    + "away"
            )
        }
        guard try disk.list(backup.directory).contains(FileNames.backupMarker) else {
            throw EngineError(
                "\(backup.directory) is no backup, for it has no BACKUP file: name a directory that "
                    + "`skein backup` made"
            )
        }
        do {
            return try BackupMarker(
                parsing: try disk.bytes(of: path, limit: Limits.markerBytes, "a BACKUP file")
            )
        } catch let error as CorruptBytes {
            throw EngineError("\(path) cannot be read: \(error.what). Nothing was restored")
        }
    }

    private func copy(_ file: BackupContent.File) throws {
        let sum = try disk.copy(file.path(in: backup), to: file.path(in: target))
        guard sum.byteCount == file.stated.byteCount,
            file.isPart || sum.checksum == file.stated.checksum
        else {
            throw EngineError(
                "\(file.path(in: backup)) is damaged: it is not what the backup's BACKUP file "
                    + "states. \(target.directory) is left unfinished; use another backup"
            )
        }
    }

    private func verify(_ manifest: Manifest, _ content: BackupContent) throws {
        for entry in manifest.parts where entry.lost == nil {
            do throws(PartDamage) {
                let part = try Part(
                    entry,
                    storeKey: manifest.storeKey,
                    names: target,
                    disk: ReadingDisk(disk)
                )
                try part.verify()
            } catch {
                throw EngineError(
                    "\(backup.part(entry.number)) is damaged: \(error.what). \(target.directory) is "
                        + "left unfinished; use another backup"
                )
            }
        }
        for entry in manifest.totals {
            do {
                let file = try TotalsFile(
                    entry,
                    storeKey: manifest.storeKey,
                    names: target,
                    disk: ReadingDisk(disk)
                )
                try file.verify()
            } catch {
                try ReadingDisk(disk).refuseOtherVersion(ofTotals: target.totals(entry.number))
                throw EngineError(
                    "\(backup.totals(entry.number)) is damaged: "
                        + "\((error as? PartDamage)?.what ?? "\(error)"). \(target.directory) is left "
                        + "unfinished; use another backup"
                )
            }
        }
        var check = LogVerification(target, ReadingDisk(disk), manifest, decoder)
        for number in content.segments { try check.take(number) }
        // Those that the store had lost already were told when the backup was made.
        guard check.undecodableCount == 0 else {
            throw EngineError(
                "\(backup.log) is damaged: \(check.undecodableCount) records cannot be decoded. "
                    + "\(target.directory) is left unfinished; use another backup"
            )
        }
    }
}

/// The files of a backup, by what they are.
struct BackupContent {
    enum Kind: Equatable {
        case segment, part, totals
    }

    struct File {
        let kind: Kind
        let number: UInt64
        /// As the marker states it.
        let stated: BackupMarker.File

        var isPart: Bool { kind == .part }

        func path(in names: FileNames) -> String {
            switch kind {
            case .segment: names.segment(number)
            case .part: names.part(number)
            case .totals: names.totals(number)
            }
        }
    }

    private(set) var files: [File] = []

    var partCount: Int { files.count { $0.isPart } }

    var segments: [UInt64] { files.filter { $0.kind == .segment }.map(\.number).sorted() }

    /// Compares marker, manifest and directory.
    ///
    /// - Throws: `EngineError` where they do not agree.
    init(
        _ names: FileNames,
        _ disk: any Disk,
        _ marker: BackupMarker,
        _ manifest: Manifest
    ) throws {
        func refuse(_ what: String) -> EngineError {
            EngineError("\(names.directory) is damaged: \(what). Nothing was restored")
        }
        var stated: [String: BackupMarker.File] = [:]
        for file in marker.files {
            guard stated.updateValue(file, forKey: file.path) == nil else {
                throw refuse("its BACKUP file names \(file.path) twice")
            }
        }
        let sum = try disk.read(names.manifest)
        guard let own = stated.removeValue(forKey: "MANIFEST"), own.byteCount == sum.byteCount,
            own.checksum == sum.checksum
        else { throw refuse("its MANIFEST is not the one that its BACKUP file states") }
        for name in try disk.list(names.log) {
            guard let number = FileNames.number(in: name, suffix: ".log") else { continue }
            guard let file = stated.removeValue(forKey: "log/" + name) else {
                throw refuse("its BACKUP file does not name log/\(name)")
            }
            files.append(File(kind: .segment, number: number, stated: file))
        }
        for part in manifest.parts where part.lost == nil {
            let path = FileNames.relativePart(part.number)
            guard let file = stated.removeValue(forKey: path), file.byteCount == part.byteCount,
                file.checksum == part.checksum
            else { throw refuse("MANIFEST and BACKUP do not agree about \(path)") }
            files.append(File(kind: .part, number: part.number, stated: file))
        }
        for totals in manifest.totals {
            let path = FileNames.relativeTotals(totals.number)
            guard let file = stated.removeValue(forKey: path), file.byteCount == totals.byteCount,
                file.checksum == totals.checksum
            else { throw refuse("MANIFEST and BACKUP do not agree about \(path)") }
            files.append(File(kind: .totals, number: totals.number, stated: file))
        }
        if let path = stated.keys.min() { throw refuse("\(path.debugDescription) is missing") }
    }
}
