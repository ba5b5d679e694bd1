// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

/// OTLP protobuf as exporters write it, and in every other order that protobuf allows.
@Suite struct OTLPProtobufDecoderTests {
    private typealias P = ProtobufBytes

    private func decode(
        _ bytes: [UInt8],
        limits: DecodeLimits = .standard
    ) throws -> DecodedBatch {
        try OTLP.decodeProtobuf(bytes, receivedAt: 7_000, limits: limits)
    }

    private func columns(_ bytes: [UInt8]) throws -> SpanColumns {
        let batch = try decode(bytes)
        return batch.columns
    }

    @Test func `reads every field`() throws {
        let columns = try columns(OTLPBytes.golden)
        try #require(columns.count == 1)
        let span = columns[0]
        #expect(span.traceID.hex == "0102030405060708090a0b0c0d0e0f10")
        #expect(span.spanID.hex == "15161718191a1b1c")
        #expect(span.parentID.hex == "3d3e3f4041424344")
        #expect(columns.strings.text(span.traceState) == "ot=th:0")
        #expect(columns.strings.text(span.name) == "POST /pay")
        #expect(span.kind == .server)
        #expect(span.start == 1000)
        #expect(span.end == 2000)
        #expect(span.status == .error)
        #expect(columns.strings.text(span.statusMessage) == "declined")
        #expect(span.flags == 0x301)
        #expect(span.droppedAttributes == 2)
        #expect(span.droppedEvents == 3)
        #expect(span.droppedLinks == 4)
        #expect(span.marks == [])
        #expect(
            columns.keyValues(span.attributes).map(\.value) == [
                .string("订单"), .bool(true), .int(-1), .double(1.5),
                .array([.string("x"), .int(7)]), .map([.init(key: "k", value: .array([]))]),
                .bytes([0, 255]), .empty,
            ]
        )
        #expect(columns.keyValues(span.attributes).map(\.key) == (0..<8).map { "key.\($0)" })
    }

    @Test func `reads events, links, scope and resource`() throws {
        let columns = try columns(OTLPBytes.golden)
        try #require(columns.events.count == 1 && columns.links.count == 1)
        #expect(columns.events.time[0] == 1500)
        #expect(columns.strings.text(columns.events.name[0]) == "exception")
        #expect(columns.events.dropped[0] == 5)
        #expect(
            columns.keyValues(columns.events.attributes[0])
                == [.init(key: "exception.type", value: .string("Timeout"))]
        )
        #expect(columns.links.spanID[0] == 0x3334_3536_3738_393A)
        #expect(columns.links.traceHigh[0] == 0x1F20_2122_2324_2526)
        #expect(columns.strings.text(columns.links.traceState[0]) == "a=b")
        #expect(columns.links.flags[0] == 257)
        #expect(columns.links.dropped[0] == 6)
        #expect(columns.strings.text(columns.scopes.name[0]) == "shop.web")
        #expect(columns.strings.text(columns.scopes.version[0]) == "1.2")
        #expect(columns.scopes.dropped[0] == 8)
        #expect(columns.strings.text(columns.scopes.schemaURL[0]) == "scope-url")
        #expect(columns.strings.text(columns.service(0)) == "shop")
        #expect(columns.resources.dropped[0] == 9)
        #expect(columns.strings.text(columns.resources.schemaURL[0]) == "resource-url")
    }

    @Test func `an empty request is a success`() throws {
        let batch = try decode([])
        #expect(batch.columns.count == 0)
        #expect(batch.rejected == 0)
        #expect(batch.rejectionReason == "")
    }

    @Test func `a resource that follows its spans is theirs`() throws {
        let resource = P.bytes(1, OTLPBytes.attribute("service.name", OTLPBytes.string("late")))
        let scope = P.text(1, "late.scope")
        let spans = P.bytes(2, OTLPBytes.span()) + P.bytes(1, scope)
        let request = P.bytes(1, P.bytes(2, spans) + P.bytes(1, resource))
        let columns = try columns(request + OTLPBytes.request(spans: [OTLPBytes.span()]))
        try #require(columns.count == 2)
        #expect(columns.strings.text(columns.service(0)) == "late")
        #expect(columns.strings.text(columns.scopes.name[Int(columns.scope[0])]) == "late.scope")
        #expect(columns.strings.text(columns.service(1)) == "shop")
    }

    @Test func `attributes around events and links stay one run`() throws {
        func item(_ key: String) -> [UInt8] { OTLPBytes.attribute(key, OTLPBytes.string(key)) }
        let fields =
            P.bytes(9, item("a")) + P.bytes(11, P.bytes(3, item("e1"))) + P.bytes(9, item("b"))
            + P.bytes(13, P.bytes(4, item("l"))) + P.bytes(11, P.bytes(3, item("e2")))
            + P.bytes(9, item("c"))
        let columns = try columns(OTLPBytes.request(spans: [OTLPBytes.span(fields)]))
        #expect(columns.keyValues(columns.spanAttributes[0]).map(\.key) == ["a", "b", "c"])
        let events = columns.spanEvents[0].rows.map {
            columns.keyValues(columns.events.attributes[$0]).map(\.key)
        }
        #expect(events == [["e1"], ["e2"]])
        let link = columns.spanLinks[0].rows.lowerBound
        #expect(columns.keyValues(columns.links.attributes[link]).map(\.key) == ["l"])
    }

    @Test func `messages in pieces are joined, and the last of a repeated scalar holds`() throws {
        let fields =
            P.text(5, "first") + P.text(5, "second") + P.number(6, 1) + P.number(6, 3)
            + P.bytes(15, P.text(2, "message")) + P.bytes(15, P.number(3, 2))
        let resource =
            P.bytes(1, P.bytes(1, OTLPBytes.attribute("a", OTLPBytes.string("1"))))
            + P.bytes(1, P.bytes(1, OTLPBytes.attribute("service.name", OTLPBytes.string("s"))))
        let request = P.bytes(1, resource + P.bytes(2, P.bytes(2, OTLPBytes.span(fields))))
        let columns = try columns(request)
        let span = columns[0]
        #expect(columns.strings.text(span.name) == "second")
        #expect(span.kind == .client)
        #expect(span.status == .error)
        #expect(columns.strings.text(span.statusMessage) == "message")
        let keys = columns.keyValues(columns.resources.attributes[0]).map(\.key)
        #expect(keys == ["a", "service.name"])
        #expect(columns.strings.text(columns.service(0)) == "s")
    }

    @Test func `unknown fields, groups and other wire types are skipped`() throws {
        let group =
            P.tag(99, 3) + P.number(1, 5) + P.tag(98, 3) + P.text(2, "in") + P.tag(98, 4)
            + P.tag(99, 4)
        let fields =
            group + P.fixed32(500, 1) + P.fixed64(501, 1) + P.text(502, "x") + P.number(5, 3)
            + P.text(6, "kind as text") + P.text(5, "name")
        let columns = try columns(OTLPBytes.request(spans: [OTLPBytes.span(fields)]))
        #expect(columns.strings.text(columns.name[0]) == "name")
        #expect(columns.kind[0] == SpanKind.unspecified.rawValue)
    }

    @Test func `each distinct resource and scope is one row`() throws {
        let one = OTLPBytes.request(spans: [OTLPBytes.span()], service: "one")
        let two = OTLPBytes.request(spans: [OTLPBytes.span()], service: "two")
        let columns = try columns(one + two + one + two + one)
        #expect(columns.resources.count == 2)
        #expect(columns.scopes.count == 1)
        let services = (0..<5).map { columns.strings.text(columns.service($0)) }
        #expect(services == ["one", "two", "one", "two", "one"])
    }

    @Test func `numbers past the enums read as unset and unspecified`() throws {
        let fields = P.number(6, 77) + P.bytes(15, P.number(3, .max))
        let columns = try columns(OTLPBytes.request(spans: [OTLPBytes.span(fields)]))
        #expect(columns[0].kind == .unspecified)
        #expect(columns[0].status == .unset)
    }

    @Test func `what the sender did not say is filled in and marked`() throws {
        let bare = P.bytes(1, OTLPBytes.traceID) + P.bytes(2, OTLPBytes.spanID)
        let columns = try columns(OTLPBytes.request(spans: [bare], service: nil))
        let span = columns[0]
        #expect(span.marks == [.startMissing, .durationMissing, .serviceMissing])
        #expect(span.start == 7_000)
        #expect(span.end == 7_000)
        #expect(columns.strings.text(columns.service(0)) == "unknown_service")
        #expect(columns.keyValues(columns.resources.attributes[0]).isEmpty)
    }

    @Test(arguments: [
        (P.bytes(2, OTLPBytes.spanID), "trace_id"),
        (P.bytes(1, [UInt8](repeating: 0, count: 16)) + P.bytes(2, OTLPBytes.spanID), "trace_id"),
        (P.bytes(1, Array(1...15)) + P.bytes(2, OTLPBytes.spanID), "trace_id"),
        (P.bytes(1, OTLPBytes.traceID), "span_id"),
        (P.bytes(1, OTLPBytes.traceID) + P.bytes(2, Array(1...9)), "span_id"),
        (OTLPBytes.span(P.bytes(4, [1])), "parent_span_id"),
    ])
    func `a span with a wrong id is rejected alone, with its reason`(
        span: [UInt8],
        name: String
    ) throws {
        let attributes = P.bytes(9, OTLPBytes.attribute("gone", OTLPBytes.string("gone")))
        let spans = [OTLPBytes.span(), span + attributes, OTLPBytes.span()]
        let batch = try decode(OTLPBytes.request(spans: spans))
        #expect(batch.columns.count == 2)
        #expect(batch.rejected == 1)
        #expect(batch.rejectionReason.contains("\(name) must be"))
        #expect(batch.rejectionReason.contains("span at byte"))
        // Nothing of it stays: only the resource's attribute is there.
        #expect(batch.columns.attributes.count == 1)
    }

    @Test func `an all-zero parent is none, and a link may point nowhere`() throws {
        let fields =
            P.bytes(4, [UInt8](repeating: 0, count: 8)) + P.bytes(13, [])
            + P.bytes(13, P.bytes(1, [1, 2]))
        let columns = try columns(OTLPBytes.request(spans: [OTLPBytes.span(fields)]))
        #expect(columns[0].parentID == .none)
        #expect(columns[0].links.count == 1)
        #expect(columns[0].droppedLinks == 1)
    }

    @Test func `text that is not UTF-8 is repaired and marked`() throws {
        let bad = P.bytes(1, [0x61, 0xFF, 0x62])
        let fields =
            P.bytes(5, [0xC3]) + P.bytes(9, P.bytes(1, [0xED, 0xA0, 0x80]) + P.bytes(2, bad))
            + P.bytes(9, OTLPBytes.attribute("list", P.bytes(5, P.bytes(1, bad))))
        let columns = try columns(
            OTLPBytes.request(spans: [OTLPBytes.span(fields), OTLPBytes.span()])
        )
        #expect(columns[0].marks == .textRepaired)
        #expect(columns[1].marks == [])
        #expect(columns.strings.text(columns.name[0]) == "\u{FFFD}")
        let pairs = columns.keyValues(columns.spanAttributes[0])
        #expect(pairs[0].key == "\u{FFFD}\u{FFFD}\u{FFFD}")
        #expect(pairs[0].value == .string("a\u{FFFD}b"))
        #expect(pairs[1].value == .array([.string("a\u{FFFD}b")]))
        let stored = columns.attributes.withBytes(columns.spanAttributes[0].rows.lowerBound) {
            Array($0)
        }
        #expect(stored == Array("a\u{FFFD}b".utf8))
    }
}
