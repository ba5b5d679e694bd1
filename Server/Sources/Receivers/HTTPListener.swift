// SPDX-License-Identifier: Apache-2.0

public import Hummingbird
internal import HummingbirdCore
public import Logging
internal import NIOCore
public import ServiceLifecycle

/// One HTTP/1.1 port with the limits and time-outs that the server library leaves open.
public struct HTTPListener<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    private let option: String
    private let address: ListenAddress
    private let limits: ReceiverLimits
    private let responder: Responder
    private let logger: Logger
    private let onBound: @Sendable (ListenAddress) async -> Void

    /// Describes a port; `run` opens it.
    ///
    /// - Parameters:
    ///   - option: the command line option that says where, for messages.
    ///   - address: where to listen.
    ///   - responder: answers requests.
    ///   - limits: what a connection may cost.
    ///   - logger: told of what is odd.
    ///   - onBound: called once with the address really taken.
    public init(
        option: String,
        address: ListenAddress,
        responder: Responder,
        limits: ReceiverLimits = ReceiverLimits(),
        logger: Logger,
        onBound: @escaping @Sendable (ListenAddress) async -> Void
    ) {
        self.option = option
        self.address = address
        self.responder = responder
        self.limits = limits
        self.logger = logger
        self.onBound = onBound
    }

    public func run() async throws {
        let limits = limits
        let address = address
        let onBound = onBound
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionGuard(limits: limits)],
                    httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                        maxHeaderFieldSize: limits.headerFieldByteCount,
                        maxHeaderListSize: limits.headerListByteCount,
                        maxHeaderFieldCount: limits.headerFieldCount
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                backlog: limits.backlog,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    limits.connectionCount,
                    logger: logger
                )
            ),
            onServerRunning: { channel in
                var bound = address
                bound.port = channel.localAddress?.port ?? address.port
                await onBound(bound)
            },
            logger: logger
        )
        do {
            try await application.run()
        } catch let error as IOError {
            throw ListenError(option: option, address: address, reason: error.systemReason)
        } catch let error as SocketAddressError {
            throw ListenError(option: option, address: address, reason: "\(error)")
        }
    }
}

extension IOError {
    /// The system's words, such as `Address already in use (errno: 98)`, without the call's name.
    var systemReason: String {
        let parts = description.split(separator: "): ", maxSplits: 1)
        return parts.last.map(String.init) ?? description
    }
}
