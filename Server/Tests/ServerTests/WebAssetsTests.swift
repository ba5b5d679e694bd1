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

    /// A source, as `--web-dir` serves it.
    private static func source(_ name: String) throws -> String {
        try String(contentsOf: web.appending(path: name), encoding: .utf8)
    }

    @Test func `every file that a browser takes as it stands in web is embedded`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.web.path).sorted()
        let bundled = ["app.css", "app.js", "early.js"]
        let others = files.filter { !$0.hasSuffix(".css") && !$0.hasSuffix(".js") }
        #expect(others.count == 5)
        #expect(assets.names == (bundled + others).sorted())
    }

    @Test func `every relative import leads to a module, and every asset of the shell is embedded`()
        throws
    {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.web.path)
        var imported: Set<String> = []
        for name in files where name.hasSuffix(".js") || name.hasSuffix(".css") {
            let imports = /(?:from|import) ?\(?'\.\/([a-z0-9.-]+)'/
            for match in try Self.source(name).matches(of: imports) {
                imported.insert(String(match.1))
            }
        }
        #expect(imported.count > 10)
        #expect(imported.subtracting(files) == [])
        let shell = try Self.source("index.html").matches(of: /\/assets\/dev\/([a-z0-9.-]+)"/)
        #expect(Set(shell.map { String($0.1) }) == ["app.css", "app.js", "early.js", "mark.svg"])
    }

    @Test func `the whole script takes at most 80 KB of the network`() async throws {
        var byteCount = 0
        for name in assets.names where name.hasSuffix(".js") {
            let sent = try #require(
                assets.response(for: name, headers: [.acceptEncoding: "gzip"])
            )
            byteCount += try #require(sent.body.contentLength)
        }
        #expect((20 * 1024...80 * 1024).contains(byteCount))
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

    @Test func `those alone that are named may frame the page`() throws {
        let policy = try #require(HTTPField.Name("Content-Security-Policy"))
        let framed = WebAssets(framedBy: ["'self'", "https://grafana.example:3000"])
        let shell = try #require(framed.response(for: "index.html"))
        let parts = shell.headers[policy]?.split(separator: "; ").map(String.init) ?? []
        #expect(parts.contains("frame-ancestors 'self' https://grafana.example:3000"))
        #expect(parts.contains("default-src 'self'"))
    }

    @Test(arguments: [
        ("/", true), ("/search", true), ("/search/", true), ("/trace/abc", true),
        ("/services/a%2Fb/GET%20%2F", true), ("/trace", false), ("/l/0123456789ab", false),
        ("/api/skein/v1/traces", false), ("/services/a/b/c", false), ("search", false),
        ("/assets/dev/app.js", false),
    ])
    func `the page knows its own paths`(_ path: String, _ isPage: Bool) {
        #expect(WebAssets.hasPage(at: path) == isPage)
    }

    @Test(
        arguments: [
            ("0af7651916cd43dd", nil, "?format=columns"),
            ("0af7651916cd43dd8448eb211c80319c", "cp=1&raw=1", "?format=columns&raw=true"),
            ("0af7651916cd43dd", "raw=10&q=raw=1", "?format=columns"),
            ("file", nil, nil), ("0AF7651916CD43DD", nil, nil), ("0af7651916cd43d>", nil, nil),
            ("0af7651916cd43dd8", nil, nil), ("0af7651916cd43dd/x", nil, nil),
        ] as [(String, String?, String?)]
    )
    func `a browser is told to ask for the trace of a page`(
        id: String,
        query: String?,
        asked: String?
    ) {
        let expected = asked.map {
            "</api/skein/v1/traces/\(id)\($0)>; rel=preload; as=fetch; crossorigin"
        }
        #expect(WebAssets.traceAhead("/trace/\(id)", query) == expected)
        #expect(WebAssets.traceAhead("/services/\(id)", query) == nil)
    }

    @Test func `the script is sent without comments and line ends`() async throws {
        for name in assets.names where name.hasSuffix(".js") {
            let sent = try await body(of: try #require(assets.response(for: name)))
            #expect(!sent.contains("SPDX") && !sent.contains("/**"), "\(name)")
        }
    }

    @Test func `no file has an inline script, an inline style or a foreign address`() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.web.path) {
            let text = try Self.source(name)
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
