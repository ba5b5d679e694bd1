// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import QueryLanguage
import SkeinModel

/// `skein query`: finds traces, by options or by a query, or shows one, in the terminal.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Find traces, or show one, in the terminal.",
        discussion: """
            Without an id the newest traces that meet all conditions are listed, with a bar for \
            their duration. With an id that trace is drawn, as `skein trace` does. With a \
            query in TraceQL the traces it finds are listed; docs/traceql.md tells the language. \
            Colours are used on a terminal only; NO_COLOR switches them off.

            EXAMPLES
              What failed in the last hour?
                skein query --status error --last 1h

              The slowest traces that were about one customer:
                skein query --tag customer.id=C-1042 --order slowest

              Where did the time go?
                skein query 7f3c1d0a5b2e4f60

              Which orders were paid, and nobody was told within half a minute?
                skein query '{ name = "POST /order" } without { name = "push" } within 30s'

              What is slow below the web server, by service?
                skein query '{ kind = server } >> { duration > 1s } | by(resource.service.name)'

              What fails right now, as it arrives?
                skein query --follow '{ status = error }'

              How slow is the web server, minute by minute?
                skein query --step 1m '{ kind = server } | quantile_over_time(duration, .5, .99)'

              For another program:
                skein query --service payment --json | jq '.traces[].traceId'
            """
    )

    @Argument(help: "The id of a trace, 1 to 32 hexadecimal digits, or a query in TraceQL.")
    var subject: String?

    @OptionGroup var server: ServerAddress

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

    @Option(help: "Of a query for numbers over time: a step, such as 1m, or all for one number.")
    var step: String?

    @Flag(help: "Print traces as they arrive, each once, until Ctrl-C; takes a query, or nothing.")
    var follow = false

    @Flag(help: "Print the server's JSON as it is; with --follow an object a line.")
    var json = false

    func validate() throws {
        if let wrong = tag.first(where: { !$0.dropFirst().contains("=") }) {
            throw ValidationError("--tag \(wrong): write it as key=value.")
        }
        guard (1...10_000).contains(limit) else {
            throw ValidationError("--limit \(limit): must be 1 to 10000.")
        }
        if follow {
            let others = [
                ("--last", last), ("--order", order), ("--cursor", cursor),
                ("--service", service), ("--operation", operation), ("--tag", tag.first),
                ("--min-duration", minDuration), ("--max-duration", maxDuration),
                ("--status", status), ("--kind", kind), ("--step", step),
                ("--limit", limit == 20 ? nil : "given"),
                ("an id", subject.flatMap { TraceID(hex: $0) == nil ? nil : $0 }),
            ]
            if let given = others.first(where: { $0.1 != nil }) {
                throw ValidationError(
                    "\(given.0) stands beside --follow: it takes a query alone, like "
                        + "--follow '{ resource.service.name = \"cart\" && status = error }'."
                )
            }
        }
        if step != nil, !isMetrics {
            throw ValidationError(
                "--step belongs to a query for numbers over time, like '{ } | rate()'."
            )
        }
        guard let subject, TraceID(hex: subject) == nil else { return }
        guard subject.contains(where: { "{(".contains($0) }) else {
            throw ValidationError(
                "'\(subject)' is not a trace id: those have 1 to 32 hexadecimal digits. Queries "
                    + "are written like '{ name = \"GET /\" }'."
            )
        }
        let conditions = [
            ("--service", service), ("--operation", operation), ("--tag", tag.first),
            ("--min-duration", minDuration), ("--max-duration", maxDuration),
            ("--status", status), ("--kind", kind), ("--order", isMetrics ? order : nil),
            ("--cursor", isMetrics ? cursor : nil),
        ]
        if let given = conditions.first(where: { $0.1 != nil }) {
            throw ValidationError(
                "\(given.0) stands beside a query: say it in the query, like "
                    + "'{ resource.service.name = \"cart\" && duration > 100ms }'."
            )
        }
    }

    func run() async throws {
        let api = try server.api()
        do {
            try await answer(with: api)
        } catch let error as ClientError {
            await api.close()
            showPlace(of: error)
            throw error
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }

    /// Points at the character of the query that is wrong; a query of several lines has no one place.
    private func showPlace(of error: ClientError) {
        guard let position = error.position, let subject, !subject.contains("\n") else { return }
        printError("  " + subject)
        printError("  " + String(repeating: " ", count: position) + "^")
    }

    private func answer(with api: NativeAPI) async throws {
        let style = QueryStyle(hasColours: Terminal.hasColours, width: Terminal.width(.output))
        if follow {
            try await Follow(query: subject, isJSON: json, style: style).run(with: api)
        } else if let id = subject.flatMap({ TraceID(hex: $0) }) {
            if json {
                print(String(decoding: try await api.traceJSON(id), as: UTF8.self))
            } else {
                try await Trace.draw(id, of: api)
            }
        } else if isMetrics {
            if json {
                print(String(decoding: try await api.metricsJSON(metrics), as: UTF8.self))
            } else {
                print(MetricsTable(try await api.metrics(metrics), style: style).text)
            }
        } else if json {
            print(String(decoding: try await api.searchJSON(search), as: UTF8.self))
        } else {
            print(QueryTable(try await api.search(search), style: style).text)
        }
    }

    /// Whether the query asks for numbers over time. What is wrong with a query the server tells.
    private var isMetrics: Bool {
        guard let subject, case .metrics = try? TraceQL.parse(subject).body else { return false }
        return true
    }

    private var metrics: MetricsSearch {
        var search = MetricsSearch(subject ?? "")
        search.last = last
        search.step = step
        return search
    }

    private var search: TraceSearch {
        var search = TraceSearch()
        search.query = subject
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
