// SPDX-License-Identifier: Apache-2.0

internal import HTTPTypes
public import Hummingbird
public import Ingest
internal import NIOCore
internal import SkeinWire

/// OTLP over HTTP: `POST /v1/traces`, protobuf or JSON. Metrics and logs are answered, not kept.
public struct OTLPHTTPReceiver: HTTPResponder {
    /// The least a context can be: nothing of it is used.
    public typealias Context = BasicRequestContext

    private let ingest: Ingest
    private let limits: ReceiverLimits

    /// Makes a receiver over `ingest`.
    public init(ingest: Ingest, limits: ReceiverLimits = ReceiverLimits()) {
        self.ingest = ingest
        self.limits = limits
    }

    @Sendable
    public func respond(to request: Request, context: Context) async throws -> Response {
        let format = OTLP.Format(contentType: request.headers[.contentType])
        let answer = OTLPAnswer(format: format ?? .json)
        guard let signal = OTLP.Signal(path: request.uri.path) else {
            return refuse(
                answer,
                .notFound,
                .notFound,
                "there is nothing at this path; send spans to POST /v1/traces"
            )
        }
        guard request.method == .post else {
            var response = refuse(
                answer,
                .methodNotAllowed,
                .unimplemented,
                "use POST, not \(request.method)"
            )
            response.headers[.allow] = "POST"
            return response
        }
        guard format != nil else {
            return refuse(
                answer,
                .unsupportedMediaType,
                .invalidArgument,
                "the content type must be application/x-protobuf or application/json"
            )
        }
        guard let encoding = ContentEncoding(header: request.headers[.contentEncoding]) else {
            var response = refuse(
                answer,
                .unsupportedMediaType,
                .invalidArgument,
                "the content encoding must be one of \(ContentEncoding.accepted)"
            )
            response.headers[.acceptEncoding] = ContentEncoding.accepted
            return response
        }
        return try await receive(request, signal, encoding, answer)
    }

    /// Reads a request that is in order so far, and answers what became of it.
    private func receive(
        _ request: Request,
        _ signal: OTLP.Signal,
        _ encoding: ContentEncoding,
        _ answer: OTLPAnswer
    ) async throws -> Response {
        let limit = ingest.limits.requestByteCount
        let declared = request.declaredByteCount
        if let declared, declared > limit {
            return refuse(
                answer,
                .contentTooLarge,
                .resourceExhausted,
                "the body has \(declared) bytes, the limit is \(limit)"
            )
        }
        let wanted = declared ?? limits.chunkedBodyByteCount
        guard var reservation = await ingest.reserve(wanted) else { return pushBack(answer) }
        let payload: [UInt8]
        do {
            // What is not kept need not be unpacked.
            payload = try await request.readBody(
                signal == .traces ? encoding : .identity,
                limit: limit,
                reservation: &reservation
            )
        } catch let refusal as BodyRefusal {
            switch refusal {
            case .tooLarge(let reason):
                return refuse(answer, .contentTooLarge, .resourceExhausted, reason)
            case .damaged(let reason):
                return refuse(answer, .badRequest, .invalidArgument, reason)
            case .noRoom:
                return pushBack(answer)
            }
        } catch {
            ingest.counters.count(.otlpHTTP, .aborted)
            throw error
        }
        guard signal == .traces else {
            ingest.counters.count(.otlpHTTP, .notKept)
            return answer.notKept(signal)
        }
        let outcome = await ingest.accept(payload, format: answer.payloadFormat, by: .otlpHTTP)
        _ = consume reservation
        return answer.response(to: outcome)
    }

    private func pushBack(_ answer: OTLPAnswer) -> Response {
        ingest.counters.count(.otlpHTTP, .overloaded)
        return answer.overloaded(retryAfterSeconds: ingest.retryAfterSeconds())
    }

    /// Counts and answers a refusal given before the body was handed on. The body may be unread, so
    /// that the connection ends with the answer.
    private func refuse(
        _ answer: OTLPAnswer,
        _ status: HTTPResponse.Status,
        _ code: StatusCodeNumber,
        _ message: String
    ) -> Response {
        switch status {
        case .contentTooLarge: ingest.counters.count(.otlpHTTP, .tooLarge)
        case .badRequest: ingest.counters.count(.otlpHTTP, .malformed)
        default: ingest.counters.count(.otlpHTTP, .unsupported)
        }
        return answer.failure(
            status,
            code,
            message,
            closes: status != .badRequest && status != .notFound
        )
    }
}

extension OTLP.Format {
    /// The format a `Content-Type` value names, parameters aside.
    init?(contentType: String?) {
        guard let contentType else { return nil }
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        switch type {
        case "application/x-protobuf", "application/protobuf": self = .protobuf
        case "application/json": self = .json
        default: return nil
        }
    }
}
