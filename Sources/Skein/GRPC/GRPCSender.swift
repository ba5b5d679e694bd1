// SPDX-License-Identifier: Apache-2.0

#if GRPC
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Synchronization

/// The connection to one receiver of OTLP, and calls of its services.
final class GRPCSender: Sendable {
    private typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

    private let url: String
    private let timeout: Duration
    private let metadata: Metadata
    private let state: Mutex<State>

    /// The connection, whose work is a task of its own.
    private struct State {
        var client: Client?
        /// Why there is none.
        var problem = "the exporter was shut down"
        var connections: Task<Void, Never>?
    }

    /// Opens no connection before the first call.
    init(_ url: String, _ endpoint: OTLPEndpoint) {
        self.url = url
        timeout = endpoint.timeout
        var metadata = Metadata()
        for header in endpoint.headers where header.isForGRPC {
            metadata.addString(header.value, forKey: header.name.lowercased())
        }
        self.metadata = metadata
        var state = State()
        do {
            let address = try GRPCAddress(url)
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

    /// Calls `Export` of a service once.
    func export(_ payload: [UInt8], to service: String) async -> ExportOutcome {
        let (client, problem) = state.withLock { state in
            if let client = state.client, state.connections == nil {
                // It fails only where it runs already.
                state.connections = Task.detached { try? await client.runConnections() }
            }
            return (state.client, state.problem)
        }
        guard let client else { return .refused(message: "\(url): \(problem)") }
        var options = CallOptions.defaults
        options.timeout = timeout
        options.maxResponseMessageBytes = Limits.responseByteCount
        do {
            let body = try await client.unary(
                request: ClientRequest(message: payload, metadata: metadata),
                descriptor: MethodDescriptor(
                    fullyQualifiedService: service,
                    method: "Export",
                    type: .unary
                ),
                serializer: GRPCBytes(),
                deserializer: GRPCBytes(),
                options: options
            ) { try $0.message }
            return OTLPResponse(status: 200, retryAfter: nil, body: body).outcome
        } catch let error as RPCError {
            return GRPCRefusal(error).outcome
        } catch {
            return .retryable(message: "\(url): \(error)")
        }
    }

    /// Ends the connection; nothing is sent any more.
    func shutdown() async {
        let (client, connections) = state.withLock { state in
            defer { state.client = nil }
            return (state.client, state.connections)
        }
        client?.beginGracefulShutdown()
        // No call is under way: the pipeline shuts down when the last one is through.
        connections?.cancel()
        await connections?.value
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
