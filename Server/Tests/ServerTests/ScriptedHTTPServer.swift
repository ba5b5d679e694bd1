// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that answers every request with bytes a test chose, well-formed or not.
final class ScriptedHTTPServer: Sendable {
    private let channel: any Channel
    private let log: RequestLog

    /// Listens on a free port; `answer` gives the bytes for a request, or `nil` to leave it without.
    init(_ answer: @escaping @Sendable (_ request: String) -> [UInt8]?) async throws {
        let log = RequestLog()
        self.log = log
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ScriptedAnswers(log: log, answer: answer)
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// `http://127.0.0.1:PORT`.
    var baseURL: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    /// The whole requests received, heads and bodies, bytes read as Latin-1.
    var requests: [String] { log.all }

    func stop() async throws { try await channel.close().get() }
}

private final class RequestLog: Sendable {
    private let state = Mutex<[String]>([])
    var all: [String] { state.withLock { $0 } }
    func add(_ request: String) { state.withLock { $0.append(request) } }
}

/// Collects one request after another by its `content-length` and writes the answer.
private final class ScriptedAnswers: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: RequestLog
    private let answer: @Sendable (String) -> [UInt8]?
    private var received = ""

    init(log: RequestLog, answer: @escaping @Sendable (String) -> [UInt8]?) {
        self.log = log
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            received.unicodeScalars.append(Unicode.Scalar(byte))
        }
        guard let request = takeRequest() else { return }
        log.add(request)
        guard let bytes = answer(request) else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func takeRequest() -> String? {
        let scalars = Array(received.unicodeScalars)
        let blank = Array("\r\n\r\n".unicodeScalars)
        let starts = scalars.indices.dropLast(3)
        guard let head = starts.first(where: { Array(scalars[$0..<($0 + 4)]) == blank }) else {
            return nil
        }
        let lines = String(String.UnicodeScalarView(scalars[..<head])).lowercased()
            .split(separator: "\r\n")
        let length = lines.first { $0.hasPrefix("content-length:") }?
            .drop { !$0.isNumber }
        guard scalars.count >= head + 4 + (length.flatMap { Int($0) } ?? 0) else { return nil }
        defer { received = "" }
        return received
    }
}
