// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import HTTPTypes
import Logging
import NIOCore
import ServiceLifecycle
import Tracing

/// What each instance of a service of the shop stands on: its tracer, its client, its HTTP server.
struct Station: Sendable {
    let instance: ShopInstance
    let tracer: any Tracer
    let client: ServiceClient
    let directory: ServiceDirectory
    let work: SimulatedWork
    let logger: Logger

    init(
        instance: ShopInstance,
        tracer: any Tracer,
        directory: ServiceDirectory,
        work: SimulatedWork,
        logger: Logger
    ) {
        self.instance = instance
        self.tracer = tracer
        self.directory = directory
        self.work = work
        self.logger = logger
        client = ServiceClient(directory: directory, tracer: tracer)
    }

    /// Serves `router` on a free port of loopback and tells the directory, until shut down.
    func serve(_ configure: (Router<BasicRequestContext>) -> Void) async throws {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: ServerSpans(tracer: tracer))
        configure(router)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: 0),
                serverName: instance.service.name
            ),
            onServerRunning: { [instance, directory] channel in
                guard let port = channel.localAddress?.port else { return }
                await directory.announce(instance.service, port: port)
            },
            logger: logger
        )
        try await application.run()
    }

    /// Runs `body` in a span of this service.
    func span<Result: Sendable>(
        _ name: String,
        ofKind kind: Tracing.SpanKind = .internal,
        _ body: (any Tracing.Span) async throws -> Result
    ) async throws -> Result {
        try await tracer.withSpan(name, ofKind: kind) { span in try await body(span) }
    }
}

/// Where the services of the shop listen. Each waits here for those it calls; where one has several
/// instances, they take turns.
actor ServiceDirectory {
    private var ports: [ShopService: [Int]] = [:]
    private var turns: [ShopService: Int] = [:]
    private var waiting: [ShopService: [CheckedContinuation<Int, Never>]] = [:]

    func announce(_ service: ShopService, port: Int) {
        ports[service, default: []].append(port)
        for continuation in waiting.removeValue(forKey: service) ?? [] {
            continuation.resume(returning: port)
        }
    }

    func port(of service: ShopService) async -> Int {
        if let known = ports[service] {
            let turn = turns[service, default: 0]
            turns[service] = (turn + 1) % known.count
            return known[turn % known.count]
        }
        return await withCheckedContinuation { waiting[service, default: []].append($0) }
    }
}

/// Opens a span for each request that comes in, continuing the caller's trace.
///
/// The services of the shop share a process but not a tracer, so this middleware takes its tracer
/// as an argument where Hummingbird's own asks for the one of the process.
struct ServerSpans: RouterMiddleware {
    let tracer: any Tracer

    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        var parent = ServiceContext.topLevel
        tracer.extract(request.headers, into: &parent, using: HeaderExtractor())
        let method = request.method.rawValue
        return try await tracer.withSpan(method, context: parent, ofKind: .server) { span in
            let answer: Response
            do {
                answer = try await next(request, context)
            } catch let error as any HTTPResponseError {
                describe(span, request, context, status: error.status.code)
                throw error
            }
            describe(span, request, context, status: answer.status.code)
            return answer
        }
    }

    private func describe(
        _ span: any Tracing.Span,
        _ request: Request,
        _ context: BasicRequestContext,
        status: Int
    ) {
        let route = context.endpointPath
        if let route { span.operationName = "\(request.method.rawValue) \(route)" }
        span.updateAttributes {
            $0["http.request.method"] = request.method.rawValue
            $0["http.route"] = route
            $0["http.response.status_code"] = status
            $0["url.path"] = request.uri.path
            $0["url.scheme"] = "http"
            $0["server.address"] = "127.0.0.1"
            $0["network.protocol.version"] = "1.1"
        }
        // A refusal is the caller's doing; only a failure of ours is an error of this span.
        if status >= 500 { span.setStatus(SpanStatus(code: .error)) }
    }
}

private struct HeaderExtractor: Extractor {
    func extract(key: String, from headers: HTTPFields) -> String? {
        HTTPField.Name(key).flatMap { headers[$0] }
    }
}
