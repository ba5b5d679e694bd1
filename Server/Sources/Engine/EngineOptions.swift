// SPDX-License-Identifier: Apache-2.0

/// How an `EmbeddedStore` behaves; the defaults suit one machine with a gigabyte to spare.
public struct EngineOptions: Sendable {
    /// When `append` returns.
    public enum Durability: String, Sendable, CaseIterable {
        /// After `fdatasync`: survives a power cut.
        case fsync
        /// After the write: survives the process, not the machine.
        case os
    }

    public var durability = Durability.fsync
    /// How long spans are kept after they were received; `nil` keeps them for ever. Counted from
    /// receipt, so that an import of old traces is not removed at once.
    public var retention: Duration?
    /// How long minute totals are kept after the spans that they count were received, `nil` for ever:
    /// 90 days. Not shorter than `retention`; of the same length, totals go with their spans.
    public var totalsRetention: Duration? = .seconds(90 * 86_400)
    /// Bytes of parts and totals files above which the oldest are removed; `nil` is no limit. The
    /// newest part stays, totals files have a quarter at most, and the log comes on top.
    public var retentionBytes: UInt64?
    /// Groups (service, operation, kind, status, caller) up to which totals are joined into one file.
    public var totalsFileGroups = 65_536
    /// Counters of call statistics up to which totals are joined into one file: some 20 MiB of them.
    public var totalsFileCells = 8 << 20
    /// Bytes of what is remembered of removed traces, 20 bits each: some 25 million. The oldest go.
    public var removedBytes: UInt64 = 64 << 20
    /// Bytes of damaged log segments and totals files that are kept aside; the oldest go.
    public var quarantineBytes: UInt64 = 256 << 20
    /// Bytes on the disk that are held back for the time when it is full; 0 holds none.
    public var reserveBytes = 16 << 20
    /// Bytes of one log segment; a longer record gets a segment of its own length.
    public var segmentBytes = 16 << 20
    /// Segments made ready before they are needed, by a thread of their own; 0 makes each when it is.
    /// At full speed one lasts about as long as making the next takes.
    public var segmentsAhead = 2
    /// Bytes of log that may wait to be flushed before appends are refused.
    public var logLimitBytes = 512 << 20
    /// Bytes of payload that may wait for the log thread before appends are refused.
    public var queueBytes = 64 << 20
    /// Requests that may wait for the log thread before appends are refused.
    public var queueRequests = 4_096
    /// Bytes in the head at which it is written to a part.
    public var headFlushBytes = 32 << 20
    /// Bytes in the head at which appends are refused: flushing cannot keep up.
    public var headLimitBytes = 192 << 20
    /// Age of the oldest span in the head at which it is written to a part.
    public var headFlushAge = Duration.seconds(300)
    /// How often age, retention and merging are looked at.
    public var maintenanceInterval = Duration.seconds(1)
    /// Rows of a block in new parts; existing parts keep theirs.
    public var blockRows = 8_192
    /// Whether small parts are joined in the background.
    public var merging = true
    /// How long nothing may have been appended before parts that are too few for a merge are joined
    /// all the same.
    public var mergeQuietAge = Duration.seconds(30)
    /// Senders of call statistics that are known, of a tenant: some 150 bytes each. Windows that those
    /// longest unheard of send again beyond it count again.
    public var callSenders = 200_000
    /// Bytes of memory that one query may hold before it is refused: a trace of 100,000 spans and
    /// what reading it takes.
    public var queryMemoryBytes = 64 << 20
    /// Bytes of memory that reading one trace alone may take, as there is no smaller question: a trace
    /// of 1,000,000 spans.
    public var traceMemoryBytes = 256 << 20
    /// Threads that decode the log at a start, beside the one that opens the store.
    public var replayThreads = 2
    /// Threads that answer queries.
    public var queryThreads = 2

    /// The defaults.
    public init() {}
}

/// Why a store could not be opened. No data was lost.
public struct EngineError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line: the path, what is wrong, what to do.
    public let description: String

    init(_ description: String) { self.description = description }

    /// A file that this program does not read.
    static func otherVersion(_ path: String, found: UInt32, read: UInt32) -> EngineError {
        EngineError(
            "\(path) has format version \(found), this program reads \(read). Nothing was changed: "
                + (found > read
                    ? "start the newer version of Skein that wrote it, or name another directory"
                    : "start the version of Skein that wrote it, or name a new directory")
        )
    }
}
