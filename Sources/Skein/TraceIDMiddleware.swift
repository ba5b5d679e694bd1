// SPDX-License-Identifier: Apache-2.0

#if Hummingbird
public import HTTPTypes
public import Hummingbird
internal import Logging
internal import NIOHTTP1
internal import SkeinModel
internal import SkeinPropagation

/// Answers every request with the id of its trace, so that who complains can name it.
///
/// ```swift
/// router.middlewares.add(TracingMiddleware())       // Hummingbird's own: makes the span
/// router.middlewares.add(TraceIDMiddleware())       // below it: tells its trace
/// ```
/// It tells the trace that is current where it stands, so it belongs right after whatever begins the
/// span. The id is there whether the trace is recorded or not: it is the same in every service on the
/// way, and in each line of their logs. Where there is no trace, there is no header.
///
/// An error that a handler throws is answered with the header too: above this it stands in a cover,
/// which `TracingMiddleware` looks through. Middleware that turns errors of yours into answers belongs
/// below.
public struct TraceIDMiddleware<Context: RequestContext>: RouterMiddleware {
    private let header: HTTPField.Name?

    /// Makes a middleware that answers with a header.
    ///
    /// - Parameter header: Its name; `nil` stands for `X-Trace-Id`.
    public init(header: HTTPField.Name? = nil) {
        self.header = header ?? HTTPField.Name("X-Trace-Id")
    }

    public func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let header, let trace = TracerCore.current?.trace else {
            return try await next(request, context)
        }
        let field = HTTPField(name: header, value: "\(trace.traceID)")
        do {
            var response = try await next(request, context)
            response.headers[header] = field.value
            return response
        } catch let error as HTTPParserError {
            // Hummingbird ends the connection of a request that cannot be read: there is no answer.
            throw error
        } catch {
            throw TracedError(covered: error, field: field)
        }
    }
}

/// An error of a handler, with a header for its answer.
private struct TracedError: HTTPResponseError, ErrorCover, CustomStringConvertible {
    let covered: any Error
    let field: HTTPField

    var status: HTTPResponse.Status {
        (covered as? any HTTPResponseError)?.status ?? .internalServerError
    }

    var description: String { "\(covered)" }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response: Response
        if let error = covered as? any HTTPResponseError {
            response = try error.response(from: request, context: context)
        } else {
            // As Hummingbird does with what it does not know.
            context.logger.debug("Unrecognised Error", metadata: ["error.type": "\(covered)"])
            response = Response(status: .internalServerError)
        }
        response.headers[field.name] = field.value
        return response
    }
}
#endif
