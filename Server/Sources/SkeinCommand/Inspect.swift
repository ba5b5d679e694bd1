// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Engine

/// `skein inspect`: prints what is on disk.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Print what is in a data folder.",
        discussion: """
            Lists the manifest, the log segments and every part with its columns and their sizes, \
            and checks every checksum on the way. Nothing is changed. A server may be running on \
            the folder: a file that it replaces meanwhile is then reported as gone.

            EXAMPLES
              How large is what, column by column?
                skein inspect skein-data

              Is anything damaged?
                skein inspect /var/lib/skein | grep -E 'DAMAGED|SET ASIDE|set aside'
            """
    )

    @Argument(
        help: ArgumentHelp("The folder, as --data of serve named it.", valueName: "dir"),
        completion: .directory
    )
    var directory: String

    func run() throws {
        do {
            print(try EngineInspection.inspect(directory: directory), terminator: "")
        } catch {
            printError("error: \(error)")
            throw ExitCode.failure
        }
    }
}
