// SPDX-License-Identifier: Apache-2.0

/// Services and their calls, laid out to be drawn: callers left, called services right.
///
/// Names and calls alone decide where a node stands, never how many calls there were: a map drawn again
/// stays as it was. Cycles, services that call each other in a circle, are listed.
public struct ServiceMap: Sendable {
    /// Calls of one service by another.
    public struct Call: Sendable, Equatable {
        public var parent: String
        public var child: String
        public var callCount: UInt64
        public var errorCount: UInt64

        /// Counts calls.
        public init(parent: String, child: String, callCount: UInt64, errorCount: UInt64) {
            self.parent = parent
            self.child = child
            self.callCount = callCount
            self.errorCount = errorCount
        }
    }

    /// What of the calls is drawn.
    public struct View: Sendable {
        /// Only this service, and services a few calls away.
        public var focus: String?
        /// Calls away against their direction, and along it.
        public var hopsIn = 1
        public var hopsOut = 1
        /// Only edges of so many calls.
        public var minimumCallCount: UInt64 = 0
        /// Nodes above which groups are made.
        public var ungroupedNodeCount = AnalysisLimits.ungroupedNodeCount

        /// Everything.
        public init() {}
    }

    /// A service.
    public struct Node: Sendable, Equatable {
        public var name: String
        /// From 0, the callers that nobody calls.
        public var layer: Int
        /// Units of the drawing; boxes of 200 by 48 do not touch.
        public var x: Double
        public var y: Double
        /// A number of `cycles`.
        public var cycle: Int?
        /// A number of `groups`; `nil` where there are none.
        public var group: Int?
    }

    /// Calls from one node to another.
    public struct Edge: Sendable, Equatable {
        public var from: Int
        public var to: Int
        /// A number of the calls given.
        public var call: Int
    }

    /// Services that reach each other.
    public struct Cycle: Sendable, Equatable {
        /// Nodes, by name.
        public var members: [Int]
        /// Calls among them.
        public var callCount: UInt64
        /// Edges among them.
        public var edgeCount: Int
        /// A shortest way from the first member back to it, the return left out.
        public var example: [Int]
    }

    /// Nodes that are one in the small drawing of a large map: those whose names begin alike up to the
    /// first `.`, `-` or `/` after what all names share; and the others of each layer.
    public struct Group: Sendable, Equatable {
        /// What names begin with; `nil` for the others of a layer.
        public var name: String?
        public var layer: Int
        public var x: Double
        public var y: Double
        public var nodeCount: Int
        /// Calls of its nodes by each other.
        public var callCount: UInt64
    }

    /// Calls from one group to another.
    public struct GroupEdge: Sendable, Equatable {
        public var from: Int
        public var to: Int
        public var callCount: UInt64
        public var errorCount: UInt64
    }

    /// Sorted by name.
    public let nodes: [Node]
    /// As the calls were given.
    public let edges: [Edge]
    /// By their first members.
    public let cycles: [Cycle]
    /// Empty where all nodes fit.
    public let groups: [Group]
    /// By from, then to.
    public let groupEdges: [GroupEdge]
    /// Whether the service in focus is there; `true` where none is.
    public let isFocusFound: Bool

    /// Lays out `services` and all ends of `calls`.
    public init(services: [String] = [], calls: [Call], view: View = View()) {
        let selection = Selection(services, calls, view)
        let (names, edges) = (selection.names, selection.edges)
        let graph = Digraph(count: names.count, edges: edges.lazy.map { ($0.from, $0.to) })
        let layout = LayeredLayout(graph)
        let cycles = Self.cycles(graph, layout.components, edges, calls)
        var cycleOf: [Int: Int] = [:]
        for (number, cycle) in cycles.enumerated() {
            for member in cycle.members { cycleOf[member] = number }
        }
        let grouping =
            names.count > view.ungroupedNodeCount ? Grouping(names, layout.layer) : nil
        nodes = names.indices.map { node in
            Node(
                name: names[node],
                layer: layout.layer[node],
                x: Double(layout.layer[node]) * LayeredLayout.layerWidth,
                y: layout.y[node],
                cycle: cycleOf[node],
                group: grouping?.groupOf[node]
            )
        }
        self.edges = edges
        self.cycles = cycles
        isFocusFound = selection.isFocusFound
        (groups, groupEdges) = grouping?.drawn(edges, calls) ?? ([], [])
    }

    private static func cycles(
        _ graph: Digraph,
        _ components: StrongComponents,
        _ edges: [Edge],
        _ calls: [Call]
    ) -> [Cycle] {
        var callCounts = Array(repeating: UInt64(0), count: components.members.count)
        var edgeCounts = Array(repeating: 0, count: components.members.count)
        for edge in edges where edge.from != edge.to {
            let component = components.component[edge.from]
            guard component == components.component[edge.to] else { continue }
            let sum = saturatingSum(callCounts[component], calls[edge.call].callCount)
            callCounts[component] = sum
            edgeCounts[component] += 1
        }
        return components.members.indices
            .filter { components.members[$0].count > 1 }
            .sorted { components.members[$0][0] < components.members[$1][0] }
            .map { number in
                Cycle(
                    members: components.members[number],
                    callCount: callCounts[number],
                    edgeCount: edgeCounts[number],
                    example: wayBack(to: components.members[number][0], graph, components)
                )
            }
    }

    /// A shortest way from `start` to itself, which there is in a component of several nodes.
    private static func wayBack(
        to start: Int,
        _ graph: Digraph,
        _ components: StrongComponents
    ) -> [Int] {
        var cameFrom: [Int: Int] = [:]
        var queue = [start]
        var read = 0
        while read < queue.count {
            let node = queue[read]
            read += 1
            for next in graph.next[node]
            where components.component[next] == components.component[start] {
                if next == start {
                    var way = [node]
                    while way[way.count - 1] != start, let before = cameFrom[way[way.count - 1]] {
                        way.append(before)
                    }
                    return way.reversed()
                }
                guard cameFrom[next] == nil else { continue }
                cameFrom[next] = node
                queue.append(next)
            }
        }
        return []
    }
}
