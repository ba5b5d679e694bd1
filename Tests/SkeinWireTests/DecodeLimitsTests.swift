// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

/// Each limit at one below, at, and one above.
@Suite struct DecodeLimitsTests {
    private typealias P = ProtobufBytes

    private func decode(
        _ fields: [UInt8],
        _ change: (inout DecodeLimits) -> Void
    ) throws -> SpanColumns {
        var limits = DecodeLimits.standard
        change(&limits)
        let request = OTLPBytes.request(spans: [OTLPBytes.span(fields)])
        let batch = try OTLP.decodeProtobuf(request, receivedAt: 1, limits: limits)
        return batch.columns
    }

    private func item(_ value: [UInt8] = []) -> [UInt8] { OTLPBytes.attribute("k", value) }

    @Test(arguments: [(9, 0), (10, 0), (11, 1)])
    func `attributes past the limit are dropped, counted and marked`(
        sent: Int,
        dropped: UInt32
    ) throws {
        let fields = (0..<sent).flatMap { _ in P.bytes(9, item()) } + P.number(10, 100)
        let columns = try decode(fields) { $0.attributesPerOwner = 10 }
        #expect(columns[0].attributes.count == UInt32(sent) - dropped)
        #expect(columns[0].droppedAttributes == 100 + dropped)
        #expect(columns[0].marks == (dropped > 0 ? .limited : []))
    }

    @Test(arguments: [(9, 0), (10, 0), (11, 1)])
    func `events and links past the limit are dropped, counted and marked`(
        sent: Int,
        dropped: UInt32
    ) throws {
        let fields = (0..<sent).flatMap { _ in P.bytes(11, P.text(2, "e")) + P.bytes(13, []) }
        let columns = try decode(fields) {
            $0.eventsPerSpan = 10
            $0.linksPerSpan = 10
        }
        #expect(columns[0].events.count == UInt32(sent) - dropped)
        #expect(columns[0].links.count == UInt32(sent) - dropped)
        #expect(columns[0].droppedEvents == dropped)
        #expect(columns[0].droppedLinks == dropped)
        #expect(columns[0].marks == (dropped > 0 ? .limited : []))
    }

    @Test func `a full dropped count does not wrap`() throws {
        let fields = P.bytes(9, item()) + P.number(10, UInt64(UInt32.max))
        let columns = try decode(fields) { $0.attributesPerOwner = 0 }
        #expect(columns[0].droppedAttributes == .max)
    }

    @Test(arguments: [
        ("12345678", "12345678"), ("123456789", "12345678"), ("订单x", "订单x"),
        ("123456订", "123456"), ("1234567订", "1234567"), ("12345🧶", "12345"),
        ("1234🧶", "1234🧶"),
    ])
    func `long text is cut at a character`(sent: String, kept: String) throws {
        let attribute = OTLPBytes.attribute("key." + sent, OTLPBytes.string(sent))
        let fields = P.text(5, sent) + P.bytes(9, attribute)
        let columns = try decode(fields) {
            $0.keyByteCount = 12
            $0.valueByteCount = 8
        }
        #expect(columns.strings.text(columns.name[0]) == kept)
        let pairs = columns.keyValues(columns.spanAttributes[0])
        #expect(pairs == [.init(key: "key." + kept, value: .string(kept))])
        #expect(columns[0].marks == (sent == kept ? [] : .limited))
    }

    @Test func `repairing text does not take it past the limit`() throws {
        let fields = P.bytes(9, item(P.bytes(1, [UInt8](repeating: 0xFF, count: 8))))
        let columns = try decode(fields) { $0.valueByteCount = 8 }
        #expect(
            columns.keyValues(columns.spanAttributes[0])[0].value == .string("\u{FFFD}\u{FFFD}")
        )
        #expect(columns[0].marks.contains(.textRepaired))
    }

    @Test func `long bytes are cut, a long list is dropped`() throws {
        let list = P.bytes(5, P.bytes(1, OTLPBytes.string("123456789")))
        let fields = P.bytes(9, item(P.bytes(7, Array(0..<9)))) + P.bytes(9, item(list))
        let columns = try decode(fields) { $0.valueByteCount = 8 }
        let pairs = columns.keyValues(columns.spanAttributes[0])
        #expect(pairs == [.init(key: "k", value: .bytes(Array(0..<8)))])
        #expect(columns[0].droppedAttributes == 1)
        #expect(columns[0].marks == .limited)
    }

    @Test func `values past the span's share are cut`() throws {
        let value = OTLPBytes.string("1234567890")
        let fields = (0..<3).flatMap { _ in P.bytes(9, item(value)) }
        let columns = try decode(fields) { $0.spanValueByteCount = 15 }
        let values = columns.keyValues(columns.spanAttributes[0]).map(\.value)
        #expect(values == [.string("1234567890"), .string("12345"), .string("")])
    }

    @Test func `items past the payload's share are dropped and counted`() throws {
        let fields = (0..<5).flatMap { _ in P.bytes(9, item()) } + P.bytes(11, [])
        // The resource's own attribute is read after the spans and meets the end of the share.
        let columns = try decode(fields) { $0.itemsPerPayload = 3 }
        #expect(columns[0].attributes.count == 3)
        #expect(columns[0].droppedAttributes == 2)
        #expect(columns[0].droppedEvents == 1)
    }

    @Test(arguments: [(2, 0), (3, 0), (4, 1)])
    func `spans past the limit are a partial success`(sent: Int, rejected: Int) throws {
        var limits = DecodeLimits.standard
        limits.spansPerPayload = 3
        let request = OTLPBytes.request(spans: (0..<sent).map { _ in OTLPBytes.span() })
        let batch = try OTLP.decodeProtobuf(request, receivedAt: 1, limits: limits)
        #expect(batch.columns.count == sent - rejected)
        #expect(batch.rejected == rejected)
        #expect(batch.rejectionReason.isEmpty == (rejected == 0))
    }

    @Test func `a payload past the byte limit is refused, at it taken`() throws {
        let request = OTLPBytes.golden
        var limits = DecodeLimits.standard
        limits.payloadByteCount = request.count
        let taken = try OTLP.decodeProtobuf(request, receivedAt: 1, limits: limits)
        #expect(taken.columns.count == 1)
        limits.payloadByteCount -= 1
        let error = #expect(throws: WireError.self) {
            _ = try OTLP.decodeProtobuf(request, receivedAt: 1, limits: limits)
        }
        #expect(error?.code == .tooLarge)
    }

    private func nested(_ depth: Int) -> [UInt8] {
        var value = OTLPBytes.string("bottom")
        for _ in 0..<depth { value = P.bytes(5, P.bytes(1, value)) }
        return P.bytes(9, item(value))
    }

    @Test func `nesting is kept to 64 levels, read to 100 and refused beyond`() throws {
        let whole = try decode(nested(64)) { _ in }
        #expect(whole[0].marks == [])
        let cut = try decode(nested(65)) { _ in }
        #expect(cut[0].marks == .limited)
        let read = try decode(nested(100)) { _ in }
        #expect(read[0].marks == .limited)
        let error = #expect(throws: WireError.self) { _ = try decode(nested(101)) { _ in } }
        #expect(error?.code == .tooDeep)
    }
}
