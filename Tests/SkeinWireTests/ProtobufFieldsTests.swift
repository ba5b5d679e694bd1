// SPDX-License-Identifier: Apache-2.0

import SkeinWire
import Testing

@Suite struct ProtobufFieldsTests {
    @Test func `what was written is read`() throws {
        var writer = ProtobufWriter()
        writer.varint(1, 300)
        writer.string(2, "größer")
        writer.string(3, always: "")
        writer.string(3, always: "b")
        writer.message(4) { $0.fixed64(1, 7) }
        writer.message(4) { _ in }
        writer.bytes(5, [1, 2, 3])
        let fields = try ProtobufFields(writer.bytes)
        #expect(fields.number(1) == 300)
        #expect(try fields.text(2) == "größer")
        #expect(try fields.texts(3) == ["", "b"])
        #expect(try fields.messages(4).map { $0.number(1) } == [7, 0])
        #expect(fields.bytes(5) == [1, 2, 3])
        #expect(fields.contains(5))
        #expect(!fields.contains(6))
        #expect(fields.number(6) == 0)
        #expect(try fields.text(6).isEmpty)
        #expect(try fields.message(6)?.number(1) == nil)
    }

    @Test func `the last of several counts, and a list may be packed or not`() throws {
        let fields = try ProtobufFields([8, 1, 8, 2, 10, 2, 3, 4])
        #expect(fields.number(1) == 2)
        #expect(try fields.numbers(1) == [1, 2, 3, 4])
    }

    @Test func `groups are passed over`() throws {
        #expect(try ProtobufFields([11, 8, 1, 12, 16, 5]).number(2) == 5)
    }

    @Test func `every truncation is refused`() throws {
        var writer = ProtobufWriter()
        writer.string(1, "text")
        for count in 1..<writer.bytes.count {
            #expect(throws: WireError.self) {
                try ProtobufFields(Array(writer.bytes.prefix(count)))
            }
        }
    }

    @Test func `text that is not UTF-8 is refused with its field`() throws {
        let fields = try ProtobufFields([10, 1, 0xFF])
        let error = #expect(throws: WireError.self) { try fields.text(1) }
        #expect(error?.place == "field 1")
    }
}
