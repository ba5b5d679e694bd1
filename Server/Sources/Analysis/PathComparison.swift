// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// Two traces, or two sets of traces, beside each other: spans are matched by call path, which is the
/// chain of services and names from the root down to them.
///
/// Traces are added one at a time, so that a set need not be in memory at once.
public struct PathComparison: Sendable {
    /// Which of the two.
    public enum Side: Int, Sendable, CaseIterable {
        case a, b
    }

    /// What one side has of one path. Times are nanoseconds of all traces together.
    public struct Figures: Sendable, Equatable {
        /// Traces with such a span.
        public var traceCount = 0
        public var spanCount = 0
        public var errorCount = 0
        public var total: UInt64 = 0
        /// Without the time in which a child ran.
        public var selfTime: UInt64 = 0
    }

    /// A path of either side, or of both.
    public struct Path: Sendable, Equatable {
        /// A number of `Result.paths`, lower than this one's; `nil` for a root.
        public var parent: Int?
        public var operation: PlacedTrace.Operation
        public var a: Figures
        public var b: Figures
    }

    /// An attribute whose values are not the same on both sides of a path.
    public struct Difference: Sendable, Equatable {
        /// A number of `Result.paths`.
        public var path: Int
        public var key: String
        /// The most frequent values, most frequent first; empty where no span has the attribute.
        public var a: [Value]
        public var b: [Value]
    }

    /// A value, and how many of the looked-at spans have it.
    public struct Value: Sendable, Equatable {
        public var value: AttributeValue
        public var count: Int
    }

    /// What came out.
    public struct Result: Sendable {
        /// Traces of each side.
        public var traceCountOfA: Int
        public var traceCountOfB: Int
        /// Parents before children.
        public var paths: [Path]
        /// Paths that are not told, those of least self time on both sides together.
        public var otherPathCount: Int
        /// What of a side is on none of `paths`.
        public var otherA: Figures
        public var otherB: Figures
        /// By path, then key; at most `AnalysisLimits.differenceCount`.
        public var differences: [Difference]
    }

    private struct Sample {
        var spanCounts = [0, 0]
        var values: [String: [[AttributeValue: Int]]] = [:]
    }

    private var paths = CallPaths(limit: AnalysisLimits.comparedPathCount)
    private var operations = JoinedOperations()
    /// By side, then path.
    private var figures: [[Figures]] = [[], []]
    /// By side, then path: the trace that counted last, from 1.
    private var lastTrace: [[Int]] = [[], []]
    private var traceCounts = [0, 0]
    private var unnumbered = [Figures(), Figures()]
    /// By path.
    private var samples: [Int: Sample] = [:]

    /// Nothing on either side.
    public init() {}

    /// Adds a trace to a side. `attributes` tells those of the span at a place; it is asked about few.
    public mutating func add(
        _ trace: PlacedTrace,
        to side: Side,
        attributes: (_ place: Int) -> [AttributeValue.KeyValue] = { _ in [] }
    ) {
        let side = side.rawValue
        traceCounts[side] += 1
        let own = trace.operations.map { operations.number(of: $0) }
        let selfTime = trace.selfTimes()
        var pathOf: [Int32?] = []
        pathOf.reserveCapacity(trace.count)
        for place in 0..<trace.count {
            let above = Int(trace.parent[place])
            // Below a path past the limit nothing is numbered: nobody could tell where it hangs.
            let parent = above >= 0 ? pathOf[above] : -1
            let number = parent.flatMap { paths.number($0, own[Int(trace.operation[place])]) }
            pathOf.append(number)
            guard let path = number.map({ Int($0) }) else {
                unnumbered[side].count(trace, place, selfTime[place])
                continue
            }
            for side in figures.indices where figures[side].count < paths.count {
                figures[side].append(Figures())
                lastTrace[side].append(0)
            }
            figures[side][path].count(trace, place, selfTime[place])
            if lastTrace[side][path] != traceCounts[side] {
                lastTrace[side][path] = traceCounts[side]
                figures[side][path].traceCount += 1
            }
            sample(path, side) { attributes(place) }
        }
    }

    private mutating func sample(
        _ path: Int,
        _ side: Int,
        _ attributes: () -> [AttributeValue.KeyValue]
    ) {
        guard path < AnalysisLimits.sampledPathCount else { return }
        let seen = samples[path]?.spanCounts[side] ?? 0
        guard seen < AnalysisLimits.sampledSpanCount else { return }
        samples[path, default: Sample()].spanCounts[side] += 1
        for pair in attributes() {
            samples[path, default: Sample()]
                .values[pair.key, default: [[:], [:]]][side][pair.value, default: 0] += 1
        }
    }

    /// What was found; at most `limit` paths are told.
    public func result(limit: Int = AnalysisLimits.pathCount) -> Result {
        let weight = (0..<paths.count).map {
            saturatingSum(figures[0][$0].selfTime, figures[1][$0].selfTime)
        }
        let told = paths.heaviest(weight, limit: limit)
        var numbers: [Int: Int] = [:]
        var others = unnumbered
        for (number, path) in told.enumerated() { numbers[path] = number }
        for path in 0..<paths.count where numbers[path] == nil {
            for side in others.indices { others[side].add(figures[side][path]) }
        }
        return Result(
            traceCountOfA: traceCounts[0],
            traceCountOfB: traceCounts[1],
            paths: told.map { path in
                Path(
                    parent: numbers[Int(paths.parent[path])],
                    operation: operations[paths.operation[path]],
                    a: figures[0][path],
                    b: figures[1][path]
                )
            },
            otherPathCount: paths.count - told.count,
            otherA: others[0],
            otherB: others[1],
            differences: differences(told)
        )
    }

    private func differences(_ told: [Int]) -> [Difference] {
        var result: [Difference] = []
        for (number, path) in told.enumerated() {
            // Only spans that both sides have can differ.
            guard let sample = samples[path], !sample.spanCounts.contains(0) else { continue }
            var found: [Difference] = []
            for (key, values) in sample.values.sorted(by: { $0.key < $1.key }) {
                guard found.count < AnalysisLimits.differenceCount.path else { break }
                if Set(values[0].keys) == Set(values[1].keys) { continue }
                found.append(
                    Difference(
                        path: number,
                        key: key,
                        a: Self.mostFrequent(values[0]),
                        b: Self.mostFrequent(values[1])
                    )
                )
            }
            result += found.prefix(AnalysisLimits.differenceCount.all - result.count)
        }
        return result
    }

    private static func mostFrequent(_ values: [AttributeValue: Int]) -> [Value] {
        values.map { Value(value: $0.key, count: $0.value) }
            .sorted {
                $0.count == $1.count ? "\($0.value)" < "\($1.value)" : $0.count > $1.count
            }
            .prefix(AnalysisLimits.differingValueCount)
            .map(\.self)
    }
}

extension PathComparison.Figures {
    fileprivate mutating func count(_ trace: PlacedTrace, _ place: Int, _ selfTime: UInt64) {
        spanCount += 1
        errorCount += trace.isError[place] ? 1 : 0
        total = saturatingSum(total, trace.duration(place))
        self.selfTime = saturatingSum(self.selfTime, selfTime)
    }

    fileprivate mutating func add(_ other: Self) {
        spanCount += other.spanCount
        errorCount += other.errorCount
        total = saturatingSum(total, other.total)
        selfTime = saturatingSum(selfTime, other.selfTime)
    }
}
