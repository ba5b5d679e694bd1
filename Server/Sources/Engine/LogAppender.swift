// SPDX-License-Identifier: Apache-2.0

import Platform
import Store
import Synchronization

/// Writes groups of batches to the log: writes, syncs once, hands them to the head. Makes no thread
/// and waits for nobody.
///
/// A segment with a failed write or sync is closed and never written or synced again, and its
/// batches are answered as failed. After a full disk the next group tries a new segment; after any
/// other failure writes are refused until the store is opened anew.
final class LogAppender: Sendable {
    /// What the next group continues from.
    private struct Place {
        var file: (any DiskFile)?
        var number: UInt64
        var key: UInt64 = 0
        var byteCount = 0
        var offset = 0
        var nextSequence: UInt64
        var failure: String?
    }

    /// Where a new log begins.
    struct Start {
        let storeKey: UInt64
        let segmentNumber: UInt64
        let sequence: UInt64
    }

    private let options: EngineOptions
    private let segments: LogSegments
    private let storeKey: UInt64
    private let head: any LogSink
    /// Held over disk calls: one group at a time.
    private let place: Mutex<Place>

    init(start: Start, options: EngineOptions, segments: LogSegments, head: any LogSink) {
        self.options = options
        self.segments = segments
        self.head = head
        storeKey = start.storeKey
        place = Mutex(Place(number: start.segmentNumber, nextSequence: start.sequence))
    }

    /// Makes all batches of a group durable and found, or none of them acknowledged. Blocks.
    func append(_ group: [SpanBatch]) throws(StoreError) {
        try place.withLock { (place) throws(StoreError) in try commit(group, &place) }
    }

    /// Gives the open segment over to those that wait for their flush.
    func close() {
        place.withLock { retire(&$0) }
    }

    private func commit(_ group: [SpanBatch], _ place: inout Place) throws(StoreError) {
        if let failure = place.failure { throw .storageFailed(failure) }
        let firstSequence = place.nextSequence
        do throws(DiskError) {
            try write(group, &place)
        } catch {
            // Nothing of the group was acknowledged: its sequences are used again.
            place.nextSequence = firstSequence
            retire(&place)
            let failure = "the write-ahead log failed: \(error)"
            if !error.isOutOfSpace { place.failure = failure + "; restart to take writes again" }
            head.logFailed(place.failure ?? failure)
            throw .storageFailed(place.failure ?? failure)
        }
        for (index, batch) in group.enumerated() {
            head.insert(batch, sequence: firstSequence + UInt64(index))
        }
    }

    private func write(_ group: [SpanBatch], _ place: inout Place) throws(DiskError) {
        var pieces: [[UInt8]] = []
        var pending = 0
        for batch in group {
            let byteCount = LogRecord.byteCount(of: batch.payload)
            if place.file == nil || place.offset + pending + byteCount > place.byteCount {
                try put(&pieces, &pending, &place)
                if let file = place.file { try sync(file) }
                retire(&place)
                try openSegment(for: byteCount, &place)
            }
            let record = LogRecord(sequence: place.nextSequence, payload: batch.payload)
            pieces += record.encode(key: place.key)
            pending += byteCount
            place.nextSequence += 1
        }
        try put(&pieces, &pending, &place)
        if let file = place.file { try sync(file) }
    }

    private func put(
        _ pieces: inout [[UInt8]],
        _ pending: inout Int,
        _ place: inout Place
    ) throws(DiskError) {
        guard pending > 0, let file = place.file else { return }
        try file.write(pieces, at: UInt64(place.offset))
        place.offset += pending
        pieces = []
        pending = 0
    }

    private func sync(_ file: any DiskFile) throws(DiskError) {
        guard options.durability == .fsync else { return }
        try file.sync()
        head.logSynced()
    }

    private func openSegment(for recordByteCount: Int, _ place: inout Place) throws(DiskError) {
        let number = place.number
        let key = LogSegmentHeader.key(store: storeKey, number: number)
        let needed = LogSegmentHeader.byteCount + recordByteCount
        let byteCount = max(options.segmentBytes, needed)
        // A number is never used twice, even after a failure half way.
        place.number += 1
        place.file = try segments.open(number, key: key, byteCount: byteCount)
        place.key = key
        place.byteCount = byteCount
        place.offset = LogSegmentHeader.byteCount
    }

    private func retire(_ place: inout Place) {
        guard place.file != nil else { return }
        place.file = nil
        segments.add(
            closed: LogSegments.Closed(
                number: place.number - 1,
                byteCount: place.byteCount,
                lastSequence: place.nextSequence - 1,
                damaged: false
            )
        )
    }
}

/// Where logged batches go.
protocol LogSink: Sendable {
    /// Makes a durable batch visible. Called in order of sequence.
    func insert(_ batch: SpanBatch, sequence: UInt64)
    /// Counts one sync.
    func logSynced()
    /// Notes why appends fail.
    func logFailed(_ reason: String)
}
