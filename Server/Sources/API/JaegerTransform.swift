// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import Query
import SkeinModel
import SkeinWire

/// What Jaeger's page posts: traces out of a file, to be shown without being stored, and traces to be
/// kept for ever, which there is no place for.
extension ReadAPI {
    func addJaegerPosts<Context>(to router: some RouterMethods<Context>, under prefix: String) {
        addPost(prefix + "/api/transform", to: router) { request, _ in
            try await transform(request)
        }
        addPost(prefix + "/api/archive/:id", to: router) { request, context in
            let text = context.coreContext.parameters["id"] ?? ""
            _ = try JaegerSearch.traceID(try PercentText.decoded(text[...], isForm: false))
            let query = try QueryParameters(request.uri.query ?? "")
            for name in ["start", "end"] {
                _ = try query.integer(name, unit: "microseconds since 1970")
            }
            throw Failure.noArchive
        }
    }

    private func addPost<Context>(
        _ path: String,
        to router: some RouterMethods<Context>,
        _ answer: @escaping @Sendable (Request, Context) async throws -> Response
    ) {
        let style = ErrorStyle.jaeger
        router.on(RouterPath(path), method: .post) { request, context in
            do { return try await answer(request, context) } catch {
                return style.response(to: error)
            }
        }
        for method in [HTTPRequest.Method.get, .head, .put, .delete, .patch] {
            router.on(RouterPath(path), method: method) { _, _ in
                var response = style.response(
                    .methodNotAllowed,
                    "\(method.rawValue) is not offered here; use POST"
                )
                response.headers[.allow] = "POST"
                return response
            }
        }
    }

    /// OTLP/JSON as Jaeger's own JSON, every span as it is there.
    private func transform(_ request: Request) async throws -> Response {
        let slot = try streams.take(.transform)
        defer { withExtendedLifetime(slot) {} }
        let body = try await Self.body(of: request)
        let decoded = try OTLP.decodeJSON(body, receivedAt: engine.now())
        var errors: [JaegerAnswer.TraceError] = []
        if decoded.rejected > 0 {
            errors.append(.init(code: 400, message: decoded.rejectionReason, traceID: nil))
        }
        return JaegerAnswer.response(Trace.unstored(decoded.columns), errors: errors)
    }

    private static func body(of request: Request) async throws -> [UInt8] {
        let limit = RequestLimits.transformByteCount
        let tooLarge = Failure(
            status: .contentTooLarge,
            message: "the file has more than \(limit) bytes; split it by traces"
        )
        if let declared = request.headers[.contentLength].flatMap({ Int($0) }), declared > limit {
            throw tooLarge
        }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard part.readableBytes <= limit - bytes.count else { throw tooLarge }
            bytes += part.readableBytesView
        }
        return bytes
    }
}
