// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
public import SkeinModel

/// What traces to find; every condition that is set must hold.
public struct TraceSearch: Sendable, Hashable {
    /// A TraceQL query. The conditions below belong into it then.
    public var query: String?
    public var service: String?
    public var operation: String?
    /// Attributes, each `key=value`.
    public var tags: [String] = []
    public var minDuration: String?
    public var maxDuration: String?
    public var status: String?
    public var kind: String?
    /// How far to look back, such as `1h`.
    public var last: String?
    public var limit: Int?
    /// The order of the results, such as `-duration`.
    public var order: String?
    /// Where the page before ended.
    public var cursor: String?

    /// Finds the newest traces.
    public init() {}

    /// The query part of the address.
    var parameters: [(String, String)] {
        var pairs: [(String, String?)] = [
            ("q", query), ("service", service), ("operation", operation),
        ]
        pairs += tags.map { ("tag", $0) }
        pairs += [
            ("minDuration", minDuration), ("maxDuration", maxDuration), ("status", status),
            ("kind", kind), ("last", last), ("limit", limit.map { String($0) }), ("order", order),
            ("cursor", cursor),
        ]
        return pairs.compactMap { pair in pair.1.map { (pair.0, $0) } }
    }
}

/// One page of found traces.
public struct TracePage: Sendable, Codable {
    /// The traces, in the order that was asked for.
    public var traces: [TraceSummary]
    /// Where the next page begins; `nil` on the last one.
    public var cursor: String?
    /// Whether everything was looked at.
    public var complete: Bool?
    /// Why not.
    public var incompleteReasons: [String]?
}

/// One found trace.
public struct TraceSummary: Sendable, Codable {
    public var traceId: String
    public var rootService: String?
    public var rootOperation: String?
    /// Nanoseconds since 1970.
    public var startTimeUnixNano: Number
    public var durationNanos: Number
    public var spanCount: Int
    public var errorCount: Int
    public var services: [Service]
    /// What a query found in it.
    public var spansets: [Spanset]?

    /// Spans that a query found together.
    public struct Spanset: Sendable, Codable {
        /// The values of `by(…)` that they share.
        public var keys: [Value]
        public var spanCount: Int
        /// The first of them.
        public var spans: [Span]
    }

    /// One span that a query found.
    public struct Span: Sendable, Codable {
        public var spanId: String
        public var name: String
        public var service: String
        public var durationNanos: Number
        /// What `select(…)` asked for.
        public var values: [Value]
    }

    /// A value under the name that the query has for it.
    public struct Value: Sendable, Codable {
        public var name: String
        public var value: AnyValue?
    }

    /// A value as text; the parts of lists and maps are not told apart.
    public struct AnyValue: Sendable, Codable {
        public var text: String

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                text = "\(flag)"
            } else if let number = try? container.decode(Int64.self) {
                text = "\(number)"
            } else if let number = try? container.decode(Double.self) {
                text = "\(number)"
            } else if let list = try? container.decode([AnyValue].self) {
                text = "[" + list.map(\.text).joined(separator: ", ") + "]"
            } else {
                text = (try? container.decode(String.self)) ?? "…"
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
    }

    /// One service of the trace.
    public struct Service: Sendable, Codable {
        public var name: String
        public var spanCount: Int
        public var errorCount: Int?
    }

    /// A 64-bit number, which JSON writes as text where it would lose digits.
    public struct Number: Sendable, Codable {
        public var value: UInt64

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(UInt64.self) {
                value = number
            } else if let number = UInt64(try container.decode(String.self)) {
                value = number
            } else {
                throw DecodingError.dataCorruptedError(
                    in: container,
                    debugDescription: "not a whole number"
                )
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(String(value))
        }
    }
}

/// What deleting a trace came to.
public struct DeletedTrace: Sendable, Codable {
    public var traceId: String
    /// Spans removed.
    public var spanCount: UInt64
    /// Files that could not be read and may still have some.
    public var incompleteReasons: [String]
}

/// Asks a server's native API.
public struct NativeAPI: Sendable {
    private let address: String
    private let http: HTTPClient

    /// Prepares to ask the server at `address`, such as `http://127.0.0.1:16686`.
    ///
    /// - Throws: `ClientError` when that is not an http or https address.
    public init(address: String) throws(ClientError) {
        self.address = try httpAddress(address)
        http = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: .untraced(timeoutSeconds: Limits.requestTimeoutSeconds)
        )
    }

    /// The answer to a search as the server wrote it.
    public func searchJSON(_ search: TraceSearch) async throws -> [UInt8] {
        try await get("/api/skein/v1/traces" + Self.query(search.parameters)).body
    }

    /// Finds traces.
    public func search(_ search: TraceSearch) async throws -> TracePage {
        try decoded(try await searchJSON(search))
    }

    /// One trace as the server wrote it: OTLP JSON.
    public func traceJSON(_ id: TraceID) async throws -> [UInt8] {
        try await get(path(of: id)).body
    }

    /// Removes a trace, for good.
    public func deleteTrace(_ id: TraceID) async throws -> DeletedTrace {
        try decoded(try await ask(.DELETE, path(of: id)).body)
    }

    /// Closes the connections; nothing may be asked afterwards.
    public func close() async {
        // It fails only where it was closed before.
        try? await http.shutdown()
    }

    func path(of id: TraceID) -> String { "/api/skein/v1/traces/\(id.shortHex)" }

    struct Answer {
        var body: [UInt8]
    }

    func get(_ path: String) async throws -> Answer { try await ask(.GET, path) }

    private func ask(_ method: HTTPMethod, _ path: String) async throws -> Answer {
        var request = HTTPClientRequest(url: address + path)
        request.method = method
        request.headers.add(name: "accept", value: "application/json")
        let status: Int
        let answer: Answer
        do {
            let response = try await http.execute(
                request,
                timeout: .seconds(Limits.requestTimeoutSeconds)
            )
            status = Int(response.status.code)
            let collected = try await response.body.collect(upTo: Limits.queryAnswerByteCount)
            answer = Answer(body: Array(collected.readableBytesView))
        } catch {
            throw ClientError.unreachable(address, error)
        }
        guard status == 200 else { throw refusal(status, answer.body) }
        return answer
    }

    /// Asks for an answer of any length and hands it over piece by piece, until `body` says no.
    func stream(
        _ path: String,
        accept: String,
        _ body: ([UInt8]) throws -> Bool
    ) async throws {
        var request = HTTPClientRequest(url: address + path)
        request.headers.add(name: "accept", value: accept)
        let response: HTTPClientResponse
        do {
            // However long it takes: the pauses within it are bounded.
            response = try await http.execute(request, deadline: .distantFuture)
            guard response.status == .ok else {
                let told = try await response.body.collect(upTo: Limits.answerByteCount)
                throw refusal(Int(response.status.code), Array(told.readableBytesView))
            }
        } catch let error as ClientError {
            throw error
        } catch {
            throw ClientError.unreachable(address, error)
        }
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do {
                piece = try await pieces.next()
            } catch {
                throw notReached("the server ended the answer in its middle: \(error)", hint: "")
            }
            guard let piece else { return }
            guard try body(Array(piece.readableBytesView)) else { return }
        }
    }

    /// An answer of the native API in JSON.
    func decoded<Answer: Decodable>(_ bytes: [UInt8]) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(bytes))
        } catch {
            throw notUnderstood("\(error)")
        }
    }

    func notReached(_ message: String, hint: String) -> ClientError {
        ClientError(message, at: address, hint: hint)
    }

    private func refusal(_ status: Int, _ body: [UInt8]) -> ClientError {
        struct Refusal: Decodable {
            struct Problem: Decodable {
                var message: String
                var parameter: String?
                var position: Int?
                var problem: String?
                var hint: String?
            }
            var error: Problem
        }
        // Whatever is no error of the native API is told by its status alone.
        let answer = try? JSONDecoder().decode(Refusal.self, from: Data(body))
        if let error = answer?.error, error.parameter == "q", let problem = error.problem {
            return ClientError(
                problem,
                at: error.position.map { "character \($0 + 1) of the query" } ?? "the query",
                hint: error.hint ?? "",
                position: error.position
            )
        }
        return ClientError(
            answer?.error.message ?? "the server answered HTTP \(status)",
            at: address,
            hint: answer == nil ? "is this the address of the page? The default port is 16686" : ""
        )
    }

    func notUnderstood(_ detail: String) -> ClientError {
        ClientError(
            "the answer is not what the native API gives: \(detail)",
            at: address,
            hint: "is this a Skein server of the same version?"
        )
    }

    /// The part of an address that holds parameters.
    static func query(_ parameters: [(String, String)]) -> String {
        let pairs = parameters.map { "\($0)=\(escaped($1))" }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }

    /// `text` as the value of a query parameter.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }
}
