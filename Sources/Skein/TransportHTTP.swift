// SPDX-License-Identifier: Apache-2.0

#if OTLPHTTP
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// Sends requests of the SDK's own: what exporters post, and what a remote sampler asks.
///
/// Redirects are not followed, because headers may hold secrets; an answer is read up to a limit, and
/// the time limit covers the whole of it. Its own requests are never traced. `shutdown` must be called
/// before it goes away.
struct HTTPSender: Sendable {
    /// What goes out.
    struct Request: Sendable {
        var url: String
        /// `nil` asks with GET.
        var body: [UInt8]?
        var headers: [OTLPEndpoint.Header] = []
        /// Longest wait for the whole answer.
        var timeout: Duration
        /// Bytes of the answer's body that are read.
        var responseByteCount = Limits.responseByteCount
    }

    /// What came back.
    struct Answer: Sendable {
        var status: Int
        var retryAfter: String?
        var body: [UInt8]
    }

    /// Why nothing came back.
    struct Failure: Error {
        var message: String
        /// Whether it makes no sense to try again.
        var isPermanent: Bool
    }

    private let client: HTTPClient

    /// Makes a sender with connections of its own; none is opened before the first request.
    init(connectTimeout: Duration) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = Self.timeAmount(connectTimeout)
        // A traced exporter would export the spans of its own exports for ever.
        configuration.tracing.tracer = nil
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func send(_ request: Request) async throws(Failure) -> Answer {
        if let problem = HTTPAddress.problem(request.url) {
            throw Failure(message: "the address \(problem)", isPermanent: true)
        }
        do {
            return try await withinLimit(request)
        } catch let error as HTTPClientError where Self.isPermanent(error) {
            throw Failure(message: "\(request.url): \(error)", isPermanent: true)
        } catch {
            throw Failure(message: "\(request.url): \(error)", isPermanent: false)
        }
    }

    /// The client's own limit ends with the head of an answer: a body that drips would hold us for
    /// ever.
    private func withinLimit(_ request: Request) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask { try await execute(request) }
            group.addTask {
                try await Transport.clock.sleep(for: request.timeout)
                throw HTTPClientError.deadlineExceeded
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }

    private func execute(_ request: Request) async throws -> Answer {
        var message = HTTPClientRequest(url: request.url)
        message.method = request.body == nil ? .GET : .POST
        message.headers.add(name: "user-agent", value: "skein-swift/\(SDKVersion.text)")
        for header in request.headers {
            message.headers.replaceOrAdd(name: header.name, value: header.value)
        }
        message.body = request.body.map { .bytes($0) }
        let response = try await client.execute(
            message,
            timeout: Self.timeAmount(request.timeout)
        )
        return Answer(
            status: Int(response.status.code),
            retryAfter: response.headers.first(name: "retry-after"),
            body: try await Self.read(response.body, upTo: request.responseByteCount)
        )
    }

    /// Lets go of the connections.
    func shutdown() async {
        // It fails only where it was shut down before.
        try? await client.shutdown()
    }

    /// The body up to the limit; the connection of a longer one is given up.
    private static func read(
        _ body: HTTPClientResponse.Body,
        upTo limit: Int
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in body {
            let room = limit - bytes.count
            bytes.append(contentsOf: part.readableBytesView.prefix(room))
            if part.readableBytes >= room { break }
        }
        return bytes
    }

    private static func isPermanent(_ error: HTTPClientError) -> Bool {
        [.invalidURL, .emptyHost, .emptyScheme, .alreadyShutdown].contains(error)
    }

    private static func timeAmount(_ duration: Duration) -> TimeAmount {
        let (seconds, attoseconds) = duration.components
        return .seconds(min(seconds, 86_400)) + .nanoseconds(attoseconds / 1_000_000_000)
    }
}
#endif
