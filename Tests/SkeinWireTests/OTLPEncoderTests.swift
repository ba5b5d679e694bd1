// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

@Suite struct OTLPEncoderTests {
    private typealias P = ProtobufBytes

    @Test func `writes the canonical bytes it read`() throws {
        let batch = try OTLP.decodeProtobuf(OTLPBytes.golden, receivedAt: 1)
        #expect(OTLP.encodeProtobuf(batch.columns) == OTLPBytes.golden)
    }

    @Test func `writes JSON as proto3 and OTLP want it`() throws {
        let batch = try OTLP.decodeProtobuf(OTLPBytes.golden, receivedAt: 1)
        let expected = """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",\
            "value":{"stringValue":"shop"}}],"droppedAttributesCount":9},"scopeSpans":[{\
            "scope":{"name":"shop.web","version":"1.2","attributes":[{"key":"s",\
            "value":{"stringValue":"v"}}],"droppedAttributesCount":8},"spans":[{\
            "traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"15161718191a1b1c",\
            "traceState":"ot=th:0","parentSpanId":"3d3e3f4041424344","flags":769,\
            "name":"POST /pay","kind":2,"startTimeUnixNano":"1000","endTimeUnixNano":"2000",\
            "attributes":[{"key":"key.0","value":{"stringValue":"订单"}},\
            {"key":"key.1","value":{"boolValue":true}},{"key":"key.2","value":{"intValue":"-1"}},\
            {"key":"key.3","value":{"doubleValue":1.5}},\
            {"key":"key.4","value":{"arrayValue":{"values":[{"stringValue":"x"},\
            {"intValue":"7"}]}}},\
            {"key":"key.5","value":{"kvlistValue":{"values":[{"key":"k",\
            "value":{"arrayValue":{}}}]}}},\
            {"key":"key.6","value":{"bytesValue":"AP8="}},{"key":"key.7","value":{}}],\
            "droppedAttributesCount":2,"events":[{"timeUnixNano":"1500","name":"exception",\
            "attributes":[{"key":"exception.type","value":{"stringValue":"Timeout"}}],\
            "droppedAttributesCount":5}],"droppedEventsCount":3,\
            "links":[{"traceId":"1f202122232425262728292a2b2c2d2e",\
            "spanId":"333435363738393a","traceState":"a=b","attributes":[{"key":"why",\
            "value":{"stringValue":"retry"}}],"droppedAttributesCount":6,"flags":257}],\
            "droppedLinksCount":4,"status":{"message":"declined","code":2}}],\
            "schemaUrl":"scope-url"}],"schemaUrl":"resource-url"}]}
            """
        #expect(String(decoding: OTLP.encodeJSON(batch.columns), as: UTF8.self) == expected)
    }

    @Test func `writes JSON as protobuf wants it of every message`() throws {
        let batch = try OTLP.decodeProtobuf(OTLPBytes.golden, receivedAt: 1)
        let json = OTLP.encodeJSON(batch.columns, form: .protobuf, name: "batches")
        let text = String(decoding: json, as: UTF8.self)
        #expect(text.hasPrefix(#"{"batches":[{"resource":{"#))
        for part in [
            #""traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"FRYXGBkaGxw=""#,
            #""parentSpanId":"PT4/QEFCQ0Q=","flags":769"#,
            #""kind":"SPAN_KIND_SERVER","startTimeUnixNano":"1000""#,
            #""links":[{"traceId":"HyAhIiMkJSYnKCkqKywtLg==","spanId":"MzQ1Njc4OTo=""#,
            #""status":{"message":"declined","code":"STATUS_CODE_ERROR"}"#,
        ] { #expect(text.contains(part), "\(part) in \(text)") }
    }

    @Test func `JSON reads back as the same protobuf`() throws {
        let batch = try OTLP.decodeProtobuf(OTLPBytes.golden, receivedAt: 1)
        let json = OTLP.encodeJSON(batch.columns)
        let again = try json.span.bytes.withUnsafeBytes { try OTLP.decodeJSON($0, receivedAt: 1) }
        #expect(OTLP.encodeProtobuf(again.columns) == OTLPBytes.golden)
    }

    @Test func `gathers spans by resource and scope and keeps their order`() throws {
        func list(_ service: String, _ names: [String]) -> [UInt8] {
            OTLPBytes.request(
                spans: names.map { OTLPBytes.span(P.text(5, $0)) },
                service: service
            )
        }
        let mixed = list("a", ["1"]) + list("b", ["2"]) + list("a", ["3"]) + list("b", ["4"])
        let batch = try OTLP.decodeProtobuf(mixed, receivedAt: 1)
        let again = try OTLP.decodeProtobuf(OTLP.encodeProtobuf(batch.columns), receivedAt: 1)
        let gathered = again.columns
        #expect((0..<4).map { gathered.strings.text(gathered.name[$0]) } == ["1", "3", "2", "4"])
        let services = (0..<4).map { gathered.strings.text(gathered.service($0)) }
        #expect(services == ["a", "a", "b", "b"])
    }

    @Test func `writes only the rows it is asked for`() throws {
        let names = (0..<5).map { OTLPBytes.span(P.text(5, "span \($0)")) }
        let batch = try OTLP.decodeProtobuf(OTLPBytes.request(spans: names), receivedAt: 1)
        let encoded = OTLP.encodeProtobuf(batch.columns, rows: 1..<3)
        let again = try OTLP.decodeProtobuf(encoded, receivedAt: 1)
        let part = again.columns
        #expect((0..<part.count).map { part.strings.text(part.name[$0]) } == ["span 1", "span 2"])
        #expect(OTLP.encodeProtobuf(batch.columns, rows: 2..<2) == [])
        let none = String(decoding: OTLP.encodeJSON(batch.columns, rows: 0..<0), as: UTF8.self)
        #expect(none == #"{"resourceSpans":[]}"#)
    }

    /// Bodies around 127 and 16,383 bytes take one digit of length more than was left for them.
    @Test(arguments: [0, 60, 110, 120, 127, 128, 129, 16_200, 16_383, 16_384, 60_000])
    func `lengths come out right wherever they grow`(length: Int) throws {
        let text = String(repeating: "x", count: length)
        let attribute = P.bytes(9, OTLPBytes.attribute("k", OTLPBytes.string(text)))
        let event = P.bytes(11, P.text(2, text))
        let request = OTLPBytes.request(spans: [OTLPBytes.span(attribute + event)])
        let batch = try OTLP.decodeProtobuf(request, receivedAt: 1)
        let again = try OTLP.decodeProtobuf(OTLP.encodeProtobuf(batch.columns), receivedAt: 1)
        #expect(again.columns.keyValues(again.columns.spanAttributes[0])[0].value == .string(text))
        #expect(again.columns.strings.text(again.columns.events.name[0]) == text)
    }
}
