// SPDX-License-Identifier: Apache-2.0

import Foundation
import Skein

/// A program that ends in the way its first argument says, with spans that nobody exported by hand;
/// they go to the file that its second argument names.
@main struct Lifetimes {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { exit(64) }
        var configuration = SkeinConfiguration(serviceName: "lifetimes")
        if arguments[2].hasPrefix("http://") {
            configuration.exporter = OTLPEndpoint(baseURL: arguments[2])
        } else {
            configuration.destination = .file(LogFile(path: arguments[2]))
        }
        configuration.exportsOnTermination = arguments[1] == "terminate"
        // Nothing is exported but at the end.
        configuration.pipeline.limits.delay = .seconds(3_600)
        let tracing = SkeinTracing.bootstrap(configuration)
        tracing.tracer.span("ended", .client) { $0.set("n", 1) }
        switch arguments[1] {
        case "return": break
        case "exit": exit(7)
        case "program":
            await tracing.program("whole program") { span in
                span.set("n", 1)
                FileHandle.standardOutput.write(
                    Data((tracing.tracer.childEnvironment["TRACEPARENT"] ?? "").utf8)
                )
            }
        case "terminate":
            FileHandle.standardOutput.write(Data("ready\n".utf8))
            try await Task.sleep(for: .seconds(60))
        default: exit(64)
        }
    }
}
