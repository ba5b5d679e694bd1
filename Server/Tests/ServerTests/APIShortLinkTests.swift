// SPDX-License-Identifier: Apache-2.0

import API
import Foundation
import HTTPTypes
import Platform
import ShortLinks
import Testing

@Suite struct APIShortLinkTests {
    private static let path = "/api/skein/v1/links"

    /// Runs `body` with an API whose links lie in a folder of their own.
    private static func withAPI(_ body: (TestAPI) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("skein-links-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let book = AddressBook(directory: folder.path, disk: PosixDisk())
        let taking = ShortLinkTaking(book: book) { $0 == "/search" }
        try await body(TestAPI(shortLinks: taking))
        await book.close()
    }

    private static func post(
        _ api: TestAPI,
        _ body: String,
        fields: [String: String] = [:],
        host: String = "127.0.0.1:1"
    ) async throws -> TestAPI.Answer {
        try await api.ask(path, method: .post, body: body, fields: fields, host: host)
    }

    @Test func `an address has one link, of twelve characters`() async throws {
        try await Self.withAPI { api in
            let first = try await Self.post(api, #"{"address": "/search?q=%7B%7D"}"#)
            #expect(first.status == 200)
            #expect(
                first.text.wholeMatch(of: /\{"link":"\/l\/[0-9a-z]{12}"\}/) != nil,
                "\(first.text)"
            )
            #expect(
                try await Self.post(api, #"{"address": "\/search?q=%7B%7D"}"#).text == first.text
            )
            let other = try await Self.post(api, #"{"address": "/search?q=1"}"#)
            #expect(other.status == 200 && other.text != first.text)
        }
    }

    @Test(arguments: [
        (#"{"address": "https://a.example/search"}"#, 400, "begin with /"),
        (#"{"address": "//a.example/search"}"#, 400, "another host"),
        (#"{"address": "/api/skein/v1/traces"}"#, 400, "the page has nothing"),
        (#"{"address": "/l/0123456789ab"}"#, 400, "the page has nothing"),
        (#"{"address": "/search\r\nX: y"}"#, 400, "percent-encode"),
        (#"{"address": 5}"#, 400, "one text"), ("{}", 400, "one text"), ("", 400, "one text"),
        ("[", 400, "one text"), (#"{"address": "/search", "name": "mine"}"#, 400, "nothing else"),
        (#"{"address": "/search?\#(String(repeating: "a", count: 17_000))"}"#, 400, "16384 may be"),
        (#"{"address": "/search?\#(String(repeating: "a", count: 200_000))"}"#, 413, "16384 bytes"),
    ])
    func `what is no address of the page is refused`(
        _ body: String,
        _ status: Int,
        _ reason: String
    ) async throws {
        try await Self.withAPI { api in
            let answer = try await Self.post(api, body)
            #expect(answer.status == status)
            #expect(answer.text.contains(reason), "\(answer.text)")
        }
    }

    @Test(arguments: [
        (["Origin": "https://a.example"], "127.0.0.1:1"),
        (["Sec-Fetch-Site": "cross-site"], "127.0.0.1:1"),
        (["Origin": "http://skein.example"], "skein.example"),
    ])
    func `pages of other sites make no links`(
        _ fields: [String: String],
        _ host: String
    ) async throws {
        try await Self.withAPI { api in
            let body = #"{"address": "/search"}"#
            let answer = try await Self.post(api, body, fields: fields, host: host)
            #expect(answer.status == 403)
        }
    }

    @Test func `a server without a page says so`() async throws {
        let answer = try await Self.post(TestAPI(), #"{"address": "/search"}"#)
        #expect(answer.status == 501 && answer.text.contains("keeps no short links"))
        let get = try await TestAPI().ask(Self.path)
        #expect(get.status == 405 && get.headers[.allow] == "POST")
    }
}
