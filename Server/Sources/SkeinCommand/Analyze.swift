// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import SkeinModel

/// `skein analyze`: what to say of one trace.
struct Analyze: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Explain one trace: what made it slow or fail, and where its time went.",
        discussion: """
            First what is most worth saying; then the critical path, the spans that the answer was \
            waiting for one after another; then every operation with its quantiles, its own time \
            (without its children's) and its time on the critical path.

            EXAMPLES
              Why was it slow?
                skein analyze 7f3c1d0a5b2e4f60

              The whole of a long critical path:
                skein analyze 7f3c1d0a5b2e4f60 --limit 10000

              For another program:
                skein analyze 7f3c1d0a5b2e4f60 --json | jq '.findings'
            """
    )

    @Argument(help: "The id of the trace, 1 to 32 hexadecimal digits.")
    var traceID: String

    @OptionGroup var server: ServerAddress

    @Option(help: "Lines of the critical path, the longest, and of the statistics to show.")
    var limit = 20

    @Flag(help: "Print the server's JSON as it is.")
    var json = false

    func validate() throws {
        guard let id = TraceID(hex: traceID), id.isValid else {
            throw ValidationError(
                "'\(traceID)' is not a trace id: those have 1 to 32 hexadecimal digits."
            )
        }
        guard (1...1_000_000).contains(limit) else {
            throw ValidationError("--limit \(limit): must be 1 to 1000000.")
        }
    }

    func run() async throws {
        guard let id = TraceID(hex: traceID) else { return }
        let api = try server.api()
        do {
            if json {
                print(String(decoding: try await api.analysisJSON(id), as: UTF8.self))
            } else {
                let style = QueryStyle(
                    hasColours: Terminal.hasColours,
                    width: Terminal.width(.output)
                )
                let analysis = try await api.analysis(id)
                print(AnalysisText(analysis, style: style, limit: limit).text)
                if !analysis.complete {
                    let reasons = analysis.incompleteReasons.joined(separator: "; ")
                    printError("This is not the whole trace: \(reasons)")
                }
            }
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }
}
