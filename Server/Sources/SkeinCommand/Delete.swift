// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import SkeinModel

/// `skein delete`: removes one trace from a server.
struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Remove one trace from a server, for good.",
        discussion: """
            All spans of the trace that the server has now are removed, and their bytes from every \
            file of its data folder. Spans of the trace that arrive later are stored again; backups \
            are not touched. Nobody is asked again.

            EXAMPLES
              Somebody's password stands in an attribute:
                skein delete 7f3c1d0a5b2e4f607f3c1d0a5b2e4f60
            """
    )

    @Argument(help: "The id of the trace, 1 to 32 hexadecimal digits.")
    var traceID: String

    @OptionGroup var server: ServerAddress

    func validate() throws {
        guard let id = TraceID(hex: traceID), id.isValid else {
            throw ValidationError(
                "'\(traceID)' is not a trace id: those have 1 to 32 hexadecimal digits."
            )
        }
    }

    func run() async throws {
        guard let id = TraceID(hex: traceID) else { return }
        let api = try server.api()
        do {
            let deleted = try await api.deleteTrace(id)
            let spans = deleted.spanCount == 1 ? "1 span" : "\(deleted.spanCount) spans"
            print("Removed \(spans) of trace \(deleted.traceId).")
            for reason in deleted.incompleteReasons {
                printError("warning: it may still be in \(reason)")
            }
        } catch {
            await api.close()
            throw error
        }
        await api.close()
    }
}
