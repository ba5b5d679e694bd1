// SPDX-License-Identifier: Apache-2.0
public import HTTPTypes
public import Hummingbird
import NIOCore

/// The files of the page, hashed once, and the answers that carry them.
public struct WebAssets: Sendable {
    /// One file as it is served.
    struct Asset: Sendable {
        let contentType: String
        let bytes: ByteBuffer
        /// Nil for what is not worth it.
        let gzipped: ByteBuffer?
        /// Quoted, as the ETag header has it.
        let tag: String
    }

    static let shellName = "index.html"
    static let faviconName = "mark.svg"
    /// How web/ itself names the version, so that it works unchanged when served from disk.
    private static let versionPlaceholder = "/assets/dev/"

    /// A hash over all files, 16 hexadecimal digits: equal for equal pages, whatever the binary.
    public let version: String
    let directory: String?
    private let assets: [String: Asset]

    /// Takes the embedded files.
    ///
    /// - Parameter directory: serves the files of this directory instead, read anew for each request and never
    ///   cached: for work on the page without rebuilding.
    public init(directory: String? = nil) {
        self.directory = directory
        let files = Self.embeddedFiles()
        var hash = FNV1a()
        for file in files {
            hash.add(Array(file.name.utf8))
            hash.add(file.bytes)
        }
        let version = hash.hexadecimal
        self.version = version
        var assets: [String: Asset] = [:]
        for file in files {
            var bytes = file.bytes
            if file.name == Self.shellName {
                let text = String(decoding: bytes, as: UTF8.self)
                bytes = Array(
                    text.replacing(Self.versionPlaceholder, with: "/assets/\(version)/").utf8
                )
            }
            assets[file.name] = Asset(
                contentType: file.contentType,
                bytes: bytes,
                gzipped: file.gzipped
            )
        }
        self.assets = assets
    }

    /// The names of all embedded files, sorted.
    public var names: [String] { assets.keys.sorted() }

    /// The answer to a request for a file.
    ///
    /// - Parameters:
    ///   - name: the file's name in web/, such as `app.js`.
    ///   - version: the version in the request's path; this page's own makes the answer cacheable for good.
    ///   - headers: of the request; Accept-Encoding and If-None-Match are heard.
    /// - Returns: the answer; nil when there is no file of this name.
    public func response(for name: String, version: String? = nil, headers: HTTPFields = [:])
        -> Response?
    {
        guard let asset = assets[name] else { return nil }
        var answer = Self.confiningHeaders
        answer[.cacheControl] =
            version == self.version ? "public, max-age=31536000, immutable" : "no-cache"
        answer[.eTag] = asset.tag
        answer[.vary] = "Accept-Encoding"
        // The tag is weak: it names the content, in whichever encoding.
        if let known = headers[.ifNoneMatch], known == "*" || known.contains(asset.tag) {
            return Response(status: .notModified, headers: answer)
        }
        answer[.contentType] = asset.contentType
        if let gzipped = asset.gzipped, Self.acceptsGzip(headers[.acceptEncoding]) {
            answer[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: answer, body: .init(byteBuffer: gzipped))
        }
        return Response(status: .ok, headers: answer, body: .init(byteBuffer: asset.bytes))
    }

    /// Headers of every answer: the page may load from its own origin only, runs no inline script, and can be
    /// framed by nobody.
    static let confiningHeaders: HTTPFields = {
        var headers = HTTPFields()
        if let policy = HTTPField.Name("Content-Security-Policy") {
            headers[policy] =
                "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
                + "frame-ancestors 'none'"
        }
        if let referrer = HTTPField.Name("Referrer-Policy") {
            headers[referrer] = "same-origin"
        }
        if let opener = HTTPField.Name("Cross-Origin-Opener-Policy") {
            headers[opener] = "same-origin"
        }
        headers[.xContentTypeOptions] = "nosniff"
        return headers
    }()

    /// Whether an Accept-Encoding header names gzip and does not give it a weight of zero.
    static func acceptsGzip(_ header: String?) -> Bool {
        guard let header else { return false }
        for item in header.split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard parts.first == "gzip" || parts.first == "*" else { continue }
            return !parts.dropFirst().contains {
                $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0
            }
        }
        return false
    }

    /// Whether a name is one of a plain file: no folder, nothing hidden.
    static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// The type of a file served from disk, by its ending; nil for files the page has no use for.
    static func contentType(of name: String) -> String? {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        default: nil
        }
    }
}

extension WebAssets.Asset {
    fileprivate init(contentType: String, bytes: [UInt8], gzipped: [UInt8]?) {
        var hash = FNV1a()
        hash.add(bytes)
        self.contentType = contentType
        self.bytes = ByteBuffer(bytes: bytes)
        self.gzipped = gzipped.map { ByteBuffer(bytes: $0) }
        self.tag = "W/\"\(hash.hexadecimal)\""
    }
}

/// FNV-1a of 64 bits: names versions of our own files, where nobody gains by a collision.
private struct FNV1a {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: [UInt8]) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    }

    var hexadecimal: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
