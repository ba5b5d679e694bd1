// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Children of one parent that are equal in service and operation, told as one: a thousand statements
/// below one request are one fact. They need not stand next to each other.
///
/// Linear, but for sorting each run's durations.
public struct SiblingRollup: Sendable {
    /// Equal siblings.
    public struct Run: Sendable, Equatable {
        /// The parent's place; -1 for spans without one.
        public var parent: Int
        /// A number of `PlacedTrace.operations`.
        public var operation: Int
        /// Of `SiblingRollup.places`: the spans, by start.
        public var members: Range<Int>
        public var errorCount: Int
        /// Nanoseconds of all together.
        public var sum: UInt64
        /// Nanoseconds in which at least one of them ran.
        public var coveredTime: UInt64
        /// Exact, nanoseconds.
        public var p50: UInt64
        public var p99: UInt64
        public var longest: UInt64
        /// Nanoseconds since 1970.
        public var firstStart: UInt64
        public var lastStart: UInt64

        /// Spans.
        public var count: Int { members.count }

        /// Whether they ran one after another (at most a tenth of the time of all together ran beside
        /// others) rather than in parallel.
        public var isSequential: Bool { coveredTime >= sum - sum / 10 }
    }

    /// By parent, then by the first member.
    public let runs: [Run]
    /// Members of all runs.
    public let places: [Int32]

    /// Finds runs of at least `minimum` spans.
    public init(_ trace: PlacedTrace, minimum: Int = AnalysisLimits.rollupCount) {
        var grouping = Grouping(trace, minimum: max(minimum, 1))
        // Circles stand behind the other roots, whenever they began.
        let roots = trace.roots.sorted {
            (trace.start[Int($0)], $0) < (trace.start[Int($1)], $1)
        }
        grouping.add(roots[...], of: -1)
        for place in 0..<trace.count { grouping.add(trace.children(of: place), of: place) }
        runs = grouping.runs
        places = grouping.places
    }
}

private struct Grouping {
    let trace: PlacedTrace
    let minimum: Int
    var runs: [SiblingRollup.Run] = []
    var places: [Int32] = []
    /// By operation: how many of the siblings at hand; zero between calls.
    private var countOf: [Int]
    /// By operation: where its next member goes.
    private var nextOf: [Int]

    init(_ trace: PlacedTrace, minimum: Int) {
        self.trace = trace
        self.minimum = minimum
        countOf = Array(repeating: 0, count: trace.operations.count)
        nextOf = countOf
    }

    mutating func add(_ siblings: ArraySlice<Int32>, of parent: Int) {
        guard siblings.count >= minimum else { return }
        var operations: [Int] = []
        for place in siblings {
            let operation = Int(trace.operation[Int(place)])
            if countOf[operation] == 0 { operations.append(operation) }
            countOf[operation] += 1
        }
        let firstRun = runs.count
        for operation in operations where countOf[operation] >= minimum {
            let members = places.count..<places.count + countOf[operation]
            nextOf[operation] = members.lowerBound
            places.append(contentsOf: repeatElement(0, count: members.count))
            runs.append(Self.run(parent, operation, members))
        }
        if runs.count > firstRun {
            for place in siblings {
                let operation = Int(trace.operation[Int(place)])
                guard countOf[operation] >= minimum else { continue }
                places[nextOf[operation]] = place
                nextOf[operation] += 1
            }
            for run in firstRun..<runs.count { measure(&runs[run]) }
        }
        for operation in operations { countOf[operation] = 0 }
    }

    private static func run(
        _ parent: Int,
        _ operation: Int,
        _ members: Range<Int>
    ) -> SiblingRollup.Run {
        SiblingRollup.Run(
            parent: parent,
            operation: operation,
            members: members,
            errorCount: 0,
            sum: 0,
            coveredTime: 0,
            p50: 0,
            p99: 0,
            longest: 0,
            firstStart: 0,
            lastStart: 0
        )
    }

    private func measure(_ run: inout SiblingRollup.Run) {
        let members = places[run.members].lazy.map { Int($0) }
        var durations = Array(members.map { trace.duration($0) })
        durations.sort()
        run.errorCount = members.count { trace.isError[$0] }
        run.sum = durations.reduce(0, saturatingSum)
        run.p50 = durations.quantile(0.5)
        run.p99 = durations.quantile(0.99)
        run.longest = durations.last ?? 0
        run.firstStart = members.first.map { trace.start[$0] } ?? 0
        run.lastStart = members.last.map { trace.start[$0] } ?? 0
        var covered = CoveredTime()
        for place in members { covered.add(trace.start[place], trace.end[place]) }
        run.coveredTime = covered.total
    }
}

/// The length of the union of stretches of time, which come by their starts.
struct CoveredTime {
    private(set) var total: UInt64 = 0
    /// The end of what is counted.
    private var end: UInt64 = 0

    mutating func add(_ from: UInt64, _ to: UInt64) {
        let first = max(from, end)
        guard first < to else { return }
        total += to - first
        end = to
    }
}
