// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import SkeinModel

/// `skein query`: finds traces, or shows one, in the terminal.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Find traces, or show one, in the terminal.",
        discussion: """
            Without an id the newest traces that meet all conditions are listed, with a bar for \
            their duration. With an id the spans of that trace are drawn as a tree. Colours are \
            used on a terminal only; NO_COLOR switches them off.

            EXAMPLES
              What failed in the last hour?
                skein query --status error --last 1h

              The slowest traces that were about one customer:
                skein query --tag customer.id=C-1042 --order slowest

              Where did the time go?
                skein query 7f3c1d0a5b2e4f60

              For another program:
                skein query --service payment --json | jq '.traces[].traceId'
            """
    )

    @Argument(help: "The id of a trace, 1 to 32 hexadecimal digits.")
    var traceID: String?

    @Option(help: "The server's address.")
    var address = "http://127.0.0.1:16686"

    @Option(help: "Traces with a span of this service.")
    var service: String?

    @Option(help: "Traces with a span of this name.")
    var operation: String?

    @Option(help: "Traces with a span with this attribute, key=value. May be repeated.")
    var tag: [String] = []

    @Option(help: "Traces with a span of at least this duration, such as 250ms.")
    var minDuration: String?

    @Option(help: "Traces with a span of at most this duration.")
    var maxDuration: String?

    @Option(help: "Traces with a span of this status: ok, error or unset.")
    var status: String?

    @Option(help: "Traces with a span of this kind, such as server or producer.")
    var kind: String?

    @Option(help: "How far to look back, such as 15m, 1h, 7d.")
    var last: String?

    @Option(help: "Traces to show.")
    var limit = 20

    @Option(help: "The order of the list: newest or slowest first.")
    var order: String?

    @Option(help: "Where the page before ended, as it said.")
    var cursor: String?

    @Flag(help: "Print the server's JSON as it is.")
    var json = false

    func validate() throws {
        if let wrong = tag.first(where: { !$0.dropFirst().contains("=") }) {
            throw ValidationError("--tag \(wrong): write it as key=value.")
        }
        guard (1...10_000).contains(limit) else {
            throw ValidationError("--limit \(limit): must be 1 to 10000.")
        }
        if let traceID, TraceID(hex: traceID) == nil {
            throw ValidationError(
                "'\(traceID)' is not a trace id: those have 1 to 32 hexadecimal digits."
            )
        }
    }

    func run() async throws {
        let api = try NativeAPI(address: address)
        do {
            try await answer(with: api)
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }

    private func answer(with api: NativeAPI) async throws {
        let style = QueryStyle(hasColours: Terminal.hasColours, width: Terminal.width(.output))
        if let text = traceID, let id = TraceID(hex: text) {
            if json {
                print(String(decoding: try await api.traceJSON(id), as: UTF8.self))
            } else {
                let trace = try await api.trace(id)
                print(QueryTree(trace.columns, style: style).text)
                if let reason = trace.incompleteReason {
                    printError("This is not the whole trace: \(reason)")
                }
            }
        } else if json {
            print(String(decoding: try await api.searchJSON(search), as: UTF8.self))
        } else {
            print(QueryTable(try await api.search(search), style: style).text)
        }
    }

    private var search: TraceSearch {
        var search = TraceSearch()
        search.service = service
        search.operation = operation
        search.tags = tag
        search.minDuration = minDuration
        search.maxDuration = maxDuration
        search.status = status
        search.kind = kind
        search.last = last
        search.limit = limit
        search.order = order
        search.cursor = cursor
        return search
    }
}
