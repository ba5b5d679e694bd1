// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

/// A decoder that is used for one payload after another, and values that repeat.
@Suite struct OTLPDecoderTests {
    /// Spans whose values repeat and change; one in three has no valid id and is rejected.
    private static func payload(_ salt: Int, spans: Int) -> [UInt8] {
        var columns = SpanColumns()
        let resource = columns.resources.append(
            service: columns.strings.intern("shop"),
            attributes: columns.appendAttributes([
                .init(key: "service.name", value: .string("shop \(salt)"))
            ])
        )
        let scope = columns.scopes.append(name: columns.strings.intern("library"))
        for index in 0..<spans {
            let isRejected = index % 3 == 1
            let attributes = columns.appendAttributes([
                .init(key: "same", value: .string("always the same")),
                .init(key: "pair", value: .string("text \(index / 2)")),
                .init(key: "same", value: .string("key again")),
                .init(key: "own.\(salt)", value: .string("text \(index / 2)")),
                .init(key: "empty", value: .string("")),
                .init(key: "wide", value: .string("订单")),
                .init(key: "number", value: .int(Int64(index) - 3)),
                .init(key: "flag", value: .bool(index % 2 == 0)),
                .init(key: "share", value: .double(Double(index) / 7)),
                .init(key: "list", value: .array([.string("x"), .int(1)])),
            ])
            columns.append(
                SpanRow(
                    traceID: TraceID(high: 1, low: UInt64(salt)),
                    spanID: isRejected ? .none : SpanID(UInt64(index + 1)),
                    start: 1,
                    end: 2,
                    name: columns.strings.intern("GET \(salt) \(index % 4)"),
                    resource: resource,
                    scope: scope,
                    attributes: attributes
                )
            )
        }
        return OTLP.encodeProtobuf(columns)
    }

    private static func text(_ columns: borrowing SpanColumns) -> [String] {
        (0..<columns.count).map { row in
            let span = columns[row]
            return "\(span.traceID.hex) \(span.spanID.hex) \(columns.strings.text(span.name)) "
                + "\(columns.strings.text(columns.service(row))) "
                + "\(columns.keyValues(span.attributes)) \(span.marks)"
        }
    }

    @Test func `values that repeat read as they were sent`() throws {
        let batch = try OTLP.decodeProtobuf(Self.payload(1, spans: 9), receivedAt: 1)
        #expect(batch.columns.count == 6)
        #expect(batch.rejected == 3)
        for (row, index) in [0, 2, 3, 5, 6, 8].enumerated() {
            let values = batch.columns.keyValues(batch.columns.spanAttributes[row]).map(\.value)
            #expect(
                values == [
                    .string("always the same"), .string("text \(index / 2)"),
                    .string("key again"), .string("text \(index / 2)"), .string(""),
                    .string("订单"), .int(Int64(index) - 3), .bool(index % 2 == 0),
                    .double(Double(index) / 7), .array([.string("x"), .int(1)]),
                ]
            )
        }
    }

    @Test func `a payload decodes the same after others, good and bad`() throws {
        var decoder = OTLPDecoder()
        for (salt, spans) in [(1, 9), (2, 40), (3, 0), (4, 1), (5, 600), (6, 3)] {
            let payload = Self.payload(salt, spans: spans)
            let fresh = try OTLP.decodeProtobuf(payload, receivedAt: 5)
            let kept = try decoder.decodeProtobuf(payload, receivedAt: 5)
            #expect(Self.text(kept.columns) == Self.text(fresh.columns))
            #expect(kept.rejected == fresh.rejected)
            #expect(kept.rejectionReason == fresh.rejectionReason)
            #expect(kept.columns.strings.count == fresh.columns.strings.count)
            // Cut short, it is refused, and nothing of it shows in the next.
            if payload.count > 20 {
                #expect(throws: WireError.self) {
                    _ = try decoder.decodeProtobuf(Array(payload.dropLast(5)), receivedAt: 5)
                }
            }
        }
    }

    /// The plain forms of a value are read another way than the rest; each must come out the same.
    @Test(
        arguments: [
            ([0x18, 0x05], .int(5)),
            ([0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .int(-1)),
            ([0x10, 0x01], .bool(true)),
            ([0x10, 0x80, 0x01], .bool(true)),
            ([0x21, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F], .double(1.5)),
            ([0x0A, 0x01, 0x61], .string("a")),
            ([], .empty),
            ([0x18, 0x05, 0x18, 0x06], .int(6)),
            ([0x0A, 0x01, 0x61, 0x18, 0x07], .int(7)),
            ([0x18, 0x05, 0x48, 0x00], .int(5)),
        ] as [([UInt8], AttributeValue)]
    )
    func `every form of a value`(_ body: [UInt8], _ value: AttributeValue) throws {
        func message(_ field: UInt8, _ body: [UInt8]) -> [UInt8] {
            [field << 3 | 2, UInt8(body.count)] + body
        }
        let ids =
            message(1, (1...16).map { UInt8($0) }) + message(2, (1...8).map { UInt8($0) })
        let key = message(1, Array("k".utf8))
        // The value alone, before its key, and after another that it replaces.
        for attribute in [
            key + message(2, body), message(2, body) + key,
            key + message(2, [0x18, 0x01]) + message(2, body),
        ] {
            let span = ids + message(9, attribute)
            let payload = message(1, message(2, message(2, span)))
            let batch = try OTLP.decodeProtobuf(payload, receivedAt: 1)
            try #require(batch.columns.count == 1)
            let expected =
                value == .empty && attribute.count > key.count + 4 ? AttributeValue.int(1) : value
            #expect(
                batch.columns.keyValues(batch.columns.spanAttributes[0])
                    == [.init(key: "k", value: expected)]
            )
        }
    }

    @Test(arguments: [
        [0x18], [0x18, 0x80], [0x21, 0, 0], [0x0A, 0x05, 0x61], [0x18, 0x05, 0x0A],
    ])
    func `a value cut short is refused`(_ body: [UInt8]) {
        let attribute: [UInt8] = [0x12, UInt8(body.count)] + body
        let span: [UInt8] = [0x4A, UInt8(attribute.count)] + attribute
        let scope: [UInt8] = [0x12, UInt8(span.count)] + span
        let resource: [UInt8] = [0x12, UInt8(scope.count)] + scope
        #expect(throws: WireError.self) {
            _ = try OTLP.decodeProtobuf(
                [0x0A, UInt8(resource.count)] + resource,
                receivedAt: 1
            )
        }
    }
}
