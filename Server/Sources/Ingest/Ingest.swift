// SPDX-License-Identifier: Apache-2.0

// Ingest turns the bytes of a request into a stored batch and says what became of it: decompress,
// decode, hand over. It owns the limits on size and the budget of bytes in flight, and counts every
// outcome. It knows no socket and no status code; receivers translate `IngestOutcome` into theirs.
//
// Invariants: a request is stored whole or not at all (spans the protocol lets us reject one by one
// are told); `accepted` is answered only after the store acknowledged; no allocation follows a
// length that a client merely claimed.

internal import SkeinModel
internal import SkeinWire
public import Store
internal import Synchronization

/// The way from a request's bytes to the store.
public final class Ingest: Sendable {
    /// What bounds a request.
    public let limits: IngestLimits
    /// Bytes of requests being handled.
    public let budget: ByteBudget
    /// What became of all requests.
    public let counters = IngestCounters()

    private let store: any TraceStore
    private let time: IngestTime
    private let decoders = DecoderPool()
    private let refusals = Atomic<UInt64>(0)

    /// Makes the way to `store`.
    public init(
        store: any TraceStore,
        time: IngestTime,
        limits: IngestLimits = IngestLimits()
    ) {
        self.store = store
        self.limits = limits
        self.time = time
        budget = ByteBudget(byteCount: limits.inFlightByteCount)
    }

    /// Decodes `bytes` and stores them; returns when they are durable or known not to be.
    ///
    /// - Parameters:
    ///   - bytes: the payload, decompressed.
    ///   - format: how it is written.
    ///   - way: the protocol it came by, for the counters.
    ///   - patience: how long to wait for room in the store.
    /// - Returns: what became of it; already counted.
    public func accept(
        _ bytes: consuming [UInt8],
        format: PayloadFormat,
        by way: IngestProtocol,
        patience: Patience = .none
    ) async -> IngestOutcome {
        let begin = time.monotonicNanoseconds()
        let byteCount = bytes.count
        let payload = Payload(format: format, bytes: bytes, receivedAt: time.wallNanoseconds())
        let outcome = await store(payload, patience)
        counters.record(way, outcome)
        counters.record(
            way,
            byteCount: byteCount,
            nanoseconds: time.monotonicNanoseconds() &- begin
        )
        return outcome
    }

    /// Decodes `bytes` on this thread and stores them; for receivers whose clients send again what is
    /// pushed back.
    ///
    /// - Parameters:
    ///   - bytes: the payload, decompressed.
    ///   - format: how it is written.
    ///   - way: the protocol it came by, for the counters.
    ///   - done: called once with what became of it, already counted; here, or on a thread of the
    ///     store's that it must not hold up.
    public func accept(
        _ bytes: consuming [UInt8],
        format: PayloadFormat,
        by way: IngestProtocol,
        done: @escaping @Sendable (IngestOutcome) -> Void
    ) {
        let begin = time.monotonicNanoseconds()
        let byteCount = bytes.count
        let payload = Payload(format: format, bytes: bytes, receivedAt: time.wallNanoseconds())
        let finish: @Sendable (IngestOutcome) -> Void = { [self] outcome in
            counters.record(way, outcome)
            counters.record(
                way,
                byteCount: byteCount,
                nanoseconds: time.monotonicNanoseconds() &- begin
            )
            done(outcome)
        }
        switch read(payload) {
        case .failure(let error): finish(.malformed("\(error)"))
        case .success(let request):
            guard !request.batch.isEmpty else { return finish(request.accepted) }
            store.append(request.batch) { result in
                switch result {
                case .success: finish(request.accepted)
                case .failure(let error): finish(Self.outcome(of: error))
                }
            }
        }
    }

    /// Takes `byteCount` bytes of the budget, waiting as long as `patience` says.
    ///
    /// - Parameters:
    ///   - byteCount: what the request declares.
    ///   - patience: how long to wait for room.
    /// - Returns: the bytes, or `nil` when there was no room.
    public func reserve(_ byteCount: Int, patience: Patience = .none) async -> Reservation? {
        var attempts = 0
        while true {
            if let reservation = budget.reserve(byteCount) { return reservation }
            attempts += 1
            guard await patience.pause(after: attempts) else { return nil }
        }
    }

    /// How long a client that is pushed back should wait: a different time for each, so that they
    /// do not return together.
    public func retryAfterSeconds() -> Int {
        let turn = refusals.wrappingAdd(1, ordering: .relaxed).oldValue
        let spread = max(1, limits.retryAfterMaxSeconds - limits.retryAfterMinSeconds + 1)
        return limits.retryAfterMinSeconds + Int(turn % UInt64(spread))
    }

    /// A request that was read, and the answer to it once it is stored.
    private struct Request {
        let batch: SpanBatch
        let rejected: Int
        let reason: String?
        /// Metrics without any call statistics.
        var isNotKept = false

        var accepted: IngestOutcome {
            isNotKept
                ? .notKept : .accepted(spans: batch.count, rejected: rejected, reason: reason)
        }
    }

    private func read(_ payload: Payload) -> Result<Request, WireError> {
        Result { () throws(WireError) in
            if payload.format.holdsCalls { return try readCalls(payload) }
            let decoded =
                payload.format == .otlpProtobuf
                ? try decoders.decode(payload.bytes, receivedAt: payload.receivedAt)
                : try Self.decode(payload)
            let rejected = decoded.rejected
            let reason = decoded.rejectionReason
            return Request(
                batch: SpanBatch(columns: decoded.columns, payload: payload),
                rejected: rejected,
                reason: reason.isEmpty ? nil : reason
            )
        }
    }

    private func readCalls(_ payload: Payload) throws(WireError) -> Request {
        let decoded = try Self.decodeCalls(payload)
        guard let counts = decoded.counts else {
            return Request(
                batch: SpanBatch(columns: SpanColumns(), payload: payload),
                rejected: decoded.rejected,
                reason: decoded.rejectionReason.isEmpty ? nil : decoded.rejectionReason,
                isNotKept: decoded.rejected == 0
            )
        }
        var reason = decoded.rejectionReason.isEmpty ? nil : decoded.rejectionReason
        if decoded.hasOthers, reason == nil {
            reason = "metrics that are no call statistics of Skein's are not kept"
        }
        return Request(
            batch: SpanBatch(calls: counts, payload: payload),
            rejected: decoded.rejected,
            reason: reason
        )
    }

    private func store(_ payload: Payload, _ patience: Patience) async -> IngestOutcome {
        let request: Request
        switch read(payload) {
        case .failure(let error): return .malformed("\(error)")
        case .success(let read): request = read
        }
        guard !request.batch.isEmpty else { return request.accepted }
        var attempts = 0
        while true {
            do throws(StoreError) {
                try await store.append(request.batch)
                return request.accepted
            } catch {
                attempts += 1
                guard case .overloaded = error, await patience.pause(after: attempts) else {
                    return Self.outcome(of: error)
                }
            }
        }
    }

    private static func outcome(of error: StoreError) -> IngestOutcome {
        switch error {
        case .overloaded(let seconds): .overloaded(retryAfterSeconds: max(1, seconds))
        case .storageFailed(let reason): .storageFailed(reason)
        case .closed, .cancelled: .closed
        case .refused(let reason): .malformed(reason)
        case .unsupported(let reason): .storageFailed(reason)
        }
    }
}

/// The clocks a request is stamped and measured with.
public struct IngestTime: Sendable {
    /// Nanoseconds since 1970.
    public var wallNanoseconds: @Sendable () -> UInt64
    /// Nanoseconds since any moment; never goes back.
    public var monotonicNanoseconds: @Sendable () -> UInt64

    /// Joins two clocks.
    public init(
        wallNanoseconds: @escaping @Sendable () -> UInt64,
        monotonicNanoseconds: @escaping @Sendable () -> UInt64
    ) {
        self.wallNanoseconds = wallNanoseconds
        self.monotonicNanoseconds = monotonicNanoseconds
    }
}

/// What became of a request.
public enum IngestOutcome: Sendable, Equatable {
    /// Durable and visible, but for `rejected` spans, for `reason`.
    case accepted(spans: Int, rejected: Int, reason: String?)
    /// Metrics that are no call statistics: taken without error, and not stored.
    case notKept
    /// Nothing stored: the payload is not what it says it is.
    case malformed(String)
    /// Nothing stored: no room now. Sending it again later is right.
    case overloaded(retryAfterSeconds: Int)
    /// Nothing acknowledged: the disk failed or is full.
    case storageFailed(String)
    /// Nothing stored: the server is stopping.
    case closed
}
