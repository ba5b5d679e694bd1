// SPDX-License-Identifier: Apache-2.0

import Analysis
import Foundation
import SkeinModel
import Testing

@Suite struct ServiceMapTests {
    /// Calls written as `a>b`.
    private func calls(_ texts: [String]) -> [ServiceMap.Call] {
        texts.map { text in
            let ends = text.split(separator: ">").map(String.init)
            return .init(parent: ends[0], child: ends[1], callCount: 10, errorCount: 1)
        }
    }

    private func map(
        _ texts: [String],
        services: [String] = [],
        view: ServiceMap.View = .init()
    ) -> ServiceMap {
        ServiceMap(services: services, calls: calls(texts), view: view)
    }

    private func layers(_ map: ServiceMap) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: map.nodes.map { ($0.name, $0.layer) })
    }

    @Test func `a service stands behind the last of its callers`() {
        let map = map(["web>cart", "cart>db", "web>db", "web>auth", "auth>cart"])
        #expect(layers(map) == ["web": 0, "auth": 1, "cart": 2, "db": 3])
        #expect(map.nodes.map(\.name) == ["auth", "cart", "db", "web"])
        #expect(map.edges.map { [$0.from, $0.to, $0.call] }.first == [3, 1, 0])
        #expect(map.cycles.isEmpty && map.groups.isEmpty && map.isFocusFound)
    }

    @Test func `services that call each other in a circle are a cycle, with an example`() throws {
        let map = map([
            "web>order", "order>pay", "pay>user", "user>order", "user>db", "pay>pay", "a>b",
        ])
        let cycle = try #require(map.cycles.first)
        #expect(map.cycles.count == 1)
        #expect(cycle.members.map { map.nodes[$0].name } == ["order", "pay", "user"])
        #expect(cycle.example.map { map.nodes[$0].name } == ["order", "pay", "user"])
        #expect(cycle.callCount == 30 && cycle.edgeCount == 3)
        let layers = layers(map)
        #expect(layers["order"] == 1 && layers["pay"] == 2 && layers["user"] == 3)
        #expect(layers["db"] == 4)
        #expect(map.nodes.filter { $0.cycle == 0 }.count == 3)
        #expect(map.edges.count == 7)
    }

    @Test func `a focus shows services some calls away and every call between them`() {
        let texts = ["a>b", "b>c", "c>d", "d>e", "x>c", "c>b", "d>b"]
        var view = ServiceMap.View()
        view.focus = "c"
        let near = map(texts, view: view)
        #expect(near.nodes.map(\.name) == ["b", "c", "d", "x"])
        #expect(near.edges.map(\.call) == [1, 2, 4, 5, 6])
        view.hopsIn = 0
        view.hopsOut = 2
        #expect(map(texts, view: view).nodes.map(\.name) == ["b", "c", "d", "e"])
        view.focus = "nobody"
        let none = map(texts, view: view)
        #expect(none.nodes.isEmpty && !none.isFocusFound)
        view.focus = "alone"
        #expect(map(texts, services: ["alone"], view: view).nodes.map(\.name) == ["alone"])
    }

    @Test func `rare calls are left out with the services that have no others`() {
        var calls = calls(["a>b", "b>c"])
        calls[1].callCount = 3
        var view = ServiceMap.View()
        view.minimumCallCount = 4
        let map = ServiceMap(services: ["alone"], calls: calls, view: view)
        #expect(map.nodes.map(\.name) == ["a", "b"])
        view.minimumCallCount = 0
        #expect(ServiceMap(services: ["alone"], calls: calls, view: view).nodes.count == 4)
    }

    @Test func `many nodes are grouped by how their names begin, the others by layer`() {
        var view = ServiceMap.View()
        view.ungroupedNodeCount = 3
        let map = map(
            [
                "acme-web-a>acme-cart.x", "acme-web-b>acme-cart.y", "acme-cart.x>acme-db",
                "acme-web-a>acme-web-b",
            ],
            view: view
        )
        #expect(map.groups.map(\.name) == ["acme-cart", "acme-web", nil])
        #expect(map.groups.map(\.nodeCount) == [2, 2, 1])
        #expect(map.groups.map(\.layer) == [1, 0, 2])
        #expect(map.groups.map(\.callCount) == [0, 10, 0])
        #expect(map.groupEdges.map { [$0.from, $0.to] } == [[0, 2], [1, 0]])
        #expect(map.groupEdges.map { [$0.callCount, $0.errorCount] } == [[10, 1], [20, 2]])
        #expect(map.nodes.map { $0.group ?? -1 } == [0, 0, 2, 1, 1])
    }

    /// Calls between `count` services at random, `perService` each.
    private func anyCalls(_ count: Int, _ perService: Int, seed: UInt64) -> [ServiceMap.Call] {
        var generator = SeededGenerator(seed: seed)
        var texts: Set<String> = []
        for from in 0..<count {
            for _ in 0..<Int.random(in: 0...perService, using: &generator) {
                // Mostly forward: as services are, with some cycles.
                let isBack = Int.random(in: 0...40, using: &generator) == 0
                let to = isBack ? 0...from : from...count - 1
                texts.insert("s\(from)>s\(Int.random(in: to, using: &generator))")
            }
        }
        return calls(texts.sorted())
    }

    @Test func `any calls: the same map each time, whatever the order and the numbers`() {
        for seed in UInt64(0)..<30 {
            let calls = anyCalls(60, 4, seed: seed)
            var generator = SeededGenerator(seed: seed)
            var other = calls.shuffled(using: &generator)
            for index in other.indices { other[index].callCount += UInt64(index) }
            let (map, again) = (ServiceMap(calls: calls), ServiceMap(calls: other))
            #expect(map.nodes == again.nodes, "SEED=\(seed)")
            #expect(map.groups == again.groups && map.cycles.count == again.cycles.count)
        }
    }

    @Test
    func `any calls: callers stand left of what they call, but within cycles, and no box touches`()
    {
        for seed in UInt64(0)..<100 {
            let map = ServiceMap(calls: anyCalls(50, 4, seed: seed))
            for edge in map.edges where edge.from != edge.to {
                let (from, to) = (map.nodes[edge.from], map.nodes[edge.to])
                if from.cycle == nil || from.cycle != to.cycle {
                    #expect(from.layer < to.layer, "SEED=\(seed)")
                }
            }
            for nodes in Dictionary(grouping: map.nodes, by: \.layer).values {
                let heights = nodes.map(\.y).sorted()
                #expect(zip(heights, heights.dropFirst()).allSatisfy { $1 - $0 >= 64 })
            }
        }
    }

    @Test func `any calls: cycles are the services that reach each other`() {
        for seed in UInt64(0)..<60 {
            let calls = anyCalls(25, 3, seed: seed)
            let map = ServiceMap(calls: calls)
            var reaches: [Set<Int>] = map.nodes.indices.map { [$0] }
            for _ in map.nodes {
                for edge in map.edges { reaches[edge.from].formUnion(reaches[edge.to]) }
            }
            for a in map.nodes.indices {
                for b in map.nodes.indices where a != b {
                    let isOne = reaches[a].contains(b) && reaches[b].contains(a)
                    let cycle = map.nodes[a].cycle
                    #expect(isOne == (cycle != nil && cycle == map.nodes[b].cycle), "SEED=\(seed)")
                }
            }
            for cycle in map.cycles {
                let way = cycle.example + [cycle.example[0]]
                for (from, to) in zip(way, way.dropFirst()) {
                    #expect(map.edges.contains { $0.from == from && $0.to == to }, "SEED=\(seed)")
                }
            }
        }
    }

    /// Pairs of a layer that changed their order, as a part of all.
    private func disorder(_ before: ServiceMap, _ after: ServiceMap) -> Double {
        let new = Dictionary(uniqueKeysWithValues: after.nodes.map { ($0.name, $0) })
        var (changed, all) = (0, 0)
        for (index, a) in before.nodes.enumerated() {
            for b in before.nodes[..<index] where a.layer == b.layer {
                guard let newA = new[a.name], let newB = new[b.name] else { continue }
                all += 1
                if newA.layer != newB.layer || (newA.y < newB.y) != (a.y < b.y) { changed += 1 }
            }
        }
        return all > 0 ? Double(changed) / Double(all) : 0
    }

    @Test func `a new service moves few others`() {
        var disorders: [Double] = []
        for seed in UInt64(0)..<40 {
            let calls = anyCalls(80, 3, seed: seed)
            let new = self.calls(["s\(seed)>new"])
            let (before, after) = (ServiceMap(calls: calls), ServiceMap(calls: calls + new))
            let layers = layers(after)
            #expect(
                before.nodes.allSatisfy { layers[$0.name] == $0.layer },
                "SEED=\(seed)"
            )
            disorders.append(disorder(before, after))
        }
        let mean = disorders.reduce(0, +) / Double(disorders.count)
        #expect(mean < 0.05, "\(disorders)")
    }

    @Test func `nothing is an empty map`() {
        #expect(map([]).nodes.isEmpty && map([]).edges.isEmpty)
    }

    @Test func `a chain and a circle of 20,000 services are laid out without recursion`() {
        let chain = (1..<20_000).map { "s\($0)>s\($0 + 1)" }
        #expect(map(chain).nodes.map(\.layer).max() == 19_999)
        let circle = map(chain + ["s20000>s1"])
        #expect(circle.cycles.map(\.members.count) == [20_000])
        #expect(circle.cycles[0].example.count == 20_000)
    }

    private static let sample = URL(filePath: #filePath)
        .deletingLastPathComponent()
        .appending(path: "../../../../shared/data/jaeger-ui/dependency-sample/large.json")
        .standardizedFileURL

    @Test(.enabled(if: FileManager.default.fileExists(atPath: sample.path)))
    func `a real graph of 1,238 services is laid out and grouped`() throws {
        struct Link: Decodable {
            var parent: String
            var child: String
            var callCount: UInt64
        }
        let links = try JSONDecoder().decode([Link].self, from: Data(contentsOf: Self.sample))
        let map = ServiceMap(
            calls: links.map {
                .init(
                    parent: $0.parent,
                    child: $0.child,
                    callCount: $0.callCount,
                    errorCount: 0
                )
            }
        )
        #expect(map.nodes.count == 1_238 && map.edges.count == 4_271)
        #expect(map.cycles.map(\.members.count).sorted() == [2, 4, 4, 5, 356])
        #expect(map.groups.map(\.nodeCount).reduce(0, +) == 1_238)
        #expect(map.groups.count < 60)
    }
}
