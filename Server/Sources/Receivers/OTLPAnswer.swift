// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import NIOCore
internal import NIOHTTP1
internal import SkeinWire
internal import Store

/// Codes of `google.rpc.Status`, the same as gRPC's.
enum StatusCodeNumber: Int {
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case resourceExhausted = 8
    case unimplemented = 12
    case unavailable = 14
}

/// An OTLP/HTTP answer, whole.
struct OTLPAnswer {
    let status: HTTPResponseStatus
    var headers: HTTPHeaders
    let body: ByteBuffer
    /// Whether the connection ends with it.
    var closes = false
}

/// Writes OTLP/HTTP answers in the encoding of their request.
struct OTLPAnswers {
    let format: OTLP.Format

    func payloadFormat(of signal: OTLP.Signal) -> PayloadFormat {
        switch (format, signal) {
        case (.protobuf, .metrics): .callsProtobuf
        case (.json, .metrics): .callsJSON
        case (.protobuf, _): .otlpProtobuf
        case (.json, _): .otlpJSON
        }
    }

    /// The answer to a request that was read whole.
    func answer(to outcome: IngestOutcome, _ signal: OTLP.Signal) -> OTLPAnswer {
        switch outcome {
        case .accepted(_, let rejected, let reason):
            return success(rejected: rejected, message: reason ?? "", signal: signal)
        case .notKept: return notKept(signal)
        case .malformed(let reason):
            return failure(.badRequest, .invalidArgument, reason)
        case .overloaded(let seconds):
            return overloaded(retryAfterSeconds: seconds)
        case .storageFailed(let reason):
            return unavailable("the spans cannot be stored: \(reason)", retryAfterSeconds: 30)
        case .closed:
            return unavailable("the server is stopping", retryAfterSeconds: 1)
        }
    }

    /// Metrics and logs are taken without error, so that no client sends them twice or gives up its
    /// spans with them. `rejected` stays 0, the protocol's way to write a warning: counting points
    /// exactly would mean decoding what is not kept, and clients treat both the same.
    func notKept(_ signal: OTLP.Signal) -> OTLPAnswer {
        success(rejected: 0, message: signal.notKeptMessage, signal: signal)
    }

    func overloaded(retryAfterSeconds: Int) -> OTLPAnswer {
        var answer = failure(
            .tooManyRequests,
            .unavailable,
            "the server is busy; send this again in \(retryAfterSeconds) s"
        )
        answer.closes = true
        answer.headers.add(name: "retry-after", value: String(retryAfterSeconds))
        return answer
    }

    private func unavailable(_ message: String, retryAfterSeconds: Int) -> OTLPAnswer {
        var answer = failure(.serviceUnavailable, .unavailable, message)
        answer.closes = true
        answer.headers.add(name: "retry-after", value: String(retryAfterSeconds))
        return answer
    }

    func failure(
        _ status: HTTPResponseStatus,
        _ code: StatusCodeNumber,
        _ message: String
    ) -> OTLPAnswer {
        answer(status, OTLP.status(code: code.rawValue, message: message, format: format))
    }

    private func success(
        rejected: Int,
        message: String,
        signal: OTLP.Signal = .traces
    ) -> OTLPAnswer {
        answer(
            .ok,
            OTLP.exportResponse(
                rejected: rejected,
                message: message,
                format: format,
                signal: signal
            )
        )
    }

    private func answer(_ status: HTTPResponseStatus, _ body: [UInt8]) -> OTLPAnswer {
        let type = format == .json ? "application/json" : "application/x-protobuf"
        return OTLPAnswer(
            status: status,
            headers: ["content-type": type, "content-length": String(body.count)],
            body: ByteBuffer(bytes: body)
        )
    }
}
