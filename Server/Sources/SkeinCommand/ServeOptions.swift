// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Server

/// The settings of a server, as options.
struct ServeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder that keeps the spans; it is made when it is not there. (default: skein-data)",
            valueName: "dir"
        )
    )
    var data: String?

    @Option(
        help: ArgumentHelp(
            "The page, Skein's and Jaeger's interfaces. (default: 127.0.0.1:16686)",
            valueName: "host:port"
        )
    )
    var http: String?

    @Option(
        help: ArgumentHelp(
            "OTLP over HTTP; port 0 takes any free one. (default: 127.0.0.1:4318)",
            valueName: "host:port"
        )
    )
    var otlpHttp: String?

    @Option(
        help: ArgumentHelp(
            "OTLP over gRPC. (default: 127.0.0.1:4317)",
            valueName: "host:port"
        )
    )
    var otlpGrpc: String?

    @Option(
        help: ArgumentHelp(
            "Zipkin's interfaces, for writing and reading. (default: 127.0.0.1:9411)",
            valueName: "host:port"
        )
    )
    var zipkin: String?

    @Option(
        help: ArgumentHelp(
            "Jaeger's query interface over gRPC, for tools made for it; 16685 is usual. (default: off)",
            valueName: "host:port"
        )
    )
    var jaegerGrpc: String?

    @Option(
        help: ArgumentHelp(
            "Tempo's query interface, beside /tempo of the page's port; 3200 is usual. (default: off)",
            valueName: "host:port"
        )
    )
    var tempo: String?

    @Option(
        help: ArgumentHelp(
            "Tempo's streaming queries over gRPC; 9095 is usual. (default: off)",
            valueName: "host:port"
        )
    )
    var tempoGrpc: String?

    @Option(
        help: ArgumentHelp(
            "How long spans are kept: a number and s, m, h, d or w, or forever. (default: 7d)",
            valueName: "time"
        )
    )
    var retention: String?

    @Option(
        help: ArgumentHelp(
            """
            How long minute totals of calls, errors and durations are kept: as --retention, and not \
            shorter. (default: 90d, or as long as spans)
            """,
            valueName: "time"
        )
    )
    var totalsRetention: String?

    @Option(
        help: ArgumentHelp(
            """
            How many bytes of spans are kept, such as 10GB, or unlimited; the oldest are removed \
            first. (default: unlimited)
            """,
            valueName: "size"
        )
    )
    var retentionBytes: String?

    @Option(
        help: ArgumentHelp(
            """
            When spans are acknowledged: fsync = when they would survive a power cut, os = when \
            they would survive the end of this process. (default: fsync)
            """,
            valueName: "fsync|os"
        )
    )
    var durability: String?

    @Flag(help: "Allow addresses that other machines can reach. Nobody is asked who they are.")
    var insecureOpen = false

    @Option(
        help: ArgumentHelp(
            """
            A site whose pages may show the page in a frame, such as https://grafana.example, or self; \
            may be repeated. (default: none)
            """,
            valueName: "site"
        )
    )
    var embedIn: [String] = []

    @Option(help: ArgumentHelp("A JSON file with settings.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Serve the page from this folder, read anew each time: for work on the page.",
            valueName: "dir"
        )
    )
    var webDir: String?

    @Option(
        help: ArgumentHelp(
            "How much to log to standard error.",
            valueName: "level"
        )
    )
    var logLevel = LogLevel.warning

    /// What the options, the environment and the file say together.
    func configuration() throws -> ServerConfiguration {
        var given: [ConfigurationSources.Key: String] = [:]
        given[.data] = data
        given[.http] = http
        given[.otlpHTTP] = otlpHttp
        given[.otlpGRPC] = otlpGrpc
        given[.zipkin] = zipkin
        given[.jaegerGRPC] = jaegerGrpc
        given[.tempo] = tempo
        given[.tempoGRPC] = tempoGrpc
        given[.retention] = retention
        given[.totalsRetention] = totalsRetention
        given[.retentionBytes] = retentionBytes
        given[.durability] = durability
        if !embedIn.isEmpty { given[.embedIn] = embedIn.joined(separator: ",") }
        given[.webDirectory] = webDir
        if insecureOpen { given[.insecureOpen] = "true" }
        do {
            return try ServerConfiguration(
                from: try ConfigurationSources(options: given, filePath: config)
            )
        } catch let error as ConfigurationError {
            throw ValidationError(error.description)
        }
    }
}

/// How much is logged.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case error, warning, notice, info, debug, trace
}
