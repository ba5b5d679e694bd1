// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Synchronization

/// An open totals file (`TotalsFileFormat`). Its directory is in memory, all else is read on demand.
final class TotalsFile: Sendable, TotalsSource {
    let entry: Manifest.TotalsFile
    let directory: TotalsFileDirectory
    private let file: any DiskFile
    private let cache: PartCache
    /// By chunk of call statistics that was read once: the first minute that it may stand for.
    private let firstCovered = Mutex<[Int: UInt64]>([:])

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

    /// Which of its changes are of minutes that `wanted` touches, and perhaps of more.
    func changes(in wanted: Range<UInt64>) -> [Int] {
        directory.changes.indices.filter {
            directory.changes[$0].minutes.lowerBound < wanted.upperBound
                && directory.changes[$0].minutes.upperBound >= wanted.lowerBound
        }
    }

    /// A chunk of changes.
    func changes(_ number: Int) throws(PartDamage) -> TotalsFacts {
        let key = PartCache.Key(part: entry.number, kind: .totals, column: -1, page: number)
        if case .totalsFacts(let known) = cache.find(key) { return known }
        var reader = ByteReader(try chunk(directory.changes[number].chunk))
        do throws(CorruptBytes) {
            let facts = try TotalsFacts(parsing: try reader.frame(Decompressor()))
            cache.insert(.totalsFacts(facts), facts.byteCount, key)
            return facts
        } catch { throw damage(error.what) }
    }

    /// Which of its call statistics are of the minutes `wanted`, or may stand for spans of these, and
    /// perhaps more.
    func calls(in wanted: Range<UInt64>) -> [Int] {
        let behind = wanted.upperBound + TotalsCoverage.longestReach
        return directory.calls.indices.filter { number in
            let minutes = directory.calls[number].minutes
            guard minutes.lowerBound >= wanted.upperBound else {
                return minutes.upperBound >= wanted.lowerBound
            }
            let known = firstCovered.withLock { $0[number] }
            return minutes.lowerBound < behind && known ?? 0 < wanted.upperBound
        }
    }

    /// A chunk of call statistics.
    func calls(_ number: Int) throws(PartDamage) -> TotalsCallsChunk {
        let key = PartCache.Key(part: entry.number, kind: .totals, column: -2, page: number)
        if case .totalsCalls(let known) = cache.find(key) { return known }
        var reader = ByteReader(try chunk(directory.calls[number].chunk))
        do throws(CorruptBytes) {
            let calls = try TotalsCallsChunk(parsing: try reader.frame(Decompressor()))
            firstCovered.withLock { $0[number] = calls.firstCovered }
            cache.insert(.totalsCalls(calls), calls.byteCount, key)
            return calls
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

    /// Reads all of it.
    func verify() throws {
        if let section = try section() { try section.verify() }
        for number in directory.changes.indices { _ = try changes(number) }
        for number in directory.calls.indices { _ = try calls(number) }
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
