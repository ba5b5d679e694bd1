// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// The distinct ways in which calls of an operation go on: which operations they lead to, by which
/// path. How often an operation is called from one place makes no other tree, but is told.
///
/// ```
/// buy            buy             two trees:   buy               1 call   buy          1 call
/// ├ SELECT       ├ SELECT                     ├ SELECT ×2                ├ SELECT ×1
/// ├ SELECT       └ retry                      └ charge                   └ retry
/// └ charge         └ SELECT                                                └ SELECT
/// ```
/// Traces are added one at a time; all numbers are exact. Linear, but for sorting each call's distinct
/// paths and each tree's durations.
public struct CallShapes: Sendable {
    /// One call, to look at.
    public struct Example: Sendable, Equatable {
        public var traceID: TraceID
        public var spanID: SpanID
        /// Nanoseconds.
        public var duration: UInt64
    }

    /// Calls of one operation from one place of a tree.
    public struct Line: Sendable, Equatable {
        /// A number of the tree's lines, lower than this one's; `nil` for the root.
        public var parent: Int?
        public var operation: PlacedTrace.Operation
        /// Spans of all calls.
        public var spanCount: Int
        public var errorCount: Int
        /// Of one call: the fewest spans, and the most.
        public var fewest: Int
        public var most: Int
        /// Whether the most frequent tree of the same root has no such path.
        public var isExtra: Bool
    }

    /// Calls that went the same ways.
    public struct Tree: Sendable, Equatable {
        public var callCount: Int
        /// Calls whose own span failed.
        public var errorCount: Int
        /// Exact, nanoseconds.
        public var p50: UInt64
        public var p99: UInt64
        public var longest: UInt64
        /// Lines there are; `lines` has the first `AnalysisLimits.shapeLineCount`.
        public var lineCount: Int
        /// Depth first.
        public var lines: [Line]
        /// The call at `p50`; the newest of several.
        public var typical: Example
        public var slowest: Example
        /// The number of the most frequent tree of the same root; `nil` for that itself.
        public var usual: Int?
        /// What that one has and this has not, where the way to it begins to differ.
        public var missing: [PlacedTrace.Operation]
    }

    /// What came out.
    public struct Result: Sendable, Equatable {
        public var traceCount: Int
        public var callCount: Int
        /// Trees there are.
        public var treeCount: Int
        /// Those of most calls first; of as many, the one whose newest call came first.
        public var trees: [Tree]
        /// Calls with paths past the limit, which are in no tree.
        public var untoldCallCount: Int
    }

    fileprivate struct Figures {
        var spanCount = 0
        var errorCount = 0
        var fewest = Int.max
        var most = 0
    }

    fileprivate struct Shape {
        /// Paths in the order of the first call.
        var paths: [Int32]
        /// By place of the key, which ascends.
        var figures: [Figures]
        var errorCount = 0
        /// With the number of each call.
        var durations: [(duration: UInt64, call: Int)] = []
    }

    private var paths = CallPaths(limit: AnalysisLimits.shapedPathCount)
    private var operations = JoinedOperations()
    /// By ascending numbers of paths.
    private var numberOfShape: [[Int32]: Int] = [:]
    private var keys: [[Int32]] = []
    private var shapes: [Shape] = []
    /// By call of some shape.
    private var calls: [(trace: Int, spanID: SpanID)] = []
    private var traces: [TraceID] = []
    private var untoldCallCount = 0
    /// By path: spans and errors of the call at hand; zero between calls.
    private var counted: [(spans: Int, errors: Int)] = []

    /// No calls.
    public init() {}

    /// Adds the calls of `trace` whose spans stand at `roots`, ascending; none of them may stand below
    /// another.
    public mutating func add(
        _ trace: PlacedTrace,
        _ traceID: TraceID,
        roots: [Int],
        spanID: (_ place: Int) -> SpanID
    ) {
        traces.append(traceID)
        let own = trace.operations.map { operations.number(of: $0) }
        for root in roots { add(trace, root, own, spanID(root)) }
    }

    private mutating func add(
        _ trace: PlacedTrace,
        _ root: Int,
        _ own: [Int32],
        _ spanID: SpanID
    ) {
        let places = root..<Int(trace.subtreeEnd[root])
        var pathOf: [Int32] = []
        pathOf.reserveCapacity(places.count)
        var met: [Int32] = []
        var isWhole = true
        for place in places {
            let parent = place == root ? -1 : pathOf[Int(trace.parent[place]) - root]
            guard let path = paths.number(parent, own[Int(trace.operation[place])]) else {
                isWhole = false
                break
            }
            pathOf.append(path)
            while counted.count < paths.count { counted.append((0, 0)) }
            if counted[Int(path)].spans == 0 { met.append(path) }
            counted[Int(path)].spans += 1
            counted[Int(path)].errors += trace.isError[place] ? 1 : 0
        }
        if isWhole {
            count(met, trace.duration(root), isError: trace.isError[root], spanID)
        } else {
            untoldCallCount += 1
        }
        for path in met { counted[Int(path)] = (0, 0) }
    }

    private mutating func count(
        _ met: [Int32],
        _ duration: UInt64,
        isError: Bool,
        _ spanID: SpanID
    ) {
        let key = met.sorted()
        let number = numberOfShape[key] ?? shapes.count
        if number == shapes.count {
            numberOfShape[key] = number
            keys.append(key)
            shapes.append(Shape(paths: met, figures: key.map { _ in Figures() }))
        }
        for (place, path) in key.enumerated() {
            shapes[number].figures[place].add(counted[Int(path)])
        }
        shapes[number].errorCount += isError ? 1 : 0
        shapes[number].durations.append((duration, calls.count))
        calls.append((traces.count - 1, spanID))
    }

    // MARK: The result

    /// What was found; at most `limit` trees are told.
    public func result(limit: Int) -> Result {
        // Shapes are numbered as their first calls came.
        let order = shapes.indices.sorted {
            let (left, right) = (shapes[$0].durations.count, shapes[$1].durations.count)
            return left == right ? $0 < $1 : left > right
        }
        var usual: [Int32: Int] = [:]
        var trees: [Tree] = []
        for shape in order.prefix(max(limit, 0)) {
            let root = keys[shape][0]
            trees.append(tree(shape, usual: usual[root].map { ($0, order[$0]) }))
            if usual[root] == nil { usual[root] = trees.count - 1 }
        }
        return Result(
            traceCount: traces.count,
            callCount: calls.count + untoldCallCount,
            treeCount: shapes.count,
            trees: trees,
            untoldCallCount: untoldCallCount
        )
    }

    /// - Parameter usual: the tree it is compared with, by its number in the result and here.
    private func tree(_ number: Int, usual: (told: Int, shape: Int)?) -> Tree {
        let shape = shapes[number]
        let sorted = shape.durations.sorted { ($0.duration, $0.call) < ($1.duration, $1.call) }
        let durations = sorted.map(\.duration)
        let (p50, longest) = (durations.quantile(0.5), durations.last ?? 0)
        let usualKey = usual.map { keys[$0.shape] }
        return Tree(
            callCount: durations.count,
            errorCount: shape.errorCount,
            p50: p50,
            p99: durations.quantile(0.99),
            longest: longest,
            lineCount: shape.paths.count,
            lines: lines(number, usualKey),
            typical: example(sorted.first { $0.duration == p50 }),
            slowest: example(sorted.first { $0.duration == longest }),
            usual: usual?.told,
            missing: usual.map { missing($0.shape, from: keys[number]) } ?? []
        )
    }

    private func example(_ call: (duration: UInt64, call: Int)?) -> Example {
        // A shape is made with its first call.
        guard let call else { preconditionFailure("a tree without calls") }
        let found = calls[call.call]
        return Example(
            traceID: traces[found.trace],
            spanID: found.spanID,
            duration: call.duration
        )
    }

    private func lines(_ number: Int, _ usual: [Int32]?) -> [Line] {
        let key = keys[number]
        let usual = usual.map { Set($0) }
        var childrenOf: [Int32: [Int32]] = [:]
        for path in shapes[number].paths.dropFirst() {
            childrenOf[paths.parent[Int(path)], default: []].append(path)
        }
        var lines: [Line] = []
        var rest: [(path: Int32, parent: Int?)] = [(key[0], nil)]
        while let (path, parent) = rest.popLast(), lines.count < AnalysisLimits.shapeLineCount {
            let figures = shapes[number].figures[Self.place(of: path, in: key)]
            for child in (childrenOf[path] ?? []).reversed() { rest.append((child, lines.count)) }
            lines.append(
                Line(
                    parent: parent,
                    operation: operations[paths.operation[Int(path)]],
                    spanCount: figures.spanCount,
                    errorCount: figures.errorCount,
                    fewest: figures.fewest,
                    most: figures.most,
                    isExtra: usual.map { !$0.contains(path) } ?? false
                )
            )
        }
        return lines
    }

    /// Paths of `shape` whose last operation alone `key` has not.
    private func missing(_ shape: Int, from key: [Int32]) -> [PlacedTrace.Operation] {
        let there = Set(key)
        return shapes[shape].paths.lazy
            .filter { !there.contains($0) && there.contains(paths.parent[Int($0)]) }
            .prefix(AnalysisLimits.missingLineCount)
            .map { operations[paths.operation[Int($0)]] }
    }

    /// Where `path`, which is there, stands in `key`, which ascends.
    private static func place(of path: Int32, in key: [Int32]) -> Int {
        var (low, high) = (0, key.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if key[middle] < path { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension CallShapes.Figures {
    fileprivate mutating func add(_ counted: (spans: Int, errors: Int)) {
        spanCount += counted.spans
        errorCount += counted.errors
        fewest = min(fewest, counted.spans)
        most = max(most, counted.spans)
    }
}

extension PlacedTrace {
    /// Places that satisfy `isWanted` and stand below no other such place, ascending.
    public func topmost(_ isWanted: (_ place: Int) -> Bool) -> [Int] {
        var found: [Int] = []
        var place = 0
        while place < count {
            if isWanted(place) {
                found.append(place)
                place = Int(subtreeEnd[place])
            } else {
                place += 1
            }
        }
        return found
    }
}
