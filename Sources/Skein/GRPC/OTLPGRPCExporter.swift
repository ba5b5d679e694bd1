// SPDX-License-Identifier: Apache-2.0

#if GRPC
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Synchronization

/// Exports OTLP over gRPC: one call for each batch, packed by gzip where the endpoint says so.
///
/// Waiting and repeating are the pipeline's: nothing is repeated underneath. An answer is read up to
/// 4 MiB. Its own calls are never traced. `shutdown` must be called before the exporter goes away; a
/// pipeline does that.
public final class OTLPGRPCExporter: SpanExporter {
    private typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

    private let endpoint: OTLPEndpoint
    private let metadata: Metadata
    private let state: Mutex<State>

    /// The connection, whose work is a task of its own.
    private struct State {
        var client: Client?
        /// Why there is none.
        var problem = "the exporter was shut down"
        var connections: Task<Void, Never>?
    }

    /// Makes an exporter with a connection of its own; it is opened for the first batch.
    ///
    /// Of the endpoint's address, scheme, host and port count: `https` is encrypted, and without a port
    /// it is 4317.
    public init(_ endpoint: OTLPEndpoint = OTLPEndpoint(grpcURL: "http://127.0.0.1:4317")) {
        self.endpoint = endpoint
        var metadata = Metadata()
        for header in endpoint.headers where header.isForGRPC {
            metadata.addString(header.value, forKey: header.name.lowercased())
        }
        self.metadata = metadata
        var state = State()
        do {
            let address = try GRPCAddress(endpoint.tracesURL)
            state.client = GRPCClient(
                transport: try HTTP2ClientTransport.Posix(
                    target: address.target,
                    transportSecurity: address.isEncrypted ? .tls : .plaintext,
                    config: Self.configuration(endpoint)
                )
            )
        } catch {
            state.problem = "\(error)"
        }
        self.state = Mutex(state)
    }

    private static func configuration(
        _ endpoint: OTLPEndpoint
    ) -> HTTP2ClientTransport.Posix.Config {
        .defaults { config in
            // Longer, and a collector that came back would be kept waiting.
            config.backoff.initial = .milliseconds(500)
            config.backoff.max = .seconds(5)
            config.compression.algorithm = endpoint.compression == .gzip ? .gzip : .none
        }
    }

    public func encode(_ spans: [SpanRecord]) -> [UInt8] { OTLPRequest.encode(spans) }

    public func encode(_ spans: RecordedSpans) -> [UInt8] { OTLPRequest.encode(spans) }

    public func send(_ payload: [UInt8]) async -> ExportOutcome {
        let (client, problem) = state.withLock { state in
            if let client = state.client, state.connections == nil {
                // It fails only where it runs already.
                state.connections = Task.detached { try? await client.runConnections() }
            }
            return (state.client, state.problem)
        }
        guard let client else { return .refused(message: "\(endpoint.tracesURL): \(problem)") }
        var options = CallOptions.defaults
        options.timeout = endpoint.timeout
        options.maxResponseMessageBytes = Limits.responseByteCount
        do {
            let body = try await client.unary(
                request: ClientRequest(message: payload, metadata: metadata),
                descriptor: Self.export,
                serializer: GRPCBytes(),
                deserializer: GRPCBytes(),
                options: options
            ) { try $0.message }
            return OTLPResponse(status: 200, retryAfter: nil, body: body).outcome
        } catch let error as RPCError {
            return GRPCRefusal(error).outcome
        } catch {
            return .retryable(message: "\(endpoint.tracesURL): \(error)")
        }
    }

    public func shutdown() async {
        let (client, connections) = state.withLock { state in
            defer { state.client = nil }
            return (state.client, state.connections)
        }
        client?.beginGracefulShutdown()
        // No call is under way: the pipeline shuts down when the last one is through.
        connections?.cancel()
        await connections?.value
    }

    private static let export = MethodDescriptor(
        fullyQualifiedService: "opentelemetry.proto.collector.trace.v1.TraceService",
        method: "Export",
        type: .unary
    )
}

/// What a receiver's refusal means, by OTLP's table of codes.
struct GRPCRefusal {
    private let error: RPCError

    init(_ error: RPCError) { self.error = error }

    var outcome: ExportOutcome {
        let message = "the receiver answered \(error.code): \(error.message.prefix(1_024))"
        let delay = requestedDelay
        switch error.code {
        case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss:
            return .retryable(after: delay, message: message)
        case .resourceExhausted where delay != nil:
            // Without a time to wait for, what is exhausted does not come back.
            return .retryable(after: delay, message: message)
        default: return .refused(message: message)
        }
    }

    /// When to come back, by any of the ways there are to say it.
    private var requestedDelay: Duration? {
        for details in error.metadata[binaryValues: "grpc-status-details-bin"] {
            if let delay = RetryInfo.delay(inStatus: details) { return delay }
        }
        if let text = first("grpc-retry-pushback-ms"), let count = Int32(text), count >= 0 {
            return .milliseconds(count)
        }
        if let text = first("retry-after"), let count = Int32(text), count >= 0 {
            return .seconds(count)
        }
        return nil
    }

    private func first(_ key: String) -> String? {
        error.metadata[stringValues: key].first { _ in true }
    }
}

/// `google.rpc.RetryInfo` within a `google.rpc.Status`: field 3 holds details, each an `Any` of a type's
/// name (1) and its bytes (2); those hold a `Duration` (1) of seconds (1) and nanoseconds (2).
enum RetryInfo {
    static func delay(inStatus bytes: [UInt8]) -> Duration? {
        var status = FieldReader(bytes[...])
        while let (number, field) = status.next() {
            guard number == 3, case .bytes(let detail) = field else { continue }
            var type: ArraySlice<UInt8> = []
            var value: ArraySlice<UInt8> = []
            var parts = FieldReader(detail)
            while let (number, field) = parts.next() {
                guard case .bytes(let bytes) = field else { continue }
                if number == 1 { type = bytes } else if number == 2 { value = bytes }
            }
            if type.ends(with: "google.rpc.RetryInfo") { return delay(in: value) }
        }
        return nil
    }

    private static func delay(in info: ArraySlice<UInt8>) -> Duration? {
        var outer = FieldReader(info)
        while let (number, field) = outer.next() {
            guard number == 1, case .bytes(let duration) = field else { continue }
            var sum = Duration.zero
            var inner = FieldReader(duration)
            while let (number, field) = inner.next() {
                guard case .varint(let raw) = field, let count = Int32(exactly: raw) else {
                    continue
                }
                if number == 1 { sum += .seconds(count) }
                if number == 2 { sum += .nanoseconds(count) }
            }
            return sum
        }
        return nil
    }
}

extension ArraySlice<UInt8> {
    fileprivate func ends(with text: StaticString) -> Bool {
        suffix(text.utf8CodeUnitCount).elementsEqual("\(text)".utf8)
    }
}

extension OTLPEndpoint.Header {
    /// Whether gRPC may send it: HTTP/2 and gRPC keep some names for themselves.
    fileprivate var isForGRPC: Bool {
        let key = name.lowercased()
        let isToken = key.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isToken && !key.isEmpty && !key.hasPrefix("grpc-") && key != "te"
            && key != "content-type"
    }
}
#endif
