// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store

/// Takes records from the log into the head in their order, while they are decoded on several
/// threads, and flushes the head where it gets full.
///
/// ```
/// calling thread    read, check | read, check | insert | insert | flush ...... | insert
/// other threads       decode ... | decode ... | decode ... | decode ... | decode
/// ```
struct LogReplay {
    var found: FoundRecords
    private let keeper: StoreKeeper
    private let decoding: OrderedDecoding
    /// Segments that were read, with the job after their last: they are handed over when that is
    /// done, for only then is known whether all their records could be decoded.
    private var segments: [(segment: LogSegments.Closed, end: Int)] = []
    private var jobCount = 0
    private var doneCount = 0
    /// Whether a record of the first of `segments` could not be decoded.
    private var isFirstUndecodable = false
    private var isDiskFull = false

    init(flushed: UInt64, keeper: StoreKeeper, _ decoding: OrderedDecoding) {
        found = FoundRecords(flushed: flushed)
        self.keeper = keeper
        self.decoding = decoding
    }

    /// Takes the next record of the log.
    mutating func take(_ record: LogRecord) throws {
        guard found.take(record.sequence) else { return }
        jobCount += 1
        decoding.add(record)
        while decoding.isFull { try insert(decoding.next()) }
    }

    /// Notes that all records of a segment were taken.
    mutating func close(_ segment: LogSegments.Closed) throws {
        segments.append((segment, jobCount))
        handOver()
    }

    /// Notes that acknowledged records were lost in a segment that was closed, and is kept for that.
    mutating func noteDamage(in number: UInt64) {
        if let index = segments.firstIndex(where: { $0.segment.number == number }) {
            segments[index].segment.damaged = true
        } else {
            keeper.segments.noteDamage(in: number)
        }
    }

    /// Waits for what is still being decoded.
    mutating func finish() throws {
        while doneCount < jobCount { try insert(decoding.next()) }
        handOver()
        try flushIfFull()
    }

    private mutating func insert(_ batch: HeadBatch?) throws {
        doneCount += 1
        if let batch {
            keeper.insert(batch, isNew: false)
        } else {
            found.noteUndecodable()
            isFirstUndecodable = true
        }
        handOver()
        try flushIfFull()
    }

    private mutating func handOver() {
        while let first = segments.first, first.end <= doneCount {
            segments.removeFirst()
            var segment = first.segment
            segment.damaged = segment.damaged || isFirstUndecodable
            isFirstUndecodable = false
            keeper.segments.add(closed: segment)
        }
    }

    /// On a full disk the head grows past its size, up to what the log may hold: then queries are
    /// answered, and the flush is tried again later.
    private mutating func flushIfFull() throws {
        guard !isDiskFull, keeper.isHeadFull || keeper.isLogLong else { return }
        do {
            try keeper.flush()
        } catch let error as DiskError where error.isOutOfSpace {
            keeper.reserve.release()
            isDiskFull = true
        }
    }
}

/// Decodes records on other threads, and gives the results in the order of the records to the one
/// that adds them.
///
/// Threads are started once there is enough to do for them. Who waits for a record that no thread
/// has begun decodes it itself.
final class OrderedDecoding: Sendable {
    private enum Job {
        case waiting(LogRecord)
        case running
        /// `nil`: it could not be decoded.
        case done(HeadBatch?)
    }

    private struct State {
        /// In order of their records, with the bytes of their payloads.
        var jobs: [(job: Job, byteCount: Int)] = []
        /// So many of the first jobs wait no longer.
        var begunCount = 0
        /// Bytes of the payloads of `jobs`, and of all there ever were.
        var byteCount = 0
        var totalByteCount = 0
        /// Number of the first of `jobs`, counted from the very first.
        var firstNumber = 0
        var threads = 0
        var isClosing = false
    }

    private let decoder: any PayloadDecoder
    private let threads: Int
    private let state = Monitor(State())

    /// - Parameter threads: how many may be started; 0 leaves all to the calling one.
    init(_ decoder: any PayloadDecoder, threads: Int) {
        self.decoder = decoder
        self.threads = threads
    }

    /// Whether a result should be taken before more is added.
    var isFull: Bool {
        state.withLock {
            $0.jobs.count >= Limits.replayRecords || $0.byteCount >= Limits.replayBytes
        }
    }

    func add(_ record: LogRecord) {
        let byteCount = record.payload.bytes.count
        let begins = state.update { state in
            state.jobs.append((.waiting(record), byteCount))
            state.byteCount += byteCount
            state.totalByteCount += byteCount
            guard state.totalByteCount >= Limits.replayAloneBytes, state.threads < threads else {
                return false
            }
            state.threads += 1
            return true
        }
        if begins {
            DedicatedThread.start(named: "skein-replay") { [self] in
                work()
                state.update { $0.threads -= 1 }
            }
        }
    }

    /// The oldest record's spans; `nil` where it could not be decoded. To be called no more often
    /// than `add`.
    func next() -> HeadBatch? {
        let own = state.withLock { state -> LogRecord? in
            state.begunCount == 0 ? Self.begin(&state)?.record : nil
        }
        if let own {
            let batch = decode(own)
            state.withLock { $0.jobs[0].job = .done(batch) }
        }
        return state.wait { state -> HeadBatch?? in
            guard case .done(let batch) = state.jobs[0].job else { return nil }
            state.byteCount -= state.jobs[0].byteCount
            state.jobs.removeFirst()
            state.begunCount -= 1
            state.firstNumber += 1
            return .some(batch)
        }
    }

    /// Ends the threads. Blocks until they ended.
    func close() {
        state.update { $0.isClosing = true }
        state.wait { $0.threads == 0 ? () : nil }
    }

    private func work() {
        while true {
            let begun = state.wait { state -> (number: Int, record: LogRecord)?? in
                if state.isClosing { return .some(nil) }
                return Self.begin(&state).map { .some($0) }
            }
            guard let begun else { return }
            let batch = decode(begun.record)
            state.update { $0.jobs[begun.number - $0.firstNumber].job = .done(batch) }
        }
    }

    /// Takes the first job that nobody has begun.
    private static func begin(_ state: inout State) -> (number: Int, record: LogRecord)? {
        let index = state.begunCount
        guard index < state.jobs.count, case .waiting(let record) = state.jobs[index].job else {
            return nil
        }
        state.jobs[index].job = .running
        state.begunCount += 1
        return (state.firstNumber + index, record)
    }

    private func decode(_ record: LogRecord) -> HeadBatch? {
        guard let batch = try? decoder.batch(of: record.payload) else { return nil }
        return HeadBatch(batch, sequence: record.sequence)
    }
}

/// Which records of the log were found, so that missing ones can be counted.
struct FoundRecords {
    /// Newest sequence known to the store.
    private(set) var highest: UInt64
    private let flushed: UInt64
    private var found: Set<UInt64> = []
    private var damaged: Set<UInt64> = []
    private var undecodable: UInt64 = 0

    init(flushed: UInt64) {
        self.flushed = flushed
        highest = flushed
    }

    /// Notes a record; `false` when its spans are in a part already, or when it was found before: a
    /// write that went to the wrong place leaves a record twice.
    mutating func take(_ sequence: UInt64) -> Bool {
        guard sequence > flushed, found.insert(sequence).inserted else { return false }
        highest = max(highest, sequence)
        return true
    }

    /// Notes the sequences that records with a wrong checksum state. Only one next to those found
    /// counts: a damaged number may say anything.
    mutating func note(damaged sequences: [UInt64]) {
        for sequence in sequences where sequence > flushed { damaged.insert(sequence) }
    }

    mutating func noteUndecodable() { undecodable += 1 }

    /// Records that were written and cannot be read. One torn by a crash before it was acknowledged
    /// counts too, for it cannot be told from one that was.
    var lostCount: UInt64 { countLost().all }

    /// The same without those at the end of an epoch: nearly always they are what a crash tore.
    var lostBeforeEndCount: UInt64 {
        let lost = countLost()
        return lost.all - lost.atEnd
    }

    private func countLost() -> (all: UInt64, atEnd: UInt64) {
        var lost = undecodable
        var atEnd: UInt64 = 0
        let found = Dictionary(grouping: found, by: LogSequence.epoch)
        let epochs = Set(found.keys).union(damaged.map(LogSequence.epoch))
        for epoch in epochs.union([LogSequence.epoch(of: flushed)]) {
            // What is in parts already, of the epoch that they end in.
            let before =
                epoch == LogSequence.epoch(of: flushed) ? LogSequence.count(of: flushed) : 0
            let sequences = found[epoch] ?? []
            var last = sequences.map(LogSequence.count).max() ?? before
            lost += last - before - UInt64(sequences.count)
            while damaged.contains(LogSequence.of(epoch, last + 1)) {
                last += 1
                lost += 1
                atEnd += 1
            }
        }
        return (lost, atEnd)
    }
}
