// SPDX-License-Identifier: Apache-2.0

public import Ingest
internal import NIOCore
internal import NIOExtras
internal import NIOHTTP1
internal import NIOPosix
public import ServiceLifecycle

/// The port of OTLP over HTTP/1.1.
///
/// It has a pipeline of its own, for this is where nearly all bytes come in: no task and no stream
/// of parts per request, one copy from the socket's buffer to the payload.
public struct OTLPHTTPListener: Service {
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
        let group = MultiThreadedEventLoopGroup.singleton
        let quiescing = ServerQuiescingHelper(group: group)
        let stopped = group.next().makePromise(of: Void.self)
        let server: any Channel
        do {
            server = try await bootstrap(group, quiescing).bind(
                host: address.host,
                port: address.port
            ).get()
        } catch {
            stopped.succeed()
            throw listenError(error)
        }
        var bound = address
        bound.port = server.localAddress?.port ?? address.port
        // Another service that fails cancels this one.
        await withTaskCancellationOrGracefulShutdownHandler {
            await onBound(bound)
            // Ends when the last connection has.
            try? await stopped.futureResult.get()
        } onCancelOrGracefulShutdown: {
            quiescing.initiateShutdown(promise: stopped)
        }
    }

    private func bootstrap(
        _ group: MultiThreadedEventLoopGroup,
        _ quiescing: ServerQuiescingHelper
    ) -> ServerBootstrap {
        let ingest = ingest
        let limits = limits
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: CInt(clamping: limits.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(AcceptGate(limit: limits.connectionCount))
                    try pipeline.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Self.configure(channel.pipeline.syncOperations, ingest, limits)
                }
            }
    }

    private static func configure(
        _ pipeline: ChannelPipeline.SynchronousOperations,
        _ ingest: Ingest,
        _ limits: ReceiverLimits
    ) throws {
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.headerFieldByteCount
        decoding.maxHeaderListSize = limits.headerListByteCount
        decoding.maxHeaderFieldCount = limits.headerFieldCount
        var encoding = HTTPResponseEncoder.Configuration()
        // Every answer states its length.
        encoding.automaticallySetFramingHeaders = false
        try pipeline.addHandler(HTTPResponseEncoder(configuration: encoding))
        try pipeline.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: decoding))
        )
        try pipeline.addHandler(OTLPHTTPConnection(ingest: ingest, limits: limits))
    }

    private func listenError(_ error: any Error) -> any Error {
        switch error {
        case let error as IOError:
            ListenError(option: option, address: address, reason: error.systemReason)
        case let error as SocketAddressError:
            ListenError(option: option, address: address, reason: "\(error)")
        default: error
        }
    }
}

/// Takes no more connections while a listener has as many as it may have; they wait in the kernel.
private final class AcceptGate: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = Never

    private let limit: Int
    private var open = 0
    private var isReadWanted = false

    init(limit: Int) { self.limit = limit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        open += 1
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        unwrapInboundIn(data).closeFuture.hop(to: context.eventLoop).whenComplete { _ in
            let (gate, context) = bound.value
            gate.open -= 1
            if gate.isReadWanted, gate.open < gate.limit {
                gate.isReadWanted = false
                context.read()
            }
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        if open < limit {
            context.read()
        } else {
            isReadWanted = true
        }
    }
}

@available(*, unavailable)
extension AcceptGate: Sendable {}
