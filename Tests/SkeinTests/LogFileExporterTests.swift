// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinTesting
import SkeinWire
import Testing
import Tracing

@Suite struct LogFileExporterTests {
    private let folder: TemporaryFolder
    private let spans = SpanCollector()

    init() throws { folder = try TemporaryFolder() }

    private func records(_ names: String...) -> [SpanRecord] {
        spans.removeAll()
        let tracer = spans.makeTracer(serviceName: "order")
        for name in names {
            let span = tracer.startSpan(name)
            span.attributes["order.id"] = "4711"
            span.end()
        }
        return spans.spans
    }

    private func send(_ names: String..., by exporter: LogFileExporter) async -> ExportOutcome {
        var all: [SpanRecord] = []
        for name in names { all += records(name) }
        return await exporter.send(exporter.encode(all))
    }

    /// The names of the spans in a file, each line decoded by itself.
    private func names(in file: String) throws -> [String] {
        let bytes = try folder.read(file)
        #expect(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"))
        return try bytes.split(separator: UInt8(ascii: "\n")).map { line in
            let batch = try OTLP.decodeJSON(Array(line), receivedAt: 0)
            #expect(batch.columns.count == 1)
            return batch.columns.strings.text(batch.columns.name[0])
        }
    }

    @Test func `a line holds one span and who it speaks of`() async throws {
        let exporter = LogFileExporter(LogFile(path: folder.file("spans.jsonl")))
        #expect(await send("pay", "ship", by: exporter) == .delivered)
        #expect(try names(in: "spans.jsonl") == ["pay", "ship"])
        let line = try folder.read("spans.jsonl").split(separator: UInt8(ascii: "\n"))[0]
        let batch = try OTLP.decodeJSON(Array(line), receivedAt: 0)
        let resource = Int(batch.columns[0].resource)
        let service = batch.columns.resources.service[resource]
        #expect(batch.columns.strings.text(service) == "order")
        #expect(String(decoding: line, as: UTF8.self).contains(#""stringValue":"4711""#))
        #expect(exporter.counters.writtenSpanCount == 2)
    }

    @Test func `spans of the tracer's own stand there too`() async throws {
        let exporter = LogFileExporter(LogFile(path: folder.file("spans.jsonl")))
        let pipeline = SpanPipeline(exporter: exporter)
        let tracer = SkeinTracer(resource: Resource(serviceName: "order"), pipeline: pipeline)
        tracer.span("own") { $0.set("n", 1) }
        tracer.startSpan("other").end()
        #expect(await pipeline.shutdown())
        #expect(try Set(names(in: "spans.jsonl")) == ["own", "other"])
        #expect(pipeline.counters.exportedCount == 2)
    }

    @Test func `a full file is renamed, and the oldest goes`() async throws {
        var log = LogFile(path: folder.file("spans.jsonl"))
        log.byteCount = 1
        log.fileCount = 3
        let exporter = LogFileExporter(log)
        for name in ["a", "b", "c", "d", "e"] {
            #expect(await send(name, by: exporter) == .delivered)
        }
        #expect(try folder.names == ["spans.jsonl", "spans.jsonl.1", "spans.jsonl.2"])
        #expect(try names(in: "spans.jsonl") == ["e"])
        #expect(try names(in: "spans.jsonl.1") == ["d"])
        #expect(try names(in: "spans.jsonl.2") == ["c"])
        #expect(exporter.counters.rotatedFileCount == 4)
        #expect(exporter.counters.removedFileCount == 2)
        #expect(exporter.counters.writtenSpanCount == 5)
    }

    @Test func `a batch is cut between spans where the file is full`() async throws {
        let first = LogFileExporter(LogFile(path: folder.file("measure")))
        _ = await send("one", by: first)
        let lineByteCount = try folder.read("measure").count
        var log = LogFile(path: folder.file("spans.jsonl"))
        log.byteCount = lineByteCount * 2 + lineByteCount / 2
        let exporter = LogFileExporter(log)
        #expect(await send("one", "two", "six", "ten", "axe", by: exporter) == .delivered)
        #expect(try names(in: "spans.jsonl.2") == ["one", "two"])
        #expect(try names(in: "spans.jsonl.1") == ["six", "ten"])
        #expect(try names(in: "spans.jsonl") == ["axe"])
    }

    @Test(arguments: [0, 1]) func `one file alone begins anew when it is full`(
        count: Int
    ) async throws {
        var log = LogFile(path: folder.file("spans.jsonl"))
        log.byteCount = 0
        log.fileCount = count
        let exporter = LogFileExporter(log)
        for name in ["a", "b"] { #expect(await send(name, by: exporter) == .delivered) }
        #expect(try folder.names == ["spans.jsonl"])
        #expect(try names(in: "spans.jsonl") == ["b"])
        #expect(exporter.counters.removedFileCount == 1)
    }

    @Test func `goes on where an earlier process stopped, without its half line`() async throws {
        let path = folder.file("spans.jsonl")
        let first = LogFileExporter(LogFile(path: path))
        _ = await send("whole", by: first)
        await first.shutdown()
        let whole = String(decoding: try folder.read("spans.jsonl"), as: UTF8.self)
        try folder.write(whole + #"{"resourceSpans":[{"#, to: "spans.jsonl")
        let second = LogFileExporter(LogFile(path: path))
        #expect(await send("next", by: second) == .delivered)
        #expect(try names(in: "spans.jsonl") == ["whole", "next"])
    }

    @Test func `a file that is one long half line is emptied`() async throws {
        try folder.write(String(repeating: "{", count: 200_000), to: "spans.jsonl")
        let exporter = LogFileExporter(LogFile(path: folder.file("spans.jsonl")))
        #expect(await send("next", by: exporter) == .delivered)
        #expect(try names(in: "spans.jsonl") == ["next"])
    }

    @Test func `two do not write to one file`() async throws {
        let path = folder.file("spans.jsonl")
        let first = LogFileExporter(LogFile(path: path))
        let second = LogFileExporter(LogFile(path: path))
        #expect(await send("a", by: first) == .delivered)
        let outcome = await send("b", by: second)
        #expect(outcome.isRetryable)
        #expect(outcome.message.contains("another process"))
        await first.shutdown()
        #expect(await send("c", by: second) == .delivered)
        #expect(try names(in: "spans.jsonl") == ["a", "c"])
    }

    @Test func `a folder that comes late is waited for`() async throws {
        let exporter = LogFileExporter(LogFile(path: folder.file("logs/spans.jsonl")))
        let outcome = await send("a", by: exporter)
        #expect(outcome.isRetryable)
        #expect(outcome.message.contains("logs/spans.jsonl"))
        try folder.makeFolder("logs")
        #expect(await send("a", by: exporter) == .delivered)
        #expect(try names(in: "logs/spans.jsonl") == ["a"])
    }

    @Test func `after the shutdown nothing is written`() async throws {
        let exporter = LogFileExporter(LogFile(path: folder.file("spans.jsonl")))
        await exporter.shutdown()
        let outcome = await send("a", by: exporter)
        #expect(!outcome.isDelivered && !outcome.isRetryable)
        #expect(try folder.names.isEmpty)
    }

    @Test func `Zipkin's form says the same`() async throws {
        let json = ZipkinRequest.encode(records("pay", "ship"))
        let batch = try Zipkin.decodeJSON(json, receivedAt: 0)
        #expect(batch.columns.count == 2)
        #expect(batch.columns.strings.text(batch.columns.name[1]) == "ship")
        #expect(batch.columns[0].traceID == spans.spans[0].traceID)
        #expect(batch.columns[0].spanID == spans.spans[0].spanID)
        let resource = Int(batch.columns[0].resource)
        #expect(batch.columns.strings.text(batch.columns.resources.service[resource]) == "order")
        #expect(ZipkinRequest.encode([SpanRecord]()) == Array("[]".utf8))
    }
}
