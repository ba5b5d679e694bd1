// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// The write-ahead log's thread: writes all requests that wait, syncs once, hands them to the head,
/// then acknowledges them.
///
/// A segment with a failed write or sync is closed and never written or synced again, and its
/// requests are answered as failed. After a full disk the next group tries a new segment; after any
/// other failure writes are refused until the store is opened anew.
final class LogWriter: Sendable {
    typealias Answer = Result<Void, StoreError>

    private struct Request {
        let batch: SpanBatch
        let byteCount: Int
        let answer: CheckedContinuation<Answer, Never>
    }

    private struct Queue {
        var waiting: [Request] = []
        var byteCount = 0
        var closing = false
    }

    /// What the log thread alone holds.
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
    private let queue = Monitor(Queue())
    private let ended = Monitor(false)

    init(start: Start, options: EngineOptions, segments: LogSegments, head: any LogSink) {
        self.options = options
        self.segments = segments
        self.head = head
        storeKey = start.storeKey
        DedicatedThread.start(named: "skein-log") { [self] in
            run(Place(number: start.segmentNumber, nextSequence: start.sequence))
            ended.update { $0 = true }
        }
    }

    /// Bytes of payload that wait.
    var waitingByteCount: Int { queue.withLock { $0.byteCount } }

    /// Keeps a batch; returns when it is durable and in the head.
    func append(_ batch: SpanBatch) async -> Answer {
        await withCheckedContinuation { continuation in
            let refusal = queue.update { queue -> StoreError? in
                if queue.closing { return .closed }
                let byteCount = LogRecord.byteCount(of: batch.payload)
                guard queue.waiting.count < options.queueRequests,
                    queue.waiting.isEmpty || queue.byteCount + byteCount <= options.queueBytes
                else { return .overloaded(retryAfterSeconds: 1) }
                queue.byteCount += byteCount
                queue.waiting.append(
                    Request(batch: batch, byteCount: byteCount, answer: continuation)
                )
                return nil
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
        }
    }

    /// Refuses new requests and waits until those that wait are answered. Blocks.
    func close() {
        queue.update { $0.closing = true }
        ended.wait { $0 ? () : nil }
    }

    private func run(_ start: Place) {
        var place = start
        while true {
            let group = queue.wait { queue -> [Request]? in
                if queue.waiting.isEmpty { return queue.closing ? [] : nil }
                defer {
                    queue.waiting = []
                    queue.byteCount = 0
                }
                return queue.waiting
            }
            if group.isEmpty { break }
            let answer = commit(group, &place)
            for request in group { request.answer.resume(returning: answer) }
        }
        retire(&place)
    }

    private func commit(_ group: [Request], _ place: inout Place) -> Answer {
        if let failure = place.failure { return .failure(.storageFailed(failure)) }
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
            return .failure(.storageFailed(place.failure ?? failure))
        }
        for (index, request) in group.enumerated() {
            head.insert(request.batch, sequence: firstSequence + UInt64(index))
        }
        return .success(())
    }

    private func write(_ group: [Request], _ place: inout Place) throws(DiskError) {
        var pieces: [[UInt8]] = []
        var pending = 0
        for request in group {
            if place.file == nil || place.offset + pending + request.byteCount > place.byteCount {
                try put(&pieces, &pending, &place)
                if let file = place.file { try sync(file) }
                retire(&place)
                try openSegment(for: request.byteCount, &place)
            }
            let record = LogRecord(sequence: place.nextSequence, payload: request.batch.payload)
            pieces += record.encode(key: place.key)
            pending += request.byteCount
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

    /// Gives the open segment over to those that wait for their flush.
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
