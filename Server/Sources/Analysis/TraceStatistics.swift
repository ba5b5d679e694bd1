// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Counts and times of a trace by operation, by service, and over all.
///
/// All quantiles are exact. Linear, but for sorting spans by start and durations.
public struct TraceStatistics: Sendable {
    /// What was counted of some spans. Times are nanoseconds.
    public struct Figures: Sendable, Equatable {
        public var count = 0
        public var errorCount = 0
        /// Of all spans together. Stays at its maximum.
        public var total: UInt64 = 0
        /// Of all spans together, without the time in which a child ran.
        public var selfTime: UInt64 = 0
        /// In which at least one of the spans ran.
        public var activeTime: UInt64 = 0
        /// On the critical path of their piece, without that of their children.
        public var pathTime: UInt64 = 0
        public var p50: UInt64 = 0
        public var p95: UInt64 = 0
        public var p99: UInt64 = 0
        public var longest: UInt64 = 0

        /// Nanoseconds of one span.
        public var average: UInt64 { count > 0 ? total / UInt64(count) : 0 }
    }

    /// By number of `PlacedTrace.operations`.
    public let operations: [Figures]
    /// By number of `PlacedTrace.services`.
    public let services: [Figures]
    /// By place: nanoseconds in which the span ran and no child of it did.
    public let selfTime: [UInt64]
    /// Nanoseconds since 1970: the earliest start.
    public let start: UInt64
    /// Nanoseconds from the earliest start to the latest end.
    public let duration: UInt64
    /// Spans above one another, the deepest counted.
    public let levelCount: Int
    public let errorCount: Int
    /// Spans whose parent did not come, or that hang in a circle.
    public let orphanCount: Int
    /// Hosts that spans name.
    public let hostCount: Int
    /// Attributes, events and links dropped before they were stored.
    public let droppedPartCount: UInt64
    /// Spans whose times were moved.
    public let movedCount: Int

    /// Counts `trace`, whose critical path is `path`.
    public init(_ trace: PlacedTrace, _ path: CriticalPath) {
        let selfTime = trace.selfTimes()
        let byStart = (0..<Int32(truncatingIfNeeded: trace.count)).sorted {
            trace.start[Int($0)] < trace.start[Int($1)]
        }
        let gather = { (number: (Int) -> Int, count: Int) in
            Self.figures(trace, path, selfTime, byStart, number, count)
        }
        operations = gather({ Int(trace.operation[$0]) }, trace.operations.count)
        services = gather({ trace.service($0) }, trace.services.count)
        self.selfTime = selfTime
        start = trace.start.min() ?? 0
        duration = (trace.end.max() ?? 0) - start
        levelCount = trace.depth.max().map { Int($0) + 1 } ?? 0
        errorCount = trace.isError.count { $0 }
        orphanCount = trace.isParentMissing.count { $0 }
        hostCount = trace.hostCount
        droppedPartCount = trace.droppedPartCount
        movedCount = trace.clockShift.count { $0 != 0 }
    }

    /// Figures of each group of spans; `number` tells the group of a place.
    private static func figures(
        _ trace: PlacedTrace,
        _ path: CriticalPath,
        _ selfTime: [UInt64],
        _ byStart: [Int32],
        _ number: (Int) -> Int,
        _ count: Int
    ) -> [Figures] {
        var figures = Array(repeating: Figures(), count: count)
        var covered = Array(repeating: CoveredTime(), count: count)
        for place in byStart.lazy.map({ Int($0) }) {
            let group = number(place)
            figures[group].count += 1
            figures[group].errorCount += trace.isError[place] ? 1 : 0
            figures[group].total = saturatingSum(figures[group].total, trace.duration(place))
            figures[group].selfTime = saturatingSum(figures[group].selfTime, selfTime[place])
            figures[group].pathTime = saturatingSum(figures[group].pathTime, path.time[place])
            covered[group].add(trace.start[place], trace.end[place])
        }
        var next: [Int] = [0]
        for figure in figures { next.append(next[next.count - 1] + figure.count) }
        var durations = Array(repeating: UInt64(0), count: trace.count)
        for place in 0..<trace.count {
            let group = number(place)
            durations[next[group]] = trace.duration(place)
            next[group] += 1
        }
        for group in 0..<count {
            // Filling moved each group's first place to its last.
            let sorted = durations[next[group] - figures[group].count..<next[group]].sorted()
            figures[group].activeTime = covered[group].total
            figures[group].p50 = sorted.quantile(0.5)
            figures[group].p95 = sorted.quantile(0.95)
            figures[group].p99 = sorted.quantile(0.99)
            figures[group].longest = sorted.last ?? 0
        }
        return figures
    }
}

extension PlacedTrace {
    /// By place: nanoseconds in which the span ran and no child of it did.
    func selfTimes() -> [UInt64] {
        TraceOutline.selfTimes(
            (0..<count).map { place in
                OutlineSpan(
                    parent: Int(parent[place]),
                    start: start[place],
                    end: end[place],
                    label: 0
                )
            }
        )
    }
}
