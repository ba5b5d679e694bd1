// SPDX-License-Identifier: Apache-2.0

import Client
import Foundation
import SkeinModel
import Testing

/// Loads `paths` into a sink of its own.
private func load(
    _ paths: [String],
    into sink: OTLPSink = OTLPSink(),
    _ change: @Sendable @escaping (inout LoadOptions) -> Void = { _ in }
) async throws -> (summary: LoadSummary, spans: [SunkSpan]) {
    let summary = try await OTLPSink.serve(sink) { address in
        var options = LoadOptions(endpoint: try Endpoint(address))
        change(&options)
        return try await Loader(options: options).run(paths)
    }
    return (summary, sink.spans)
}

struct LoaderTests {
    static let texts = [
        "OTLP JSON": ClientFixtures.otlpJSON,
        "OTLP JSON, pretty": "\n\n  " + ClientFixtures.otlpJSON,
        "OTLP JSON, one a line": ClientFixtures.otlpLines,
        "Zipkin list": ClientFixtures.zipkinList,
        "Zipkin list of lists": ClientFixtures.zipkinTraces,
        "Zipkin, one span a line": ClientFixtures.zipkinSpans.joined(separator: "\n"),
        "Jaeger answer": ClientFixtures.jaegerAnswer,
        "Jaeger trace": ClientFixtures.jaegerTrace,
        "CSV": ClientFixtures.csv,
    ]

    @Test(arguments: texts.keys.sorted(), [false, true])
    func `tells text formats by their content`(name: String, isPacked: Bool) async throws {
        let folder = try ScratchFolder()
        let bytes = Array(try #require(Self.texts[name]).utf8)
        let path = try folder.write(isPacked ? ClientFixtures.gzip(bytes) : bytes)
        let (summary, spans) = try await load([path])
        #expect(summary.failure == nil)
        #expect(summary.sent == 2)
        #expect(summary.isComplete)
        let sorted = spans.sorted { $0.spanID < $1.spanID }
        #expect(sorted.map(\.name) == ["parent", "child"])
        #expect(sorted.map(\.service) == ["shop", "shop"])
        #expect(sorted.map(\.traceID.hex) == Array(repeating: ClientFixtures.trace, count: 2))
        #expect(sorted.map(\.parentID.raw) == [0, 0xA1])
        #expect(sorted.map(\.start) == [1_700_000_000_000_000_000, 1_700_000_000_000_000_000])
        #expect(sorted.map { $0.end - $0.start } == [9_000_000, 4_000_000])
    }

    @Test
    func `reads OTLP protobuf`() async throws {
        let folder = try ScratchFolder()
        let (summary, spans) = try await load([try folder.write(ClientFixtures.otlpProtobuf)])
        #expect(summary.isComplete)
        #expect(spans.map(\.name) == ["parent", "child"])
    }

    @Test
    func `reads the corpus of the benchmarks`() async throws {
        let folder = try ScratchFolder()
        let (summary, spans) = try await load([try folder.write(ClientFixtures.corpus)])
        #expect(summary.isComplete)
        #expect(spans.map(\.name) == ["parent", "child", "parent", "child"])
    }

    @Test
    func `turns Jaeger's tags back to fields`() async throws {
        let folder = try ScratchFolder()
        let (_, spans) = try await load([try folder.write(ClientFixtures.jaegerAnswer)])
        let parent = try #require(spans.first { $0.name == "parent" })
        #expect(parent.kind == .server)
        #expect(parent.attributes["big"] == .int(9_007_199_254_740_993))
        #expect(parent.attributes["raw"] == .bytes(Array("hi".utf8)))
        #expect(parent.attributes["ratio"] == .double(1))
        #expect(parent.attributes["span.kind"] == nil)
        #expect(parent.events.map(\.name) == ["tick"])
        let child = try #require(spans.first { $0.name == "child" })
        #expect(child.status == .error)
        #expect(child.attributes.isEmpty)
        #expect(child.links == [SpanID(0xC3)])
    }

    @Test
    func `shifts all files so that the newest span ends now`() async throws {
        let folder = try ScratchFolder()
        let older = ClientFixtures.otlpJSON.replacingOccurrences(
            of: "17000000000",
            with: "16999999990"
        )
        let paths = [try folder.write(older, "a"), try folder.write(ClientFixtures.otlpJSON, "b")]
        let before = UInt64(Date().timeIntervalSince1970 * 1e9)
        let (summary, spans) = try await load(paths) { $0.endsNow = true }
        let after = UInt64(Date().timeIntervalSince1970 * 1e9)
        #expect(summary.sent == 4)
        let ends = spans.map(\.end)
        let newest = try #require(ends.max())
        // The double loses some hundred nanoseconds.
        #expect(newest >= before - 1_000 && newest <= after + 1_000)
        #expect(Set(ends.map { newest - $0 }) == [0, 5_000_000, 1_000_000_000, 1_005_000_000])
    }

    @Test
    func `cuts files to requests of the size asked for`() async throws {
        let folder = try ScratchFolder()
        let sink = OTLPSink()
        let (summary, spans) = try await load([try folder.write(ClientFixtures.corpus)], into: sink)
        {
            $0.batchSpanCount = 1
            $0.gzip = false
        }
        #expect(summary.requests == 4)
        #expect(sink.requestCount == 4)
        #expect(spans.count == 4)
    }

    @Test
    func `reports what the receiver rejected, exactly`() async throws {
        let folder = try ScratchFolder()
        let body: [UInt8] = [0x0A, 7, 0x08, 1, 0x12, 3] + Array("old".utf8)
        let sink = OTLPSink(replies: [.init(), .init(body: body)])
        let (summary, _) = try await load([try folder.write(ClientFixtures.corpus)], into: sink)
        #expect(summary.sent == 3)
        #expect(summary.rejected == 1)
        #expect(summary.reason == "old")
        #expect(!summary.isComplete)
    }

    @Test
    func `ends at a broken line, with what was sent before it counted`() async throws {
        let folder = try ScratchFolder()
        let path = try folder.write(ClientFixtures.otlpLines + #"{"resourceSpans":[{]}"#)
        let (summary, spans) = try await load([path])
        #expect(summary.failure != nil)
        #expect(summary.sent == spans.count)
        #expect(summary.files == 0)
        #expect(!summary.isComplete)
    }

    @Test
    func `reads a list that is many times its buffer`() async throws {
        let folder = try ScratchFolder()
        let span = ClientFixtures.zipkinSpans[1]
        let list = (0..<4_000).map { number in
            let id = String(number + 0x1000, radix: 16)
            return span.replacingOccurrences(of: "00000000000000b2", with: "00000000000" + id + "0")
        }
        let path = try folder.write("[" + list.joined(separator: ",\n") + "]")
        let (summary, spans) = try await load([path])
        #expect(summary.isComplete)
        #expect(spans.count == 4_000)
        #expect(spans.allSatisfy { $0.text("odd") == #"a"]}\ [{"# })
    }
}

struct SpanFileTests {
    static let problems: [(text: String, message: String, place: String)] = [
        ("", "empty", ""),
        ("hello, world", "none of the known formats", ""),
        (#"{"traces":[]}"#, "no trace data: it has keys traces", "byte 0"),
        ("{}", "it has no keys", "byte 0"),
        (#"{"resourceSpans":[{"resource":{}"#, "in the middle of a document", "byte 32"),
        (#"{"data":[17]}"#, "expected an object in the list, found '1'", "byte 10"),
        ("[1]", "expected an object", "byte 2"),
        ("[{}] }", "closes that was never opened", "byte 6"),
        (#"[{"id":1}]"#, "expected a string, byte 7, $[0].id", "byte 1"),
        (
            "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano\n1,2\n",
            "expected 8 fields, found 2", "line 2"
        ),
        (
            "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano\n"
                + "zz,1,root,p,o,1,2,1\n", "TraceID 'zz'", "line 2"
        ),
        ("OTLPB01\n\u{4}", "cut off", "byte 8"),
        ("OTLPB01\n\u{7F}\u{7F}\u{7F}\u{7F}\u{1}\u{0}\u{0}\u{0}", "too long", "byte 8"),
        ("\n\u{5}\u{12}", "ends before", "byte 0"),
        ("\n\u{1}\u{1}\u{12}", "found tag 0x12", "byte 3"),
    ]

    @Test(arguments: problems.indices)
    func `says what is wrong with a file, and where`(index: Int) throws {
        let problem = Self.problems[index]
        let folder = try ScratchFolder()
        let path = try folder.write(problem.text)
        let error = #expect(throws: ClientError.self) {
            var file = try SpanFile(path: path, receivedAt: 1)
            while try file.next() != nil {}
        }
        let message = try #require(error?.message)
        let place = try #require(error?.place)
        #expect(message.contains(problem.message), "\(message)")
        #expect(place == path + (problem.place.isEmpty ? "" : ", " + problem.place))
    }

    @Test
    func `notices gzip data that ends too early`() throws {
        let folder = try ScratchFolder()
        let packed = ClientFixtures.gzip(Array(ClientFixtures.zipkinList.utf8))
        for count in [12, 40, packed.count / 2, packed.count - 9] {
            let path = try folder.write(Array(packed.prefix(count)))
            #expect(throws: ClientError.self, "cut at \(count)") {
                var file = try SpanFile(path: path, receivedAt: 1)
                while try file.next() != nil {}
            }
        }
    }

    @Test
    func `never stops at any cut of any format`() throws {
        let folder = try ScratchFolder()
        var files = LoaderTests.texts.values.map { Array($0.utf8) }
        files.append(try ClientFixtures.corpus)
        files.append(try ClientFixtures.otlpProtobuf)
        for bytes in files {
            for count in stride(from: 0, to: bytes.count, by: 7) {
                let path = try folder.write(Array(bytes.prefix(count)))
                var spans = 0
                do {
                    var file = try SpanFile(path: path, receivedAt: 1)
                    while let batch = try file.next() { spans += batch.columns.count }
                } catch {
                    #expect(error.place.hasPrefix(path))
                }
                #expect(spans <= 4)
            }
        }
    }

    @Test
    func `says when a file is not there or is a folder`() throws {
        let folder = try ScratchFolder()
        let missing = #expect(throws: ClientError.self) {
            _ = try SpanFile(path: folder.url.path + "/none", receivedAt: 1)
        }
        #expect(missing?.message.contains("No such file") == true)
        let directory = #expect(throws: ClientError.self) {
            _ = try SpanFile(path: folder.url.path, receivedAt: 1)
        }
        #expect(directory?.message.contains("is a directory") == true)
    }
}

/// Third-party files that may stand beside the repository.
private enum SharedData {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("shared/data")

    static var exists: Bool { FileManager.default.fileExists(atPath: folder.path) }

    static func files(_ path: String, _ suffix: String) throws -> [String] {
        let url = folder.appendingPathComponent(path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return [url.path] }
        return try FileManager.default.subpathsOfDirectory(atPath: url.path)
            .filter { $0.hasSuffix(suffix) }.sorted().map { url.path + "/" + $0 }
    }
}

@Suite(.enabled(if: SharedData.exists, "skipped: ../shared/data does not stand beside the clone"))
struct ThirdPartyFileTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var path: String
        var suffix = ".json"
        var spans: Int
        /// Spans whose ids are no ids: made up by hand, for tools that only compare them.
        var refused = 0

        var testDescription: String { path }
    }

    @Test(arguments: [
        Sample(path: "zipkin-lens-testdata", spans: 1_293),
        Sample(path: "zipkin-bench", spans: 2),
        Sample(path: "hotel-reservation", suffix: ".gz", spans: 22_000),
        Sample(path: "crisp-test-cases", spans: 120, refused: 14),
        Sample(path: "otlp", spans: 1),
        Sample(path: "jaeger-ui/genaiTestTrace.json", spans: 57),
        Sample(path: "jaeger-ui/utils-fixtures/otlp2jaeger-in.json", spans: 2),
        Sample(path: "nezha-onlineboutique/2022-08-22/03_53_trace.csv.gz", spans: 23_019),
    ])
    func `reads every span of foreign files`(sample: Sample) throws {
        var spans = 0
        var refused = 0
        for name in try SharedData.files(sample.path, sample.suffix) {
            var file = try SpanFile(path: name, receivedAt: 1)
            while let batch = try file.next() {
                spans += batch.columns.count
                refused += batch.refused
            }
        }
        #expect(spans == sample.spans)
        #expect(refused == sample.refused)
    }
}
