// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What became of all spans of a pipeline, or of a tracer with a sink of its own, since it was made.
///
/// `startedCount` = live + `abandonedCount` + `endedCount`, and `endedCount` = `queuedCount` +
/// `exportedCount` + `rejectedCount` + the sum of `droppedCounts`, once nothing moves any more; a
/// reading taken meanwhile may be off by what moved during it.
public struct TracingCounters: Sendable, Hashable {
    /// Recorded spans started.
    public var startedCount = 0
    /// Spans started that the sampler left unrecorded.
    public var notSampledCount = 0
    /// Recorded spans ended.
    public var endedCount = 0
    /// Recorded spans that were let go of without an end; they are not exported.
    public var abandonedCount = 0
    /// Ended spans waiting for export or under way.
    public var queuedCount = 0
    /// Spans the receiver took.
    public var exportedCount = 0
    /// Spans the receiver did not take, of batches that it took.
    public var rejectedCount = 0
    /// Ended spans that were not exported, by reason.
    public var droppedCounts: [DropReason: Int] = [:]
    /// Ends of spans that had ended before; they have no effect.
    public var repeatedEndCount = 0
    /// Changes to spans that had ended before; they have no effect.
    public var lateChangeCount = 0
    /// Members of received baggage that were malformed or went past its limits.
    public var droppedBaggageMemberCount = 0

    /// Why an ended span was not exported.
    public enum DropReason: String, Sendable, Hashable, CaseIterable {
        /// The buffer held as many spans or bytes as it may.
        case bufferFull
        /// The receiver refused the batch for good.
        case refused
        /// The receiver could not be reached, or had no room, until the attempts were used up.
        case attemptsUsedUp
        /// The pipeline was shut down before the span could be sent.
        case shutDown
        /// The span ended in the copy of a process that `fork` made, where nothing is exported; or it
        /// was waiting when the copy was made, and the process itself exports it.
        case forked
    }

    /// Makes counters of zero.
    public init() {}
}

/// The counters behind `TracingCounters`; each moves without a lock.
final class CounterCells: Sendable {
    let started = Atomic(0)
    let notSampled = Atomic(0)
    let ended = Atomic(0)
    let abandoned = Atomic(0)
    let exported = Atomic(0)
    let rejected = Atomic(0)
    let repeatedEnds = Atomic(0)
    let lateChanges = Atomic(0)
    let droppedBaggageMembers = Atomic(0)
    private let bufferFull = Atomic(0)
    private let refused = Atomic(0)
    private let attemptsUsedUp = Atomic(0)
    private let shutDown = Atomic(0)
    private let forked = Atomic(0)
    /// They count the starts and ends of their own spans, each thread apart.
    private let slabs = Mutex<[SpanSlab]>([])

    func add(_ slab: SpanSlab) { slabs.withLock { $0.append(slab) } }

    func drop(_ count: Int, _ reason: TracingCounters.DropReason) {
        switch reason {
        case .bufferFull: bufferFull.add(count, ordering: .relaxed)
        case .refused: refused.add(count, ordering: .relaxed)
        case .attemptsUsedUp: attemptsUsedUp.add(count, ordering: .relaxed)
        case .shutDown: shutDown.add(count, ordering: .relaxed)
        case .forked: forked.add(count, ordering: .relaxed)
        }
    }

    func snapshot(queuedCount: Int) -> TracingCounters {
        var result = TracingCounters()
        let own = slabs.withLock { $0 }.map(\.counts)
        result.startedCount = own.reduce(started.load(ordering: .relaxed)) { $0 + $1.started }
        result.notSampledCount = notSampled.load(ordering: .relaxed)
        result.endedCount = own.reduce(ended.load(ordering: .relaxed)) { $0 + $1.ended }
        result.abandonedCount = abandoned.load(ordering: .relaxed)
        result.queuedCount = queuedCount
        result.exportedCount = exported.load(ordering: .relaxed)
        result.rejectedCount = rejected.load(ordering: .relaxed)
        result.repeatedEndCount = repeatedEnds.load(ordering: .relaxed)
        result.lateChangeCount = lateChanges.load(ordering: .relaxed)
        result.droppedBaggageMemberCount = droppedBaggageMembers.load(ordering: .relaxed)
        result.droppedCounts = [
            .bufferFull: bufferFull.load(ordering: .relaxed),
            .refused: refused.load(ordering: .relaxed),
            .attemptsUsedUp: attemptsUsedUp.load(ordering: .relaxed),
            .shutDown: shutDown.load(ordering: .relaxed),
            .forked: forked.load(ordering: .relaxed),
        ].filter { $0.value > 0 }
        return result
    }
}
