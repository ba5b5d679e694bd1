// SPDX-License-Identifier: Apache-2.0

import Platform
import Store
import Synchronization

/// Writes groups of batches to the log: writes, syncs once, hands them to the head. Makes no thread
/// and waits for nobody.
///
/// A segment with a failed write or sync is closed and never written or synced again, and its
/// batches are answered as failed. Writes are then refused until the store is opened anew, but after
/// a full disk, or where no segment could be begun: nothing was written to one then, and the next
/// group tries another.
final class LogAppender: Sendable {
    /// What the next group continues from.
    private struct Place {
        var segment: LogSegments.Open?
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
    private let head: any LogSink
    /// Held over disk calls: one group at a time.
    private let place: Mutex<Place>

    init(start: Start, options: EngineOptions, segments: LogSegments, head: any LogSink) {
        self.options = options
        self.segments = segments
        self.head = head
        segments.begin(at: start.segmentNumber, storeKey: start.storeKey)
        place = Mutex(Place(nextSequence: start.sequence))
    }

    /// Makes all batches of a group durable and found, or none of them acknowledged. Blocks.
    func append(_ group: [SpanBatch]) throws(StoreError) {
        try place.withLock { (place) throws(StoreError) in try commit(group, &place) }
    }

    /// Gives the open segment over to those that wait for their flush. The next group opens another.
    func closeSegment() {
        place.withLock { retire(&$0) }
    }

    private func commit(_ group: [SpanBatch], _ place: inout Place) throws(StoreError) {
        if let failure = place.failure { throw .storageFailed(failure) }
        let firstSequence = place.nextSequence
        do throws(Failure) {
            try write(group, &place)
        } catch {
            // Nothing of the group was acknowledged, whatever of it is in the segment.
            let failed = place.nextSequence
            place.nextSequence = firstSequence
            retire(&place)
            place.nextSequence = LogSequence.nextEpoch(after: failed)
            let failure = "the write-ahead log failed: \(error.error)"
            if error.cure == .restart { place.failure = failure + "; restart to take writes again" }
            head.logFailed(place.failure ?? failure, cure: error.cure)
            throw .storageFailed(place.failure ?? failure)
        }
        for (index, batch) in group.enumerated() {
            head.insert(batch, sequence: firstSequence + UInt64(index))
        }
    }

    /// A call that failed, and what makes the log take groups again.
    private struct Failure: Error {
        let error: DiskError
        let cure: LogFailure.Cure

        /// - Parameter isBeginning: a segment was being begun, and nothing written to one.
        init(_ error: DiskError, isBeginning: Bool = false) {
            self.error = error
            cure = error.isOutOfSpace ? .room : isBeginning ? .anotherTry : .restart
        }
    }

    private func write(_ group: [SpanBatch], _ place: inout Place) throws(Failure) {
        var pieces: [[UInt8]] = []
        var pending = 0
        for batch in group {
            let byteCount = LogRecord.byteCount(of: batch.payload)
            let segment = try self.segment(with: byteCount, &pieces, &pending, &place)
            let record = LogRecord(sequence: place.nextSequence, payload: batch.payload)
            record.encode(key: segment.key, to: &pieces)
            pending += byteCount
            place.nextSequence += 1
        }
        try put(&pieces, &pending, &place)
        if let segment = place.segment { try sync(segment.file) }
    }

    /// The segment for a record of `byteCount`: the open one, or the next when that is full.
    private func segment(
        with byteCount: Int,
        _ pieces: inout [[UInt8]],
        _ pending: inout Int,
        _ place: inout Place
    ) throws(Failure) -> LogSegments.Open {
        if let open = place.segment {
            if place.offset + pending + byteCount <= open.byteCount { return open }
            try put(&pieces, &pending, &place)
            try sync(open.file)
            retire(&place)
        }
        let next: LogSegments.Open
        do throws(DiskError) {
            next = try segments.take(roomFor: byteCount)
        } catch {
            throw Failure(error, isBeginning: true)
        }
        place.segment = next
        place.offset = next.dataOffset
        return next
    }

    /// Writes what is pending; the next write begins where the file lets one begin.
    private func put(
        _ pieces: inout [[UInt8]],
        _ pending: inout Int,
        _ place: inout Place
    ) throws(Failure) {
        guard pending > 0, let segment = place.segment else { return }
        do throws(DiskError) {
            try segment.file.write(pieces, at: UInt64(place.offset))
        } catch {
            throw Failure(error)
        }
        place.offset = (place.offset + pending).roundedUp(to: segment.alignment)
        pieces = []
        pending = 0
    }

    private func sync(_ file: any DiskFile) throws(Failure) {
        guard options.durability == .fsync else { return }
        do throws(DiskError) {
            try file.sync()
        } catch {
            throw Failure(error)
        }
        head.logSynced()
    }

    private func retire(_ place: inout Place) {
        guard let segment = place.segment else { return }
        place.segment = nil
        segments.add(
            closed: LogSegments.Closed(
                number: segment.number,
                byteCount: segment.byteCount,
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
    /// Notes why appends fail, and what cures it.
    func logFailed(_ reason: String, cure: LogFailure.Cure)
}
