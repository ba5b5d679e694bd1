// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// `skein map`: services and their calls as a table.
struct Map: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Show which service calls which, and the cycles among them.",
        discussion: """
            Services are listed by layer: callers before those they call, so that what nobody calls \
            comes first. Every call counts, sampled or not, as `skein totals` counts.

            EXAMPLES
              Who is there, and who calls whom?
                skein map --last 1h

              What would fail with payment?
                skein map --focus payment --hops 3

              For another program:
                skein map --json | jq '.cycles'
            """
    )

    @OptionGroup var server: ServerAddress

    @Option(help: "How far to look back, such as 15m, 1h, 7d. (default: 1h)")
    var last: String?

    @Option(help: "Only this service, and services some calls away.")
    var focus: String?

    @Option(help: "With --focus: how many calls away.")
    var hops: Int?

    @Option(help: "Leave out edges of fewer calls.")
    var minCalls: UInt64?

    @Flag(help: "Print the server's JSON as it is.")
    var json = false

    func validate() throws {
        if hops != nil, focus == nil {
            throw ValidationError("--hops is counted from a service: give --focus too.")
        }
        if let hops, !(1...20).contains(hops) {
            throw ValidationError("--hops \(hops): must be 1 to 20.")
        }
    }

    func run() async throws {
        var search = MapSearch()
        search.last = last
        search.focus = focus
        search.hops = hops
        search.minCalls = minCalls
        let api = try server.api()
        do {
            if json {
                print(String(decoding: try await api.mapJSON(search), as: UTF8.self))
            } else {
                let style = QueryStyle(
                    hasColours: Terminal.hasColours,
                    width: Terminal.width(.output)
                )
                let map = try await api.map(search)
                print(Self.text(map, focus: focus, style))
                if !map.complete {
                    let reasons = map.incompleteReasons.joined(separator: "; ")
                    printError("Not everything was counted: \(reasons)")
                }
            }
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }

    private static func text(_ map: MapAnswer, focus: String?, _ style: QueryStyle) -> String {
        if let focus, !map.focusFound { return "No service \(focus) in this time." }
        guard !map.nodes.isEmpty else { return "No calls in this time." }
        let titles = ["CALLS", "ERRORS", "P50", "P99"]
        let longest = map.nodes.map(\.name.count).max() ?? 0
        let nameWidth = min(max(longest, 7), 40) + 2
        let listWidth = max(style.width - 7 - nameWidth - titles.count * 11 - 2, 20)
        func row(_ layer: String, _ name: String, _ numbers: [String], _ list: String) -> String {
            column(layer, 5, isRight: true) + "  " + column(name, nameWidth)
                + numbers.map { column($0, 11, isRight: true) }.joined() + "  "
                + column(list, listWidth)
        }
        // Of services that send no spans durations are not known.
        func duration(_ nanoseconds: UInt64) -> String {
            nanoseconds > 0 ? Measure.duration(nanoseconds: nanoseconds) : ""
        }
        var called = Array(repeating: [MapAnswer.Edge](), count: map.nodes.count)
        for edge in map.edges where map.nodes.indices.contains(edge.from) {
            called[edge.from].append(edge)
        }
        var lines = [style.bold(row("LAYER", "SERVICE", titles, "CALLS OF ITS OWN"))]
        let order = map.nodes.indices.sorted {
            (map.nodes[$0].layer, $0) < (map.nodes[$1].layer, $1)
        }
        for number in order {
            let node = map.nodes[number]
            let list = called[number].sorted { $0.callCount > $1.callCount }
                .filter { map.nodes.indices.contains($0.to) }
                .map { "\(map.nodes[$0.to].name) \($0.callCount)" }
            lines.append(
                row(
                    "\(node.layer)",
                    node.name,
                    [
                        "\(node.callCount)", node.errorCount > 0 ? "\(node.errorCount)" : "",
                        duration(node.p50Nanos.value), duration(node.p99Nanos.value),
                    ],
                    list.joined(separator: ", ")
                )
            )
        }
        for cycle in map.cycles {
            let way = (cycle.example + cycle.example.prefix(1))
                .filter { map.nodes.indices.contains($0) }
                .map { column(map.nodes[$0].name, min(map.nodes[$0].name.count, 40)) }
            lines.append(
                "cycle: \(way.joined(separator: " → ")) (\(cycle.members.count) services, "
                    + "\(cycle.callCount) calls among them)"
            )
        }
        return lines.joined(separator: "\n")
    }
}
