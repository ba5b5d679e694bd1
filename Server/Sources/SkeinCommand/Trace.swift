// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import SkeinModel

/// `skein trace`: one trace, drawn in the terminal.
struct Trace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Draw one trace in the terminal.",
        discussion: """
            Each span is a line: its place in the tree, its service, how long it took, how much of \
            that was its own (no span below it ran), and when, as a bar. Of many siblings that are \
            alike three are drawn and the others told in one line. Spans that failed are marked \
            with a cross.

            Clocks of hosts that disagree are corrected, and told; --raw draws what was sent. \
            Colours, one a service, are used on a terminal only; NO_COLOR switches them off.

            EXAMPLES
              Where did the time go?
                skein trace 7f3c1d0a5b2e4f607f3c1d0a5b2e4f60

              The last 16 digits will do:
                skein trace 7f3c1d0a5b2e4f60

              All of a large one, to scroll through:
                skein trace 7f3c1d0a5b2e4f60 --all --limit 100000 | less

              For another program, as OTLP JSON:
                skein trace 7f3c1d0a5b2e4f60 --json | jq '.resourceSpans | length'
            """
    )

    @Argument(help: "The id of the trace, 1 to 32 hexadecimal digits.")
    var traceID: String

    @OptionGroup var server: ServerAddress

    @Option(help: "Lines of spans to draw.")
    var limit = 1_000

    @Flag(help: "Draw siblings that are alike one by one too.")
    var all = false

    @Flag(help: "Draw spans as they were sent: clocks and shared spans are left as they are.")
    var raw = false

    @Flag(help: "Print the server's JSON as it is: spans as they were sent.")
    var json = false

    func validate() throws {
        guard let id = TraceID(hex: traceID), id.isValid else {
            throw ValidationError(
                "'\(traceID)' is not a trace id: those have 1 to 32 hexadecimal digits."
            )
        }
        guard (1...10_000_000).contains(limit) else {
            throw ValidationError("--limit \(limit): must be 1 to 10000000.")
        }
    }

    func run() async throws {
        guard let id = TraceID(hex: traceID) else { return }
        let api = try server.api()
        do {
            if json {
                print(String(decoding: try await api.traceJSON(id), as: UTF8.self))
            } else {
                try await Self.draw(id, of: api, limit: limit, all: all, raw: raw)
            }
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }

    /// Asks for a trace and prints it.
    static func draw(
        _ id: TraceID,
        of api: NativeAPI,
        limit: Int = 1_000,
        all: Bool = false,
        raw: Bool = false
    ) async throws {
        let trace = try await api.traceColumns(id, isRaw: raw)
        let style = QueryStyle(hasColours: Terminal.hasColours, width: Terminal.width(.output))
        let drawing = TraceDrawing(trace, style: style, limit: limit, tellsTogether: !all)
        for line in drawing.lines { print(line) }
        for note in drawing.notes { printError(note) }
    }
}
