// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// A part that could not be read as it should.
struct PartDamage: Error {
    let number: UInt64
    let what: String
    /// The disk refused to read; the file itself may be whole.
    let isReadFailure: Bool
}

/// An open part. Its directory is in memory; all else is read on demand, and what many queries need
/// of that is held for a while by the cache that all parts share.
final class Part: Sendable {
    let entry: Manifest.Entry
    let directory: PartDirectory
    private let file: any DiskFile
    let cache: PartCache
    /// Whether spans may stand for several; see `maySample`.
    let sampling = SamplingThreshold.Memory()
    let lowest = SamplingThreshold.Lowest()

    var number: UInt64 { entry.number }

    /// Opens the part that `entry` lists. Reads its head, its end and its directory, nothing else.
    init(
        _ entry: Manifest.Entry,
        storeKey: UInt64,
        names: FileNames,
        disk: any Disk,
        cache: PartCache = PartCache(byteLimit: Limits.partCacheBytes)
    ) throws(PartDamage) {
        self.entry = entry
        self.cache = cache
        do {
            file = try disk.open(names.part(entry.number))
            guard try file.byteCount() == entry.byteCount,
                entry.byteCount >= UInt64(PartFormat.headByteCount + PartFormat.tailByteCount)
            else { throw CorruptBytes(what: "it has the wrong length") }
            try PartFormat.check(
                head: try file.read(at: 0, count: PartFormat.headByteCount),
                storeKey: storeKey,
                number: entry.number
            )
            let tail = try file.read(
                at: entry.byteCount - UInt64(PartFormat.tailByteCount),
                count: PartFormat.tailByteCount
            )
            let reference = try PartFormat.directory(tail: tail)
            guard reference.checksum == entry.checksum else {
                throw CorruptBytes(what: "it is not the file that the manifest lists")
            }
            var reader = ByteReader(try Self.chunk(reference, of: file, entry))
            directory = try PartDirectory(parsing: try reader.frame(Decompressor()))
            guard directory.tenant == entry.tenant, directory.spanCount == Int(entry.spanCount)
            else { throw CorruptBytes(what: "it is not the part that the manifest lists") }
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

    /// Reads and checks one chunk.
    func chunk(_ reference: ChunkReference) throws(PartDamage) -> [UInt8] {
        do {
            return try Self.chunk(reference, of: file, entry)
        } catch let error as CorruptBytes {
            throw damage(error.what)
        } catch {
            throw PartDamage(number: number, what: "\(error)", isReadFailure: true)
        }
    }

    func damage(_ what: String) -> PartDamage {
        PartDamage(number: number, what: what, isReadFailure: false)
    }

    private static func chunk(
        _ reference: ChunkReference,
        of file: any DiskFile,
        _ entry: Manifest.Entry
    ) throws -> [UInt8] {
        try reference.read(from: file, entry.byteCount)
    }

    // MARK: What queries share

    /// What the numbers in the columns mean; read when first needed.
    func vocabulary() throws(PartDamage) -> Vocabulary {
        if case .vocabulary(let known) = cache.find(key(.vocabulary)) { return known }
        let bytes = try chunk(directory.vocabulary)
        do throws(CorruptBytes) {
            let made = try Vocabulary(
                try PartVocabulary(chunk: bytes, Decompressor()),
                of: directory
            )
            cache.insert(.vocabulary(made), made.byteCount, key(.vocabulary))
            return made
        } catch { throw damage(error.what) }
    }

    /// The index of a column's dictionary; `nil` where it has none.
    func dictionary(
        _ column: Int,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> TextDictionary? {
        guard directory.columns[column].hasDictionary else { return nil }
        let key = key(.dictionary, column)
        if case .dictionary(let known) = cache.find(key) { return known }
        let bytes = try chunk(directory.columns[column].dictionary)
        do throws(CorruptBytes) {
            let made = try TextDictionary(chunk: bytes, decompressor)
            cache.insert(.dictionary(made), 4 * bytes.count + 100 * made.pages.count, key)
            return made
        } catch { throw damage(error.what) }
    }

    /// The texts of one page of a dictionary, ascending.
    func texts(
        _ page: Int,
        of dictionary: TextDictionary,
        _ column: Int,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> PackedTexts {
        let key = key(.texts, column, page)
        if case .texts(let known) = cache.find(key) { return known }
        let made = try readTexts(page, of: dictionary, decompressor)
        cache.insert(.texts(made), made.byteCount + 8 * made.count + 100, key)
        return made
    }

    /// The same without a place in the cache, for whoever reads all pages once.
    func readTexts(
        _ page: Int,
        of dictionary: TextDictionary,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> PackedTexts {
        var reader = ByteReader(try chunk(dictionary.pages[page].texts))
        do throws(CorruptBytes) {
            let texts = try PackedTexts(sorted: &reader, decompressor)
            guard texts.count == dictionary.pages[page].count else {
                throw CorruptBytes(what: "a dictionary is damaged")
            }
            return texts
        } catch { throw damage(error.what) }
    }

    /// Which blocks hold the values of a run: those of a dictionary's page, forms or resources.
    func postings(
        _ reference: ChunkReference,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> Postings {
        let key = key(.postings, Int(truncatingIfNeeded: reference.offset))
        if case .postings(let known) = cache.find(key) { return known }
        let bytes = try chunk(reference)
        do throws(CorruptBytes) {
            let made = try Postings(
                chunk: bytes,
                blockCount: directory.blocks.count,
                decompressor
            )
            cache.insert(.postings(made), 8 * made.count + 4 * bytes.count + 100, key)
            return made
        } catch { throw damage(error.what) }
    }

    /// The index of a column's value filter; `nil` where it has none.
    func filter(_ column: Int) throws(PartDamage) -> ValueFilter? {
        guard !directory.columns[column].filter.isNone else { return nil }
        let key = key(.filter, column)
        if case .filter(let known) = cache.find(key) { return known }
        let bytes = try chunk(directory.columns[column].filter)
        do throws(CorruptBytes) {
            let made = try ValueFilter(chunk: bytes)
            cache.insert(.filter(made), 16 * made.pages.count + 100, key)
            return made
        } catch { throw damage(error.what) }
    }

    private func key(_ kind: PartCache.Kind, _ column: Int = 0, _ page: Int = 0) -> PartCache.Key {
        PartCache.Key(part: number, kind: kind, column: column, page: page)
    }
}
