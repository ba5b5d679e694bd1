// SPDX-License-Identifier: Apache-2.0

/// Sites whose pages may show the page in a frame of theirs: `https://grafana.example`, or `self` for
/// pages of the server's own address. Several stand with commas between.
///
/// Who may frame the page may also trick its reader into pressing what is in it, so each site is named
/// whole: no wildcards, no scheme alone.
public struct EmbeddingSites: Sendable, Equatable, CustomStringConvertible {
    /// As the header `Content-Security-Policy` has them: `'self'`, `https://grafana.example`.
    public let sources: [String]

    /// Nobody.
    public static let none = EmbeddingSites(sources: [])

    private init(sources: [String]) { self.sources = sources }

    public var description: String {
        sources.map { $0 == "'self'" ? "self" : $0 }.joined(separator: ",")
    }

    /// Reads a list of sites.
    ///
    /// - Parameter text: sites with commas between; nothing for nobody.
    /// - Throws: `ConfigurationError` for the first that is none.
    public init(parsing text: String) throws(ConfigurationError) {
        var sources: [String] = []
        for item in text.split(separator: ",") {
            let site = String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            let source = try Self.source(site)
            if !sources.contains(source) { sources.append(source) }
        }
        guard sources.count <= Limits.embeddingSiteCount else {
            throw ConfigurationError(
                "\(sources.count) sites are named, and \(Limits.embeddingSiteCount) may be"
            )
        }
        self.sources = sources
    }

    private static func source(_ site: String) throws(ConfigurationError) -> String {
        if site == "self" || site == "'self'" { return "'self'" }
        func refuse(_ what: String) -> ConfigurationError {
            ConfigurationError(
                "\"\(site.prefix(200))\" is no site: \(what). Write scheme, host and port where it is "
                    + "not the usual one, such as https://grafana.example, or self"
            )
        }
        let lower = site.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lower.hasPrefix) else {
            throw refuse("it does not begin with https:// or http://")
        }
        let rest = lower.dropFirst(scheme.count)
        guard !rest.contains("*") else { throw refuse("wildcards are not taken") }
        guard !rest.hasPrefix("[") else {
            throw refuse("browsers compare no IPv6 addresses here")
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, host.utf8.allSatisfy(isHostByte),
            host.utf8.count <= Limits.hostNameByteCount
        else { throw refuse("after \(scheme) comes a host, and nothing after it but a port") }
        if parts.count > 1 {
            guard parts.count == 2, let port = UInt16(parts[1]), port > 0,
                parts[1].utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains)
            else { throw refuse("after the host comes a port from 1 to 65535, and nothing else") }
        }
        return lower
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
