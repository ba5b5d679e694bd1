// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Synchronization

/// A gRPC server on loopback that answers every call as a test says, from bytes to bytes.
final class LoopbackGRPCServer: Sendable {
    /// One call: its method, metadata and messages.
    struct Call: Sendable {
        var method: String
        var metadata: Metadata
        var messages: [[UInt8]]
    }

    let port: Int
    private let log: CallLog
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let serving: Task<Void, any Error>

    /// Starts to serve unary and streaming calls of these methods.
    ///
    /// - Parameters:
    ///   - port: 0 for any that is free.
    ///   - methods: `SERVICE/METHOD`.
    ///   - interceptors: Of the server.
    ///   - answer: Gives the messages of the answer, or throws.
    init(
        port: Int = 0,
        methods: [String] = ["opentelemetry.proto.collector.trace.v1.TraceService/Export"],
        interceptors: [any ServerInterceptor] = [],
        _ answer: @escaping @Sendable (Call) async throws -> [[UInt8]]
    ) async throws {
        let log = CallLog()
        self.log = log
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port),
            transportSecurity: .plaintext,
            config: .defaults { config in
                config.compression.enabledAlgorithms = .all
                config.rpc.maxRequestPayloadSize = 64 << 20
            }
        )
        let server = GRPCServer(
            transport: transport,
            services: [BytesService(methods: methods, log: log, answer: answer)],
            interceptors: interceptors
        )
        self.server = server
        serving = Task { try await server.serve() }
        self.port = try await transport.listeningAddress.ipv4?.port ?? 0
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// The calls received so far.
    var calls: [Call] { log.all }

    /// Ends the server once calls under way are through.
    func stop() async throws {
        server.beginGracefulShutdown()
        try await serving.value
    }

    /// Ends the server at once.
    func kill() async {
        serving.cancel()
        _ = await serving.result
    }
}

private final class CallLog: Sendable {
    private let state = Mutex<[LoopbackGRPCServer.Call]>([])
    var all: [LoopbackGRPCServer.Call] { state.withLock { $0 } }
    func add(_ call: LoopbackGRPCServer.Call) { state.withLock { $0.append(call) } }
}

private struct BytesService: RegistrableRPCService {
    let methods: [String]
    let log: CallLog
    let answer: @Sendable (LoopbackGRPCServer.Call) async throws -> [[UInt8]]

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for name in methods {
            router.registerHandler(
                forMethod: MethodDescriptor(name),
                deserializer: Bytes(),
                serializer: Bytes()
            ) { request, _ in
                var call = LoopbackGRPCServer.Call(
                    method: name,
                    metadata: request.metadata,
                    messages: []
                )
                for try await message in request.messages { call.messages.append(message) }
                log.add(call)
                let messages = try await answer(call)
                return StreamingServerResponse { writer in
                    for message in messages { try await writer.write(message) }
                    return [:]
                }
            }
        }
    }
}

extension MethodDescriptor {
    /// Names a method by `SERVICE/METHOD`.
    init(_ name: String) {
        let parts = name.split(separator: "/").map(String.init)
        self.init(fullyQualifiedService: parts[0], method: parts[1])
    }
}

/// Bytes as they are.
struct Bytes: MessageSerializer, MessageDeserializer {
    func serialize<Message: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Message {
        Message(message)
    }

    func deserialize<Message: GRPCContiguousBytes>(_ message: Message) throws -> [UInt8] {
        message.withUnsafeBytes { [UInt8]($0) }
    }
}
