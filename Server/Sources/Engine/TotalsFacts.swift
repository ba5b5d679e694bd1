// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Counted spans in memory: those of the head, and what a trace that lies in several parts changes.
///
/// A fact can be taken away again by the same fact with the opposite `times`.
struct TotalsFacts: Sendable {
    struct Group: Sendable, Hashable {
        var service: String
        var operation: String
        var kind: UInt8
        var status: UInt8
        var caller: String?
    }

    struct Edge: Sendable, Hashable {
        var caller: String
        var service: String
    }

    /// Spans of one group in one minute.
    struct Span: BitwiseCopyable {
        var group: UInt32
        /// Since 1970.
        var minute: UInt32
        var duration: UInt64
        var times: Int32

        /// 0 for a duration of zero, else 16 more than that of `LatencyBucket`: so the high bits are
        /// the cell of `TotalsFormat`, the low four the fine step.
        var bucket: UInt16

        init(group: UInt32, minute: UInt32, duration: UInt64, times: Int32) {
            self.group = group
            self.minute = minute
            self.duration = duration
            self.times = times
            bucket = LatencyBucket.index(of: duration).map { UInt16(16 + $0) } ?? 0
        }

        var cell: Int { Int(bucket >> 4) }
        var fineStep: Int { Int(bucket & 0xF) }
    }

    /// Requests of one edge in one minute.
    struct Request: BitwiseCopyable {
        var edge: UInt32
        /// Since 1970.
        var minute: UInt32
        var callCount: UInt32
        var times: Int32
    }

    var groups: [Group] = []
    var edges: [Edge] = []
    var spans: [Span] = []
    var requests: [Request] = []

    /// Memory held.
    var byteCount: Int {
        spans.count * MemoryLayout<Span>.stride + requests.count * MemoryLayout<Request>.stride
            + groups.count * MemoryLayout<Group>.stride + edges.count * MemoryLayout<Edge>.stride
    }
}
