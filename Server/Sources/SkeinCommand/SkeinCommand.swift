// SPDX-License-Identifier: Apache-2.0

// The command. It owns what a person types and reads: options, help, summaries, exit codes. It never
// decodes, stores or draws a page: each subcommand is one file that calls its station.

import ArgumentParser
import Server

/// `skein`.
@main
struct SkeinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skein",
        abstract: "Distributed tracing: receive, keep, search and look at traces.",
        discussion: """
            GETTING STARTED
              skein demo      the server and a small traced shop: something to look at
              skein serve     the server; point your OpenTelemetry or Zipkin exporters at it

            `skein help COMMAND` explains a command with examples.
            """,
        version: skeinVersion,
        subcommands: [
            Serve.self, Demo.self, Load.self, Query.self, Trace.self, Analyze.self,
            ServiceCommand.self, Map.self, Totals.self, Export.self,
            Delete.self, Backup.self, Restore.self, Verify.self, Inspect.self,
        ]
    )

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let word = arguments.first, let message = correction(of: word) {
            exit(withError: ValidationError(message))
        }
        await main(arguments)
    }

    /// What to say to a word that is no command: the parser corrects options only.
    private static func correction(of word: String) -> String? {
        let commands =
            configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard !word.hasPrefix("-"), !commands.contains(word) else { return nil }
        let meant = nearest(to: word, among: commands).map { " Did you mean '\($0)'?" } ?? ""
        return "'\(word)' is no command.\(meant) There are \(commands.joined(separator: ", "))."
    }
}
