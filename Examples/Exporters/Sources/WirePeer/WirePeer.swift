// SPDX-License-Identifier: Apache-2.0

import Foundation
import Skein

/// The tracer as a program, for tests in which it talks to what others wrote.
///
/// - `WirePeer carry` reads a line of JSON (`Carrier`) after another and answers each with one
///   (`Carried`): what it read out of headers, and those it would send on.
/// - `WirePeer export URL none|gzip` exports a set of spans that is always the same, but for its ids and a few
///   times, as OTLP over HTTP, and prints the ids as JSON.
@main struct WirePeer {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments == ["carry"] {
            try await carry()
        } else if arguments.count == 3, arguments[0] == "export",
            let compression = OTLPEndpoint.Compression(rawValue: arguments[2])
        {
            var endpoint = OTLPEndpoint(baseURL: arguments[1])
            endpoint.compression = compression
            try await export(to: endpoint)
        } else {
            exit(64)
        }
    }

    private static func carry() async throws {
        while let line = readLine() {
            let carrier = try JSONDecoder().decode(Carrier.self, from: Data(line.utf8))
            try await write(carrier.carry())
        }
    }

    private static func export(to endpoint: OTLPEndpoint) async throws {
        let pipeline = SpanPipeline(exporter: OTLPHTTPExporter(endpoint))
        let ids = RichSpans(pipeline).record()
        guard await pipeline.shutdown(timeout: .seconds(30)),
            pipeline.counters.exportedCount == pipeline.counters.startedCount
        else {
            try FileHandle.standardError.write(contentsOf: Data("\(pipeline.counters)\n".utf8))
            exit(1)
        }
        try write(ids)
    }

    private static func write(_ value: some Encodable) throws {
        try FileHandle.standardOutput.write(
            contentsOf: JSONEncoder().encode(value) + Data("\n".utf8)
        )
    }
}
