// SPDX-License-Identifier: Apache-2.0
import SkeinWire
import Testing

@Suite struct JSONWriterTests {
    private func json(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `puts commas where they belong`() {
        let text = json {
            $0.beginObject()
            $0.key("a")
            $0.beginArray()
            $0.int(1)
            $0.beginArray()
            $0.endArray()
            $0.beginObject()
            $0.endObject()
            $0.null()
            $0.endArray()
            $0.key("b")
            $0.bool(true)
            $0.key("c")
            $0.raw(Array(#"{"d":1}"#.utf8))
            $0.endObject()
        }
        #expect(text == #"{"a":[1,[],{},null],"b":true,"c":{"d":1}}"#)
    }

    @Test(arguments: [
        ("plain 订🧶", #""plain 订🧶""#), ("\"\\/", #""\"\\/""#),
        ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#), ("\u{0}\u{1F}\u{7F}", "\"\\u0000\\u001f\u{7F}\""),
        ("", "\"\""),
    ])
    func `escapes what must be escaped`(text: String, expected: String) {
        #expect(json { $0.string(text) } == expected)
    }

    @Test func `bytes that are not UTF-8 become the replacement character`() {
        let bytes: [UInt8] = [0x61, 0xC3, 0x28, 0xFF]
        #expect(
            json { writer in bytes.withUnsafeBytes { writer.string(utf8: $0) } }
                == "\"a\u{FFFD}(\u{FFFD}\""
        )
    }

    @Test func `whole numbers keep every digit`() {
        #expect(json { $0.int(.min) } == "-9223372036854775808")
        #expect(json { $0.uint(.max) } == "18446744073709551615")
        #expect(json { $0.intText(.min) } == "\"-9223372036854775808\"")
        #expect(json { $0.uintText(0) } == "\"0\"")
    }

    @Test(arguments: [0, -0.0, 0.1, 1e300, -1.5e-7, .leastNonzeroMagnitude, 123_456_789.125])
    func `doubles read back the same`(value: Double) {
        #expect(Double(json { $0.double(value) })?.bitPattern == value.bitPattern)
    }

    @Test func `doubles that JSON has no number for are strings`() {
        #expect(json { $0.double(.nan) } == "\"NaN\"")
        #expect(json { $0.double(.infinity) } == "\"Infinity\"")
        #expect(json { $0.double(-.infinity) } == "\"-Infinity\"")
    }

    @Test(
        arguments: [
            ([], ""), ([0], "AA=="), ([0, 1], "AAE="), ([0, 1, 2], "AAEC"),
            ([251, 255, 254, 62], "+//+Pg=="),
        ] as [([UInt8], String)]
    )
    func `base64 is padded`(bytes: [UInt8], expected: String) {
        let text = json { writer in bytes.withUnsafeBytes { writer.base64($0) } }
        #expect(text == "\"\(expected)\"")
    }

    @Test func `ids are lower-case digits`() {
        #expect(json { $0.hex(0xAB) } == "\"00000000000000ab\"")
        #expect(json { $0.hex(1, 0xAB) } == "\"000000000000000100000000000000ab\"")
    }

    @Test func `taking the bytes goes on where it was`() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.int(1)
        let first = writer.take()
        writer.int(2)
        writer.endArray()
        #expect(String(decoding: first + writer.take(), as: UTF8.self) == "[1,2]")
    }
}
