// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging
import NIOCore
import SkeinModel
import SkeinWire
import Synchronization
import Testing

/// A span as a receiver got it.
struct SunkSpan: Sendable {
    var traceID: TraceID
    var spanID: SpanID
    var parentID: SpanID
    var service: String
    var name: String
    var kind: SkeinModel.SpanKind
    var status: SkeinModel.StatusCode
    var start: UInt64
    var end: UInt64
    var attributes: [String: AttributeValue]
    var events: [Event]
    var links: [SpanID]

    struct Event: Sendable {
        var name: String
        var attributes: [String: AttributeValue]
    }

    func text(_ key: String) -> String? {
        guard case .string(let text) = attributes[key] else { return nil }
        return text
    }

    static func all(in columns: borrowing SpanColumns) -> [SunkSpan] {
        var spans: [SunkSpan] = []
        for row in 0..<columns.count {
            let span = columns[row]
            func pairs(_ run: Run) -> [String: AttributeValue] {
                var result: [String: AttributeValue] = [:]
                for pair in columns.keyValues(run) { result[pair.key] = pair.value }
                return result
            }
            spans.append(
                SunkSpan(
                    traceID: span.traceID,
                    spanID: span.spanID,
                    parentID: span.parentID,
                    service: columns.strings.text(columns.service(row)),
                    name: columns.strings.text(span.name),
                    kind: span.kind,
                    status: span.status,
                    start: span.start,
                    end: span.end,
                    attributes: pairs(span.attributes),
                    events: span.events.rows.map {
                        Event(
                            name: columns.strings.text(columns.events.name[$0]),
                            attributes: pairs(columns.events.attributes[$0])
                        )
                    },
                    links: span.links.rows.map { SpanID(columns.links.spanID[$0]) }
                )
            )
        }
        return spans
    }
}

/// A receiver of OTLP/HTTP on loopback that keeps what it gets and answers as it is told.
final class OTLPSink: Sendable {
    /// What the sink answers to one request.
    struct Reply: Sendable {
        var status = 200
        var retryAfter: String?
        var body: [UInt8] = []
    }

    private struct State {
        var replies: [Reply] = []
        var requests = 0
        var spans: [SunkSpan] = []
    }

    private let state = Mutex(State())

    var requestCount: Int { state.withLock { $0.requests } }
    var spans: [SunkSpan] { state.withLock { $0.spans } }

    /// The next requests are answered with `replies`, those after them with 200.
    init(replies: [Reply] = []) {
        state.withLock { $0.replies = replies }
    }

    /// Serves while `body` runs, which is given the base address.
    static func serve<Result: Sendable>(
        _ sink: OTLPSink,
        _ body: @Sendable @escaping (String) async throws -> Result
    ) async throws -> Result {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        router.post("/v1/traces") { request, _ in
            let body = try await request.body.collect(upTo: 64 << 20)
            return try sink.answer(Array(body.readableBytesView))
        }
        var logger = Logger(label: "sink")
        logger.logLevel = .critical
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                port.yield(channel.localAddress?.port ?? 0)
                port.finish()
            },
            logger: logger
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            var bound = 0
            for await port in ports { bound = port }
            try #require(bound > 0)
            let result = try await body("http://127.0.0.1:\(bound)")
            group.cancelAll()
            return result
        }
    }

    private func answer(_ body: [UInt8]) throws -> Response {
        let reply = state.withLock { state in
            state.requests += 1
            return state.replies.isEmpty ? Reply() : state.replies.removeFirst()
        }
        if (200..<300).contains(reply.status) {
            let spans = try body.span.bytes.withUnsafeBytes { (raw) throws(WireError) in
                SunkSpan.all(in: try OTLP.decodeProtobuf(raw, receivedAt: 1).columns)
            }
            state.withLock { $0.spans += spans }
        }
        var response = Response(
            status: .init(code: reply.status),
            body: .init(byteBuffer: ByteBuffer(bytes: reply.body))
        )
        if let retryAfter = reply.retryAfter { response.headers[.retryAfter] = retryAfter }
        return response
    }
}
