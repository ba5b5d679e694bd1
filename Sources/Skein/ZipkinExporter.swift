// SPDX-License-Identifier: Apache-2.0

#if Zipkin
/// A receiver of Zipkin v2 spans.
public struct ZipkinEndpoint: Sendable, Hashable {
    /// The full address that spans are posted to.
    public var spansURL: String
    /// Headers sent with each request, such as a token.
    public var headers: [OTLPEndpoint.Header] = []
    /// Longest wait for the answer to one request.
    public var timeout = Duration.seconds(10)

    /// Makes an endpoint of the full address that spans are posted to.
    public init(spansURL: String = "http://127.0.0.1:9411/api/v2/spans") {
        self.spansURL = spansURL
    }
}

/// Exports Zipkin v2 spans: one POST of JSON for each batch. For receivers that do not speak OTLP;
/// what Zipkin has no room for (links, the types of attributes, nanoseconds) is lost on the way.
///
/// Otherwise it behaves as `OTLPHTTPExporter`, its requests and limits are the same.
public final class ZipkinExporter: SpanExporter {
    private let endpoint: ZipkinEndpoint
    private let sender: HTTPSender

    /// Makes an exporter with connections of its own; none is opened before the first batch.
    public init(_ endpoint: ZipkinEndpoint = ZipkinEndpoint()) {
        self.endpoint = endpoint
        sender = HTTPSender(connectTimeout: endpoint.timeout)
    }

    public func encode(_ spans: [SpanRecord]) -> [UInt8] { ZipkinRequest.encode(spans) }

    public func encode(_ spans: RecordedSpans) -> [UInt8] { ZipkinRequest.encode(spans) }

    public func send(_ payload: [UInt8]) async -> ExportOutcome {
        let headers = [OTLPEndpoint.Header(name: "content-type", value: "application/json")]
        // Zipkin's answers have no body to speak of; their statuses mean what OTLP's do.
        return await sender.export(
            payload,
            to: endpoint.spansURL,
            headers + endpoint.headers,
            endpoint.timeout
        )
    }

    public func shutdown() async { await sender.shutdown() }
}
#endif
