// SPDX-License-Identifier: Apache-2.0

extension ServiceMap {
    /// The nodes and edges that a view shows.
    struct Selection {
        var names: [String] = []
        var edges: [Edge] = []
        var isFocusFound = true

        init(_ services: [String], _ calls: [Call], _ view: View) {
            let shown = calls.indices.filter { calls[$0].callCount >= view.minimumCallCount }
            var known = Set(shown.flatMap { [calls[$0].parent, calls[$0].child] })
            // Where rare calls are left out, so are services without frequent ones.
            if view.minimumCallCount == 0 { known.formUnion(services) }
            if let focus = view.focus {
                isFocusFound = known.contains(focus) || services.contains(focus)
                known = isFocusFound ? Self.around(focus, calls, shown, view) : []
            }
            // By bytes: the order is the same everywhere, and names that begin alike stand together.
            names = known.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let numbers = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
            for call in shown {
                guard let from = numbers[calls[call].parent], let to = numbers[calls[call].child]
                else { continue }
                edges.append(Edge(from: from, to: to, call: call))
            }
        }

        /// Services at most so many calls away. Every call between two of them is shown.
        private static func around(
            _ focus: String,
            _ calls: [Call],
            _ shown: [Int],
            _ view: View
        ) -> Set<String> {
            var next: [String: [String]] = [:]
            var previous: [String: [String]] = [:]
            for call in shown.lazy.map({ calls[$0] }) {
                next[call.parent, default: []].append(call.child)
                previous[call.child, default: []].append(call.parent)
            }
            var found: Set = [focus]
            for (hops, step) in [(view.hopsIn, previous), (view.hopsOut, next)] {
                var reached: Set = [focus]
                var edge = [focus]
                for _ in 0..<max(hops, 0) where !edge.isEmpty {
                    edge = edge.flatMap { step[$0] ?? [] }.filter { reached.insert($0).inserted }
                }
                found.formUnion(reached)
            }
            return found
        }
    }

    /// Nodes that are one in the small drawing.
    struct Grouping {
        private(set) var groupOf: [Int] = []
        private var names: [String?] = []

        init(_ names: [String], _ layers: [Int]) {
            let shared = Self.sharedCount(names)
            let prefixes = names.map { Self.prefix(of: $0, after: shared) }
            var counts: [String: Int] = [:]
            for prefix in prefixes.compactMap(\.self) { counts[prefix, default: 0] += 1 }
            let named = counts.filter { $0.value > 1 }.keys.sorted()
            let numbers = Dictionary(uniqueKeysWithValues: zip(named, named.indices))
            self.names = named
            var layerNumbers: [Int: Int] = [:]
            for layer in Set(layers).sorted() {
                let isNeeded = zip(layers, prefixes).contains {
                    $0 == layer && ($1.map { numbers[$0] == nil } ?? true)
                }
                guard isNeeded else { continue }
                layerNumbers[layer] = self.names.count
                self.names.append(nil)
            }
            groupOf = zip(layers, prefixes).map { layer, prefix in
                prefix.flatMap { numbers[$0] } ?? layerNumbers[layer] ?? 0
            }
        }

        private static func isSeparator(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/")
        }

        /// Bytes that all names begin with, up to and with a separator.
        private static func sharedCount(_ names: [String]) -> Int {
            // Of sorted names the first and the last differ first.
            guard let first = names.first?.utf8, let last = names.last?.utf8 else { return 0 }
            let shared = zip(first, last).prefix { $0 == $1 }.map(\.0)
            return (shared.lastIndex(where: isSeparator) ?? -1) + 1
        }

        private static func prefix(of name: String, after shared: Int) -> String? {
            let bytes = Array(name.utf8)
            guard let end = bytes.indices.dropFirst(shared).first(where: { isSeparator(bytes[$0]) })
            else { return nil }
            return String(decoding: bytes[..<end], as: UTF8.self)
        }

        /// The groups laid out, and the calls between them.
        func drawn(_ edges: [Edge], _ calls: [Call]) -> (groups: [Group], edges: [GroupEdge]) {
            var between: [[Int]: GroupEdge] = [:]
            for edge in edges {
                let ends = [groupOf[edge.from], groupOf[edge.to]]
                var sum =
                    between[ends]
                    ?? GroupEdge(from: ends[0], to: ends[1], callCount: 0, errorCount: 0)
                sum.callCount = saturatingSum(sum.callCount, calls[edge.call].callCount)
                sum.errorCount = saturatingSum(sum.errorCount, calls[edge.call].errorCount)
                between[ends] = sum
            }
            let layout = LayeredLayout(
                Digraph(count: names.count, edges: between.keys.lazy.map { ($0[0], $0[1]) })
            )
            var counts = Array(repeating: 0, count: names.count)
            for group in groupOf { counts[group] += 1 }
            let groups = names.indices.map { group in
                Group(
                    name: names[group],
                    layer: layout.layer[group],
                    x: Double(layout.layer[group]) * LayeredLayout.layerWidth,
                    y: layout.y[group],
                    nodeCount: counts[group],
                    callCount: between[[group, group]]?.callCount ?? 0
                )
            }
            let edges = between.values.filter { $0.from != $0.to }
                .sorted { ($0.from, $0.to) < ($1.from, $1.to) }
            return (groups, edges)
        }
    }
}
