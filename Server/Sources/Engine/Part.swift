// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

/// A part that could not be read as it should.
struct PartDamage: Error {
    let number: UInt64
    let what: String
    /// The disk refused to read; the file itself may be whole.
    let isReadFailure: Bool
}

/// An open part. Its directory is in memory, its chunks are read on demand.
final class Part: Sendable {
    let entry: Manifest.Entry
    let directory: PartDirectory
    /// Names, resources and scopes with the ids the part uses; no spans.
    let shared: SpanTable
    /// By shape id.
    let shapes: [[(key: UInt32, type: AttributeType)]]
    private let file: any DiskFile
    private let names = Mutex<KnownNames?>(nil)
    private let attributeColumns: [UInt64: Int]

    var number: UInt64 { entry.number }

    /// Its names as texts, made when first asked for.
    var knownNames: KnownNames {
        names.withLock { known in
            if let known { return known }
            let collected = KnownNames(of: directory)
            known = collected
            return collected
        }
    }

    init(
        _ entry: Manifest.Entry,
        storeKey: UInt64,
        names: FileNames,
        disk: any Disk
    ) throws(PartDamage) {
        self.entry = entry
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
            let bytes = try Self.chunk(reference, of: file, entry, Decompressor())
            directory = try PartDirectory(parsing: bytes)
            shared = SpanTable(try Self.sharedColumns(directory))
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
        shapes = directory.shapes.map(ShapeCoding.pairs)
        var places: [UInt64: Int] = [:]
        for (index, column) in directory.columns.enumerated() where column.field == .attribute {
            places[Self.code(column.key, column.type, column.table)] = index
        }
        attributeColumns = places
    }

    private static func sharedColumns(
        _ directory: PartDirectory
    ) throws(CorruptBytes) -> SpanColumns {
        var columns = SpanColumns()
        for (index, name) in directory.names.enumerated() {
            let id = name.withRun(0..<name.count) { columns.strings.intern($0) }
            guard id == UInt32(index) else { throw CorruptBytes(what: "a name stands twice") }
        }
        for bytes in directory.resources {
            try ResourceCoding.readResource(bytes, into: &columns)
        }
        for bytes in directory.scopes { try ResourceCoding.readScope(bytes, into: &columns) }
        let names = directory.names.count
        for shape in directory.shapes {
            guard ShapeCoding.pairs(shape).allSatisfy({ $0.key < UInt32(names) }) else {
                throw CorruptBytes(what: "a key has no name")
            }
        }
        return columns
    }

    private static func code(
        _ key: UInt32,
        _ type: AttributeType,
        _ table: PartTable
    ) -> UInt64 {
        UInt64(key) << 16 | UInt64(type.rawValue) << 8 | UInt64(table.rawValue)
    }

    /// The column of a key's values of one type, maybe shared with others; `nil` for the empty type.
    func column(_ key: UInt32, _ type: AttributeType, _ table: PartTable) -> Int? {
        attributeColumns[Self.code(key, type, table)]
            ?? attributeColumns[Self.code(PartDirectory.Column.overflowKey, type, table)]
    }

    /// Reads and checks one chunk.
    func chunk(
        _ reference: ChunkReference,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> [UInt8] {
        do {
            return try Self.chunk(reference, of: file, entry, decompressor)
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
        _ entry: Manifest.Entry,
        _ decompressor: borrowing Decompressor
    ) throws -> [UInt8] {
        let stored = Int(reference.storedByteCount)
        guard reference.offset <= entry.byteCount,
            UInt64(stored) <= entry.byteCount - reference.offset
        else { throw CorruptBytes(what: "a chunk lies past the end") }
        let bytes = try file.read(at: reference.offset, count: stored)
        guard bytes.count == stored, CRC32C.checksum(bytes) == reference.checksum else {
            throw CorruptBytes(what: "the chunk at byte \(reference.offset) fails its checksum")
        }
        if reference.storedByteCount == reference.byteCount { return bytes }
        return try decompressor.decompress(bytes, byteCount: Int(reference.byteCount))
    }
}
