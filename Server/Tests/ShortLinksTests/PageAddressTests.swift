// SPDX-License-Identifier: Apache-2.0

import ShortLinks
import Testing

@Suite struct PageAddressTests {
    @Test(arguments: [
        "/", "/search?q=%7B%7D&last=1h", "/trace/abc?v=flame#here", "/services/a%2Fb/GET%20%2F",
        "/search?q=http://example.com", "/trace/1?a='\"<b>",
        "/" + String(repeating: "a", count: 16_383),
    ])
    func `an address of the page is taken as it is`(_ text: String) throws {
        #expect(try PageAddress(text).text == text)
    }

    @Test(arguments: [
        ("", "begin with /"), ("search", "begin with /"), ("https://a.example/", "begin with /"),
        ("javascript:alert(1)", "begin with /"), ("//a.example/", "another host"),
        ("/a//b", "another host"), ("/.//a.example", "another host"),
        ("/\\a.example", "the character at 1"), ("/\t/a.example", "the character at 1"),
        ("/a\r\nSet-Cookie: b", "the character at 2"), ("/a b", "the character at 2"),
        ("/a\u{0}", "the character at 2"), ("/ä", "the character at 1"),
        ("/a\u{7F}", "the character at 2"), (" /a", "begin with /"),
        ("/" + String(repeating: "a", count: 16_384), "16385 bytes"),
    ])
    func `what may lead elsewhere is refused with the reason`(
        _ text: String,
        _ reason: String
    ) {
        let error = #expect(throws: PageAddress.Refusal.self) { try PageAddress(text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
}
