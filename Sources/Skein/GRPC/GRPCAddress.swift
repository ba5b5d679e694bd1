// SPDX-License-Identifier: Apache-2.0

#if GRPC
internal import GRPCNIOTransportHTTP2Posix

/// Scheme, host and port of an address; what comes after them has no meaning to gRPC.
struct GRPCAddress: Equatable {
    var isEncrypted: Bool
    var host: String
    var port: Int

    /// Why an address is none.
    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    init(_ url: String) throws(Problem) {
        if let problem = HTTPAddress.problem(url) { throw Problem(description: problem) }
        isEncrypted = url.lowercased().hasPrefix("https:")
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else {
            throw Problem(description: "a name and password belong in headers, not in '\(url)'")
        }
        var host = authority
        var port: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else {
                throw Problem(description: "'\(url)' holds '[' without ']'")
            }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.first == ":" else {
                throw Problem(description: "'\(url)' holds no port after ']'")
            }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard let number = port.map({ Int($0) }) ?? 4_317, (1...65_535).contains(number) else {
            throw Problem(description: "the port of '\(url)' is not a number from 1 to 65535")
        }
        guard !host.isEmpty else { throw Problem(description: "'\(url)' names no host") }
        self.host = String(host)
        self.port = number
    }

    /// The same for gRPC. A name is looked up with each connection.
    var target: any ResolvableTarget {
        if host.contains(":") { return .ipv6(address: host, port: port) }
        let isNumeric = host.utf8.allSatisfy {
            $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        return isNumeric ? .ipv4(address: host, port: port) : .dns(host: host, port: port)
    }
}
#endif
