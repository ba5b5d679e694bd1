// SPDX-License-Identifier: Apache-2.0

#if OTLPHTTP
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// Exports OTLP over HTTP: one POST of protobuf for each batch.
///
/// Waiting and repeating are the pipeline's. Redirects are not followed, because headers may hold
/// secrets; an answer is read up to 4 MiB. Its own requests are never traced. `shutdown` must be
/// called before the exporter goes away; a pipeline does that.
public final class OTLPHTTPExporter: SpanExporter {
    private let endpoint: OTLPEndpoint
    private let client: HTTPClient

    /// Makes an exporter with connections of its own; none is opened before the first batch.
    public init(_ endpoint: OTLPEndpoint = OTLPEndpoint()) {
        self.endpoint = endpoint
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = Self.timeAmount(endpoint.timeout)
        // A traced exporter would export the spans of its own exports for ever.
        configuration.tracing.tracer = nil
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    public func encode(_ spans: [SpanRecord]) -> [UInt8] { OTLPRequest.encode(spans) }

    public func encode(_ spans: RecordedSpans) -> [UInt8] { OTLPRequest.encode(spans) }

    public func send(_ payload: [UInt8]) async -> ExportOutcome {
        if let problem = endpoint.problem { return .refused(message: "the address \(problem)") }
        var request = HTTPClientRequest(url: endpoint.tracesURL)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-protobuf")
        request.headers.add(name: "user-agent", value: "skein-swift/\(SDKVersion.text)")
        for header in endpoint.headers {
            request.headers.replaceOrAdd(name: header.name, value: header.value)
        }
        request.body = .bytes(payload)
        do {
            let response = try await client.execute(
                request,
                timeout: Self.timeAmount(endpoint.timeout)
            )
            let answer = OTLPResponse(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "retry-after"),
                body: try await Self.read(response.body)
            )
            return answer.outcome
        } catch let error as HTTPClientError where Self.isPermanent(error) {
            return .refused(message: "\(endpoint.tracesURL): \(error)")
        } catch {
            return .retryable(message: "\(endpoint.tracesURL): \(error)")
        }
    }

    public func shutdown() async {
        // It fails only where it was shut down before.
        try? await client.shutdown()
    }

    /// The body up to the limit; the connection of a longer one is given up.
    private static func read(_ body: HTTPClientResponse.Body) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in body {
            let room = Limits.responseByteCount - bytes.count
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
