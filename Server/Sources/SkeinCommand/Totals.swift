// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import FoundationEssentials

/// `skein totals`: calls, errors and durations in the terminal.
struct Totals: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "totals",
        abstract: "Count calls, errors and durations, by operation or between services.",
        discussion: """
            Every span counts, those that retention has removed included, for as long as the server \
            keeps minute totals (--totals-retention). The range is widened to whole minutes.

            EXAMPLES
              Which operations were slow in the last hour?
                skein totals operations --last 1h

              Who called payment this week, and how often did it fail?
                skein totals edges --service payment --last 7d

              A morning whose spans are long gone:
                skein totals operations --by service --start 2026-09-01T08:00:00Z \\
                  --end 2026-09-01T12:00:00Z

              By the minute, for another program:
                skein totals operations --step 1m --json | jq '.operations[].steps'
            """
    )

    /// What has a line of its own.
    enum Lines: String, CaseIterable, ExpressibleByArgument {
        case operations, edges
    }

    @Argument(help: "What to count: operations, or edges (calls of one service by another).")
    var lines = Lines.operations

    @OptionGroup var server: ServerAddress

    @Option(help: "This service alone; for edges, calls to it or by it.")
    var service: String?

    @Option(help: "Spans of this name alone (operations only).")
    var operation: String?

    @Option(help: "What to tell apart in operations: service, operation or kind.")
    var by: String?

    @Option(help: "How far to look back, such as 15m, 1h, 7d. (default: 1h)")
    var last: String?

    @Option(help: "The first moment, UTC, such as 2026-09-01T08:00:00Z.")
    var start: String?

    @Option(help: "The moment after the last one, UTC.")
    var end: String?

    @Option(help: "Parts of the calls whose durations are told, such as 0.5,0.99.")
    var quantiles: String?

    @Option(help: "Counts for each step too, a number of whole minutes such as 1m. Needs --json.")
    var step: String?

    @Flag(help: "Print the server's JSON as it is.")
    var json = false

    func validate() throws {
        if lines == .edges, operation != nil || by != nil {
            throw ValidationError(
                "--operation and --by tell operations apart: edges are told by services only."
            )
        }
        if last != nil, start != nil || end != nil {
            throw ValidationError("--last and --start or --end are both given: give one of them.")
        }
        if step != nil, !json {
            throw ValidationError("--step needs --json: a table has no room for each step.")
        }
        _ = try search
    }

    func run() async throws {
        let api = try server.api()
        do {
            if json {
                print(String(decoding: try await api.totalsJSON(try search), as: UTF8.self))
            } else {
                let style = QueryStyle(
                    hasColours: Terminal.hasColours,
                    width: Terminal.width(.output)
                )
                print(TotalsTable(try await api.totals(try search), style: style).text)
            }
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }

    private var search: TotalsSearch {
        get throws {
            var search = TotalsSearch(lines == .edges ? .edges : .operations)
            search.service = service
            search.operation = operation
            search.by = by
            search.last = last
            search.start = try start.map { try Self.nanoseconds($0, of: "--start") }
            search.end = try end.map { try Self.nanoseconds($0, of: "--end") }
            search.quantiles = quantiles
            search.step = step
            return search
        }
    }

    /// Nanoseconds since 1970 of a moment as people write it.
    static func nanoseconds(_ text: String, of option: String) throws -> UInt64 {
        guard let date = try? Date.ISO8601FormatStyle().parse(text),
            let seconds = UInt64(exactly: date.timeIntervalSince1970.rounded()),
            seconds < UInt64.max / 1_000_000_000
        else {
            throw ValidationError(
                "\(option) '\(text)' is no moment: write it as 2026-09-01T08:00:00Z."
            )
        }
        return seconds * 1_000_000_000
    }
}
