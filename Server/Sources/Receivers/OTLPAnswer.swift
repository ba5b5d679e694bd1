// SPDX-License-Identifier: Apache-2.0

internal import HTTPTypes
internal import Hummingbird
internal import Ingest
internal import NIOCore
internal import SkeinWire
internal import Store

/// Codes of `google.rpc.Status`, the same as gRPC's.
enum StatusCodeNumber: Int {
    case invalidArgument = 3
    case notFound = 5
    case resourceExhausted = 8
    case unimplemented = 12
    case unavailable = 14
}

/// Writes OTLP/HTTP answers in the encoding of their request.
struct OTLPAnswer {
    let format: OTLP.Format

    var payloadFormat: PayloadFormat {
        switch format {
        case .protobuf: .otlpProtobuf
        case .json: .otlpJSON
        }
    }

    /// The answer to a request that was read whole.
    func response(to outcome: IngestOutcome) -> Response {
        switch outcome {
        case .accepted(_, let rejected, let reason):
            return success(rejected: rejected, message: reason ?? "")
        case .malformed(let reason):
            return failure(.badRequest, .invalidArgument, reason)
        case .overloaded(let seconds):
            return overloaded(retryAfterSeconds: seconds)
        case .storageFailed(let reason):
            var response = failure(
                .serviceUnavailable,
                .unavailable,
                "the spans cannot be stored: \(reason)",
                closes: true
            )
            response.headers[.retryAfter] = "30"
            return response
        case .closed:
            var response = failure(
                .serviceUnavailable,
                .unavailable,
                "the server is stopping",
                closes: true
            )
            response.headers[.retryAfter] = "1"
            return response
        }
    }

    /// Metrics and logs are taken without error, so that no client sends them twice or gives up its
    /// spans with them. `rejected` stays 0, the protocol's way to write a warning: counting points
    /// exactly would mean decoding what is not kept, and clients treat both the same.
    func notKept(_ signal: OTLP.Signal) -> Response {
        success(rejected: 0, message: signal.notKeptMessage, signal: signal)
    }

    func overloaded(retryAfterSeconds: Int) -> Response {
        var response = failure(
            .tooManyRequests,
            .unavailable,
            "the server is busy; send this again in \(retryAfterSeconds) s",
            closes: true
        )
        response.headers[.retryAfter] = String(retryAfterSeconds)
        return response
    }

    func failure(
        _ status: HTTPResponse.Status,
        _ code: StatusCodeNumber,
        _ message: String,
        closes: Bool = false
    ) -> Response {
        var response = response(
            status,
            OTLP.status(code: code.rawValue, message: message, format: format)
        )
        if closes { response.headers[.connection] = "close" }
        return response
    }

    private func success(
        rejected: Int,
        message: String,
        signal: OTLP.Signal = .traces
    ) -> Response {
        response(
            .ok,
            OTLP.exportResponse(
                rejected: rejected,
                message: message,
                format: format,
                signal: signal
            )
        )
    }

    private func response(_ status: HTTPResponse.Status, _ body: [UInt8]) -> Response {
        let type = format == .json ? "application/json" : "application/x-protobuf"
        return Response(
            status: status,
            headers: [.contentType: type, .contentLength: String(body.count)],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }
}
