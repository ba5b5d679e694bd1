// SPDX-License-Identifier: Apache-2.0

/// What is known of one HTTP connection's pace, and whether it is too slow. Times are nanoseconds of
/// a clock that never goes back.
///
/// ```
/// accepted ── first head (firstHeadSeconds) ──► body (grace, then a rate) ──► answer
///                                                    ▲                          │
///                                                    └── next head (idle) ◄─────┘
/// ```
struct ConnectionWatch {
    private let limits: ReceiverLimits
    /// When the connection was accepted or its last answer ended.
    private var quietSince: UInt64
    private var hadRequest = false
    private var openRequests = 0
    private var bodySince: UInt64?
    private var bodyByteCount = 0
    private var stalledSince: UInt64?

    /// Whether a request has begun and is not complete.
    var isReadingBody: Bool { bodySince != nil }

    init(limits: ReceiverLimits, now: UInt64) {
        self.limits = limits
        quietSince = now
    }

    /// A request began.
    mutating func readHead(now: UInt64) {
        hadRequest = true
        openRequests += 1
        bodySince = now
        bodyByteCount = 0
    }

    /// A piece of its body came.
    mutating func readBody(byteCount: Int) { bodyByteCount &+= byteCount }

    /// It is complete.
    mutating func readEnd() { bodySince = nil }

    /// Its answer was written.
    mutating func wroteEnd(now: UInt64) {
        openRequests -= 1
        quietSince = now
    }

    /// The socket takes no more (`false`) or takes some again.
    mutating func writabilityChanged(_ isWritable: Bool, now: UInt64) {
        stalledSince = isWritable ? nil : now
    }

    /// Whether the client is too slow.
    func isTooSlow(now: UInt64) -> Bool {
        if let stalledSince, seconds(from: stalledSince, to: now) > limits.stalledWriteSeconds {
            return true
        }
        if let bodySince {
            let late = seconds(from: bodySince, to: now) - limits.bodyGraceSeconds
            return late > 0 && bodyByteCount / limits.bodyBytesPerSecond < late
        }
        guard openRequests == 0 else { return false }
        return seconds(from: quietSince, to: now)
            > (hadRequest ? limits.idleSeconds : limits.firstHeadSeconds)
    }

    private func seconds(from start: UInt64, to end: UInt64) -> Int {
        end > start ? Int(clamping: (end &- start) / 1_000_000_000) : 0
    }
}
