// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct StringTableTests {
    @Test func `gives each string one number, counted from the empty one`() {
        var table = StringTable()
        #expect(table.intern("") == 0)
        #expect(table.intern("GET /") == 1)
        #expect(table.intern("order.id") == 2)
        #expect(table.intern("GET /") == 1)
        #expect(table.count == 3)
        #expect(table.text(0) == "")
        #expect(table.text(2) == "order.id")
    }

    /// Far past the first slots, so that rehashing and long probes happen on the way.
    @Test func `keeps numbers and texts through growth`() {
        var table = StringTable()
        let names = (0..<50_000).map { "operation-\($0)" }
        let ids = names.map { table.intern($0) }
        #expect(ids == (1...50_000).map { UInt32($0) })
        #expect(names.map { table.intern($0) } == ids)
        #expect(zip(names, ids).allSatisfy { table.text($1) == $0 })
        #expect(table.count == 50_001)
    }

    /// Strings that differ in one byte at every place, at every length up to three words: what a
    /// hash or a comparison that overlooks a byte would take for one.
    @Test func `tells strings apart that differ in any single byte`() {
        var table = StringTable()
        var expected = 1
        for length in 1...25 {
            let base = [UInt8](repeating: UInt8(ascii: "a"), count: length)
            for place in 0...length {
                var text = base
                if place < length { text[place] = UInt8(ascii: "b") }
                let id = text.withUnsafeBytes { table.intern($0) }
                #expect(id == UInt32(expected), "length \(length), byte \(place)")
                expected += 1
            }
        }
        #expect(table.count == expected)
    }

    @Test func `finds what is there and nothing else`() {
        var table = StringTable()
        let id = table.intern("cart")
        #expect(table.find("cart") == id)
        #expect(table.find("") == 0)
        #expect(table.find("carts") == nil)
        #expect(table.count == 2)
    }

    @Test func `keeps bytes as they came and repairs them only as text`() {
        var table = StringTable()
        let bytes: [UInt8] = [0x61, 0xFF, 0x00]
        let id = bytes.withUnsafeBytes { table.intern($0) }
        #expect(table.withBytes(of: id) { Array($0) } == bytes)
        #expect(table.text(id) == "a\u{FFFD}\u{0}")
    }
}
