// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// `skein load`: sends files of spans to an OTLP/HTTP receiver.
struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Send files of spans to an OTLP/HTTP receiver.",
        discussion: """
            The format of a file is told by its content: OTLP JSON (one document, or one a line), \
            OTLP protobuf, Zipkin v2 JSON (a list of spans, or of traces), Jaeger JSON as its page \
            saves it, the trace CSV of the Nezha data set, and the corpus of the benchmarks. Each \
            may be compressed with gzip. Files may be larger than memory.

            EXAMPLES
              Look at a trace that somebody saved from Jaeger's page, as if it ended now:
                skein load --now trace.json

              Replay a corpus at 5,000 spans a second:
                skein load --rate 5000 corpus.otlpb

              Send Zipkin traces to another collector:
                skein load --endpoint http://collector:4318 traces.json.gz

            The command fails when a file cannot be read, the receiver cannot be reached, or any \
            span was refused; what was sent until then is told.
            """
    )

    @Argument(help: "The files, sent one after another.", completion: .file())
    var files: [String]

    @Option(help: "The receiver; /v1/traces is added where it is missing.")
    var endpoint = "http://127.0.0.1:4318"

    @Option(help: "Spans a second. Default: as fast as it goes.")
    var rate: Double?

    @Flag(help: "Shift all times by the same distance, so that the newest span ends now.")
    var now = false

    @Flag(help: "Compress request bodies.")
    var gzip = false

    @Option(help: "Spans in one request.")
    var batch = 1_000

    @Option(help: "Requests under way at once.")
    var connections = 2

    @Flag(name: .shortAndLong, help: "Say nothing but what went wrong.")
    var quiet = false

    func validate() throws {
        if let rate, !(rate > 0 && rate.isFinite) {
            throw ValidationError("--rate \(rate): must be more than 0, such as --rate 5000.")
        }
        guard (1...100_000).contains(batch) else {
            throw ValidationError("--batch \(batch): must be 1 to 100000.")
        }
        guard (1...64).contains(connections) else {
            throw ValidationError("--connections \(connections): must be 1 to 64.")
        }
    }

    func run() async throws {
        var options = LoadOptions(endpoint: try Endpoint(endpoint))
        options.spansPerSecond = rate
        options.endsNow = now
        options.gzip = gzip
        options.batchSpanCount = batch
        options.connectionCount = connections
        let line = quiet ? nil : ProgressLine()
        let loader = Loader(options: options) { line?.show($0) }
        let summary = try await loader.run(files)
        line?.finish()
        if !quiet { print(LoadReport(summary, endpoint: options.endpoint).text) }
        guard !summary.isComplete else { return }
        if let failure = summary.failure { printError("error: \(failure)") }
        if summary.rejected + summary.refused > 0 {
            printError(
                "error: \(Measure.counted(summary.rejected, "span")) rejected by the receiver, "
                    + "\(summary.refused) not readable: \(summary.reason)"
            )
        }
        throw ExitCode.failure
    }
}

/// What a load came to, in words.
struct LoadReport {
    let text: String

    init(_ summary: LoadSummary, endpoint: Endpoint) {
        let seconds = summary.duration / .seconds(1)
        let perSecond = seconds > 0 ? Double(summary.sent) / seconds : 0
        var text =
            "\(Measure.counted(summary.sent, "span")) sent to \(endpoint) in \(Measure.duration(seconds))"
        text += " (\(Measure.count(perSecond)) spans/s, \(Measure.bytes(summary.bytes))"
        text += ", \(Measure.counted(summary.requests, "request"))"
        if summary.retries > 0 { text += ", \(summary.retries) sent again" }
        text += ")\n\(Measure.counted(summary.files, "file"))"
        text += ", \(Measure.counted(summary.read, "span")) read, "
        text += "\(summary.rejected) rejected, \(summary.refused) refused"
        self.text = text
    }
}
