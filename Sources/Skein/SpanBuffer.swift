// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Finished spans of swift-distributed-tracing on their way out: those waiting, and those an exporter
/// has but has not settled.
///
/// They are held as they will be sent: whoever ends a span encodes it, while it is at hand, and nobody
/// copies or reckons up what a record is made of again. All count towards the limits until they are
/// settled, so that a slow receiver cannot make the process grow.
final class SpanBuffer: Sendable {
    /// Spans of one resource that wait.
    fileprivate struct Batch {
        let resource: Resource
        var spanCount = 0
        var encoded: [UInt8] = []

        @inline(__always)
        mutating func append(_ span: some Collection<UInt8>) {
            let needed = encoded.count + span.count
            if needed > encoded.capacity {
                // Room that doubles would go past what a batch holds, and count for nobody.
                encoded.reserveCapacity(max(needed, min(2 * needed, Limits.batchByteCount)))
            }
            spanCount += 1
            encoded.append(contentsOf: span)
        }

        var recorded: RecordedSpans {
            RecordedSpans(resource: resource, spanCount: spanCount, encoded: encoded)
        }
    }

    fileprivate struct State {
        /// Batches that are full, the oldest first.
        var full: [RecordedSpans] = []
        /// One that is not full for each resource, of which there are few.
        var open: [Batch] = []
        var waitingCount = 0
        var spanCount = 0
        var byteCount = 0
        var isClosed = false
    }

    /// What became of a span that was offered.
    enum Admission {
        case taken
        /// The span completed a batch: somebody should export it.
        case takenCompletingBatch
        case refusedFull
        case refusedClosed
    }

    private let limits: PipelineLimits
    private let state = Mutex(State())

    init(limits: PipelineLimits) { self.limits = limits }

    /// Spans held.
    var spanCount: Int { state.withLock { $0.spanCount } }

    /// Whether a whole batch is waiting.
    var holdsBatch: Bool { state.withLock { $0.waitingCount >= limits.batchSpanCount } }

    /// - Parameters:
    ///   - encoded: A span, as an element of OTLP's field `spans`. With the lock it is only copied.
    ///   - resource: Who it speaks of.
    @inline(__always)
    func offer(_ encoded: some Collection<UInt8>, of resource: Resource) -> Admission {
        state.withLock { state in
            if state.isClosed { return .refusedClosed }
            guard state.spanCount < limits.spanCount,
                encoded.count <= limits.byteCount - state.byteCount
            else { return .refusedFull }
            state.add(encoded, of: resource, limit: limits.batchSpanCount)
            return state.waitingCount == limits.batchSpanCount ? .takenCompletingBatch : .taken
        }
    }

    /// All that waits, in batches; it counts towards the limits until it is settled.
    func take() -> [RecordedSpans] {
        state.withLock { state in
            defer {
                state.full = []
                state.open = []
                state.waitingCount = 0
            }
            return state.full + state.open.map(\.recorded)
        }
    }

    /// Gives the room of a batch back.
    func settle(spanCount: Int, byteCount: Int) {
        state.withLock { state in
            state.spanCount -= spanCount
            state.byteCount -= byteCount
        }
    }

    /// Refuses every further span.
    func close() { state.withLock { $0.isClosed = true } }
}

extension SpanBuffer.State {
    @inline(__always)
    fileprivate mutating func add(
        _ encoded: some Collection<UInt8>,
        of resource: Resource,
        limit: Int
    ) {
        waitingCount += 1
        spanCount += 1
        byteCount += encoded.count
        let index = batch(of: resource)
        if open[index].encoded.count + encoded.count > Limits.batchByteCount,
            open[index].spanCount > 0
        {
            full.append(open[index].recorded)
            open[index] = SpanBuffer.Batch(resource: resource)
        }
        open[index].append(encoded)
        if open[index].spanCount >= limit { full.append(open.remove(at: index).recorded) }
    }

    /// Where the batch of a resource stands that is not full.
    private mutating func batch(of resource: Resource) -> Int {
        let known = open.firstIndex { $0.resource.identity == resource.identity }
        if let known { return known }
        open.append(SpanBuffer.Batch(resource: resource))
        return open.count - 1
    }
}
