// SPDX-License-Identifier: Apache-2.0

/// Where a listener listens: `HOST:PORT`, with `[…]` around an IPv6 host, or a port of the loopback
/// alone. Port 0 is any free port.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or number of a network interface.
    public var host: String
    /// A TCP port.
    public var port: Int

    /// Joins a host and a port.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, or `PORT` for `127.0.0.1:PORT`.
    ///
    /// - Parameter text: such as `127.0.0.1:4318`, `[::1]:4318` or `4318`.
    /// - Throws: `InvalidAddress`, which says what was expected.
    public init(parsing text: String) throws(InvalidAddress) {
        if let port = Self.port(text) {
            self.init(host: "127.0.0.1", port: port)
            return
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw InvalidAddress(text: text, problem: "there is no port")
        }
        let portText = text[text.index(after: colon)...]
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw InvalidAddress(text: text, problem: "an IPv6 host stands in brackets")
        }
        guard !host.isEmpty else { throw InvalidAddress(text: text, problem: "there is no host") }
        guard let port = Self.port(portText) else {
            throw InvalidAddress(
                text: text,
                problem: "the port \"\(portText)\" is not a number from 0 to 65535"
            )
        }
        self.init(host: String(host), port: port)
    }

    private static func port(_ text: some StringProtocol) -> Int? {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return UInt16(text).map(Int.init)
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// Text that is no address.
public struct InvalidAddress: Error, Sendable, CustomStringConvertible {
    /// What was given.
    public let text: String
    /// What is wrong with it.
    public let problem: String

    public var description: String {
        "\"\(text)\" is not HOST:PORT: \(problem). An example: 127.0.0.1:4318"
    }
}

/// Why a listener did not start.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    /// The option that says where to listen, such as `--otlp-http`.
    public let option: String
    /// Where it tried to.
    public let address: ListenAddress
    /// The system's reason.
    public let reason: String

    public var description: String {
        """
        cannot listen on \(address): \(reason). Stop the program that uses it, or choose another \
        address with \(option) HOST:PORT (port 0 takes any free one)
        """
    }
}
