// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// The lines of `skein query --follow`.
struct Follow {
    let query: String?
    let isJSON: Bool
    let style: QueryStyle

    /// Prints traces as they arrive; returns when the server ends the tail, which is no success:
    /// nobody here asked for the end.
    func run(with api: NativeAPI) async throws {
        var reason = "the server closed the connection"
        // One that nobody reads any more ends the tail.
        let output = try OutputFile(path: nil)
        try await api.tail(query) { event in
            switch event {
            case .trace(let trace, let json):
                try output.write(Array(((isJSON ? json : line(trace)) + "\n").utf8))
            case .leftOut(let found, let unread):
                if found > 0 {
                    printError("… \(Measure.counted(found, "trace")) more in the same moment")
                }
                if unread > 0 {
                    printError(
                        "… \(Measure.counted(unread, "trace")) came too fast to be looked at"
                    )
                }
            case .incomplete(let told): printError("warning: \(shown(told))")
            case .end(let told): reason = shown(told)
            }
        }
        printError("The tail ended: \(reason).")
        throw ExitCode.failure
    }

    private func line(_ trace: TraceSummary) -> String {
        let hasErrors = trace.errorCount > 0
        let duration = column(
            Measure.duration(nanoseconds: trace.durationNanos.value),
            11,
            isRight: true
        )
        let root = [trace.rootService ?? "", trace.rootOperation ?? ""]
            .filter { !$0.isEmpty }.joined(separator: ": ")
        let counts = "\(trace.spanCount) sp" + (hasErrors ? ", \(trace.errorCount) err" : "")
        let found = (trace.spansets ?? []).flatMap(\.spans)
            .filter { $0.name != trace.rootOperation || !$0.values.isEmpty }.prefix(3)
            .map { span in
                let values = span.values.map { "\($0.name) = \($0.value?.text ?? "nil")" }
                return ([span.name] + values).joined(separator: " ")
            }
        let detail = found.isEmpty ? "" : "  " + found.joined(separator: "; ")
        let time = Measure.time(nanoseconds: trace.startTimeUnixNano.value).dropFirst(11)
        let fixed = 12 + 11 + 2 + 16 + 2 + 2 + 32
        let text = column(shown(root + detail), max(style.width - fixed, 20))
        return time + (hasErrors ? style.red(duration) : duration) + "  " + column(counts, 16)
            + "  " + text + "  " + style.dim(trace.traceId)
    }
}
