// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SkeinModel
import SkeinWire

// Prints spans a second and core of each codec on a corpus (`OTLPB01`, see bench/README.md). Run by
// `make bench-codecs`. CPU time, the best of five passes: the machine is shared, and only the best
// pass was alone.

@main
struct WireBench {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            print("usage: WireBench CORPUS.otlpb")
            exit(64)
        }
        let corpus = try Corpus(path: CommandLine.arguments[1])
        print(
            "\(corpus.spanCount) spans, \(corpus.byteCount / max(corpus.spanCount, 1)) bytes each"
        )

        report("decode OTLP protobuf", corpus.spanCount) {
            // As a receiver does it: one decoder for payload after payload.
            var decoder = OTLPDecoder()
            var count = 0
            for payload in corpus.payloads {
                let batch = try decoder.decodeProtobuf(payload, receivedAt: 1)
                count += batch.columns.count
            }
            return count
        }
        // JSON is some three times as many bytes; a part of the corpus is enough.
        let part = corpus.payloads.prefix(200)
        var json: [[UInt8]] = []
        var spanCount = 0
        for payload in part {
            let batch = try OTLP.decodeProtobuf(payload, receivedAt: 1)
            json.append(OTLP.encodeJSON(batch.columns))
            spanCount += batch.columns.count
        }
        report("decode OTLP/JSON", spanCount) {
            var count = 0
            for text in json {
                count += try decodeJSON(text)
            }
            return count
        }
        report("decode and encode OTLP protobuf", spanCount) {
            try part.reduce(0) {
                let batch = try OTLP.decodeProtobuf($1, receivedAt: 1)
                return $0 + (OTLP.encodeProtobuf(batch.columns).isEmpty ? 0 : batch.columns.count)
            }
        }
        report("decode OTLP protobuf and encode JSON", spanCount) {
            try part.reduce(0) {
                let batch = try OTLP.decodeProtobuf($1, receivedAt: 1)
                return $0 + (OTLP.encodeJSON(batch.columns).isEmpty ? 0 : batch.columns.count)
            }
        }
    }

    /// Runs `pass` five times and prints the best rate; `pass` returns the spans it went over.
    private static func report(_ name: String, _ expected: Int, _ pass: () throws -> Int) {
        var best = Double.infinity
        for _ in 0..<5 {
            let start = clock()
            guard let count = try? pass(), count == expected else {
                print("\(name): went over another number of spans than \(expected)")
                exit(1)
            }
            best = min(best, Double(clock() - start) / Double(CLOCKS_PER_SEC))
        }
        let millions = (Double(expected) / best / 10_000).rounded() / 100
        print("\(name): \(millions) million spans a second")
    }
}

/// A corpus file of the reference load.
private struct Corpus {
    private(set) var payloads: [[UInt8]] = []
    private(set) var spanCount = 0
    private(set) var byteCount = 0

    struct Damaged: Error {}

    init(path: String) throws {
        let file = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
        guard file.starts(with: "OTLPB01\n".utf8) else { throw Damaged() }
        var offset = 8
        while offset < file.count {
            let length = try Self.number(file, offset)
            spanCount += try Self.number(file, offset + 4)
            guard file.count - offset - 8 >= length else { throw Damaged() }
            payloads.append(Array(file[(offset + 8)..<(offset + 8 + length)]))
            byteCount += length
            offset += 8 + length
        }
    }

    private static func number(_ file: Data, _ offset: Int) throws -> Int {
        guard file.count - offset >= 4 else { throw Damaged() }
        return (0..<4).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
    }
}
