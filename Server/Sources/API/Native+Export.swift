// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Query
import QueryLanguage
import ServiceLifecycle
import SkeinModel
import SkeinWire
import Store

/// `GET /api/skein/v1/export`: the traces of a stretch of time as they were sent, streamed.
///
/// | format | body |
/// |---|---|
/// | `json` | a `TracesData` object a line (`application/x-ndjson`) |
/// | `protobuf` | `TracesData` messages, each after its length as a varint |
///
/// Each object is one trace, or so many spans of a large one. The last one has no spans and says that
/// it is the last: in JSON a member `skeinExport`, in protobuf field 1000 with the same JSON as text.
/// A body without it was interrupted.
extension ReadAPI {
    func export(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["q", "start", "end", "last", "format"])
        let format =
            try query.word("format", of: [("json", ExportFormat.json), ("protobuf", .protobuf)])
            ?? (request.accept.contains("protobuf") ? .protobuf : .json)
        var question: TraceQL.Question?
        if let text = try query.one("q") {
            do { question = try TraceQL.parse(text) } catch { throw error.of("q") }
        }
        let slot = try streams.take(.export)
        var export = try WindowExport(engine, question, time: try NativeSearch.time(query))
        // What is wrong with the question is told by a status; later only the end can tell.
        let first = try await export.next()
        let stream = ExportStream(export: export, first: first, format: format, slot: slot)
        var headers = HTTPFields()
        headers[.contentType] = format.contentType
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { writer in
                try await stream.write { try await writer.write($0) }
                try await writer.finish(nil)
            }
        )
    }
}

private enum ExportFormat {
    case json, protobuf

    var contentType: String {
        switch self {
        case .json: "application/x-ndjson"
        case .protobuf: "application/x-protobuf; delimited=true"
        }
    }

    /// One object with the spans of `rows`.
    func encoded(_ spans: TraceSpans, _ rows: Range<Int>) -> [UInt8] {
        switch self {
        case .json: OTLP.encodeJSON(spans.columns, rows: rows) + [UInt8(ascii: "\n")]
        case .protobuf: Self.delimited(OTLP.encodeProtobuf(spans.columns, rows: rows))
        }
    }

    /// The last object.
    func end(_ export: WindowExport) -> [UInt8] {
        var json = AnswerJSON()
        json.object { json in
            json.member("traceCount", number: export.traceCount)
            json.member("spanCount", number: export.spanCount)
            json.member("complete", flag: export.incomplete.isEmpty)
            json.array("incompleteReasons", of: export.incomplete)
        }
        switch self {
        case .json:
            return Array(#"{"resourceSpans":[],"skeinExport":"#.utf8) + json.bytes
                + Array("}\n".utf8)
        case .protobuf:
            // Field 1000, length-delimited: readers skip fields they do not know.
            return Self.delimited([0xC2, 0x3E] + Self.delimited(json.bytes))
        }
    }

    private static func delimited(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var length = bytes.count
        while length >= 0x80 {
            result.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        result.append(UInt8(truncatingIfNeeded: length))
        return result + bytes
    }
}

/// One export being written.
private struct ExportStream: Sendable {
    let export: WindowExport
    let first: WindowExport.Page?
    let format: ExportFormat
    /// Held as long as the stream is.
    let slot: StreamSlots.Slot

    /// Writes page after page. `write` returns when there is room for more; an error ends the
    /// connection before the end of the body.
    func write(_ write: (ByteBuffer) async throws -> Void) async throws {
        var export = export
        var page = first
        while let read = page {
            for rows in read.traces {
                for start in stride(
                    from: rows.lowerBound,
                    to: rows.upperBound,
                    by: RequestLimits.exportedSpanCount
                ) {
                    let end = min(start + RequestLimits.exportedSpanCount, rows.upperBound)
                    try await write(ByteBuffer(bytes: format.encoded(read.spans, start..<end)))
                }
            }
            guard !Task.isShuttingDownGracefully else { throw StoreError.closed }
            page = try await next(&export)
        }
        try await write(ByteBuffer(bytes: format.end(export)))
    }

    /// The next page; a busy store is asked again.
    private func next(_ export: inout WindowExport) async throws -> WindowExport.Page? {
        for _ in 0..<RequestLimits.exportAttempts {
            do {
                return try await export.next()
            } catch StoreError.overloaded(let seconds) {
                try await Task.sleep(for: .seconds(seconds))
            }
        }
        return try await export.next()
    }
}
