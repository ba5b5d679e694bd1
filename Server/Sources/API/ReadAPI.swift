// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
public import Hummingbird
public import Query

/// The read endpoints, ready to be added to routers.
public struct ReadAPI: Sendable {
    let engine: QueryEngine
    let facts: @Sendable () -> ServerFacts
    let autocompleteKeys: [String]
    let streams = StreamSlots()
    /// What was asked, and what it cost.
    public let questions: QuestionLog

    /// What the server knows of itself beside the store's statistics.
    public struct ServerFacts: Sendable {
        public var version: String
        /// Spans in accepted requests since start.
        public var spansReceived: UInt64
        public var uptimeSeconds: UInt64
        /// `fsync` or `os`.
        public var durability: String
        /// Ports by listener: `http`, `otlp-http`, `otlp-grpc`, `zipkin`, and those that were asked for.
        public var ports: [String: Int]
        /// Every setting as it is in force.
        public var settings: [Setting]

        /// States the facts.
        public init(
            version: String,
            spansReceived: UInt64,
            uptimeSeconds: UInt64,
            durability: String,
            ports: [String: Int],
            settings: [Setting] = []
        ) {
            self.version = version
            self.spansReceived = spansReceived
            self.uptimeSeconds = uptimeSeconds
            self.durability = durability
            self.ports = ports
            self.settings = settings
        }
    }

    /// One setting of the server.
    public struct Setting: Sendable {
        /// As its option has it, without the dashes.
        public var name: String
        /// As a person would write it.
        public var value: String
        /// Where it was made, such as `SKEIN_RETENTION`; `nil` where it is the default.
        public var origin: String?

        /// States a setting.
        public init(name: String, value: String, origin: String?) {
            self.name = name
            self.value = value
            self.origin = origin
        }
    }

    /// Answers from `engine`.
    ///
    /// - Parameters:
    ///   - engine: Who is asked.
    ///   - autocompleteKeys: Tag keys that Zipkin's page offers in its search bar.
    ///   - elapsed: Nanoseconds since any moment, never going back.
    ///   - facts: Called for each status request; must be cheap.
    public init(
        engine: QueryEngine,
        autocompleteKeys: [String] = [],
        elapsed: @escaping @Sendable () -> UInt64,
        facts: @escaping @Sendable () -> ServerFacts
    ) {
        self.engine = engine
        self.autocompleteKeys = autocompleteKeys
        self.facts = facts
        questions = QuestionLog(now: engine.now, elapsed: elapsed)
    }

    /// Adds `/api/skein/v1/…`.
    public func addNativeRoutes<Context>(to router: some RouterMethods<Context>) {
        add(nativeRoutes, style: .native, to: router)
        addDeletion(to: router)
        addMCP(to: router)
        router.get("/api/skein/v1/**") { _, _ in
            ErrorStyle.native.response(
                .notFound,
                "there is nothing at this path; /api/skein/v1/openapi.json tells what there is"
            )
        }
    }

    /// Adds Jaeger's `/api/…` and `/api/v3/…`, also under `/jaeger`.
    public func addJaegerRoutes<Context>(to router: some RouterMethods<Context>) {
        let routes = jaegerRoutes + jaegerMetricRoutes
        add(routes, style: .jaeger, to: router)
        add(routes.map { $0.under("/jaeger") }, style: .jaeger, to: router)
        add(jaegerV3Routes, style: .jaegerV3, to: router)
        add(jaegerV3Routes.map { $0.under("/jaeger") }, style: .jaegerV3, to: router)
        addJaegerPosts(to: router, under: "")
        addJaegerPosts(to: router, under: "/jaeger")
    }

    /// Adds Zipkin's `/api/v2/…`, and what its page asks for beside it, also under `/zipkin`.
    /// `POST /api/v2/spans` is left to the receiver.
    public func addZipkinRoutes<Context>(to router: some RouterMethods<Context>) {
        add(zipkinRoutes, style: .zipkin, to: router)
        add(zipkinRoutes.map { $0.under("/zipkin") }, style: .zipkin, to: router)
    }

    /// Paths of the native interface in OpenAPI's form, for the test that compares them with the
    /// document.
    public var nativePaths: [String] { nativeRoutes.map(\.path) + [Self.mcpPath] }

    func add<Context>(
        _ routes: [Route],
        style: ErrorStyle,
        to router: some RouterMethods<Context>
    ) {
        for route in routes {
            let path = RouterPath(
                route.path.replacing("{", with: ":").replacing("}", with: "")
            )
            let respond: @Sendable (Request, Context) async -> Response = { request, context in
                await answer(request, context.coreContext.parameters, route, style)
            }
            router.on(path, method: .get, use: respond)
            router.on(path, method: .head) { request, context in
                await respond(request, context).createHeadResponse()
            }
            let offered = ["GET", "HEAD"] + route.otherMethods.map(\.rawValue)
            for method in route.refusedMethods where !route.otherMethods.contains(method) {
                router.on(path, method: method) { _, _ in
                    var response = style.response(
                        .methodNotAllowed,
                        "\(method.rawValue) is not offered here; use GET"
                    )
                    response.headers[.allow] = offered.joined(separator: ", ")
                    return response
                }
            }
        }
    }

    private func answer(
        _ request: Request,
        _ pathParameters: Parameters,
        _ route: Route,
        _ style: ErrorStyle
    ) async -> Response {
        do {
            var path: [String: String] = [:]
            for (name, value) in pathParameters {
                path[String(name)] = try PercentText.decoded(value, isForm: false)
            }
            let read = ReadRequest(
                path: path,
                query: try QueryParameters(request.uri.query ?? ""),
                accept: request.headers[.accept] ?? "",
                lastEventID: HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
            )
            return try await questions.answer(
                QuestionPlace(interface: style.interface, route: route.path),
                text: request.uri.string,
                status: { answer in
                    switch answer {
                    case .success(let response): response.status
                    case .failure(let error): Failure(of: error).status
                    }
                }
            ) {
                try await route.handle(read)
            }
        } catch {
            return style.response(to: error)
        }
    }
}

/// One path with its handler.
struct Route: Sendable {
    /// In OpenAPI's form: `/api/traces/{id}`.
    var path: String
    /// Methods answered with 405. The others are somebody else's or unknown to the router.
    var refusedMethods: [HTTPRequest.Method] = [.post, .put, .delete, .patch]
    /// Methods that are handled elsewhere.
    var otherMethods: [HTTPRequest.Method]
    var handle: @Sendable (ReadRequest) async throws -> Response

    init(
        _ path: String,
        otherMethods: [HTTPRequest.Method] = [],
        _ handle: @escaping @Sendable (ReadRequest) async throws -> Response
    ) {
        self.path = path
        self.otherMethods = otherMethods
        self.handle = handle
    }

    func under(_ prefix: String) -> Route {
        var route = self
        route.path = prefix + path
        return route
    }
}

/// A request as handlers see it.
struct ReadRequest: Sendable {
    /// Path parameters, percent-decoded.
    var path: [String: String]
    var query: QueryParameters
    var accept: String
    /// What the last event of a stream was, for a reader that comes back.
    var lastEventID: String?
}
