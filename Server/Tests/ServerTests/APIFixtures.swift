// SPDX-License-Identifier: Apache-2.0

import API
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Query
import SkeinModel
import Store
import Synchronization
import Testing

/// A store of one trace that remembers what it was asked.
final class AskedStore: TraceStore {
    let capabilities: Capabilities = []
    private let asked = Mutex<[ScanPlan]>([])

    var plans: [ScanPlan] { asked.withLock { $0 } }

    var statistics: StoreStatistics {
        var statistics = StoreStatistics()
        statistics.spans = 2
        statistics.partBytes = 100
        statistics.logBytes = 20
        return statistics
    }

    static let traceID = TraceID(high: 0, low: 0xABC)

    /// A client span of service "web" with its shared server half in "cart".
    private static func columns() -> SpanColumns {
        var columns = SpanColumns()
        let scope = columns.scopes.append(
            name: columns.strings.intern("lib"),
            version: columns.strings.intern("1.0")
        )
        for (service, kind, start) in [
            ("web", SpanKind.client, 5_000_500), ("cart", .server, 6_000_000),
        ] {
            let text = columns.strings.intern(service)
            let resource = columns.resources.append(
                service: text,
                attributes: columns.appendAttributes([
                    .init(key: "service.name", value: .string(service)),
                    .init(key: "zone", value: .string("a")),
                ])
            )
            let event = UInt32(columns.events.count)
            columns.events.append(
                time: UInt64(start) + 1_000,
                name: columns.strings.intern("retry"),
                attributes: columns.appendAttributes([.init(key: "n", value: .int(1))])
            )
            let link = UInt32(columns.links.count)
            columns.links.append(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3))
            columns.append(
                SpanRow(
                    traceID: traceID,
                    spanID: SpanID(7),
                    start: UInt64(start),
                    end: UInt64(start) + 4_000_000,
                    name: columns.strings.intern("POST /<b>"),
                    kind: kind,
                    status: kind == .client ? .error : .ok,
                    statusMessage: columns.strings.intern(kind == .client ? "broken \"pipe\"" : ""),
                    resource: resource,
                    scope: scope,
                    attributes: columns.appendAttributes([
                        .init(key: "z.big", value: .int(1 << 60)),
                        .init(key: "a.list", value: .array([.int(1), .bool(true)])),
                        .init(key: "m.raw", value: .bytes([0xFF, 0])),
                        .init(key: "m.nan", value: .double(.nan)),
                    ]),
                    events: Run(first: event, count: 1),
                    links: Run(first: link, count: 1)
                )
            )
        }
        return columns
    }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        done(.failure(.closed))
    }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        asked.withLock { $0.append(plan) }
        // One page of one trace; what follows it is empty.
        if plan.cursor != nil { return ScanResult(traces: [], cursor: nil) }
        let summary = TraceSummary(
            traceID: Self.traceID,
            rootService: "web",
            rootOperation: "POST /<b>",
            start: 5_000_500,
            duration: 4_999_500,
            spanCount: 2,
            errorCount: 1,
            services: [.init(name: "web", spanCount: 1, errorCount: 1)],
            matchedSpans: [SpanID(7)]
        )
        return ScanResult(
            traces: [summary],
            cursor: ScanCursor(value: 5_000_500, traceID: Self.traceID),
            incomplete: ["one part is damaged"]
        )
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        let isFound = request.ids.contains { $0.finds(Self.traceID) }
        return TraceSpans(columns: isFound ? Self.columns() : SpanColumns())
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        switch request.scope {
        case .services: NamesResult(names: ["Cart", "web"].map { .init(text: $0) })
        case .operations:
            NamesResult(names: [
                .init(text: "GET /", kind: .client), .init(text: "GET /", kind: .server),
            ])
        case .keys: NamesResult(names: [.init(text: "order.id", scope: .span)])
        case .values(_, let key, _, let prefix):
            NamesResult(names: [.init(text: key + "=" + prefix)], incomplete: ["limit"])
        }
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        throw .overloaded(retryAfterSeconds: 7)
    }
}

/// The routes without a socket.
struct TestAPI {
    let store = AskedStore()
    let api: ReadAPI
    private let responder: RouterResponder<Context>

    struct Source: RequestContextSource {
        let logger = Logger(label: "test")
    }

    struct Context: RequestContext {
        typealias Source = TestAPI.Source

        var coreContext: CoreRequestContextStorage

        init(source: Source) { coreContext = .init(source: source) }
    }

    struct Answer {
        var status: Int
        var headers: HTTPFields
        var bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    enum Interface { case main, zipkin }

    /// - Parameter other: the store to ask in the place of `store`.
    init(_ interface: Interface = .main, asking other: (any TraceStore)? = nil) {
        api = ReadAPI(
            engine: QueryEngine(store: other ?? store, now: { 1_000_000_000_000_000 }),
            autocompleteKeys: ["environment"],
            elapsed: { 0 },
            facts: {
                .init(
                    version: "9",
                    spansReceived: 3,
                    uptimeSeconds: 4,
                    durability: "os",
                    ports: ["otlp-http": 4318],
                    settings: [
                        .init(name: "data", value: "spans", origin: "--data"),
                        .init(name: "tempo", value: "off", origin: nil),
                    ]
                )
            }
        )
        let router = Router(context: Context.self)
        switch interface {
        case .main:
            api.addNativeRoutes(to: router)
            api.addJaegerRoutes(to: router)
        case .zipkin: api.addZipkinRoutes(to: router)
        }
        responder = router.buildResponder()
    }

    func ask(
        _ path: String,
        method: HTTPRequest.Method = .get,
        accept: String? = nil
    ) async throws -> Answer {
        var head = HTTPRequest(method: method, scheme: "http", authority: "x", path: path)
        head.headerFields[.accept] = accept
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        let response = try await responder.respond(to: request, context: Context(source: Source()))
        let collector = Collector()
        try await response.body.write(collector)
        return Answer(
            status: response.status.code,
            headers: response.headers,
            bytes: collector.bytes.withLock { $0 }
        )
    }

    private final class Collector: ResponseBodyWriter, Sendable {
        let bytes = Mutex<[UInt8]>([])

        func write(_ buffer: ByteBuffer) async throws {
            bytes.withLock { $0 += Array(buffer.readableBytesView) }
        }

        func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
