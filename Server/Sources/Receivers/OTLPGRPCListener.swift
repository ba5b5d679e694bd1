// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
public import Ingest
internal import NIOCore
public import ServiceLifecycle

/// The port of OTLP over gRPC.
public struct OTLPGRPCListener: Service {
    private let option: String
    private let address: ListenAddress
    private let ingest: Ingest
    private let limits: ReceiverLimits
    private let onBound: @Sendable (ListenAddress) async -> Void

    /// Describes a port; `run` opens it.
    ///
    /// - Parameters:
    ///   - option: the command line option that says where, for messages.
    ///   - address: where to listen.
    ///   - ingest: takes the payloads.
    ///   - limits: what a connection may cost.
    ///   - onBound: called once with the address really taken.
    public init(
        option: String,
        address: ListenAddress,
        ingest: Ingest,
        limits: ReceiverLimits = ReceiverLimits(),
        onBound: @escaping @Sendable (ListenAddress) async -> Void
    ) {
        self.option = option
        self.address = address
        self.ingest = ingest
        self.limits = limits
        self.onBound = onBound
    }

    public func run() async throws {
        let resolved = try resolve()
        let server = GRPCServer(
            transport: HTTP2ServerTransport.Posix(
                address: resolved,
                transportSecurity: .plaintext,
                config: configuration
            ),
            services: [OTLPGRPCService(ingest: ingest)]
        )
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await server.serve()
                    } catch let error as RuntimeError {
                        throw self.listenError(error)
                    }
                }
                // Fails only when the server does, which then says why.
                if let bound = try? await server.transport.listeningAddress {
                    await onBound(
                        ListenAddress(
                            host: address.host,
                            port: bound.ipv4?.port ?? bound.ipv6?.port ?? address.port
                        )
                    )
                }
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }

    private var configuration: HTTP2ServerTransport.Posix.Config {
        .defaults { config in
            config.compression.enabledAlgorithms = .all
            config.http2.targetWindowSize = limits.windowByteCount
            config.http2.maxFrameSize = limits.frameByteCount
            config.http2.maxConcurrentStreams = limits.streamCount
            config.rpc.maxRequestPayloadSize = ingest.limits.requestByteCount
            config.connection.maxIdleTime = .seconds(limits.grpcIdleSeconds)
            config.connection.maxGraceTime = .seconds(limits.grpcGraceSeconds)
            // Finds dead peers; and stock clients may ping us as often as they like to.
            config.connection.keepalive.time = .seconds(limits.idleSeconds)
            config.connection.keepalive.clientBehavior.allowWithoutCalls = true
            config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .seconds(
                limits.firstHeadSeconds
            )
            let connections = ConnectionCount(limit: limits.connectionCount)
            config.channelDebuggingCallbacks.onAcceptTCPConnection = { connections.admit($0) }
            let ingest = ingest
            let limits = limits
            config.channelDebuggingCallbacks.onAcceptHTTP2Stream = { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandler(
                        GRPCMessageGate(ingest: ingest, limits: limits),
                        position: .first
                    )
                }
            }
        }
    }

    /// The address as a number: the transport does not look up names.
    private func resolve() throws(ListenError) -> GRPCNIOTransportCore.SocketAddress {
        let host: String
        do {
            let found = try NIOCore.SocketAddress.makeAddressResolvingHost(
                address.host,
                port: address.port
            )
            host = found.ipAddress ?? address.host
        } catch {
            throw ListenError(option: option, address: address, reason: "\(error)")
        }
        return host.contains(":")
            ? .ipv6(host: host, port: address.port) : .ipv4(host: host, port: address.port)
    }

    private func listenError(_ error: RuntimeError) -> any Error {
        var cause: (any Error)? = error
        while let runtime = cause as? RuntimeError { cause = runtime.cause }
        guard let system = cause as? IOError else { return error }
        return ListenError(option: option, address: address, reason: system.systemReason)
    }
}
