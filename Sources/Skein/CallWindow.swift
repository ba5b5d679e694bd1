// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// Whom an operation calls, or is called by, as far as the application says so.
struct CallPeer: Sendable, Hashable {
    /// Empty where nobody said.
    var text: String
    /// It is an address, `server.address`, and not a service's name, `peer.service`.
    var isAddress: Bool

    static let unknown = CallPeer(text: "", isAddress: false)

    init(text: String, isAddress: Bool) {
        self.text = text.utf8.count <= Limits.nameByteCount ? text : ""
        self.isAddress = isAddress
    }

    /// A service's name.
    init(service: String) { self.init(text: service, isAddress: false) }
}

/// The kinds of spans that are calls, numbered as OTLP does.
enum CallKind {
    /// Server, client, producer, consumer.
    static let all: [UInt8] = [2, 3, 4, 5]
    static let first: UInt8 = 2
}

/// The buckets of OTLP's exponential histogram of scale 6, in nanoseconds: bucket `i` holds what is
/// above 2^(i/64) and at most 2^((i+1)/64).
///
/// They are those of `LatencyBucket`, but for exact powers of two, which lie one bucket lower here.
enum CallBuckets {
    /// Buckets of one octave.
    static let octave = 64
    static let scale = 6

    /// Longer ones are counted as this: 146 years.
    private static let longest: UInt64 = 1 << 62

    /// The number of a duration's bucket, plus one: 1 ns lies in bucket -1.
    @inline(__always)
    static func index(of nanoseconds: UInt64) -> Int {
        let duration = min(nanoseconds, longest)
        let isPowerOfTwo = duration & (duration &- 1) == 0
        return LatencyBucket.index(ofNonZero: duration) &+ (isPowerOfTwo ? 0 : 1)
    }
}

/// What was counted of all calls of a pipeline's tracers that ended within one window of time, sampled
/// or not.
///
/// Windows end at full tens of seconds of the wall clock, so that none straddles a minute; a flush and
/// the end of the process end one early. A call belongs to the window in which it ended.
public struct CallWindow: Sendable {
    /// Calls of one operation, peer and kind that ended well, or of those that failed.
    public struct Row: Sendable {
        /// `nil` for operations beyond the limit of those that are told apart.
        public let operation: String?
        let peer: CallPeer
        /// The role in the call.
        public let kind: SpanKind
        /// Whether the status of these calls is error.
        public let isError: Bool
        /// Calls of no duration.
        public internal(set) var zeroCount: UInt64 = 0
        /// Nanoseconds of all calls together.
        public internal(set) var durationSum: UInt64 = 0
        /// Nanoseconds of the longest call.
        public internal(set) var longest: UInt64 = 0
        /// Ascending; those without calls, mostly many, are left out.
        private var buckets: [(number: Int, count: UInt64)] = []

        init(operation: String?, peer: CallPeer, kind: SpanKind, isError: Bool) {
            self.operation = operation
            self.peer = peer
            self.kind = kind
            self.isError = isError
        }

        /// The service at the other end; empty where it is not known.
        public var peerService: String { peer.isAddress ? "" : peer.text }

        /// The address at the other end, where that is all that is known of it.
        public var peerAddress: String { peer.isAddress ? peer.text : "" }

        /// Calls in all.
        public var callCount: UInt64 { buckets.reduce(zeroCount) { $0 &+ $1.count } }

        /// Number of the first of `bucketCounts`, in OTLP's numbering for scale 6.
        public var bucketOffset: Int { buckets.first?.number ?? 0 }

        /// Calls by duration: every bucket from the first that has calls to the last. Made anew each
        /// time it is asked for.
        public var bucketCounts: [UInt64] {
            guard let last = buckets.last else { return [] }
            var counts = [UInt64](repeating: 0, count: last.number - bucketOffset + 1)
            for bucket in buckets { counts[bucket.number - bucketOffset] = bucket.count }
            return counts
        }

        /// Counts calls of a bucket; buckets come in ascending order.
        mutating func add(_ times: UInt64, bucket: Int) { buckets.append((bucket, times)) }

        /// Bytes of memory the row is reckoned at.
        var byteCount: Int {
            Limits.callRowByteCount + (operation?.utf8.count ?? 0) + peer.text.utf8.count
                + buckets.count * 16
        }
    }

    /// Rows of one tracer.
    public struct Service: Sendable {
        /// Who the rows speak of.
        public let resource: Resource
        /// In no stated order.
        public internal(set) var rows: [Row]
    }

    /// Whose window it is: a random number of the pipeline, 128 bits.
    public let sender: TraceID
    /// Which of the sender's windows it is, from 1 without gaps but for those that were dropped. A
    /// receiver that has one with this number of this sender already has this very window.
    public let number: UInt64
    /// Unsigned nanoseconds since 1970.
    public let start: UInt64
    /// Unsigned nanoseconds since 1970, above `start`.
    public let end: UInt64
    /// Those that had calls.
    public let services: [Service]

    /// Calls in all.
    public var callCount: UInt64 {
        services.reduce(0) { $1.rows.reduce($0) { $0 &+ $1.callCount } }
    }

    var byteCount: Int {
        services.reduce(0) { $1.rows.reduce($0) { $0 + $1.byteCount } }
    }
}

/// An exporter that carries call statistics too.
///
/// One that does not conform leaves them out: nothing is counted for its pipeline.
public protocol CallStatisticsExporter: SpanExporter {
    /// Turns a window into what is sent.
    func encode(_ window: CallWindow) -> Payload

    /// Tries once to send a window; may run beside `send`.
    func send(statistics payload: Payload) async -> ExportOutcome
}
