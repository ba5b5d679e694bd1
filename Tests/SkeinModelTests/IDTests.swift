// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct IDTests {
    @Test(arguments: [
        ("5B8EFFF798038103D269B633813FC60C", "5b8efff798038103d269b633813fc60c"),
        ("d269b633813fc60c", "0000000000000000d269b633813fc60c"),
        ("1", "00000000000000000000000000000001"),
        ("10000000000000000", "00000000000000010000000000000000"),
    ])
    func `a trace id reads digits of either case, padded on the left`(text: String, hex: String) {
        #expect(TraceID(hex: text)?.hex == hex)
    }

    @Test(arguments: ["", "g", "0x1", " 1", "5b8efff798038103d269b633813fc60c0"])
    func `a trace id refuses what is none`(text: String) {
        #expect(TraceID(hex: text) == nil)
    }

    @Test(arguments: [("EEE19B7EC3C1B174", "eee19b7ec3c1b174"), ("1f", "000000000000001f")])
    func `a span id reads digits of either case, padded on the left`(text: String, hex: String) {
        #expect(SpanID(hex: text)?.hex == hex)
    }

    @Test(arguments: ["", "x", "eee19b7ec3c1b1740", "é"])
    func `a span id refuses what is none`(text: String) {
        #expect(SpanID(hex: text) == nil)
    }

    @Test func `the short form is 16 digits where the high half is zero`() {
        #expect(TraceID(high: 0, low: 255).shortHex == "00000000000000ff")
        #expect(TraceID(high: 1, low: 255).shortHex == "000000000000000100000000000000ff")
    }

    @Test func `a short id finds its long form, a long one only itself`() {
        let short = TraceID(high: 0, low: 7)
        let long = TraceID(high: 9, low: 7)
        #expect(short.finds(long))
        #expect(short.finds(short))
        #expect(!long.finds(short))
        #expect(!short.finds(TraceID(high: 0, low: 8)))
    }

    @Test func `zero is no id, and ids order by their high half first`() {
        #expect(!TraceID.zero.isValid)
        #expect(!SpanID.none.isValid)
        #expect(TraceID(high: 1, low: 0).isValid)
        #expect(TraceID(high: 0, low: .max) < TraceID(high: 1, low: 0))
    }

    @Test(arguments: 0..<16)
    func `sixteen digits are read where they stand, in lower case alone`(place: Int) {
        for byte in UInt8.min...UInt8.max {
            // The byte that is tried stands among other digits, and those not at the beginning.
            var text = Array("--0123456789abcdef--".utf8)
            text[2 + place] = byte
            let digit = Hex.value(of: byte).flatMap { Hex.digit(of: $0) == byte ? $0 : nil }
            let shift = UInt64(4 * (15 - place))
            let wanted = digit.map {
                0x0123_4567_89AB_CDEF & ~(0xF << shift) | UInt64($0) << shift
            }
            #expect(Hex.lowerCaseValue(text.span, at: 2) == wanted)
        }
    }

    @Test func `words name kinds and statuses both ways`() {
        for kind in SpanKind.allCases { #expect(SpanKind(word: kind.word) == kind) }
        for code in StatusCode.allCases { #expect(StatusCode(word: code.word) == code) }
        #expect(SpanKind(word: "SERVER") == nil)
    }
}
