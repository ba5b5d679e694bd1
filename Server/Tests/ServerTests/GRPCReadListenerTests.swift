// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Receivers
import ServiceLifecycle
import Testing

/// A port for questions, asked frame by frame.
@Suite(.timeLimit(.minutes(1))) struct GRPCReadListenerTests {
    /// Messages as they are.
    private struct Bytes: MessageDeserializer, MessageSerializer {
        func deserialize<Content: GRPCContiguousBytes>(_ message: Content) throws -> [UInt8] { [] }

        func serialize<Content: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Content {
            Content(message)
        }
    }

    /// Answers without end, and tells when it was stopped.
    private struct EndlessService: RegistrableRPCService {
        let stopped: AsyncStream<Void>.Continuation

        func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
            router.registerHandler(
                forMethod: MethodDescriptor(
                    fullyQualifiedService: "test.Endless",
                    method: "Answer"
                ),
                deserializer: Bytes(),
                serializer: Bytes()
            ) { request, _ in
                _ = try await ServerRequest(stream: request)
                return StreamingServerResponse { writer in
                    defer { stopped.yield() }
                    while true { try await writer.write([UInt8](repeating: 0, count: 1 << 16)) }
                }
            }
        }
    }

    /// A server that waits for ever hangs this until its time limit.
    @Test func `an answer that nobody reads is given up`() async throws {
        var limits = ReceiverLimits()
        limits.watchSeconds = 1
        limits.stalledWriteSeconds = 0
        let (stops, stopped) = AsyncStream<Void>.makeStream()
        let (addresses, bound) = AsyncStream<ListenAddress>.makeStream()
        let listener = GRPCReadListener(
            option: "--test",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            services: [EndlessService(stopped: stopped)],
            limits: limits,
            onBound: { bound.yield($0) }
        )
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [listener], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await address in addresses {
                let client = try await Self.askWithoutReading(address)
                for await _ in stops { break }
                try await client.close()
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Sends a question over a connection that takes nothing.
    private static func askWithoutReading(_ address: ListenAddress) async throws -> any Channel {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .connect(host: address.host, port: address.port) { channel in
                channel.configureAsyncHTTP2Pipeline(mode: .client) { inbound in
                    inbound.close()
                }.map { (channel, $0) }
            }
        let stream = try await connection.1.openStream { stream in
            stream.eventLoop.makeSucceededFuture(stream)
        }
        let headers = HPACKHeaders([
            (":method", "POST"), (":scheme", "http"), (":path", "/test.Endless/Answer"),
            (":authority", "a"), ("content-type", "application/grpc"), ("te", "trailers"),
        ])
        try await stream.writeAndFlush(HTTP2Frame.FramePayload.headers(.init(headers: headers)))
        let question = ByteBuffer(bytes: [0, 0, 0, 0, 0])
        try await stream.writeAndFlush(
            HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(question), endStream: true))
        )
        return connection.0
    }
}
