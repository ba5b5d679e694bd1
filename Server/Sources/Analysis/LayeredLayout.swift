// SPDX-License-Identifier: Apache-2.0

/// Places the nodes of a graph in layers from left to right, along its edges.
///
/// - *Layers.* Nodes that reach each other are one (`StrongComponents`), and each stands one layer
///   behind the last of those that lead to it: the longest path. Inside a component a node stands as
///   many layers behind the component's entries, the nodes that others lead to, as there are steps.
/// - *Order.* Within a layer by number first; then sweeps move each node to the mean place of those it
///   is joined to in the layers before, and back by those behind.
/// - *Height.* As near to the mean height of those before as order and distance allow.
///
/// Nothing but the graph decides: the same graph is placed the same.
struct LayeredLayout: Sendable {
    /// Units from layer to layer, and between two nodes of a layer at least: a node's box fits within.
    static let layerWidth = 240.0
    static let nodeHeight = 64.0

    let components: StrongComponents
    /// By node, from 0.
    let layer: [Int]
    /// By node: whole units, negative ones among them.
    private(set) var y: [Double]
    /// By layer: its nodes from top to bottom.
    private(set) var order: [[Int]]

    init(_ graph: Digraph) {
        components = StrongComponents(graph)
        layer = Self.layers(graph, components)
        y = Array(repeating: 0, count: graph.count)
        order = Array(repeating: [], count: (layer.max() ?? -1) + 1)
        for node in 0..<graph.count { order[layer[node]].append(node) }
        sortLayers(graph)
        setHeights(graph)
    }

    private static func layers(_ graph: Digraph, _ components: StrongComponents) -> [Int] {
        var layer = Array(repeating: 0, count: graph.count)
        // Before a component come all that lead to it.
        for (number, members) in components.members.enumerated().reversed() {
            let outside = members.map { node in
                graph.previous[node].filter { components.component[$0] != number }
            }
            let base = outside.joined().map { layer[$0] + 1 }.max() ?? 0
            guard members.count > 1 else {
                layer[members[0]] = base
                continue
            }
            var entries = zip(members, outside).filter { !$1.isEmpty }.map(\.0)
            if entries.isEmpty {
                // Nobody calls the circle: it begins where most leads away.
                let surplus = members.map { graph.next[$0].count - graph.previous[$0].count }
                let most = surplus.max()
                entries = zip(members, surplus).first { $1 == most }.map { [$0.0] } ?? []
            }
            var distance: [Int: Int] = [:]
            for node in entries { distance[node] = 0 }
            var queue = entries
            var read = 0
            while read < queue.count {
                let node = queue[read]
                read += 1
                layer[node] = base + (distance[node] ?? 0)
                for next in graph.next[node]
                where components.component[next] == number && distance[next] == nil {
                    distance[next] = (distance[node] ?? 0) + 1
                    queue.append(next)
                }
            }
        }
        return layer
    }

    /// Nodes joined to one other alone follow it and decide nothing: a new one moves no order.
    private mutating func sortLayers(_ graph: Digraph) {
        let joined = (0..<graph.count).map { neighbours(of: $0, in: graph) }
        let core = order.map { nodes in nodes.filter { Set(joined[$0]).count > 1 } }
        let place = coreHeights(core, joined)
        for (index, nodes) in order.enumerated() {
            // Pairs that are joined to nothing else come after all that is, single nodes last.
            let keys = nodes.map { node -> (Double, Int, Int) in
                if let own = place[node] { return (own, node, node) }
                guard let other = joined[node].first else { return (3, node, node) }
                return (place[other] ?? 2, min(node, other), node)
            }
            order[index] = keys.sorted { $0 < $1 }.map(\.2)
        }
    }

    /// Sweeps; by node of `core`: how far down its layer it stands, 0...1.
    private func coreHeights(_ core: [[Int]], _ joined: [[Int]]) -> [Int: Double] {
        var core = core
        var place: [Int: Double] = [:]
        func number(_ nodes: [Int]) {
            for (index, node) in nodes.enumerated() {
                place[node] = (Double(index) + 0.5) / Double(nodes.count)
            }
        }
        for nodes in core { number(nodes) }
        for sweep in 0..<AnalysisLimits.layoutSweepCount {
            let isForward = sweep.isMultiple(of: 2)
            for index in isForward ? Array(core.indices) : core.indices.reversed() {
                let wishes = core[index].enumerated().map { offset, node in
                    let there = joined[node]
                        .filter { isForward ? layer[$0] < index : layer[$0] > index }
                        .compactMap { place[$0] }
                    let wish =
                        there.isEmpty
                        ? place[node] ?? 0 : there.reduce(0, +) / Double(there.count)
                    return (wish, offset, node)
                }
                core[index] = wishes.sorted { $0 < $1 }.map(\.2)
                number(core[index])
            }
        }
        return place
    }

    private func neighbours(of node: Int, in graph: Digraph) -> [Int] {
        graph.previous[node] + graph.next[node]
    }

    /// Least squares under the order (pool adjacent violators).
    private mutating func setHeights(_ graph: Digraph) {
        for (index, nodes) in order.enumerated() {
            // Runs of nodes that touch: the mean of their wishes, each less what stands above it.
            var blocks: [(sum: Double, count: Int)] = []
            for (above, node) in nodes.enumerated() {
                let offset = Double(above) * Self.nodeHeight
                let before = neighbours(of: node, in: graph).filter { layer[$0] < index }
                let wish =
                    before.isEmpty
                    ? offset : before.reduce(0) { $0 + y[$1] } / Double(before.count)
                blocks.append((wish - offset, 1))
                while blocks.count > 1 {
                    let (last, previous) = (blocks[blocks.count - 1], blocks[blocks.count - 2])
                    let isRight =
                        previous.sum / Double(previous.count) <= last.sum / Double(last.count)
                    if isRight { break }
                    blocks.removeLast()
                    blocks[blocks.count - 1] = (
                        previous.sum + last.sum, previous.count + last.count
                    )
                }
            }
            var above = 0
            for block in blocks {
                let top = (block.sum / Double(block.count)).rounded()
                for node in nodes[above..<above + block.count] {
                    y[node] = top + Double(above) * Self.nodeHeight
                    above += 1
                }
            }
        }
    }
}
