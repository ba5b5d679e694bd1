// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

/// OTLP/JSON as exporters write it, and as nobody should.
@Suite struct OTLPJSONDecoderTests {
    private static let golden = """
        {"resourceSpans":[{"scopeSpans":[{"spans":[
         {"events":[{"timeUnixNano":"1700000000000000500","name":"cart.loaded",
           "attributes":[{"value":{"intValue":3},"key":"items"}]}],
          "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174",
          "parentSpanId":"eee19b7ec3c1b173","name":"GET \\/orders\\/\\u8ba2\\ud83e\\uddf6","kind":2,
          "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":1700000000000001000,
          "attributes":[
           {"key":"order.id","value":{"stringValue":"a\\"b\\n"}},
           {"key":"n","value":{"intValue":"-9223372036854775808"}},
           {"key":"d","value":{"doubleValue":1.5e3}},
           {"key":"nan","value":{"doubleValue":"NaN"}},
           {"key":"b","value":{"boolValue":true}},
           {"key":"raw","value":{"bytesValue":"AQID"}},
           {"key":"list","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":1}]}}},
           {"key":"map","value":{"kvlistValue":{"values":[
              {"key":"k","value":{"arrayValue":{"values":[]}}}]}}},
           {"key":"none","value":{}}],
          "droppedAttributesCount":2,"traceState":"ot=th:0","flags":257,
          "links":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b170",
            "attributes":[{"key":"why","value":{"stringValue":"retry"}}],"flags":1}],
          "status":{"code":"STATUS_CODE_ERROR","message":"no"},"unknown":{"a":[1,{"b":null}]}}],
          "scope":{"name":"shop.web","version":"1.2"}}],
         "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
         "schemaUrl":"https://opentelemetry.io/schemas/1.26.0"}]}
        """

    private func decode(_ text: String) throws -> SpanColumns {
        let bytes = Array(text.utf8)
        let batch = try bytes.span.bytes.withUnsafeBytes {
            try OTLP.decodeJSON($0, receivedAt: 7)
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

    private func wrapped(_ span: String) -> String {
        #"{"resourceSpans":[{"scopeSpans":[{"spans":["# + span + "]}]}]}"
    }

    @Test func `reads every member in any order`() throws {
        let columns = try decode(Self.golden)
        try #require(columns.count == 1)
        let span = columns[0]
        #expect(span.traceID.hex == "5b8efff798038103d269b633813fc60c")
        #expect(span.spanID.hex == "eee19b7ec3c1b174")
        #expect(span.parentID.hex == "eee19b7ec3c1b173")
        #expect(columns.strings.text(span.name) == "GET /orders/订🧶")
        #expect(span.kind == .server)
        #expect(span.start == 1_700_000_000_000_000_000)
        #expect(span.end == 1_700_000_000_000_001_000)
        #expect(span.status == .error)
        #expect(columns.strings.text(span.statusMessage) == "no")
        #expect(columns.strings.text(span.traceState) == "ot=th:0")
        #expect(span.flags == 257)
        #expect(span.droppedAttributes == 2)
        #expect(columns.strings.text(columns.service(0)) == "shop")
        #expect(columns.strings.text(columns.scopes.name[0]) == "shop.web")
        #expect(columns.strings.text(columns.resources.schemaURL[0]).hasSuffix("1.26.0"))
    }

    @Test func `reads values of every type`() throws {
        let columns = try decode(Self.golden)
        var values: [String: AttributeValue] = [:]
        for pair in columns.keyValues(columns.spanAttributes[0]) { values[pair.key] = pair.value }
        #expect(values["order.id"] == .string("a\"b\n"))
        #expect(values["n"] == .int(.min))
        #expect(values["d"] == .double(1500))
        if case .double(let number) = values["nan"] {
            #expect(number.isNaN)
        } else {
            Issue.record("NaN is missing")
        }
        #expect(values["b"] == .bool(true))
        #expect(values["raw"] == .bytes([1, 2, 3]))
        #expect(values["list"] == .array([.string("x"), .int(1)]))
        #expect(values["map"] == .map([.init(key: "k", value: .array([]))]))
        #expect(values["none"] == .empty)
    }

    @Test func `reads events and links behind the attributes they stand before`() throws {
        let columns = try decode(Self.golden)
        #expect(columns.events.count == 1)
        #expect(columns.strings.text(columns.events.name[0]) == "cart.loaded")
        #expect(
            columns.keyValues(columns.events.attributes[0]) == [.init(key: "items", value: .int(3))]
        )
        #expect(columns.links.count == 1)
        #expect(columns.links.flags[0] == 1)
        #expect(
            columns.keyValues(columns.links.attributes[0])
                == [.init(key: "why", value: .string("retry"))]
        )
    }

    @Test func `refuses every truncation`() {
        let bytes = Array(Self.golden.utf8)
        for count in 0..<bytes.count {
            #expect(throws: WireError.self, "cut at byte \(count)") {
                let part = bytes[..<count]
                _ = try part.span.bytes.withUnsafeBytes {
                    try OTLP.decodeJSON($0, receivedAt: 7)
                }
            }
        }
    }

    @Test func `an empty request is a success`() throws {
        #expect(try decode("{}").count == 0)
        #expect(try decode(#" {"resourceSpans" : null} "#).count == 0)
        #expect(try decode(#"{"resourceSpans":[]}"#).count == 0)
    }

    @Test(arguments: [
        ("[]", "byte 0", "an object"),
        (#"{"resourceSpans":7}"#, "$.resourceSpans", "an array"),
        (#"{"resourceSpans":[7]}"#, "$.resourceSpans[0]", "an object"),
        (#"{"resourceSpans":[{}],}"#, "$.resourceSpans", "a value"),
        (#"{"resourceSpans":[]} x"#, "byte 21", "follows"),
        (#"{"a":01}"#, "$.a", "number"),
        (#"{"a":"\q"}"#, "$.a", "escape"),
        (#"{"a":tru}"#, "$.a", "a value"),
    ])
    func `says what is wrong and where`(text: String, place: String, message: String) throws {
        let error = try #require(failure(text))
        #expect(error.place.contains(place), "\(error)")
        #expect(error.message.contains(message), "\(error)")
    }

    @Test(arguments: [
        #"{"startTimeUnixNano":-1}"#, #"{"startTimeUnixNano":"x"}"#, #"{"name":5}"#,
        #"{"kind":{}}"#, #"{"flags":4294967296}"#, #"{"attributes":{}}"#,
        #"{"attributes":[{"key":"k","value":{"boolValue":1}}]}"#,
        #"{"attributes":[{"key":"k","value":{"bytesValue":"*"}}]}"#,
        #"{"attributes":[{"key":"k","value":{"intValue":9223372036854775808}}]}"#,
    ])
    func `refuses a value of the wrong type`(span: String) {
        #expect(failure(wrapped(span)) != nil)
    }

    @Test func `rejects a span without proper ids and keeps the rest`() throws {
        let good = #"{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002"}"#
        let bad = #"{"traceId":"0001","spanId":"0000000000000002","events":[{"name":"e"}]}"#
        let bytes = Array(wrapped("\(bad),\(good)").utf8)
        let batch = try bytes.span.bytes.withUnsafeBytes {
            try OTLP.decodeJSON($0, receivedAt: 7)
        }
        #expect(batch.rejected == 1)
        #expect(batch.rejectionReason.contains("trace_id"))
        let columns = batch.columns
        #expect(columns.count == 1)
        #expect(columns.events.count == 0)
        #expect(columns[0].marks.isSuperset(of: [.serviceMissing, .startMissing]))
        #expect(columns[0].start == 7)
    }

    @Test func `deep nesting is refused, not followed`() {
        let deep = String(repeating: "[", count: 200_000)
        #expect(failure(#"{"x":"# + deep)?.code == .tooDeep)
        let value = String(repeating: #"{"arrayValue":{"values":["#, count: 5_000)
        #expect(
            failure(wrapped(#"{"attributes":[{"key":"k","value":"# + value))?.code == .tooDeep
        )
    }

    @Test func `a lone surrogate reads as the replacement character`() throws {
        let span = #"""
            {"traceId":"00000000000000000000000000000001","spanId":"0000000000000002",
             "name":"a\ud800b\udc00\ud83e\u0041"}
            """#
        let columns = try decode(wrapped(span))
        #expect(columns.strings.text(columns.name[0]) == "a\u{FFFD}b\u{FFFD}\u{FFFD}A")
    }
}
