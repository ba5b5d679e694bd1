// SPDX-License-Identifier: Apache-2.0

import Ingest
import NIOCore
import NIOPosix
import Receivers
import Store
import Testing

/// What clients may do with a connection of the OTLP/HTTP port, byte by byte.
@Suite(.timeLimit(.minutes(1))) struct OTLPHTTPConnectionTests {
    static let head =
        "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    static let span = String(decoding: ReceiverOTLPTests.json, as: UTF8.self)
    static var request: String {
        head + "content-length: \(span.utf8.count)\r\n\r\n" + span
    }
    static let last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"

    /// Sends the pieces one after another and gives what came until the server closed.
    static func exchange(_ pieces: [String], with address: ListenAddress) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
            var answer = ""
            for try await bytes in inbound { answer += String(buffer: bytes) }
            return answer
        }
    }

    /// The statuses of all answers in what came.
    private static func statuses(_ text: String) -> [String] {
        text.ranges(of: "HTTP/1.1 ").map { String(text[$0.upperBound...].prefix(3)) }
    }

    @Test func `requests sent without waiting are answered in their order`() async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await Self.exchange(
                [Self.request + Self.request + Self.request + Self.last],
                with: receiver.address
            )
            #expect(Self.statuses(answer) == ["200", "200", "200", "404"])
            #expect(receiver.store.batches.map(\.count) == [1, 1, 1])
        }
    }

    @Test func `a request byte by byte is one request`() async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await Self.exchange(
                (Self.request + Self.last).map { String($0) },
                with: receiver.address
            )
            #expect(Self.statuses(answer) == ["200", "404"])
            #expect(receiver.store.batches.first?.payload.bytes == ReceiverOTLPTests.json)
        }
    }

    @Test func `a chunked body is put together`() async throws {
        let middle = Self.span.index(Self.span.startIndex, offsetBy: 40)
        let parts = [Self.span[..<middle], Self.span[middle...]]
        let chunks = parts.map { String($0.utf8.count, radix: 16) + "\r\n" + $0 + "\r\n" }
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await Self.exchange(
                [Self.head + "transfer-encoding: chunked\r\n\r\n"] + chunks + [
                    "0\r\n\r\n", Self.last,
                ],
                with: receiver.address
            )
            #expect(Self.statuses(answer) == ["200", "404"])
            #expect(receiver.store.batches.first?.payload.bytes == ReceiverOTLPTests.json)
        }
    }

    @Test func `a client that asks may go on only where its body is wanted`() async throws {
        let wanted =
            Self.head + "expect: 100-continue\r\ncontent-length: \(Self.span.utf8.count)\r\n\r\n"
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await Self.exchange(
                [wanted, Self.span, Self.last],
                with: receiver.address
            )
            #expect(Self.statuses(answer) == ["100", "200", "404"])
            let refused = try await Self.exchange(
                [
                    "PUT /v1/traces HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n"
                        + "content-length: 5\r\n\r\n"
                ],
                with: receiver.address
            )
            #expect(Self.statuses(refused) == ["405"])
        }
    }

    @Test func `a header over its limits gets status 431`() async throws {
        let many = (0..<200).map { "x-\($0): 1\r\n" }.joined()
        let long = "x-long: " + String(repeating: "a", count: 20_000) + "\r\n"
        try await ReceiverHarness.withOTLP { receiver in
            for fields in [many, long] {
                let answer = try await Self.exchange(
                    [Self.head + fields + "content-length: 0\r\n\r\n"],
                    with: receiver.address
                )
                #expect(Self.statuses(answer) == ["431"])
            }
            #expect(receiver.ingest.counters.requestCount(.otlpHTTP, .malformed) == 2)
        }
    }

    @Test(arguments: ["nonsense\r\n\r\n", "POST /v1/traces HTTP/3.9\r\nhost: a\r\n\r\n"])
    func `what is not HTTP gets status 400`(_ text: String) async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await Self.exchange([text], with: receiver.address)
            #expect(Self.statuses(answer) == ["400"])
        }
    }

    @Test func `the body of a refused request is passed over`() async throws {
        let elsewhere =
            "POST /elsewhere HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n"
            + String(repeating: "x", count: 100_000)
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await Self.exchange(
                [elsewhere, Self.request, Self.last],
                with: receiver.address
            )
            #expect(Self.statuses(answer) == ["404", "200", "404"])
            #expect(receiver.store.batches.count == 1)
        }
    }

    @Test(arguments: ["HTTP/1.0\r\n", "HTTP/1.1\r\nconnection: close\r\n"])
    func `a connection that shall end after its answer does`(_ version: String) async throws {
        let request =
            "POST /v1/traces \(version)content-type: application/json\r\n"
            + "content-length: \(Self.span.utf8.count)\r\n\r\n" + Self.span
        try await ReceiverHarness.withOTLP { receiver in
            // What follows is not looked at.
            let answer = try await Self.exchange([request + Self.request], with: receiver.address)
            #expect(Self.statuses(answer) == ["200"])
            #expect(answer.contains("connection: close"))
            #expect(receiver.store.batches.count == 1)
            #expect(receiver.ingest.budget.reservedByteCount == 0)
        }
    }

    @Test func `a client that sends nothing more still gets its answer`() async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(host: receiver.address.host, port: receiver.address.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true)
                        )
                    }
                }
            try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: Self.request))
                outbound.finish()
                var answer = ""
                for try await bytes in inbound { answer += String(buffer: bytes) }
                #expect(Self.statuses(answer) == ["200"])
            }
        }
    }

    @Test func `a packed request is unpacked and counted once`() async throws {
        // A zstd frame by hand: magic, one segment whose size is one byte, one raw block, the last.
        let content = ReceiverOTLPTests.json
        var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x20, UInt8(content.count)]
        let block = content.count << 3 | 1
        frame += (0..<3).map { UInt8(truncatingIfNeeded: block >> ($0 * 8)) }
        frame += content
        let packed = frame
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send("/v1/traces", encoding: "zstd", packed)
            #expect(answer.status == 200)
            #expect(receiver.store.batches.first?.payload.bytes == content)
            #expect(receiver.ingest.budget.reservedByteCount == 0)
        }
    }
}
