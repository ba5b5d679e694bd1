// SPDX-License-Identifier: Apache-2.0

internal import HTTPTypes
public import Hummingbird
public import Ingest
internal import NIOCore
internal import Store

/// Zipkin's port: takes `POST /api/v2/spans` and hands every other request on to the read side.
///
/// Senders of Zipkin never send a refused batch again. So a request waits some seconds for room
/// before it is refused with 503, and 202 always means durable.
public struct ZipkinReceiver<Next: HTTPResponder>: HTTPResponder {
    /// That of the read side.
    public typealias Context = Next.Context

    private let ingest: Ingest
    private let limits: ReceiverLimits
    private let next: Next

    /// Makes a receiver over `ingest`, in front of `next`.
    public init(ingest: Ingest, limits: ReceiverLimits = ReceiverLimits(), next: Next) {
        self.ingest = ingest
        self.limits = limits
        self.next = next
    }

    @Sendable
    public func respond(to request: Request, context: Context) async throws -> Response {
        guard request.uri.path.hasPrefix("/api/") else {
            return try await next.respond(to: request, context: context)
        }
        var response: Response
        switch (request.method, request.uri.path) {
        case (.options, _):
            response = Response(status: .noContent)
            response.headers[.accessControlAllowMethods] = "GET, POST, OPTIONS"
            response.headers[.accessControlAllowHeaders] =
                request.headers[.accessControlRequestHeaders] ?? "content-type, content-encoding"
            response.headers[.accessControlMaxAge] = "600"
        case (.post, "/api/v2/spans"):
            response = try await receive(request)
        case (.post, "/api/v1/spans"):
            response = refuse(
                .notFound,
                "Zipkin v1 is not understood; send v2 to POST /api/v2/spans"
            )
        case (_, "/api/v2/spans") where request.method != .get && request.method != .head:
            response = refuse(.methodNotAllowed, "use POST to send spans, not \(request.method)")
            response.headers[.allow] = "GET, HEAD, POST, OPTIONS"
        default:
            response = try await next.respond(to: request, context: context)
        }
        // Browsers send spans and read traces from any page, as they may with Zipkin.
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }

    private func receive(_ request: Request) async throws -> Response {
        guard let format = format(contentType: request.headers[.contentType]) else {
            return refuse(
                .badRequest,
                "the content type must be application/json or application/x-protobuf"
            )
        }
        guard let encoding = ContentEncoding(header: request.headers[.contentEncoding]) else {
            return refuse(
                .unsupportedMediaType,
                "the content encoding must be one of \(ContentEncoding.accepted)"
            )
        }
        let limit = ingest.limits.requestByteCount
        let declared = request.declaredByteCount
        if let declared, declared > limit {
            return refuse(
                .contentTooLarge,
                "the body has \(declared) bytes, the limit is \(limit)"
            )
        }
        let patience = Patience.milliseconds(limits.zipkinPatienceMilliseconds)
        let wanted = declared ?? limits.chunkedBodyByteCount
        guard var reservation = await ingest.reserve(wanted, patience: patience) else {
            return refuse(.serviceUnavailable, "the server is busy")
        }
        let payload: [UInt8]
        do {
            payload = try await request.readBody(encoding, limit: limit, reservation: &reservation)
        } catch let refusal as BodyRefusal {
            switch refusal {
            case .tooLarge(let reason): return refuse(.contentTooLarge, reason)
            case .damaged(let reason): return refuse(.badRequest, reason)
            case .noRoom: return refuse(.serviceUnavailable, "the server is busy")
            }
        } catch {
            ingest.counters.count(.zipkin, .aborted)
            throw error
        }
        // Zipkin's server takes a body of nothing as no spans.
        if payload.isEmpty {
            ingest.counters.count(.zipkin, .accepted)
            return Response(status: .accepted)
        }
        let outcome = await ingest.accept(payload, format: format, by: .zipkin, patience: patience)
        _ = consume reservation
        return response(to: outcome)
    }

    private func response(to outcome: IngestOutcome) -> Response {
        switch outcome {
        case .accepted, .notKept:
            Response(status: .accepted, headers: [.contentLength: "0"])
        case .malformed(let reason):
            text(.badRequest, reason)
        case .overloaded:
            text(.serviceUnavailable, "the server is busy")
        case .storageFailed(let reason):
            text(.serviceUnavailable, "the spans cannot be stored: \(reason)")
        case .closed:
            text(.serviceUnavailable, "the server is stopping")
        }
    }

    /// Counts and answers a refusal given before the body was handed on.
    private func refuse(_ status: HTTPResponse.Status, _ message: String) -> Response {
        switch status {
        case .contentTooLarge: ingest.counters.count(.zipkin, .tooLarge)
        case .badRequest: ingest.counters.count(.zipkin, .malformed)
        case .serviceUnavailable: ingest.counters.count(.zipkin, .overloaded)
        default: ingest.counters.count(.zipkin, .unsupported)
        }
        return text(status, message)
    }

    private func text(_ status: HTTPResponse.Status, _ message: String) -> Response {
        var response = Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: message + "\n"))
        )
        response.headers[.contentLength] = String(message.utf8.count + 1)
        if status != .badRequest { response.headers[.connection] = "close" }
        if status == .serviceUnavailable {
            response.headers[.retryAfter] = String(ingest.retryAfterSeconds())
        }
        return response
    }

    /// Zipkin takes JSON for granted: older senders name no type, or a wrong one.
    private func format(contentType: String?) -> PayloadFormat? {
        guard let contentType else { return .zipkinJSON }
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        switch type {
        case "", "application/json", "text/plain": return .zipkinJSON
        case "application/x-protobuf", "application/protobuf": return .zipkinProtobuf
        default: return nil
        }
    }
}

extension HTTPField.Name {
    fileprivate static let accessControlMaxAge = field("access-control-max-age")
    fileprivate static let accessControlRequestHeaders = field("access-control-request-headers")

    private static func field(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else {
            preconditionFailure("\(name) is a valid field name")
        }
        return field
    }
}
