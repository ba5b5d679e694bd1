// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Engine

/// `skein backup`: copies a data folder, of a running server too.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a data folder, while its server runs or not.",
        discussion: """
            Everything that was acknowledged before the command began is in the backup. The server \
            is not asked and goes on. On the same file system the parts are links to the server's \
            files and take no room of their own; elsewhere they are copied. The backup is built \
            beside its place, in TARGET.partial, and takes its name last: what was interrupted is \
            never taken for a backup, and the next one clears it away.

            EXAMPLES
              Every night:
                skein backup --data /var/lib/skein /backup/skein-$(date +%F)

              Is it good?
                skein verify /backup/skein-2026-11-21
            """
    )

    @Option(
        help: ArgumentHelp("The folder, as --data of serve named it.", valueName: "dir"),
        completion: .directory
    )
    var data = "skein-data"

    @Argument(help: "The backup to make: a path where nothing is.", completion: .directory)
    var target: String

    func run() throws {
        do {
            let made = try StoreBackup.make(of: data, at: target)
            print("\(target): \(content(of: made))")
            if made.linkedByteCount > 0 {
                print(
                    "\(Measure.bytes(Int(clamping: made.linkedByteCount))) of it are links to files of \(data): copy "
                        + "the backup to another disk to survive the loss of this one."
                )
            }
            tellMissing(made)
        } catch {
            printError("error: \(error)")
            throw ExitCode.failure
        }
    }
}

/// What a backup holds, in words.
func content(of summary: StoreBackup.Summary) -> String {
    "\(summary.spanCount) spans in \(summary.partCount) parts, \(summary.recordCount) requests in the "
        + "log, \(Measure.bytes(Int(clamping: summary.byteCount)))"
}

/// Says what is not in a backup because the store had lost it already.
func tellMissing(_ summary: StoreBackup.Summary) {
    for reason in summary.incomplete { printError("warning: not in it: \(reason)") }
}
