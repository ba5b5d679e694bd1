// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store

/// The look at a directory before anything in it is changed: whatever a start refuses is found here.
///
/// Files that the manifest does not list are what a crash left, or what an older manifest does not
/// know. They must be told apart, for the first have to go and the second hold spans that are nowhere
/// else:
///
/// ```
/// marked (N.new beside N.part)   never listed by a manifest that lasts: it goes
/// number < next number           a later manifest than the one that listed it took it out, and its
///                                removal was cut short: it goes
/// number >= next number          listed by a later manifest than this one: refused
/// any, while a listed file is    a later manifest than this one took that out: refused
/// missing
/// ```
/// For a file is marked before it is made, and the mark lasts as long as the file may be there without a
/// lasting manifest that lists it (`StoreKeeper.mark`). Numbers are used once and rise.
///
/// What is no whole file of this store is nobody's work that is known here: it is set aside.
struct StoreExamination {
    let names: FileNames
    let disk: any Disk

    /// What may be changed.
    struct Findings {
        /// `nil` for a new store.
        var manifest: Manifest?
        /// Paths of files that go.
        var garbage: [String] = []
        /// Paths of marked files that went already, which may not last.
        var gone: [String] = []
        /// Paths of marks, which go after them.
        var marks: [String] = []
        /// Files in `parts/` and `totals/` that are not the store's.
        var strangers: [(name: String, number: UInt64, path: String)] = []
    }

    /// A file that the manifest does not list, and that is not marked.
    private struct Unlisted {
        let number: UInt64
        let name: String
        let path: String
        /// Whether it is a whole file of this store.
        let isWhole: Bool
    }

    /// - Throws: `EngineError` for what this program must not touch, `DiskError`.
    func run() throws -> Findings {
        let present = Set(try disk.list(names.directory))
        guard present.contains("MANIFEST") else {
            try refuseData(present)
            return Findings()
        }
        let manifest = try Manifest.read(names, disk).manifest
        let parts = try list(names.parts)
        let totals = try list(names.totals)
        try examine(parts: parts, manifest)
        try examine(totals: totals, manifest)
        try examineLog(manifest)
        var findings = Findings(manifest: manifest)
        let unlisted =
            try unlistedParts(parts, manifest, &findings)
            + unlistedTotals(totals, manifest, &findings)
        for file in unlisted where !file.isWhole {
            findings.strangers.append((file.name, file.number, file.path))
        }
        let whole = unlisted.filter(\.isWhole)
        if let missing = try missing(parts, totals, manifest), let file = whole.first {
            throw older(file, "and \(missing), which it lists, is missing")
        }
        if let file = whole.first(where: { $0.number >= manifest.nextPart }) {
            throw older(file, "and no crash leaves such a file")
        }
        findings.garbage += whole.map(\.path)
        return findings
    }

    private func list(_ folder: String) throws -> [String] {
        do throws(DiskError) {
            return try disk.list(folder)
        } catch {
            guard error.isMissing else { throw error }
            return []
        }
    }

    /// Refuses a directory that holds data and no manifest.
    private func refuseData(_ present: Set<String>) throws {
        let segments = try list(names.log)
        let parts = try list(names.parts)
        let totals = try list(names.totals)
        if segments.contains(where: { FileNames.number(in: $0, suffix: ".log") != nil })
            || parts.contains(where: { FileNames.number(in: $0, suffix: ".part") != nil })
            || totals.contains(where: { FileNames.number(in: $0, suffix: ".totals") != nil })
        {
            throw EngineError(
                "\(names.manifest) is missing although there is data beside it. Nothing was "
                    + "changed; restore a backup into a new folder"
            )
        }
    }

    // MARK: Versions and owners

    private func examine(parts: [String], _ manifest: Manifest) throws {
        for name in parts {
            guard let number = FileNames.number(in: name, suffix: ".part") else { continue }
            let path = names.part(number)
            // A file that cannot be read just now is met again where it is needed.
            guard let head = head(path, PartFormat.headByteCount),
                let version = PartFormat.version(of: head)
            else { continue }
            guard version == PartFormat.version else {
                throw EngineError.otherVersion(path, found: version, read: PartFormat.version)
            }
            try refuse(path, ofKey: PartFormat.storeKey(of: head), manifest)
        }
    }

    private func examine(totals: [String], _ manifest: Manifest) throws {
        for name in totals {
            guard let number = FileNames.number(in: name, suffix: ".totals") else { continue }
            let path = names.totals(number)
            guard let head = head(path, TotalsFileFormat.headByteCount),
                let version = TotalsFileFormat.version(of: head)
            else { continue }
            guard TotalsFileFormat.readVersions.contains(version) else {
                throw EngineError.otherVersion(path, found: version, read: TotalsFileFormat.version)
            }
            try refuse(path, ofKey: TotalsFileFormat.storeKey(of: head), manifest)
        }
    }

    private func examineLog(_ manifest: Manifest) throws {
        for number in try segmentNumbers() {
            let path = names.segment(number)
            try disk.refuseLong(path, limit: Limits.segmentFileBytes, "a log segment")
            guard let head = head(path, LogSegmentHeader.byteCount) else { continue }
            try LogSegmentHeader.refuseOtherVersion(of: head, path)
            guard let header = LogSegmentHeader(parsing: head), header.number == number else {
                continue
            }
            let key = LogSegmentHeader.key(store: manifest.storeKey, number: number)
            if header.key != key { throw stranger(path) }
        }
    }

    private func segmentNumbers() throws -> [UInt64] {
        try list(names.log).compactMap { FileNames.number(in: $0, suffix: ".log") }
    }

    private func head(_ path: String, _ byteCount: Int) -> [UInt8]? {
        try? disk.openForReading(path).read(at: 0, count: byteCount)
    }

    private func refuse(_ path: String, ofKey key: UInt64?, _ manifest: Manifest) throws {
        if let key, key != manifest.storeKey { throw stranger(path) }
    }

    private func stranger(_ path: String) -> EngineError {
        EngineError(
            "\(path) belongs to another store than \(names.manifest). Nothing was changed; put the "
                + "manifest of this directory back, or move the file away"
        )
    }

    // MARK: Files that the manifest does not list

    /// The first listed file that is neither in its place nor set aside.
    private func missing(
        _ parts: [String],
        _ totals: [String],
        _ manifest: Manifest
    ) throws -> String? {
        let there = Set(parts).union(totals).union(try list(names.quarantine))
        let listed =
            manifest.parts.filter { $0.lost == nil }.map { names.part($0.number) }
            + manifest.totals.map { names.totals($0.number) }
        return listed.first { !there.contains($0.lastComponent) }
    }

    private func unlistedParts(
        _ present: [String],
        _ manifest: Manifest,
        _ findings: inout Findings
    ) throws -> [Unlisted] {
        try unlisted(
            present,
            in: names.parts,
            ".part",
            listed: Set(manifest.parts.map(\.number)),
            &findings
        ) { file, byteCount, number in
            try PartFormat.check(
                head: try file.read(at: 0, count: PartFormat.headByteCount),
                storeKey: manifest.storeKey,
                number: number
            )
            let tail = try Self.tail(file, byteCount, PartFormat.tailByteCount)
            let reference = try PartFormat.directory(tail: tail)
            var reader = ByteReader(try reference.read(from: file, byteCount))
            _ = try PartDirectory(parsing: try reader.frame(Decompressor()))
        }
    }

    private func unlistedTotals(
        _ present: [String],
        _ manifest: Manifest,
        _ findings: inout Findings
    ) throws -> [Unlisted] {
        try unlisted(
            present,
            in: names.totals,
            ".totals",
            listed: Set(manifest.totals.map(\.number)),
            &findings
        ) { file, byteCount, number in
            try TotalsFileFormat.check(
                head: try file.read(at: 0, count: TotalsFileFormat.headByteCount),
                storeKey: manifest.storeKey,
                number: number
            )
            let tail = try Self.tail(file, byteCount, TotalsFileFormat.tailByteCount)
            let (reference, version) = try TotalsFileFormat.directory(tail: tail)
            var reader = ByteReader(try reference.read(from: file, byteCount))
            _ = try TotalsFileDirectory(
                parsing: try reader.frame(Decompressor()),
                version: version
            )
        }
    }

    private static func tail(
        _ file: any DiskFile,
        _ byteCount: UInt64,
        _ count: Int
    ) throws -> [UInt8] {
        try file.read(at: byteCount - min(byteCount, UInt64(count)), count: count)
    }

    /// The files of one folder that the manifest does not list.
    ///
    /// - Parameters:
    ///   - findings: gets the marks, and what is marked.
    ///   - read: throws `CorruptBytes` for what is no whole file of this store.
    private func unlisted(
        _ present: [String],
        in folder: String,
        _ suffix: String,
        listed: Set<UInt64>,
        _ findings: inout Findings,
        read: (any DiskFile, UInt64, UInt64) throws -> Void
    ) throws -> [Unlisted] {
        let marked = Set(present.compactMap { FileNames.number(in: $0, suffix: ".new") })
        var found: [Unlisted] = []
        for name in present {
            let path = folder + "/" + name
            if let number = FileNames.number(in: name, suffix: ".new") {
                findings.marks.append(path)
                let file = String(name.dropLast(4)) + suffix
                if !listed.contains(number), !present.contains(file) {
                    findings.gone.append(folder + "/" + file)
                }
            }
            guard let number = FileNames.number(in: name, suffix: suffix),
                !listed.contains(number)
            else { continue }
            if marked.contains(number) {
                findings.garbage.append(path)
                continue
            }
            var isWhole = true
            let file = try disk.openForReading(path)
            do {
                try read(file, try file.byteCount(), number)
            } catch is CorruptBytes {
                isWhole = false
            }
            found.append(Unlisted(number: number, name: name, path: path, isWhole: isWhole))
        }
        return found
    }

    private func older(_ file: Unlisted, _ why: String) -> EngineError {
        EngineError(
            "\(names.manifest) is older than the files beside it: it does not list \(file.path), "
                + "\(why). Nothing was changed; put the newest manifest of this directory back, or "
                + "restore a backup into a new folder. Without \(file.name) and its spans the store "
                + "starts once that file is moved away"
        )
    }
}
