// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Hummingbird
import Ingest
import Logging
import NIOCore
import NIOHTTP1
import Receivers
import ServiceLifecycle
import Store
import Synchronization

/// A store that keeps what it is given, or fails as it is told.
final class ReceivingStore: TraceStore {
    private let state: Mutex<(batches: [SpanBatch], failure: StoreError?)>

    init(failure: StoreError? = nil) { state = Mutex(([], failure)) }

    var batches: [SpanBatch] { state.withLock { $0.batches } }
    var capabilities: Capabilities { [.durable] }
    var statistics: StoreStatistics { StoreStatistics() }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        let failure = state.withLock { state in
            if state.failure == nil { state.batches.append(batch) }
            return state.failure
        }
        done(failure.map { .failure($0) } ?? .success(()))
    }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        throw .unsupported("not in this test")
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        throw .unsupported("not in this test")
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        throw .unsupported("not in this test")
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        throw .unsupported("not in this test")
    }
}

/// An answer read whole.
struct Answer {
    var status: UInt
    var headers: [String: String]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Receivers on a free port of the loopback.
struct ReceiverHarness {
    let store: ReceivingStore
    let ingest: Ingest
    let address: ListenAddress

    /// Runs an OTLP/HTTP receiver while `body` runs.
    static func withOTLP(
        failure: StoreError? = nil,
        ingestLimits: IngestLimits = IngestLimits(),
        limits: ReceiverLimits = ReceiverLimits(),
        _ body: @escaping @Sendable (ReceiverHarness) async throws -> Void
    ) async throws {
        try await run(failure, ingestLimits, body) { ingest, logger, onBound in
            OTLPHTTPListener(
                option: "--test",
                address: ListenAddress(host: "127.0.0.1", port: 0),
                ingest: ingest,
                limits: limits,
                onBound: onBound
            )
        }
    }

    /// Runs an OTLP/gRPC receiver while `body` runs.
    static func withGRPC(
        ingestLimits: IngestLimits = IngestLimits(),
        limits: ReceiverLimits = ReceiverLimits(),
        _ body: @escaping @Sendable (ReceiverHarness) async throws -> Void
    ) async throws {
        try await run(nil, ingestLimits, body) { ingest, logger, onBound in
            OTLPGRPCListener(
                option: "--test",
                address: ListenAddress(host: "127.0.0.1", port: 0),
                ingest: ingest,
                limits: limits,
                onBound: onBound
            )
        }
    }

    /// Runs a Zipkin receiver while `body` runs. Everything else answers with `read side`.
    static func withZipkin(
        failure: StoreError? = nil,
        ingestLimits: IngestLimits = IngestLimits(),
        limits: ReceiverLimits = ReceiverLimits(),
        _ body: @escaping @Sendable (ReceiverHarness) async throws -> Void
    ) async throws {
        let next = CallbackResponder<BasicRequestContext> { _, _ in
            Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "read side")))
        }
        try await run(failure, ingestLimits, body) { ingest, logger, onBound in
            HTTPListener(
                option: "--test",
                address: ListenAddress(host: "127.0.0.1", port: 0),
                responder: ZipkinReceiver(ingest: ingest, limits: limits, next: next),
                limits: limits,
                logger: logger,
                onBound: onBound
            )
        }
    }

    private static func run(
        _ failure: StoreError?,
        _ ingestLimits: IngestLimits,
        _ body: @escaping @Sendable (ReceiverHarness) async throws -> Void,
        _ makeListener: (
            Ingest, Logger, @escaping @Sendable (ListenAddress) async -> Void
        ) -> any Service
    ) async throws {
        let store = ReceivingStore(failure: failure)
        let ingest = Ingest(
            store: store,
            time: IngestTime(wallNanoseconds: { 1 }, monotonicNanoseconds: { 1 }),
            limits: ingestLimits
        )
        let (addresses, continuation) = AsyncStream<ListenAddress>.makeStream()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let listener = makeListener(ingest, logger) { continuation.yield($0) }
        let group = ServiceGroup(services: [listener], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await address in addresses {
                try await body(ReceiverHarness(store: store, ingest: ingest, address: address))
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Sends a request and reads its answer.
    func send(
        _ path: String,
        method: String = "POST",
        type: String? = "application/json",
        encoding: String? = nil,
        headers: [String: String] = [:],
        _ body: [UInt8] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://\(address)\(path)")
        request.method = .init(rawValue: method)
        if let type { request.headers.add(name: "content-type", value: type) }
        if let encoding { request.headers.add(name: "content-encoding", value: encoding) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if method != "GET" { request.body = .bytes(body) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return Answer(
            status: response.status.code,
            headers: Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) },
                uniquingKeysWith: { first, _ in first }
            ),
            body: [UInt8](bytes.readableBytesView)
        )
    }
}
