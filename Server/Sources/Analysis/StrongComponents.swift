// SPDX-License-Identifier: Apache-2.0

/// A directed graph of numbered nodes; what leads from each, and to it, ascending and without repeats.
struct Digraph: Sendable {
    let next: [[Int]]
    let previous: [[Int]]

    /// Joins `count` nodes. An edge from a node to itself is left out.
    init(count: Int, edges: some Sequence<(from: Int, to: Int)>) {
        var next: [Set<Int>] = Array(repeating: [], count: count)
        var previous = next
        for edge in edges where edge.from != edge.to {
            next[edge.from].insert(edge.to)
            previous[edge.to].insert(edge.from)
        }
        self.next = next.map { $0.sorted() }
        self.previous = previous.map { $0.sorted() }
    }

    var count: Int { next.count }
}

/// The strongly connected components of a graph: nodes that reach each other. Tarjan's algorithm, with
/// a stack of its own; linear.
struct StrongComponents: Sendable {
    /// By node: its component. A component's number is higher than those of all it leads to.
    private(set) var component: [Int]
    /// By component: its nodes, ascending.
    private(set) var members: [[Int]] = []

    init(_ graph: Digraph) {
        component = Array(repeating: -1, count: graph.count)
        /// By node: when it was first seen, from 1; and the earliest seen that it reaches.
        var seen = Array(repeating: 0, count: graph.count)
        var low = seen
        var clock = 0
        var open: [Int] = []
        for root in 0..<graph.count where seen[root] == 0 {
            var stack = [(node: root, edge: 0)]
            while let (node, edge) = stack.last {
                if edge == 0 {
                    clock += 1
                    seen[node] = clock
                    low[node] = clock
                    open.append(node)
                }
                if edge < graph.next[node].count {
                    stack[stack.count - 1].edge += 1
                    let next = graph.next[node][edge]
                    if seen[next] == 0 {
                        stack.append((next, 0))
                    } else if component[next] < 0 {
                        low[node] = min(low[node], seen[next])
                    }
                    continue
                }
                stack.removeLast()
                if let below = stack.last?.node { low[below] = min(low[below], low[node]) }
                if low[node] == seen[node] { close(node, &open) }
            }
        }
    }

    private mutating func close(_ root: Int, _ open: inout [Int]) {
        var found: [Int] = []
        while let node = open.popLast() {
            component[node] = members.count
            found.append(node)
            if node == root { break }
        }
        members.append(found.sorted())
    }
}
