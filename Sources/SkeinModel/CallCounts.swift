// SPDX-License-Identifier: Apache-2.0

/// What an application counted of all its calls in one window of time, sampled or not.
public struct CallCounts: Sendable, Equatable {
    /// Calls of one operation, peer and kind that ended well, or of those that failed.
    public struct Row: Sendable, Equatable {
        /// The service that counted.
        public var service: String
        /// `nil` for operations beyond those that the sender tells apart.
        public var operation: String?
        /// Server, client, producer or consumer.
        public var kind: SpanKind
        /// Whether the status of these calls is error.
        public var isError: Bool
        /// The service at the other end; `nil` where it is not known.
        public var peer: String?
        /// Nanoseconds of all calls together. Stays at its maximum.
        public var durationSum: UInt64
        /// Nanoseconds of the longest call; 0 where the sender does not say.
        public var longest: UInt64
        /// Calls by duration.
        public var durations: LatencySketch

        /// Counts calls.
        public init(
            service: String,
            operation: String?,
            kind: SpanKind,
            isError: Bool = false,
            peer: String? = nil,
            durationSum: UInt64 = 0,
            longest: UInt64 = 0,
            durations: LatencySketch = LatencySketch()
        ) {
            self.service = service
            self.operation = operation
            self.kind = kind
            self.isError = isError
            self.peer = peer
            self.durationSum = durationSum
            self.longest = longest
            self.durations = durations
        }
    }

    /// Who counted: a random number of the sender.
    public var sender: TraceID
    /// Which of the sender's windows this is. The same number of the same sender is the same window,
    /// sent again.
    public var window: UInt64
    /// When the window began, nanoseconds since 1970.
    public var start: UInt64
    /// What was counted.
    public var rows: [Row]

    /// Makes the counts of a window.
    public init(sender: TraceID, window: UInt64, start: UInt64, rows: [Row] = []) {
        self.sender = sender
        self.window = window
        self.start = start
        self.rows = rows
    }

    /// Bytes of memory that the rows are reckoned at.
    public var byteCount: Int {
        rows.reduce(128) { sum, row in
            sum + 192 + row.service.utf8.count + (row.operation?.utf8.count ?? 0)
                + (row.peer?.utf8.count ?? 0) + row.durations.width * 8
        }
    }
}
