// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// Reads a log's segments and looks for what is missing or does not decode.
struct LogVerification {
    private let names: FileNames
    private let disk: any Disk
    private let manifest: Manifest
    private let decoder: any PayloadDecoder
    private var found: FoundRecords
    /// Records that are in no part.
    private(set) var recordCount: UInt64 = 0
    private(set) var undecodableCount: UInt64 = 0

    init(
        _ names: FileNames,
        _ disk: any Disk,
        _ manifest: Manifest,
        _ decoder: any PayloadDecoder
    ) {
        self.names = names
        self.disk = disk
        self.manifest = manifest
        self.decoder = decoder
        found = FoundRecords(flushed: manifest.flushedSequence)
    }

    /// Records that are missing between those that are there.
    var missingCount: UInt64 { found.lostCount }

    /// What stands in one segment.
    struct Segment {
        var byteCount = 0
        var recordCount = 0
        var waitingCount = 0
        /// Places where a record begins and its checksum fails. The last may be one that was being
        /// written when the process ended or the segment was read.
        var damagedCount = 0
        var undecodableCount = 0
    }

    @discardableResult
    mutating func take(_ number: UInt64) throws -> Segment {
        let bytes = try disk.segmentBytes(names.segment(number))
        try LogSegmentHeader.refuseOtherVersion(of: bytes, names.segment(number))
        let key = LogSegmentHeader.key(store: manifest.storeKey, number: number)
        var scanner = LogScanner(bytes, key: key)
        var segment = Segment()
        segment.byteCount = bytes.count
        while let record = scanner.next() {
            segment.recordCount += 1
            guard found.take(record.sequence) else { continue }
            segment.waitingCount += 1
            recordCount += 1
            if (try? decoder.batch(of: record.payload)) == nil {
                segment.undecodableCount += 1
                undecodableCount += 1
            }
        }
        segment.damagedCount = scanner.damaged.count
        return segment
    }
}
