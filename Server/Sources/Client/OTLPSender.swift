// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Posts OTLP requests to a receiver, again where the protocol says that it may help.
public struct OTLPSender: Sendable {
    /// What a receiver did with one request.
    public struct Receipt: Sendable, Hashable {
        /// Spans it did not take.
        public var rejected: Int
        /// Why, or a warning; may be empty.
        public var message: String
        /// Times the request was sent.
        public var attempts: Int
    }

    private let endpoint: Endpoint
    private let gzip: Bool
    private let http: HTTPClient

    /// Makes a sender; no connection is opened before the first request.
    ///
    /// - Parameters:
    ///   - endpoint: The receiver.
    ///   - gzip: Whether bodies are compressed.
    public init(endpoint: Endpoint, gzip: Bool) {
        self.endpoint = endpoint
        self.gzip = gzip
        http = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: .untraced(timeoutSeconds: Limits.requestTimeoutSeconds)
        )
    }

    /// Sends one request until it is answered for good.
    ///
    /// - Throws: `ClientError` when the receiver refuses it or cannot be reached, and
    ///   `CancellationError`.
    public func send(_ payload: [UInt8], policy: SendPolicy) async throws -> Receipt {
        var request = HTTPClientRequest(url: endpoint.url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-protobuf")
        request.headers.add(name: "user-agent", value: "skein-load")
        if gzip, let packed = Gzip.compress(payload) {
            request.headers.add(name: "content-encoding", value: "gzip")
            request.body = .bytes(ByteBuffer(bytes: packed))
        } else {
            request.body = .bytes(ByteBuffer(bytes: payload))
        }
        var attempt = 1
        while true {
            let outcome = try await post(request)
            switch outcome {
            case .accepted(let answer):
                return Receipt(
                    rejected: answer.rejected,
                    message: answer.message,
                    attempts: attempt
                )
            case .refused(let error):
                throw error
            case .postponed(let error, let retryAfter):
                let wait = policy.wait(afterAttempt: attempt, retryAfter: retryAfter)
                guard let wait else { throw error.after(attempts: attempt) }
                try await Task.sleep(for: wait)
                attempt += 1
            }
        }
    }

    /// Closes the connections; nothing may be sent afterwards.
    public func close() async {
        // It fails only where it was closed before.
        try? await http.shutdown()
    }

    private enum Outcome {
        case accepted(ExportAnswer)
        case refused(ClientError)
        case postponed(ClientError, retryAfter: String?)
    }

    private func post(_ request: HTTPClientRequest) async throws -> Outcome {
        do {
            let response = try await http.execute(
                request,
                timeout: .seconds(Limits.requestTimeoutSeconds)
            )
            let body = try await response.body.collect(upTo: Limits.answerByteCount)
            let answer = ExportAnswer(Array(body.readableBytesView))
            let status = Int(response.status.code)
            if (200..<300).contains(status) { return .accepted(answer) }
            let error = ClientError(
                "the receiver answered HTTP \(status)"
                    + (answer.statusMessage.isEmpty ? "" : ": \(answer.statusMessage)"),
                at: endpoint.url,
                hint: status == 404 ? "is this an OTLP/HTTP port? The default is 4318" : ""
            )
            guard SendPolicy.isRetryable(status: status) else { return .refused(error) }
            return .postponed(error, retryAfter: response.headers.first(name: "retry-after"))
        } catch let error as CancellationError {
            throw error
        } catch {
            return .postponed(.unreachable(endpoint.url, error), retryAfter: nil)
        }
    }
}

extension ClientError {
    /// No answer came from `address`.
    static func unreachable(_ address: String, _ error: any Error) -> ClientError {
        ClientError(
            "no answer: \(error)",
            at: address,
            hint: "is the server running? `skein serve` starts one"
        )
    }

    fileprivate func after(attempts: Int) -> ClientError {
        ClientError("\(message), after \(attempts) attempts", at: place, hint: hint)
    }
}

extension HTTPClient.Configuration {
    /// A configuration whose requests are not traced.
    static func untraced(timeoutSeconds: Int64) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(5), read: .seconds(timeoutSeconds))
        )
        configuration.httpVersion = .http1Only
        // A refused connection is told at once: when to try again is our policy's business.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tracing.tracer = nil
        return configuration
    }
}
