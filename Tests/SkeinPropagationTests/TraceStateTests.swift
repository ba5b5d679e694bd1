// SPDX-License-Identifier: Apache-2.0

import SkeinPropagation
import Testing

@Suite struct TraceStateTests {
    @Test(arguments: [
        ("rojo=1", "rojo=1"), ("rojo=1,congo=2", "rojo=1,congo=2"),
        (" rojo=1 ,\tcongo=2\t", "rojo=1,congo=2"), ("a=1,,b=2,", "a=1,b=2"), ("", ""), (",", ""),
        ("0tenant@vendor=a b", "0tenant@vendor=a b"), ("a=1,a=2,b=3", "a=1,b=3"),
        ("a_-*/@=!~", "a_-*/@=!~"), ("ab=1,a=2", "ab=1,a=2"),
    ])
    func `reads valid headers`(header: String, expected: String) throws {
        #expect(try #require(TraceState(header: header)).text == expected)
    }

    @Test(arguments: [
        "rojo", "=1", "rojo=", "Rojo=1", "_a=1", "a=1=2", "a=b\u{7}", "a b=1", "ro\u{e9}=1",
        "a=é", "a=1,b", "a=\u{7f}",
    ])
    func `refuses malformed headers whole`(header: String) {
        #expect(TraceState(header: header) == nil)
    }

    @Test func `keeps the 32 members on the left`() throws {
        let header = (0..<40).map { "k\($0)=\($0)" }.joined(separator: ",")
        let state = try #require(TraceState(header: header))
        #expect(state["k31"] == "31")
        #expect(state["k32"] == nil)
    }

    @Test func `bounds keys and values at 256 bytes`() {
        let long = String(repeating: "a", count: 256)
        #expect(TraceState(header: "\(long)=\(long)") != nil)
        #expect(TraceState(header: "\(long)a=1") == nil)
        #expect(TraceState(header: "a=\(long)a") == nil)
    }

    @Test func `drops what lies past 8192 bytes without reading half a member`() throws {
        let member = "=" + String(repeating: "x", count: 250)
        let header =
            (0..<32).map { "k\($0)\(member)" }.joined(separator: ",")
            + String(repeating: ",", count: 100_000)
        let state = try #require(TraceState(header: header))
        #expect(state.text.utf8.count <= 8_192)
        #expect(state["k0"]?.utf8.count == 250)
        #expect(state["k31"] == nil || state["k31"]?.utf8.count == 250)
    }

    @Test func `a set member moves to the front`() throws {
        var state = try #require(TraceState(header: "a=1,b=2,c=3"))
        let isSet = state.set("9", forKey: "b")
        #expect(isSet)
        #expect(state.text == "b=9,a=1,c=3")
        for (key, value) in [("a", "x,y"), ("a=b", "1"), ("", "1"), ("A", "1"), ("a", "")] {
            let isSet = state.set(value, forKey: key)
            #expect(!isSet)
        }
        #expect(state.text == "b=9,a=1,c=3")
        state.remove("a")
        #expect(state.text == "b=9,c=3")
    }

    @Test func `the 33rd member falls off the end`() throws {
        let header = (0..<32).map { "k\($0)=1" }.joined(separator: ",")
        var state = try #require(TraceState(header: header))
        state.set("1", forKey: "new")
        #expect(state.text.hasPrefix("new=1,k0=1,"))
        #expect(state["k30"] == "1")
        #expect(state["k31"] == nil)
    }

    @Test(
        arguments: [
            ("ot=th:fd70a4", UInt64(0xfd_70a4_0000_0000), nil),
            ("ot=th:0", 0, nil),
            ("ot=rv:0123456789abcd;th:8", 0x80_0000_0000_0000, UInt64(0x01_2345_6789_abcd)),
            ("ot=rv:123", nil, nil), ("ot=th:", nil, nil), ("ot=th:0123456789abcdef", nil, nil),
            ("ot=th:xyz", nil, nil), ("other=th:8", nil, nil), ("ot=p:8;q:1", nil, nil),
        ] as [(String, UInt64?, UInt64?)]
    )
    func `reads what other samplers did`(
        header: String,
        threshold: UInt64?,
        randomness: UInt64?
    ) throws {
        let state = try #require(TraceState(header: header))
        #expect(state.samplingThreshold == threshold)
        #expect(state.samplingRandomness == randomness)
    }

    @Test func `writes the threshold beside the other fields`() throws {
        var state = try #require(TraceState(header: "rojo=1,ot=rv:0123456789abcd;th:8"))
        state.setSamplingThreshold(0xfd_70a4_0000_0000)
        #expect(state.text == "ot=th:fd70a4;rv:0123456789abcd,rojo=1")
        state.setSamplingThreshold(0)
        #expect(state["ot"] == "th:0;rv:0123456789abcd")
        state.setSamplingThreshold(nil)
        #expect(state["ot"] == "rv:0123456789abcd")
        state = try #require(TraceState(header: "ot=th:8,rojo=1"))
        state.setSamplingThreshold(nil)
        #expect(state.text == "rojo=1")
    }
}
