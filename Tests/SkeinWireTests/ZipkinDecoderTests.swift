// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

/// Zipkin v2 in both encodings, mapped as `ZipkinBuilder` says.
@Suite struct ZipkinDecoderTests {
    private static let golden = #"""
        [{"traceId":"ecfedc91a3fbe461","id":"31c16d994a953dbf","parentId":"c15537045d0fb021",
          "kind":"SERVER","name":"reviews.get","timestamp":1795227806739876,"duration":1371,
          "localEndpoint":{"serviceName":"reviews","ipv4":"10.1.2.3","port":8080},
          "remoteEndpoint":{"serviceName":"yelp-main","ipv6":"2001:db8::1","port":9042},
          "annotations":[{"timestamp":1795227806740000,"value":"first byte"}],
          "tags":{"rows":"12","error":"timeout","otel.scope.name":"lib"},"shared":true,"debug":true},
         {"traceId":"0000000000000001ecfedc91a3fbe461","id":"1","name":null,"tags":{}}]
        """#

    private func decode(_ text: String) throws -> SpanColumns {
        let bytes = Array(text.utf8)
        let batch = try bytes.span.bytes.withUnsafeBytes {
            try Zipkin.decodeJSON($0, receivedAt: 7_000)
        }
        return batch.columns
    }

    private func failure(_ text: String) -> WireError? {
        do {
            _ = try decode(text)
            return nil
        } catch {
            return error as? WireError
        }
    }

    @Test func `maps every field`() throws {
        let columns = try decode(Self.golden)
        try #require(columns.count == 2)
        let span = columns[0]
        #expect(span.traceID == TraceID(high: 0, low: 0xecfe_dc91_a3fb_e461))
        #expect(span.kind == .server)
        #expect(span.start == 1_795_227_806_739_876_000)
        #expect(span.end - span.start == 1_371_000)
        #expect(span.status == .error)
        #expect(columns.strings.text(span.statusMessage) == "timeout")
        #expect(span.marks == [.shared, .debug])
        #expect(columns.strings.text(columns.scopes.name[Int(span.scope)]) == "lib")
        #expect(
            columns.keyValues(span.attributes) == [
                .init(key: "rows", value: .string("12")),
                .init(key: "peer.service", value: .string("yelp-main")),
                .init(key: "network.peer.address", value: .string("2001:db8::1")),
                .init(key: "network.peer.port", value: .int(9042)),
            ]
        )
        #expect(
            columns.keyValues(columns.resources.attributes[Int(span.resource)]) == [
                .init(key: "service.name", value: .string("reviews")),
                .init(key: "network.local.address", value: .string("10.1.2.3")),
                .init(key: "network.local.port", value: .int(8080)),
            ]
        )
        #expect(columns.strings.text(columns.events.name[0]) == "first byte")
        #expect(columns.events.time[0] == 1_795_227_806_740_000_000)
    }

    @Test func `marks what the sender did not say`() throws {
        let columns = try decode(Self.golden)
        let span = columns[1]
        #expect(span.spanID == SpanID(1))
        #expect(span.traceID.high == 1)
        #expect(span.marks == [.startMissing, .durationMissing, .serviceMissing])
        #expect(span.start == 7_000)
        #expect(span.end == 7_000)
        #expect(columns.strings.text(columns.service(1)) == "unknown_service")
    }

    @Test func `takes lists of lists and nothing at all`() throws {
        #expect(try decode("[\(Self.golden)]").count == 2)
        #expect(try decode("[]").count == 0)
        #expect(try decode("").count == 0)
    }

    @Test func `refuses every truncation`() {
        let bytes = Array(Self.golden.utf8)
        for count in 1..<bytes.count {
            #expect(throws: WireError.self, "cut at byte \(count)") {
                let part = bytes[..<count]
                _ = try part.span.bytes.withUnsafeBytes { try Zipkin.decodeJSON($0, receivedAt: 7) }
            }
        }
    }

    @Test(arguments: [
        #"[{"id":"1"}]"#, #"[{"traceId":"1"}]"#, #"[{"traceId":"0","id":"1"}]"#,
        #"[{"traceId":"x","id":"1"}]"#, #"[{"traceId":"1","id":"12345678901234567"}]"#,
        #"[{"traceId":"1","id":"1","kind":"SERVING"}]"#,
        #"[{"traceId":"1","id":"1","tags":{"a":null}}]"#,
        #"[{"traceId":"1","id":"1","timestamp":-1}]"#,
        #"[{"traceId":"123456789012345678901234567890123","id":"1"}]"#, "{}", "7",
    ])
    func `refuses a span that is none, and the list with it`(text: String) {
        #expect(failure(text)?.code == .malformed)
    }

    @Test func `says so when v1 spans come`() throws {
        let text = #"[{"traceId":"1","id":"1","binaryAnnotations":[]}]"#
        let error = try #require(failure(text))
        #expect(error.code == .otherFormat)
        #expect(error.message.contains("v1"))
    }

    @Test func `times past the end of 64 bits saturate`() throws {
        let columns = try decode(
            #"[{"traceId":"1","id":"1","timestamp":18446744073709551615,"duration":9}]"#
        )
        #expect(columns.start[0] == .max)
        #expect(columns.end[0] == .max)
    }

    /// trace_id, id, name "n", timestamp 1 µs, duration 5 µs, local {service "s", ipv4, ipv6},
    /// tag a=b, shared.
    private static let protobuf: [UInt8] = {
        let address: [UInt8] = [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
        let local: [UInt8] = [0x0A, 1, 0x73, 0x12, 4, 10, 1, 2, 3, 0x1A, 16] + address
        var span: [UInt8] = [0x0A, 8, 0, 0, 0, 0, 0, 0, 0, 9, 0x1A, 8, 0, 0, 0, 0, 0, 0, 0, 2]
        span += [0x20, 1, 0x2A, 1, 0x6E, 0x31, 1, 0, 0, 0, 0, 0, 0, 0, 0x38, 5]
        span += [0x42, UInt8(local.count)] + local
        span += [0x5A, 6, 0x0A, 1, 0x61, 0x12, 1, 0x62, 0x68, 1]
        return [0x0A, UInt8(span.count)] + span
    }()

    @Test func `reads proto3`() throws {
        let batch = try Self.protobuf.span.bytes.withUnsafeBytes {
            try Zipkin.decodeProtobuf($0, receivedAt: 7)
        }
        let columns = batch.columns
        try #require(columns.count == 1)
        #expect(columns[0].traceID.low == 9)
        #expect(columns[0].spanID.raw == 2)
        #expect(columns[0].kind == .client)
        #expect(columns.start[0] == 1_000)
        #expect(columns.end[0] == 6_000)
        #expect(columns[0].marks == .shared)
        #expect(columns.strings.text(columns.service(0)) == "s")
        let resource = columns.keyValues(columns.resources.attributes[0])
        #expect(resource.map(\.value).contains(.string("10.1.2.3")))
        #expect(resource.map(\.value).contains(.string("2001:db8::1")))
        #expect(
            columns.keyValues(columns.spanAttributes[0]) == [.init(key: "a", value: .string("b"))]
        )
    }

    @Test func `refuses every truncation of proto3`() {
        for count in 1..<Self.protobuf.count {
            #expect(throws: WireError.self, "cut at byte \(count)") {
                let part = Self.protobuf[..<count]
                _ = try part.span.bytes.withUnsafeBytes {
                    try Zipkin.decodeProtobuf($0, receivedAt: 7)
                }
            }
        }
    }

    @Test func `a name that is not UTF-8 marks its span and no other`() throws {
        typealias P = ProtobufBytes
        let ids = P.bytes(1, OTLPBytes.traceID) + P.bytes(3, OTLPBytes.spanID)
        let local = P.bytes(8, P.text(1, "shop"))
        let bad = P.bytes(1, ids + local + P.bytes(5, [0x61, 0xFF]))
        let good = P.bytes(1, ids + local + P.text(5, "a"))
        let bytes = bad + good
        let batch = try bytes.span.bytes.withUnsafeBytes {
            try Zipkin.decodeProtobuf($0, receivedAt: 7_000)
        }
        #expect(batch.columns[0].marks.contains(.textRepaired))
        #expect(!batch.columns[1].marks.contains(.textRepaired))
        #expect(batch.columns.strings.text(batch.columns.name[0]) == "a\u{FFFD}")
    }
}
