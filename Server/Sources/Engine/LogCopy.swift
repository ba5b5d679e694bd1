// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// What the log of a store holds beyond its parts, read while the store may be writing it.
///
/// Who writes goes on meanwhile: the last record of a segment may be half there, and a record may be
/// missing although one after it is not, where the two were written while the segment was read. The
/// first is left off, for nobody was told that it is kept; the second is cured by reading again.
struct LogCopy {
    private let names: FileNames
    private let disk: any Disk
    private let manifest: Manifest
    private(set) var found: FoundRecords
    private(set) var recordCount: UInt64 = 0

    init(_ names: FileNames, _ disk: any Disk, _ manifest: Manifest) {
        self.names = names
        self.disk = disk
        self.manifest = manifest
        found = FoundRecords(flushed: manifest.flushedSequence)
    }

    /// Copies the segments that hold records which are in no part.
    ///
    /// A segment that goes away meanwhile was flushed, which changes the manifest.
    mutating func copy(to target: FileNames) throws -> [BackupMarker.File] {
        var files: [BackupMarker.File] = []
        for name in try disk.list(names.log) {
            guard let number = FileNames.number(in: name, suffix: ".log") else { continue }
            let bytes: [UInt8]
            do {
                bytes = try disk.segmentBytes(names.segment(number))
            } catch let error as DiskError where error.isMissing {
                continue
            }
            try LogSegmentHeader.refuseOtherVersion(of: bytes, names.segment(number))
            let end = take(bytes, number)
            guard end > 0 else { continue }
            let kept = Array(bytes[..<end])
            try disk.write(kept, to: target.segment(number))
            files.append(
                BackupMarker.File(
                    path: "log/" + name,
                    byteCount: UInt64(kept.count),
                    checksum: CRC32C.checksum(kept)
                )
            )
        }
        return files
    }

    /// Notes a segment's records.
    ///
    /// - Returns: where its last record that is in no part ends; 0 where it has none.
    private mutating func take(_ bytes: [UInt8], _ number: UInt64) -> Int {
        let key = LogSegmentHeader.key(store: manifest.storeKey, number: number)
        var scanner = LogScanner(bytes, key: key)
        var end = 0
        while let record = scanner.next() {
            guard found.take(record.sequence) else { continue }
            recordCount += 1
            end = scanner.recordEnd
        }
        return end
    }
}
