// SPDX-License-Identifier: Apache-2.0

import SkeinPropagation
import Testing

@Suite struct BaggageTests {
    @Test func `reads members, properties and escapes`() {
        let baggage = Baggage(header: "order.id = 42 ;ttl=1;x, name=Zo%C3%AB%20x ,empty=,e=a=b")
        #expect(baggage["order.id"] == "42")
        #expect(baggage.members.first?.properties == ";ttl=1;x")
        #expect(baggage["name"] == "Zoë x")
        #expect(baggage["empty"]?.isEmpty == true)
        #expect(baggage["e"] == "a=b")
        #expect(baggage.droppedCount == 0)
        #expect(baggage.header == "order.id=42;ttl=1;x,name=Zo%c3%ab%20x,empty=,e=a=b")
    }

    @Test(arguments: [
        ("%ff", "\u{FFFD}"), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("100%25", "100%"),
        ("%e2%82", "\u{FFFD}"), ("a%00b", "a\u{0}b"),
    ])
    func `decodes bad escapes to something`(text: String, expected: String) {
        #expect(Baggage(header: "k=\(text)")["k"] == expected)
    }

    @Test(arguments: [
        "", "abc", "=1", "a b=1", "k\u{e9}=1", "a;b=1", "\u{1F426}=1",
        String(repeating: "a", count: 9_000),
    ])
    func `leaves malformed members out`(header: String) {
        #expect(Baggage(header: header).isEmpty)
    }

    @Test func `counts what it leaves out`() {
        let baggage = Baggage(header: "a=1,bad,b=2,=3")
        #expect(baggage.members.map(\.key) == ["a", "b"])
        #expect(baggage.droppedCount == 2)
    }

    @Test func `of a repeated key the last value counts`() {
        let baggage = Baggage(header: "a=1,b=2,a=3")
        #expect(baggage.members.map(\.key) == ["a", "b"])
        #expect(baggage["a"] == "3")
    }

    @Test func `keeps 64 members and 8192 bytes`() {
        let many = Baggage(header: (0..<100).map { "k\($0)=v" }.joined(separator: ","))
        #expect(many.members.count == 64)
        #expect(many.droppedCount == 36)
        let long = (0..<64).map { "key\($0)=" + String(repeating: "x", count: 300) }
        let cut = Baggage(header: long.joined(separator: ","))
        #expect(cut.header.utf8.count <= 8_192)
        #expect(cut.members.count == 26)
        #expect(cut.droppedCount == 1)
    }

    @Test func `exactly 8192 bytes come through whole`() {
        let header = "k=" + String(repeating: "x", count: 8_190)
        #expect(Baggage(header: header).header == header)
        #expect(Baggage(header: header + "x").isEmpty)
    }

    @Test func `what is set can be read back after a journey`() {
        var baggage = Baggage()
        let value = "tab\t, comma; \"quote\" \\ % Größe \u{1F426}"
        let isSet = baggage.set(value, forKey: "k")
        #expect(isSet)
        let header = baggage.header
        #expect(header.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") })
        #expect(Baggage(header: header)["k"] == value)
        let isKeyTaken = baggage.set("x", forKey: "no token")
        let isValueTaken = baggage.set(String(repeating: "x", count: 8_192), forKey: "k")
        #expect(!isKeyTaken && !isValueTaken)
        #expect(baggage["k"] == value)
        #expect(baggage.droppedCount == 2)
        baggage.remove("k")
        #expect(baggage.isEmpty)
    }

    @Test func `a plus sign is escaped for readers that take it for a blank`() {
        var baggage = Baggage()
        baggage.set("1+1", forKey: "k")
        #expect(baggage.header == "k=1%2b1")
        // Where it stands for itself it stays one.
        #expect(Baggage(header: "k=1+1")["k"] == "1+1")
    }

    @Test func `hostile headers of a megabyte cost no more than the limit`() {
        for byte in [",", "=", ";", "%", "a", "a=1,", "\u{0}", "é"] {
            let header = String(repeating: byte, count: 1 << 20)
            let baggage = Baggage(header: header)
            #expect(baggage.header.utf8.count <= 8_192)
            #expect(TraceState(header: header)?.text.utf8.count ?? 0 <= 8_192)
        }
    }
}
