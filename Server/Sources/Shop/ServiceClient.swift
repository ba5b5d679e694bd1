// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Tracing

/// Calls other services of the shop. AsyncHTTPClient opens the client spans by itself.
struct ServiceClient: Sendable {
    /// An answer of another service.
    struct Reply: Sendable {
        let status: Int
        let body: ByteBuffer

        var isSuccess: Bool { (200..<300).contains(status) }

        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        }
    }

    private let directory: ServiceDirectory
    private let http: HTTPClient

    init(directory: ServiceDirectory, tracer: (any Tracer)?) {
        self.directory = directory
        var configuration = HTTPClient.Configuration(
            timeout: .init(
                connect: .seconds(Limits.callTimeoutSeconds),
                read: .seconds(Limits.callTimeoutSeconds)
            )
        )
        configuration.tracing.tracer = tracer
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends `body` as JSON and collects the answer.
    func call(
        _ method: String,
        _ service: ShopService,
        _ path: String,
        body: (some Encodable & Sendable)? = Int?.none,
        headers: [(String, String)] = []
    ) async throws -> Reply {
        let port = await directory.port(of: service)
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        }
        let deadline = TimeAmount.seconds(Limits.callTimeoutSeconds)
        let response = try await http.execute(request, timeout: deadline)
        return Reply(
            status: Int(response.status.code),
            body: try await response.body.collect(upTo: Limits.bodyByteCount)
        )
    }

    /// Closes the connections; no call may follow.
    func close() async {
        // Nothing is under way any more, and the process is about to forget the client: an error
        // here has no one to tell.
        try? await http.shutdown()
    }
}

/// A service answered with a status that its caller has no use for.
struct UnexpectedStatus: Error, CustomStringConvertible {
    let service: ShopService
    let status: Int

    var description: String { "\(service.name) answered \(status)" }
}
