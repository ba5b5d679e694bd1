// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

/// What stock clients really sent, where the recordings stand beside the clone.
@Suite(.enabled(if: Recording.isThere, "no recordings in ../shared/data/wire"))
struct RecordedTrafficTests {
    private typealias Value = Recording.Value

    private static let folders = [
        "otlp-http-protobuf", "otlp-grpc", "otel-flask-requests-sqlalchemy", "otlp-http-json",
        "zipkin-v2-json-otel", "zipkin-v2-proto-otel",
    ]

    private func decode(_ bytes: [UInt8], _ folder: String) throws(WireError) -> DecodedBatch {
        try bytes.span.bytes.withUnsafeBytes { (raw) throws(WireError) in
            switch folder {
            case "otlp-http-json": try OTLP.decodeJSON(raw, receivedAt: 1)
            case "zipkin-v2-json-otel": try Zipkin.decodeJSON(raw, receivedAt: 1)
            case "zipkin-v2-proto-otel": try Zipkin.decodeProtobuf(raw, receivedAt: 1)
            default: try OTLP.decodeProtobuf(raw, receivedAt: 1)
            }
        }
    }

    private func values(_ columns: borrowing SpanColumns, _ run: Run) -> [String: Value] {
        var values: [String: Value] = [:]
        for pair in columns.keyValues(run) { values[pair.key] = Value(pair.value) }
        return values
    }

    @Test(arguments: folders.filter { $0.hasPrefix("ot") })
    func `an OTLP client's spans are what its program meant`(folder: String) throws {
        let recording = try Recording(folder)
        var expected: [String: Recording.Expected.Span] = [:]
        for span in recording.expected.spans { expected[span.spanId] = span }
        var seen = 0
        for payload in recording.payloads {
            let batch = try decode(payload, folder)
            #expect(batch.rejected == 0)
            for row in 0..<batch.columns.count {
                let span = try #require(expected[SpanID(batch.columns.spanID[row]).hex])
                compare(batch.columns, row, span)
                seen += 1
            }
        }
        #expect(seen == expected.count)
    }

    private func compare(
        _ columns: borrowing SpanColumns,
        _ row: Int,
        _ expected: Recording.Expected.Span
    ) {
        let span = columns[row]
        let id = expected.spanId
        #expect(span.traceID.hex == expected.traceId, "\(id)")
        #expect(span.parentID.isValid ? span.parentID.hex == expected.parentSpanId : true, "\(id)")
        #expect(span.parentID.isValid == !(expected.parentSpanId ?? "").isEmpty, "\(id)")
        #expect(columns.strings.text(span.name) == expected.name, "\(id)")
        #expect(columns.strings.text(columns.service(row)) == expected.service, "\(id)")
        #expect(span.kind.word.uppercased() == expected.kind, "\(id)")
        #expect(span.start == expected.startUnixNano, "\(id)")
        #expect(span.end == expected.endUnixNano, "\(id)")
        #expect(span.status.word.uppercased() == expected.status.code, "\(id)")
        #expect(
            columns.strings.text(span.statusMessage) == expected.status.message ?? "",
            "\(id)"
        )
        #expect(values(columns, span.attributes) == expected.attributes, "\(id)")
        let resource = columns.resources.attributes[Int(span.resource)]
        #expect(values(columns, resource) == expected.resource, "\(id)")
        let scope = columns.scopes.name[Int(span.scope)]
        #expect(columns.strings.text(scope) == expected.scope.name ?? "", "\(id)")
        var events: [Recording.Expected.Event] = []
        for event in span.events.rows {
            events.append(
                .init(
                    name: columns.strings.text(columns.events.name[event]),
                    timeUnixNano: columns.events.time[event],
                    attributes: values(columns, columns.events.attributes[event])
                )
            )
        }
        #expect(events == expected.events, "\(id)")
        var links: [Recording.Expected.Link] = []
        for link in span.links.rows {
            let trace = TraceID(
                high: columns.links.traceHigh[link],
                low: columns.links.traceLow[link]
            )
            links.append(
                .init(
                    traceId: trace.hex,
                    spanId: SpanID(columns.links.spanID[link]).hex,
                    attributes: values(columns, columns.links.attributes[link])
                )
            )
        }
        #expect(links == expected.links, "\(id)")
        #expect(span.marks == [], "\(id)")
    }

    @Test(arguments: folders.filter { $0.hasPrefix("zipkin") })
    func `a Zipkin client's spans keep ids, names, times and status`(folder: String) throws {
        let recording = try Recording(folder)
        var expected: [String: Recording.Expected.Span] = [:]
        for span in recording.expected.spans { expected[span.spanId] = span }
        var seen = 0
        for payload in recording.payloads {
            let batch = try decode(payload, folder)
            #expect(batch.rejected == 0)
            for row in 0..<batch.columns.count {
                let span = batch.columns[row]
                let meant = try #require(expected[span.spanID.hex])
                #expect(span.traceID.hex == meant.traceId)
                #expect(span.parentID.isValid == !(meant.parentSpanId ?? "").isEmpty)
                #expect(batch.columns.strings.text(span.name) == meant.name)
                #expect(batch.columns.strings.text(batch.columns.service(row)) == meant.service)
                let off = Int64(span.start) - Int64(meant.startUnixNano)
                // Microseconds on the wire; the exporter rounds.
                #expect(abs(off) <= 1_000)
                #expect(span.status.word.uppercased() == meant.status.code)
                #expect(
                    batch.columns.strings.text(batch.columns.scopes.name[Int(span.scope)])
                        == meant.scope.name
                )
                seen += 1
            }
        }
        #expect(seen == expected.count)
    }

    @Test(arguments: folders)
    func `every truncation throws or gives fewer spans`(folder: String) throws {
        for payload in try Recording(folder).payloads {
            let whole = try decode(payload, folder)
            let count = whole.columns.count
            // Each byte of a short payload, every seventh of a long one.
            let step = payload.count < 8_000 ? 1 : 7
            for cut in stride(from: 0, to: payload.count, by: step) {
                let part = Array(payload[..<cut])
                guard let batch = try? decode(part, folder) else { continue }
                #expect(batch.columns.count + batch.rejected < count, "cut at byte \(cut)")
            }
        }
    }

    @Test(arguments: folders)
    func `encoding and decoding again changes nothing`(folder: String) throws {
        for payload in try Recording(folder).payloads {
            let batch = try decode(payload, folder)
            let protobuf = OTLP.encodeProtobuf(batch.columns)
            let again = try OTLP.decodeProtobuf(protobuf, receivedAt: 1)
            #expect(OTLP.encodeProtobuf(again.columns) == protobuf)
            let json = OTLP.encodeJSON(batch.columns)
            let fromJSON = try decode(json, "otlp-http-json")
            #expect(OTLP.encodeProtobuf(fromJSON.columns) == protobuf)
        }
    }
}
