// SPDX-License-Identifier: Apache-2.0

import Ingest
import NIOCore
import NIOPosix
import Receivers
import Testing

/// Connections that go quiet are closed by the server. A server that waits for ever hangs these
/// tests until their time limit.
@Suite(.timeLimit(.minutes(1))) struct ReceiverSlowClientTests {
    /// Limits that run out at the second look.
    static var impatient: ReceiverLimits {
        var limits = ReceiverLimits()
        limits.watchSeconds = 1
        limits.firstHeadSeconds = 0
        limits.idleSeconds = 0
        limits.bodyGraceSeconds = 0
        limits.lingerSeconds = 0
        return limits
    }

    /// Connects, sends `text`, and waits until the server closes.
    static func sendAndWait(_ text: String, to address: ListenAddress) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: address.host, port: address.port).get()
        try await channel.writeAndFlush(ByteBuffer(string: text))
        try await channel.closeFuture.get()
    }

    @Test(arguments: [
        "",
        "POST /v1/traces HTTP/1.1\r\nhost:",
        "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
            + "content-length: 1000\r\n\r\n{",
        "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
            + "content-length: 2\r\n\r\n{}",
        "GET /v1/traces HTTP/1.1\r\nhost: a\r\n\r\n",
        "nonsense\r\n\r\n",
    ])
    func `a connection that goes quiet is closed`(_ sent: String) async throws {
        try await ReceiverHarness.withOTLP(limits: Self.impatient) { receiver in
            try await Self.sendAndWait(sent, to: receiver.address)
            #expect(receiver.store.batches.isEmpty)
            #expect(receiver.ingest.budget.reservedByteCount == 0)
            let alive = try await receiver.send("/v1/traces", Array("{}".utf8))
            #expect(alive.status == 200)
        }
    }

    @Test func `a half sent body does not hold up the stop`() async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: receiver.address.host, port: receiver.address.port).get()
            try await channel.writeAndFlush(
                ByteBuffer(
                    string: "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n"
                        + "content-type: application/json\r\n\r\n{"
                )
            )
            // The harness stops the listener when this returns, and waits for it.
        }
    }
}
