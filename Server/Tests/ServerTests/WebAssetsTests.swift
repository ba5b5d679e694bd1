// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Hummingbird
import Testing
import WebUI

@Suite struct WebAssetsTests {
    private let assets = WebAssets()

    /// The page's sources, beside this package.
    private static let web = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../web").standardizedFileURL

    @Test func `every file of web is embedded, and nothing else`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.web.path).sorted()
        #expect(files.count > 10)
        #expect(assets.names == files)
    }

    @Test func `every relative import and every asset of the shell is embedded`() throws {
        var wanted: Set<String> = []
        for name in assets.names where name.hasSuffix(".js") || name.hasSuffix(".html") {
            let text = try String(contentsOf: Self.web.appending(path: name), encoding: .utf8)
            for match in text.matches(
                of: /(?:from|import) ?\(?'\.\/([a-z0-9.-]+)'|\/assets\/dev\/([a-z0-9.-]+)"/
            ) {
                if let found = match.1 ?? match.2 { wanted.insert(String(found)) }
            }
        }
        #expect(wanted.count > 10)
        #expect(wanted.subtracting(assets.names) == [])
    }

    @Test func `the shell names its files by version and is revalidated`() async throws {
        let shell = try #require(assets.response(for: "index.html"))
        #expect(shell.headers[.cacheControl] == "no-cache")
        let text = try await body(of: shell)
        #expect(text.contains("/assets/\(assets.version)/app.js"))
        #expect(!text.contains("/assets/dev/"))
        let tag = try #require(shell.headers[.eTag])
        let again = assets.response(for: "index.html", headers: [.ifNoneMatch: tag])
        #expect(again?.status == .notModified)
        #expect(again?.body.contentLength == 0)
    }

    @Test func `a file is immutable under its version and revalidated under another`() {
        let mine = assets.response(for: "app.js", version: assets.version)
        #expect(mine?.headers[.cacheControl] == "public, max-age=31536000, immutable")
        let other = assets.response(for: "app.js", version: "0123456789abcdef")
        #expect(other?.headers[.cacheControl] == "no-cache")
        #expect(assets.response(for: "no-such.js") == nil)
        #expect(assets.response(for: "../Package.swift") == nil)
    }

    @Test(arguments: [
        ("gzip", true), ("br, gzip;q=0.8", true), ("*", true), ("gzip;q=0", false),
        ("gzip; q=0.0", false), ("br", false), ("", false),
    ])
    func `gzip is used only where it is accepted`(header: String, gzipped: Bool) {
        let response = assets.response(for: "app.js", headers: [.acceptEncoding: header])
        #expect((response?.headers[.contentEncoding] == "gzip") == gzipped)
    }

    @Test func `every answer confines the page to its origin`() throws {
        let policy = try #require(HTTPField.Name("Content-Security-Policy"))
        for name in assets.names {
            let response = try #require(assets.response(for: name))
            #expect(response.headers[policy]?.contains("default-src 'self'") == true)
            #expect(response.headers[policy]?.contains("unsafe-inline") == false)
            #expect(response.headers[policy]?.contains("frame-ancestors 'none'") == true)
            #expect(response.headers[.xContentTypeOptions] == "nosniff")
        }
    }

    @Test func `modules are sent without comments, line for line`() async throws {
        for name in assets.names where name.hasSuffix(".js") {
            let source = try String(contentsOf: Self.web.appending(path: name), encoding: .utf8)
            let sent = try await body(of: try #require(assets.response(for: name)))
            #expect(!sent.contains("SPDX") && !sent.contains("/**"), "\(name)")
            #expect(
                sent.count(where: { $0 == "\n" }) == source.count(where: { $0 == "\n" }),
                "\(name)"
            )
            // What Stripping relies on.
            #expect(source.count(where: { $0 == "`" }) % 2 == 0, "\(name)")
            #expect(
                !source.contains(/[^\s*] \/\/ |\/\*[^*]/),
                "\(name) has a comment of another form"
            )
        }
        // The text of a template keeps its spaces.
        let first = try await body(of: try #require(assets.response(for: "first-run.js")))
        #expect(first.contains("\n    SkeinConfiguration(serviceName:"))
    }

    @Test func `no file has an inline script, an inline style or a foreign address`() throws {
        for name in assets.names {
            let text = try String(contentsOf: Self.web.appending(path: name), encoding: .utf8)
            #expect(!text.contains("innerHTML"), "\(name)")
            #expect(!text.contains("style=\""), "\(name)")
            #expect(!text.contains("eval("), "\(name)")
            for match in text.matches(of: /https?:\/\/([a-z0-9.]+)/) {
                #expect(match.1 == "www.w3.org", "\(name) names \(match.0)")
            }
        }
    }

    private func body(of response: Response) async throws -> String {
        let writer = CollectingWriter()
        try await response.body.write(writer)
        return await writer.text.value
    }
}

/// Keeps what a response body writes.
private struct CollectingWriter: ResponseBodyWriter {
    actor Text {
        var value = ""
        func add(_ more: String) { value += more }
    }
    let text = Text()

    mutating func write(_ buffer: ByteBuffer) async throws {
        await text.add(String(buffer: buffer))
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
