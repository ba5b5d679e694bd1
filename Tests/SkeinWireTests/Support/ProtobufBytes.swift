// SPDX-License-Identifier: Apache-2.0

/// Protobuf bytes by hand, so that a test says exactly what is on the wire.
enum ProtobufBytes {
    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func tag(_ field: UInt64, _ wireType: UInt64) -> [UInt8] {
        varint(field << 3 | wireType)
    }

    static func bytes(_ field: UInt64, _ body: [UInt8]) -> [UInt8] {
        tag(field, 2) + varint(UInt64(body.count)) + body
    }

    static func text(_ field: UInt64, _ text: String) -> [UInt8] { bytes(field, Array(text.utf8)) }

    static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
        tag(field, 0) + varint(value)
    }

    static func fixed64(_ field: UInt64, _ value: UInt64) -> [UInt8] {
        tag(field, 1) + (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    static func fixed32(_ field: UInt64, _ value: UInt32) -> [UInt8] {
        tag(field, 5) + (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }
}

/// The messages of OTLP's traces, by their field numbers.
enum OTLPBytes {
    typealias P = ProtobufBytes

    static let traceID: [UInt8] = Array(1...16)
    static let spanID: [UInt8] = Array(21...28)

    static func attribute(_ key: String, _ value: [UInt8]) -> [UInt8] {
        P.text(1, key) + P.bytes(2, value)
    }

    static func string(_ text: String) -> [UInt8] { P.text(1, text) }

    /// A span with the two ids that it needs and whatever else is given.
    static func span(_ fields: [UInt8] = []) -> [UInt8] {
        P.bytes(1, traceID) + P.bytes(2, spanID) + P.fixed64(7, 1000) + P.fixed64(8, 2000) + fields
    }

    /// A request of one resource and one scope.
    static func request(spans: [[UInt8]], service: String? = "shop") -> [UInt8] {
        let attributes = service.map { P.bytes(1, attribute("service.name", string($0))) } ?? []
        let list = spans.flatMap { P.bytes(2, $0) }
        return P.bytes(1, P.bytes(1, attributes) + P.bytes(2, list))
    }

    /// A request that uses every field there is, in the order of a canonical encoder.
    static let golden: [UInt8] = {
        let values: [[UInt8]] = [
            string("订单"), P.number(2, 1), P.number(3, .max), P.fixed64(4, (1.5).bitPattern),
            P.bytes(5, P.bytes(1, string("x")) + P.bytes(1, P.number(3, 7))),
            P.bytes(6, P.bytes(1, attribute("k", P.bytes(5, [])))), P.bytes(7, [0, 255]), [],
        ]
        let attributes = values.enumerated().flatMap {
            P.bytes(9, attribute("key.\($0.offset)", $0.element))
        }
        let event =
            P.fixed64(1, 1500) + P.text(2, "exception")
            + P.bytes(3, attribute("exception.type", string("Timeout"))) + P.number(4, 5)
        let link =
            P.bytes(1, Array(31...46)) + P.bytes(2, Array(51...58)) + P.text(3, "a=b")
            + P.bytes(4, attribute("why", string("retry"))) + P.number(5, 6) + P.fixed32(6, 257)
        let span =
            P.bytes(1, traceID) + P.bytes(2, spanID) + P.text(3, "ot=th:0")
            + P.bytes(4, Array(61...68)) + P.text(5, "POST /pay") + P.number(6, 2)
            + P.fixed64(7, 1000) + P.fixed64(8, 2000) + attributes + P.number(10, 2)
            + P.bytes(11, event) + P.number(12, 3) + P.bytes(13, link) + P.number(14, 4)
            + P.bytes(15, P.text(2, "declined") + P.number(3, 2)) + P.fixed32(16, 0x301)
        let scope =
            P.text(1, "shop.web") + P.text(2, "1.2") + P.bytes(3, attribute("s", string("v")))
            + P.number(4, 8)
        let resource =
            P.bytes(1, attribute("service.name", string("shop"))) + P.number(2, 9)
        return P.bytes(
            1,
            P.bytes(1, resource)
                + P.bytes(2, P.bytes(1, scope) + P.bytes(2, span) + P.text(3, "scope-url"))
                + P.text(3, "resource-url")
        )
    }()
}
