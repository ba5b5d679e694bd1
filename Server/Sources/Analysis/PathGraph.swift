// SPDX-License-Identifier: Apache-2.0

/// The spans of a trace merged by call path: a thousand calls of one operation from one place are one
/// node, and below it stands what they called together.
///
/// Every node but a root has one edge, from `parent` to it. Linear, but for choosing the nodes of a
/// trace with more paths than are told.
public struct PathGraph: Sendable {
    /// Spans whose ancestors are of the same operations.
    public struct Node: Sendable, Equatable {
        /// A number of `nodes`, lower than this one's; `nil` for a root.
        public var parent: Int?
        /// A number of `PlacedTrace.operations`.
        public var operation: Int
        /// The first span, a place.
        public var first: Int
        /// Spans, which are the calls of the edge.
        public var count = 0
        /// Spans of the parent node that called at least once.
        public var callerCount = 0
        public var errorCount = 0
        /// Nanoseconds of all together.
        public var total: UInt64 = 0
        /// Nanoseconds of all together, without the time in which a child ran.
        public var selfTime: UInt64 = 0
        /// Nanoseconds on the critical path.
        public var pathTime: UInt64 = 0
    }

    /// What is not told by itself.
    public struct Others: Sendable, Equatable {
        public var pathCount = 0
        public var spanCount = 0
        public var errorCount = 0
        public var selfTime: UInt64 = 0
        public var pathTime: UInt64 = 0
    }

    /// Parents before children.
    public let nodes: [Node]
    /// The paths past the limit, those of least self time.
    public let others: Others

    /// Merges the spans of `trace`, telling at most `limit` paths.
    public init(
        _ trace: PlacedTrace,
        _ path: CriticalPath,
        _ statistics: TraceStatistics,
        limit: Int = AnalysisLimits.pathCount
    ) {
        var paths = CallPaths(limit: .max)
        var pathOf: [Int32] = []
        pathOf.reserveCapacity(trace.count)
        var all: [Node] = []
        // By place: the path that called last, so that a caller of two calls counts once.
        var caller: [Int32] = []
        for place in 0..<trace.count {
            let above = Int(trace.parent[place])
            let parent = above >= 0 ? pathOf[above] : -1
            let number = paths.number(parent, trace.operation[place]) ?? -1
            pathOf.append(number)
            if number == all.count {
                all.append(
                    Node(
                        parent: parent >= 0 ? Int(parent) : nil,
                        operation: Int(trace.operation[place]),
                        first: place
                    )
                )
                caller.append(-1)
            }
            let node = Int(number)
            all[node].count += 1
            if above >= 0, caller[node] != trace.parent[place] {
                caller[node] = trace.parent[place]
                all[node].callerCount += 1
            }
            all[node].errorCount += trace.isError[place] ? 1 : 0
            all[node].total = saturatingSum(all[node].total, trace.duration(place))
            all[node].selfTime = saturatingSum(all[node].selfTime, statistics.selfTime[place])
            all[node].pathTime = saturatingSum(all[node].pathTime, path.time[place])
        }
        let told = paths.heaviest(all.map(\.selfTime), limit: limit)
        var numbers = Array(repeating: -1, count: all.count)
        for (number, node) in told.enumerated() { numbers[node] = number }
        nodes = told.map { number in
            var node = all[number]
            node.parent = node.parent.map { numbers[$0] }
            return node
        }
        var others = Others()
        for (number, node) in all.enumerated() where numbers[number] < 0 {
            others.pathCount += 1
            others.spanCount += node.count
            others.errorCount += node.errorCount
            others.selfTime = saturatingSum(others.selfTime, node.selfTime)
            others.pathTime = saturatingSum(others.pathTime, node.pathTime)
        }
        self.others = others
    }
}
