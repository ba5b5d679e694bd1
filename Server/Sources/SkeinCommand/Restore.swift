// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Engine
import Server

/// `skein restore`: brings a backup back.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Bring a backup back into an empty or a new folder.",
        discussion: """
            Every file is copied and verified; the backup stays as it is. Until all of it is there \
            the folder is no data folder: a restore that was interrupted is begun anew in another. \
            Spans are as old as they were: start the server with a --retention that keeps them.

            EXAMPLES
              Look at last night's traces beside the running server:
                skein restore /backup/skein-2026-11-21 --data then
                skein serve --data then --retention forever --http 127.0.0.1:26686 \\
                  --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 --zipkin 127.0.0.1:0
            """
    )

    @Argument(help: "The folder that `skein backup` made.", completion: .directory)
    var backup: String

    @Option(
        help: ArgumentHelp("Where to: a folder that is empty or not there.", valueName: "dir"),
        completion: .directory
    )
    var data: String

    func run() throws {
        do {
            let restored = try restoreBackup(backup, into: data)
            print("\(data): \(content(of: restored))")
            tellMissing(restored)
        } catch {
            printError("error: \(error)")
            throw ExitCode.failure
        }
    }
}
