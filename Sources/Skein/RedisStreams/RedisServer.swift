// SPDX-License-Identifier: Apache-2.0

#if RedisStreams
/// A Redis server, and how to speak with it.
public struct RedisServer: Sendable, Hashable {
    /// Where it listens.
    public var place: Place
    /// Who logs in; `nil` for the default user.
    public var username: String?
    /// The password; `nil` does not log in.
    public var password: String?
    /// Longest wait for a connection, and for the answer to a command besides what the command itself
    /// waits.
    public var timeout = Duration.seconds(10)

    /// Where a server listens.
    public enum Place: Sendable, Hashable, CustomStringConvertible {
        /// A host's name or address, and a port.
        case address(host: String, port: Int)
        /// The path of a socket on this machine.
        case socket(path: String)

        public var description: String {
            switch self {
            case .address(let host, let port): "\(host):\(port)"
            case .socket(let path): path
            }
        }
    }

    /// Names a server.
    public init(_ place: Place = .address(host: "127.0.0.1", port: 6_379)) { self.place = place }
}

/// Why a command came to nothing.
public struct RedisError: Error, Hashable, CustomStringConvertible {
    private enum Kind: Hashable { case connection, server, answer, busy }

    /// What kind of trouble it was.
    public struct Code: Sendable, Hashable {
        private let kind: Kind

        /// There is no connection, or it broke or took too long: the command may have been run.
        public static let connection = Code(kind: .connection)
        /// The server refused the command.
        public static let server = Code(kind: .server)
        /// The answer is not what the command is answered with.
        public static let answer = Code(kind: .answer)
        /// Too many commands wait for the connection.
        public static let busy = Code(kind: .busy)

        private init(kind: Kind) { self.kind = kind }
    }

    /// What kind of trouble it was.
    public let code: Code
    /// What the server or the connection said.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String {
        switch code {
        case .connection: "no connection to Redis: \(message)"
        case .server: "Redis refused the command: \(message)"
        case .answer: "the answer of Redis cannot be read: \(message)"
        default: "the connection to Redis is busy: \(message)"
        }
    }
}

/// An answer of the server.
enum RedisValue: Sendable, Hashable {
    case none
    case bytes([UInt8])
    case integer(Int64)
    case error(String)
    case array([RedisValue])

    var text: String? {
        if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    var elements: [RedisValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }
}
#endif
