// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// An open totals file (`TotalsFileFormat`). Its directory is in memory, all else is read on demand.
final class TotalsFile: Sendable, TotalsSource {
    let entry: Manifest.TotalsFile
    let directory: TotalsFileDirectory
    private let file: any DiskFile
    private let cache: PartCache

    var number: UInt64 { entry.number }

    /// Opens the file that `entry` lists. Reads its head, its end and its directory, nothing else.
    init(
        _ entry: Manifest.TotalsFile,
        storeKey: UInt64,
        names: FileNames,
        disk: any Disk,
        cache: PartCache = PartCache(byteLimit: 0)
    ) throws(PartDamage) {
        self.entry = entry
        self.cache = cache
        do {
            file = try disk.open(names.totals(entry.number))
            guard try file.byteCount() == entry.byteCount,
                entry.byteCount
                    >= UInt64(TotalsFileFormat.headByteCount + TotalsFileFormat.tailByteCount)
            else { throw CorruptBytes(what: "it has the wrong length") }
            try TotalsFileFormat.check(
                head: try file.read(at: 0, count: TotalsFileFormat.headByteCount),
                storeKey: storeKey,
                number: entry.number
            )
            let tail = try file.read(
                at: entry.byteCount - UInt64(TotalsFileFormat.tailByteCount),
                count: TotalsFileFormat.tailByteCount
            )
            let (reference, version) = try TotalsFileFormat.directory(tail: tail)
            var reader = ByteReader(try reference.read(from: file, entry.byteCount))
            directory = try TotalsFileDirectory(
                parsing: try reader.frame(Decompressor()),
                version: version
            )
            guard directory.tenant == entry.tenant, directory.firstStart == entry.firstStart,
                directory.lastStart == entry.lastStart, directory.receivedAt == entry.receivedAt
            else { throw CorruptBytes(what: "it is not the file that the manifest lists") }
        } catch let error as DiskError {
            throw PartDamage(
                number: entry.number,
                what: error.isMissing ? "the file is missing" : error.description,
                isReadFailure: !error.isMissing
            )
        } catch let error as CorruptBytes {
            throw PartDamage(number: entry.number, what: error.what, isReadFailure: false)
        } catch {
            throw PartDamage(number: entry.number, what: "\(error)", isReadFailure: true)
        }
    }

    deinit { cache.forget(part: number) }

    func chunk(_ reference: ChunkReference) throws(PartDamage) -> [UInt8] {
        do {
            return try reference.read(from: file, entry.byteCount)
        } catch let error as CorruptBytes {
            throw damage(error.what)
        } catch {
            throw PartDamage(number: number, what: "\(error)", isReadFailure: true)
        }
    }

    func damage(_ what: String) -> PartDamage {
        PartDamage(number: number, what: what, isReadFailure: false)
    }

    /// Its section; `nil` where it has none.
    func section() throws(PartDamage) -> TotalsSection? {
        guard !directory.section.isNone else { return nil }
        return try TotalsSection(self, directory.section, number, cache)
    }

    /// Calls `body` with the changes of minutes that `wanted` touches, and perhaps of more.
    func forEachChange(
        in wanted: Range<UInt64>,
        _ body: (TotalsFacts) throws -> Void
    ) throws {
        let decompressor = Decompressor()
        for changes in directory.changes
        where changes.minutes.lowerBound < wanted.upperBound
            && changes.minutes.upperBound >= wanted.lowerBound
        {
            try body(try facts(changes.chunk, decompressor))
        }
    }

    /// Calls `body` with the call statistics of minutes that `wanted` touches, and perhaps of more.
    func forEachCalls(
        in wanted: Range<UInt64>,
        _ body: (TotalsCalls) throws -> Void
    ) throws {
        let decompressor = Decompressor()
        for calls in directory.calls
        where calls.minutes.lowerBound < wanted.upperBound
            && calls.minutes.upperBound >= wanted.lowerBound
        {
            try body(try self.calls(calls.chunk, decompressor))
        }
    }

    private func calls(
        _ reference: ChunkReference,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> TotalsCalls {
        var reader = ByteReader(try chunk(reference))
        do throws(CorruptBytes) {
            return try TotalsCalls(parsing: try reader.frame(decompressor))
        } catch { throw damage(error.what) }
    }

    /// The windows whose calls are counted here, as far as they are still known.
    func windows() throws(PartDamage) -> KnownWindows {
        guard !directory.windows.isNone else { return KnownWindows() }
        var reader = ByteReader(try chunk(directory.windows))
        do throws(CorruptBytes) {
            return try KnownWindows(parsing: try reader.frame(Decompressor()))
        } catch { throw damage(error.what) }
    }

    private func facts(
        _ reference: ChunkReference,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> TotalsFacts {
        var reader = ByteReader(try chunk(reference))
        do throws(CorruptBytes) {
            return try TotalsFacts(parsing: try reader.frame(decompressor))
        } catch { throw damage(error.what) }
    }

    /// Reads all of it.
    func verify() throws {
        if let section = try section() { try section.verify() }
        try forEachChange(in: 0..<UInt64.max) { _ in }
        try forEachCalls(in: 0..<UInt64.max) { _ in }
        _ = try windows()
    }

    /// What answers say of spans that went without being counted.
    static func reason(_ gap: TotalsFileDirectory.Gap) -> String {
        gap.spanCount == 0
            ? gap.reason : "\(gap.spanCount) spans were removed uncounted: \(gap.reason)"
    }
}

extension ChunkReference {
    /// The stored bytes, checked.
    ///
    /// - Parameter end: where the file ends.
    /// - Throws: `CorruptBytes`, or what the disk throws.
    func read(from file: any DiskFile, _ end: UInt64) throws -> [UInt8] {
        guard offset <= end, UInt64(byteCount) <= end - offset else {
            throw CorruptBytes(what: "a chunk lies past the end")
        }
        let bytes = try file.read(at: offset, count: Int(byteCount))
        guard bytes.count == Int(byteCount), CRC32C.checksum(bytes) == checksum else {
            throw CorruptBytes(what: "the chunk at byte \(offset) fails its checksum")
        }
        return bytes
    }
}

extension TotalsSection {
    /// Reads every page.
    func verify() throws(PartDamage) {
        let decompressor = Decompressor()
        for number in index.pages.indices {
            let page = try page(number, decompressor)
            _ = try minutes(number, page, decompressor)
            _ = try steps(number, page)
        }
    }
}
