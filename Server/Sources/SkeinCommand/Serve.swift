// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging
import Server

/// `skein serve`: runs the server until it is told to stop.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server: receivers, store, interfaces and page.",
        discussion: """
            Every setting can be made in three places; the first one counts:
              1. an option, such as             --otlp-http 127.0.0.1:4318
              2. a variable of the environment  SKEIN_OTLP_HTTP=127.0.0.1:4318
              3. a JSON file (--config FILE)    {"otlp-http": "127.0.0.1:4318"}

            The server stops on SIGTERM or Ctrl-C: it answers what it accepted, closes its store and \
            exits with 0.

            EXAMPLES
              Keep two weeks of traces in a folder of your choice:
                skein serve --data /var/lib/skein --retention 14d

              Keep what fits in 50 GB:
                skein serve --data /var/lib/skein --retention forever --retention-bytes 50GB

              Beside a Jaeger that holds the usual ports:
                skein serve --http 127.0.0.1:26686 --otlp-http 127.0.0.1:24318 \\
                  --otlp-grpc 127.0.0.1:24317 --zipkin 127.0.0.1:29411
            """
    )

    @OptionGroup var options: ServeOptions

    @Option(
        help: ArgumentHelp(
            "Write the ports really used to this file, as JSON, once all of them answer.",
            valueName: "file"
        )
    )
    var portsFile: String?

    func run() async throws {
        bootstrapLogging(options.logLevel)
        let configuration = try options.configuration()
        let portsFile = portsFile
        try await explainingFailure {
            try await runServer(
                configuration,
                stopsOnSignals: true,
                logger: Logger(label: "skein")
            ) { addresses in
                if let portsFile { try PortsFile.write(addresses, to: portsFile) }
                printNow(summary(of: configuration, at: addresses))
            }
        }
    }
}

/// What a person wants to know of a server that has just started.
///
/// - Parameters:
///   - configuration: what it was told.
///   - addresses: where it listens.
/// - Returns: some lines of text.
func summary(of configuration: ServerConfiguration, at addresses: BoundAddresses) -> String {
    let optional = addresses.all
        .compactMap { bound in
            optionalWords(bound.listener).map { words in
                "\n  \(words.name) http://\(bound.address)   \(words.purpose)"
            }
        }
        .joined()
    return """
        Skein \(skeinVersion) is running. Open \(addresses.page)

          OTLP/HTTP   http://\(addresses[.otlpHTTP])   OpenTelemetry, protobuf or JSON
          OTLP/gRPC   http://\(addresses[.otlpGRPC])   OpenTelemetry
          Zipkin      http://\(addresses[.zipkin])   spans in, traces out
          Jaeger API  \(addresses.page)/api   for Grafana and other readers\(optional)
          Data        \(configuration.dataDirectory), kept \(kept(configuration))

        Ctrl-C stops it.
        """
}

/// The name, eleven characters wide, and the purpose of a listener that is bound only when asked for.
private func optionalWords(_ listener: Listener) -> (name: String, purpose: String)? {
    switch listener {
    case .http, .otlpHTTP, .otlpGRPC, .zipkin: nil
    case .jaegerGRPC: ("Jaeger gRPC", "Jaeger's query interface")
    case .tempo: ("Tempo API  ", "for Grafana")
    case .tempoGRPC: ("Tempo gRPC ", "Tempo's streaming queries")
    }
}

private func kept(_ configuration: ServerConfiguration) -> String {
    let time =
        configuration.retention.duration == nil ? "forever" : "for \(configuration.retention)"
    let limit = configuration.retentionBytes
    return limit.byteCount == nil ? time : "\(time), up to \(limit)"
}
