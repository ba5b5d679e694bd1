// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Engine
import Server

/// `skein verify`: reads every byte of a data folder or a backup.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every byte of a data folder or a backup, and say what is damaged.",
        discussion: """
            Checks every checksum, decodes every column of every part and every request in the log, \
            and compares the counts. Nothing is changed, and no lock is taken: a server may be \
            running on the folder. One line is printed for each file, then a summary. The command \
            fails when anything is damaged, missing, or was set aside because it is.

            EXAMPLES
              Is the running server's data sound?
                skein verify /var/lib/skein

              Keep only backups that are good:
                skein verify /backup/new >/dev/null && rm -r /backup/old
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The folder, as --data of serve or `skein backup` named it.",
            valueName: "dir"
        ),
        completion: .directory
    )
    var directory: String

    func run() throws {
        do {
            let found = try verifyStore(directory) { print($0) }
            let size =
                "\(found.fileCount) files, \(found.spanCount) spans in parts, \(found.recordCount) "
                + "requests in the log, \(Measure.bytes(Int(clamping: found.byteCount)))"
            guard found.isSound else {
                print("\(directory): \(found.damagedCount) DAMAGED; \(size)")
                throw ExitCode.failure
            }
            print("\(directory): sound; \(size)")
        } catch let error as ExitCode {
            throw error
        } catch {
            printError("error: \(error)")
            throw ExitCode.failure
        }
    }
}
