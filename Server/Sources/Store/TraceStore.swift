// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// A place that keeps spans and answers questions about them. See `Store.swift` for its promises.
public protocol TraceStore: Sendable {
    /// What this store can do.
    var capabilities: Capabilities { get }

    /// Numbers for operators: sizes, counts, ages. Cheap.
    var statistics: StoreStatistics { get }

    /// Keeps `batch`; calls `done` once, when it is durable and visible or refused: at once, or later
    /// on a thread of the store's, which `done` must not hold up.
    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    )

    /// Finds traces that have a span satisfying `plan.span` and satisfy `plan.trace`.
    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult

    /// Goes through the whole traces of `plan`, each once, and calls `body` with some at a time, on a
    /// thread of the store's or of the caller's, until all were told or it says stop. What arrives
    /// meanwhile may be told or not; a trace is told as it was at one moment.
    func walk(
        _ plan: WalkPlan,
        _ body: @escaping @Sendable (WalkedTraces) throws(StoreError) -> WalkStep
    ) async throws(StoreError) -> WalkResult

    /// All spans of the traces asked for, sorted by trace id, then start, exact duplicates removed.
    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans

    /// The names known in a scope, sorted.
    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult

    /// Calls, errors and durations by service, operation or edge, counted over every span.
    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals

    /// Says why a trace that was looked for is not there. `StoreError.unsupported` where nothing of the
    /// past is remembered.
    func absence(of id: TraceID, in tenant: Tenant) async throws(StoreError) -> TraceAbsence

    /// Removes all spans of exactly this trace, for good. One that is not stored is no error.
    func deleteTrace(_ id: TraceID, of tenant: Tenant) async throws(StoreError) -> DeletedTrace
}

extension TraceStore {
    public func absence(
        of id: TraceID,
        in tenant: Tenant
    ) async throws(StoreError) -> TraceAbsence {
        throw .unsupported("this store remembers nothing of traces that are gone")
    }

    /// Keeps `batch`; returns when it is durable and visible.
    public func append(_ batch: SpanBatch) async throws(StoreError) {
        let answer = await withCheckedContinuation { continuation in
            append(batch) { continuation.resume(returning: $0) }
        }
        try answer.get()
    }
}

/// What a store can do; a query that needs more is answered with `StoreError.unsupported`.
public struct Capabilities: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `append` survives a power cut.
    public static let durable = Capabilities(rawValue: 1)
    /// `scan` can order by duration.
    public static let orderBySlowest = Capabilities(rawValue: 2)
    /// `totals` answers.
    public static let totals = Capabilities(rawValue: 4)
    /// `deleteTrace` deletes.
    public static let deletion = Capabilities(rawValue: 8)
    /// `append` keeps call statistics, and `totals` counts them.
    public static let callStatistics = Capabilities(rawValue: 16)
}

/// Why a store did not do what was asked.
public enum StoreError: Error, Sendable, Equatable {
    /// No room for now; the caller should try again after so many seconds.
    case overloaded(retryAfterSeconds: Int)
    /// The disk failed or is full; writes are refused, reads go on.
    case storageFailed(String)
    /// The store is shutting down.
    case closed
    /// The store cannot do this at all.
    case unsupported(String)
    /// A limit of the request itself: which, and what would be allowed.
    case refused(String)
    /// The asking task was cancelled.
    case cancelled
}

/// Numbers for operators.
public struct StoreStatistics: Sendable, Equatable {
    /// Spans that can be found now.
    public var spans: UInt64 = 0
    /// Spans acknowledged but not yet in a part.
    public var headSpans: UInt64 = 0
    /// Memory the head holds, bytes.
    public var headBytes: UInt64 = 0
    /// Live parts.
    public var parts: Int = 0
    /// Bytes of live parts.
    public var partBytes: UInt64 = 0
    /// Bytes of log segments, recycled ones included.
    public var logBytes: UInt64 = 0
    /// Requests appended since start.
    public var appendedBatches: UInt64 = 0
    /// Spans appended since start.
    public var appendedSpans: UInt64 = 0
    /// Windows of call statistics counted since start, those taken back from the log included.
    public var countedWindows: UInt64 = 0
    /// Windows of call statistics that came again, and did not count again.
    public var repeatedWindows: UInt64 = 0
    /// Senders of call statistics forgotten since start because there were too many: what they send again
    /// counts again.
    public var forgottenSenders: UInt64 = 0
    /// Calls of fdatasync for the log since start.
    public var logSyncs: UInt64 = 0
    /// Spans removed since start because they were too old.
    public var expiredSpans: UInt64 = 0
    /// Spans removed since start because there were too many bytes.
    public var evictedSpans: UInt64 = 0
    /// Parts removed since start for either reason.
    public var expiredParts: UInt64 = 0
    /// Bytes of those parts.
    public var expiredBytes: UInt64 = 0
    /// Files with minute totals of spans that are gone.
    public var totalsFiles: Int = 0
    /// Bytes of those files.
    public var totalsBytes: UInt64 = 0
    /// Such files removed since start, too old or too many bytes.
    public var expiredTotalsFiles: UInt64 = 0
    /// Spans removed since start that no totals file counts, because their part could not be read.
    public var uncountedSpans: UInt64 = 0
    /// Spans of deleted traces since start.
    public var deletedSpans: UInt64 = 0
    /// Parts set aside because a checksum failed or the file is gone.
    public var quarantinedParts: Int = 0
    /// Spans in those parts.
    public var quarantinedSpans: UInt64 = 0
    /// Bytes of other files that are set aside: log segments, totals files.
    public var quarantineBytes: UInt64 = 0
    /// Attribute keys past the bound of a part, which share columns: of the part that has most.
    public var overflowedKeys: Int = 0
    /// Attribute values in such columns, of all parts.
    public var overflowedValues: UInt64 = 0
    /// Log records lost to damage at the last start.
    public var damagedRecords: UInt64 = 0
    /// Set when writes are refused: why.
    public var failure: String?

    /// All zero.
    public init() {}
}
