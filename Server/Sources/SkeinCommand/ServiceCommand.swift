// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// `skein service`: what runs a service, what fails in it, and which ways its calls go.
struct ServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Show a service's instances, its exceptions, and the ways its calls go.",
        discussion: """
            Instances are told by service.instance.id; where a tracer sends none, by k8s.pod.name, \
            container.id, host.name, host.id, hostname, the address of Zipkin's endpoint, or ip. \
            Exceptions are grouped by type, operation and message, in which … stands for numbers, \
            ids and what is in quotes. Call trees come from the newest traces: what a tree has that \
            the most frequent one has not is marked +.

            EXAMPLES
              What is wrong with payment?
                skein service payment --last 1h

              Why are some orders slow?
                skein service order --operation 'POST /orders' --traces 1000

              For another program:
                skein service payment --json | jq '.exceptions.groups[] | {type, count, query}'
            """
    )

    @Argument(help: "The service's name.")
    var service: String

    @Option(help: "Only this operation of it.")
    var operation: String?

    @Option(help: "The server's address.")
    var address = "http://127.0.0.1:16686"

    @Option(help: "How far to look back, such as 15m, 1h, 7d. (default: 1h)")
    var last: String?

    @Option(help: "Lines of each table, and call trees, to show.")
    var limit = 10

    @Option(help: "Call trees come from so many traces, the newest. (default: 200)")
    var traces: Int?

    @Flag(help: "Print the server's JSON as it is, the three answers in one object.")
    var json = false

    func validate() throws {
        guard (1...1_000).contains(limit) else {
            throw ValidationError("--limit \(limit): must be 1 to 1000.")
        }
        if let traces, !(1...1_000).contains(traces) {
            throw ValidationError("--traces \(traces): must be 1 to 1000.")
        }
    }

    func run() async throws {
        var search = ServiceSearch(service: service)
        search.operation = operation
        search.last = last
        search.limit = limit
        search.traces = traces
        let api = try NativeAPI(address: address)
        do {
            if json {
                print(String(decoding: try await api.serviceJSON(search), as: UTF8.self))
            } else {
                let style = QueryStyle(
                    hasColours: Terminal.hasColours,
                    width: Terminal.width(.output)
                )
                let text = ServiceText(
                    try await api.instances(search),
                    try await api.exceptions(search),
                    try await api.callTrees(search),
                    style: style
                )
                print(text.text)
                for reason in text.incompleteReasons {
                    printError("Not everything was counted: \(reason)")
                }
            }
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }
}
