// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import ServiceLifecycle

/// One port with gRPC services, within our limits.
struct GRPCPort {
    /// The command line option that says where, for messages.
    let option: String
    let address: ListenAddress
    let limits: ReceiverLimits
    let rules: GRPCMessageRules
    let services: [any RegistrableRPCService]
    /// Called once with the address really taken.
    let onBound: @Sendable (ListenAddress) async -> Void

    /// Serves until the task is cancelled or its service group stops.
    func run() async throws {
        let resolved = try resolve()
        let server = GRPCServer(
            transport: HTTP2ServerTransport.Posix(
                address: resolved,
                transportSecurity: .plaintext,
                config: configuration
            ),
            services: services
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
            config.rpc.maxRequestPayloadSize = rules.messageByteCount
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
            let rules = rules
            let limits = limits
            config.channelDebuggingCallbacks.onAcceptHTTP2Stream = { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandler(
                        GRPCMessageGate(rules: rules, limits: limits),
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
