// SPDX-License-Identifier: Apache-2.0

import Ingest
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Receivers
import Testing

/// Calls frame by frame, as no gRPC library would send them.
@Suite(.timeLimit(.minutes(1))) struct GRPCMessageGateTests {
    /// An answer without a message: its one block of headers.
    private static func call(
        _ content: [UInt8],
        ends: Bool,
        at address: ListenAddress
    ) async throws -> HPACKHeaders {
        let group = MultiThreadedEventLoopGroup.singleton
        let connection = try await ClientBootstrap(group: group)
            .connect(host: address.host, port: address.port) { channel in
                channel.configureAsyncHTTP2Pipeline(mode: .client) { inbound in
                    inbound.close()
                }.map { (channel, $0) }
            }
        defer { connection.0.close(promise: nil) }
        let stream = try await connection.1.openStream { stream in
            stream.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<HTTP2Frame.FramePayload, HTTP2Frame.FramePayload>(
                    wrappingChannelSynchronously: stream
                )
            }
        }
        let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        let headers = HPACKHeaders([
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "a"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ])
        return try await stream.executeThenClose { inbound, outbound in
            try await outbound.write(.headers(.init(headers: headers)))
            try await outbound.write(
                .data(.init(data: .byteBuffer(ByteBuffer(bytes: content)), endStream: ends))
            )
            for try await frame in inbound {
                if case .headers(let answer) = frame { return answer.headers }
            }
            return HPACKHeaders()
        }
    }

    @Test func `a message there is no room for is refused with the time to wait`() async throws {
        var limits = IngestLimits()
        limits.inFlightByteCount = 10
        try await ReceiverHarness.withGRPC(ingestLimits: limits) { receiver in
            let answer = try await Self.call(
                [0, 0, 0, 0, 11] + [UInt8](repeating: 0, count: 11),
                ends: true,
                at: receiver.address
            )
            #expect(answer.first(name: "grpc-status") == "14")
            #expect(answer.first(name: "grpc-message") == "the server is busy")
            #expect(answer.first(name: "grpc-status-details-bin") != nil)
            #expect(receiver.ingest.counters.requestCount(.otlpGRPC, .overloaded) == 1)
            #expect(receiver.ingest.budget.reservedByteCount == 0)
            #expect(receiver.store.batches.isEmpty)
        }
    }

    /// A server that waits for ever hangs this until its time limit.
    @Test func `a message that stops coming is refused`() async throws {
        var limits = ReceiverLimits()
        limits.watchSeconds = 1
        limits.bodyGraceSeconds = 0
        try await ReceiverHarness.withGRPC(limits: limits) { receiver in
            let answer = try await Self.call(
                [0, 0, 0, 4, 0, 10, 20],
                ends: false,
                at: receiver.address
            )
            #expect(answer.first(name: "grpc-status") == "4")
            #expect(answer.first(name: "grpc-message")?.contains("too slowly") == true)
            #expect(receiver.ingest.counters.requestCount(.otlpGRPC, .aborted) == 1)
            #expect(receiver.ingest.budget.reservedByteCount == 0)
        }
    }
}
