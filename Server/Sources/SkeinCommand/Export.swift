// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import FoundationEssentials

/// `skein export`: the traces of a stretch of time as OTLP.
struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the traces of a stretch of time as OTLP, as they were sent.",
        discussion: """
            Whole traces with a span in that time, or those that a query finds there, the newest \
            first. otlp-json is a TracesData object a line, otlp-protobuf TracesData messages, each \
            after its length as a varint; `skein load` reads both.

            A file has its name only when it is whole: until then it is FILE.part. Traces that \
            arrive meanwhile are in it when they began before what is being read. A trace of which \
            spans came late may be in it twice; a server that loads it keeps each span once.

            EXAMPLES
              The last hour, to look at elsewhere:
                skein export --last 1h -o hour.ndjson
                skein load hour.ndjson --endpoint http://elsewhere:4318

              The failures of a day, packed:
                skein export --last 1d --query '{ status = error }' --format otlp-protobuf \\
                  | gzip > failures.pb.gz
            """
    )

    /// The forms of a file.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case json = "otlp-json"
        case protobuf = "otlp-protobuf"
    }

    @OptionGroup var server: ServerAddress

    @Option(help: "How far to look back, such as 15m, 1h, 7d. (default: 1h)")
    var last: String?

    @Option(help: "The first moment, UTC, such as 2026-09-01T08:00:00Z.")
    var start: String?

    @Option(help: "The moment after the last one, UTC.")
    var end: String?

    @Option(help: "Only traces that this query in TraceQL finds.")
    var query: String?

    @Option(help: "otlp-json or otlp-protobuf.")
    var format = Format.json

    @Option(
        name: [.customShort("o"), .long],
        help: "The file; standard output where none is given."
    )
    var output: String?

    func validate() throws {
        if last != nil, start != nil || end != nil {
            throw ValidationError("--last and --start or --end are both given: give one of them.")
        }
        if output == nil, format == .protobuf, Terminal.isTerminal(.output) {
            throw ValidationError("otlp-protobuf is not for a terminal: give a file with -o FILE.")
        }
        _ = try search
    }

    func run() async throws {
        let api = try server.api()
        let summary: ExportSummary
        do {
            let output = try OutputFile(path: output)
            summary = try await api.export(try search) { try output.write($0) }
            try output.finish()
        } catch {
            await api.close()
            if let output, !(error is OutputFile.Failure) {
                printError("What came so far is in \(output).part.")
            }
            throw error
        }
        await api.close()
        printError(
            "\(Measure.counted(summary.traceCount, "trace")), "
                + Measure.counted(summary.spanCount, "span")
                + (output.map { " in \($0)" } ?? "") + "."
        )
        guard summary.complete else {
            for reason in summary.incompleteReasons {
                printError("error: not everything could be read: \(reason)")
            }
            throw ExitCode.failure
        }
    }

    private var search: ExportSearch {
        get throws {
            var search = ExportSearch(format == .json ? .json : .protobuf)
            search.query = query
            search.last = last
            search.start = try start.map { try Totals.nanoseconds($0, of: "--start") }
            search.end = try end.map { try Totals.nanoseconds($0, of: "--end") }
            return search
        }
    }
}
