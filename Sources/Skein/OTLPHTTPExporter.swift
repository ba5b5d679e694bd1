// SPDX-License-Identifier: Apache-2.0

#if OTLPHTTP
/// Exports OTLP over HTTP: one POST of protobuf for each batch, packed by gzip where the endpoint says
/// so.
///
/// Waiting and repeating are the pipeline's. Redirects are not followed, because headers may hold
/// secrets; an answer is read up to 64 KiB. Its own requests are never traced. `shutdown` must be
/// called before the exporter goes away; a pipeline does that.
///
/// Call statistics go to `/v1/metrics` beside it, in the same way.
public final class OTLPHTTPExporter: CallStatisticsExporter {
    private let endpoint: OTLPEndpoint
    private let sender: HTTPSender

    /// Makes an exporter with connections of its own; none is opened before the first batch.
    public init(_ endpoint: OTLPEndpoint = OTLPEndpoint()) {
        self.endpoint = endpoint
        sender = HTTPSender(connectTimeout: endpoint.timeout)
    }

    public func encode(_ spans: [SpanRecord]) -> [UInt8] { OTLPRequest.encode(spans) }

    public func encode(_ spans: RecordedSpans) -> [UInt8] { OTLPRequest.encode(spans) }

    public func encode(_ window: CallWindow) -> [UInt8] { OTLPRequest.encode(window) }

    public func send(_ payload: [UInt8]) async -> ExportOutcome {
        await post(payload, to: endpoint.tracesURL)
    }

    public func send(statistics payload: [UInt8]) async -> ExportOutcome {
        await post(payload, to: endpoint.metricsURL)
    }

    private func post(_ payload: [UInt8], to url: String) async -> ExportOutcome {
        var headers = [OTLPEndpoint.Header(name: "content-type", value: "application/x-protobuf")]
        headers += endpoint.headers
        var body = payload
        // Without memory for it the batch goes as it is: every receiver takes that.
        if endpoint.compression == .gzip, let packed = Gzip.compress(payload) {
            body = packed
            headers.append(.init(name: "content-encoding", value: "gzip"))
        }
        return await sender.export(body, to: url, headers, endpoint.timeout)
    }

    public func shutdown() async { await sender.shutdown() }
}

extension HTTPSender {
    /// Posts one batch and judges the answer as OTLP does.
    func export(
        _ body: [UInt8],
        to url: String,
        _ headers: [OTLPEndpoint.Header],
        _ timeout: Duration
    ) async -> ExportOutcome {
        do throws(Failure) {
            let answer = try await send(
                Request(url: url, body: body, headers: headers, timeout: timeout)
            )
            return OTLPResponse(
                status: answer.status,
                retryAfter: answer.retryAfter,
                body: answer.body
            ).outcome
        } catch {
            return error.isPermanent
                ? .refused(message: error.message) : .retryable(message: error.message)
        }
    }
}
#endif
