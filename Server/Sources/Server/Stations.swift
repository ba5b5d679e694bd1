// SPDX-License-Identifier: Apache-2.0

internal import API
internal import Engine
internal import GRPCCore
internal import HTTPTypes
internal import Hummingbird
internal import Ingest
internal import Logging
internal import NIOCore
internal import Platform
internal import Query
internal import Receivers
internal import ServiceLifecycle
internal import Store
internal import WebUI

/// The stations of one server, joined.
struct Stations {
    private let configuration: ServerConfiguration
    private let store: any TraceStore
    private let ingest: Ingest
    private let readAPI: ReadAPI
    private let metrics: MetricsText
    private let callCounters: CallCounters
    private let limits: ReceiverLimits
    private let board: BindingBoard

    init(
        _ configuration: ServerConfiguration,
        store: any TraceStore,
        clock: any Clock,
        board: BindingBoard
    ) {
        self.configuration = configuration
        self.board = board
        self.store = store
        let ingest = Ingest(
            store: store,
            time: IngestTime(
                wallNanoseconds: { clock.wallNanoseconds() },
                monotonicNanoseconds: { clock.monotonicNanoseconds() }
            )
        )
        self.ingest = ingest
        limits = Self.receiverLimits(listenerCount: configuration.listeners.count)
        let begin = clock.monotonicNanoseconds()
        let durability = configuration.durability.rawValue
        let settings = configuration.settings
        let engine = QueryEngine(store: store, now: { clock.wallNanoseconds() })
        callCounters = CallCounters(engine)
        readAPI = ReadAPI(
            engine: engine,
            elapsed: { clock.monotonicNanoseconds() },
            facts: {
                ReadAPI.ServerFacts(
                    version: skeinVersion,
                    spansReceived: IngestProtocol.allCases.reduce(0) {
                        $0 &+ UInt64(clamping: ingest.counters.spanCount($1))
                    },
                    uptimeSeconds: (clock.monotonicNanoseconds() &- begin) / 1_000_000_000,
                    durability: durability,
                    ports: board.current.ports,
                    settings: settings
                )
            }
        )
        metrics = MetricsText(
            store: store,
            ingest: ingest,
            questions: readAPI.questions,
            clock: clock
        )
    }

    /// A listener whose accept fails for want of a file descriptor does not recover: the connections
    /// of all of them together stay below what may be open, with room for the store.
    private static func receiverLimits(listenerCount: Int) -> ReceiverLimits {
        var limits = ReceiverLimits()
        let openFiles = Process.raiseOpenFileLimit()
        let share = (openFiles - Limits.storeFileCount) / listenerCount
        limits.connectionCount = max(16, min(limits.connectionCount, share))
        return limits
    }

    /// One service a port that is to be bound.
    func services(logger: Logger) -> [any Service] {
        let zipkin = Router(context: BasicRequestContext.self)
        readAPI.addZipkinRoutes(to: zipkin)
        addHealth(to: zipkin)
        var services: [any Service] = [
            listener(.http, configuration.http, pageRouter().buildResponder(), logger),
            OTLPHTTPListener(
                option: "--\(Listener.otlpHTTP.rawValue)",
                address: configuration.otlpHTTP,
                ingest: ingest,
                limits: limits,
                onBound: { [board] in board.add(.otlpHTTP, $0) }
            ),
            OTLPGRPCListener(
                option: "--\(Listener.otlpGRPC.rawValue)",
                address: configuration.otlpGRPC,
                ingest: ingest,
                limits: limits,
                onBound: { [board] in board.add(.otlpGRPC, $0) }
            ),
            listener(
                .zipkin,
                configuration.zipkin,
                ZipkinReceiver(ingest: ingest, limits: limits, next: zipkin.buildResponder()),
                logger
            ),
        ]
        if let address = configuration.jaegerGRPC {
            services.append(grpc(.jaegerGRPC, address, readAPI.jaegerGRPCServices))
        }
        if let address = configuration.tempo {
            services.append(listener(.tempo, address, tempoRouter().buildResponder(), logger))
        }
        if let address = configuration.tempoGRPC {
            services.append(grpc(.tempoGRPC, address, readAPI.tempoGRPCServices))
        }
        return services
    }

    private func grpc(
        _ listener: Listener,
        _ address: ListenAddress,
        _ services: [any RegistrableRPCService]
    ) -> GRPCReadListener {
        GRPCReadListener(
            option: "--\(listener.rawValue)",
            address: address,
            services: services,
            limits: limits,
            onBound: { [board] in board.add(listener, $0) }
        )
    }

    private func listener<Responder: HTTPResponder>(
        _ listener: Listener,
        _ address: ListenAddress,
        _ responder: Responder,
        _ logger: Logger
    ) -> HTTPListener<Responder> where Responder.Context == BasicRequestContext {
        HTTPListener(
            option: "--\(listener.rawValue)",
            address: address,
            responder: responder,
            limits: limits,
            logger: logger,
            onBound: { [board] in board.add(listener, $0) }
        )
    }

    private func tempoRouter() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        addHealth(to: router)
        readAPI.addTempoRoutes(to: router, under: "")
        return router
    }

    private func pageRouter() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        readAPI.addNativeRoutes(to: router)
        readAPI.addJaegerRoutes(to: router)
        readAPI.addZipkinRoutes(to: router)
        readAPI.addTempoRoutes(to: router, under: "/tempo")
        WebAssets(directory: configuration.webDirectory).addWebRoutes(to: router)
        addHealth(to: router)
        let metrics = metrics
        router.get("/metrics") { _, _ in
            text(.ok, metrics.text(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        addTraceMetrics(to: router)
        return router
    }

    /// `/metrics/traces`: figures of the traced calls, apart from those of the server itself.
    private func addTraceMetrics(to router: Router<BasicRequestContext>) {
        let counters = callCounters
        router.get("/metrics/traces") { request, _ in
            let word = request.uri.queryParameters["names"].map(String.init) ?? "tempo"
            guard let names = TraceMetricsText.Names(rawValue: word) else {
                return text(.badRequest, "names is none of tempo, jaeger\n")
            }
            let isOpenMetrics =
                request.headers[.accept]?.contains("application/openmetrics-text") ?? false
            do {
                let metrics = TraceMetricsText(
                    try await counters.read(),
                    exemplars: isOpenMetrics ? try await counters.exemplars() : [],
                    names: names,
                    isOpenMetrics: isOpenMetrics
                )
                let type =
                    isOpenMetrics
                    ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                    : "text/plain; version=0.0.4; charset=utf-8"
                return text(.ok, metrics.text, type: type)
            } catch {
                return text(.serviceUnavailable, "the calls could not be counted: \(error)\n")
            }
        }
    }

    /// `/health`: 200 while spans are taken and found, 503 with the reason otherwise.
    private func addHealth(to router: Router<BasicRequestContext>) {
        let store = store
        router.get("/health") { _, _ in
            if let failure = store.statistics.failure {
                return text(.serviceUnavailable, "spans are refused: \(failure)\n")
            }
            return text(.ok, "ok\n")
        }
    }
}

private func text(
    _ status: HTTPResponse.Status,
    _ text: String,
    type: String = "text/plain; charset=utf-8"
) -> Response {
    Response(
        status: status,
        headers: [.contentType: type, .cacheControl: "no-store"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text))
    )
}
