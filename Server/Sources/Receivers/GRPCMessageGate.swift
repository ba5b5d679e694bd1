// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Ingest
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import SkeinWire

/// What the messages of one port keep to.
struct GRPCMessageRules: Sendable {
    /// Bytes of a message, before and after it is unpacked.
    let messageByteCount: Int
    /// What all messages under way are reserved from.
    let budget: ByteBudget
    /// How long a client that finds no room there should wait.
    let retryAfterSeconds: @Sendable () -> Int
    /// Told what became of a call that was refused.
    let count: @Sendable (IngestResult) -> Void
}

/// Stands before the gRPC library on each HTTP/2 stream and does what it leaves open: it reserves a
/// message's bytes before it is read, unpacks it (zstd too), and refuses one that is too large or
/// damaged with a status. The library resets the stream instead, which clients take for CANCELLED and
/// send again for ever. A client that stops sending in the middle is refused too, and one that leaves
/// its answer unread loses the stream.
///
/// Lives on one event loop, like every handler.
final class GRPCMessageGate: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let rules: GRPCMessageRules
    private let limits: ReceiverLimits
    private var watch: ConnectionWatch?
    private var tick: RepeatedTask?
    /// Holds the message's bytes in the budget until the stream is gone.
    private var framing: GRPCMessageFraming?
    private var hasAnswered = false
    private var hasRefused = false

    init(rules: GRPCMessageRules, limits: ReceiverLimits) {
        self.rules = rules
        self.limits = limits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if hasRefused { return }
        switch unwrapInboundIn(data) {
        case .headers(let headers) where framing == nil:
            begin(headers, context)
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data, framing != nil else { return }
            watch?.readBody(byteCount: bytes.readableBytes)
            if frame.endStream { watch?.readEnd() }
            do throws(GRPCRefusal) {
                let plain = try framing?.receive(bytes, isLast: frame.endStream) ?? ByteBuffer()
                guard plain.readableBytes > 0 || frame.endStream else { return }
                let passed = HTTP2Frame.FramePayload.Data(
                    data: .byteBuffer(plain),
                    endStream: frame.endStream
                )
                context.fireChannelRead(wrapInboundOut(.data(passed)))
            } catch {
                refuse(error, context)
            }
        default:
            context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !hasRefused else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        if case .headers = unwrapOutboundIn(data) { hasAnswered = true }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch?.writabilityChanged(
            context.channel.isWritable,
            now: context.eventLoop.now.uptimeNanoseconds
        )
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        framing = nil
        stopWatching()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopWatching() }

    /// Refuses the call once its message comes in, or its answer goes out, more slowly than it may.
    private func startWatching(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now.uptimeNanoseconds
        watch = ConnectionWatch(limits: limits, now: now)
        watch?.readHead(now: now)
        let pause = TimeAmount.seconds(Int64(limits.watchSeconds))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        tick = context.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in
            let (gate, context) = bound.value
            let now = context.eventLoop.now.uptimeNanoseconds
            guard gate.watch?.isTooSlow(now: now) == true else { return }
            gate.answer(
                .deadlineExceeded,
                "the message came in too slowly: \(gate.limits.bodyBytesPerSecond) bytes a second "
                    + "are the least",
                [],
                .aborted,
                context
            )
        }
    }

    private func stopWatching() {
        tick?.cancel()
        tick = nil
        watch = nil
    }

    private func begin(_ headers: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext)
    {
        guard let encoding = ContentEncoding(header: headers.headers.first(name: "grpc-encoding"))
        else {
            answer(
                .unimplemented,
                "grpc-encoding must be one of \(ContentEncoding.accepted)",
                [("grpc-accept-encoding", ContentEncoding.accepted)],
                .unsupported,
                context
            )
            return
        }
        framing = GRPCMessageFraming(
            encoding: encoding,
            limit: rules.messageByteCount,
            budget: rules.budget
        )
        startWatching(context)
        // What is passed on is plain.
        var passed = headers
        passed.headers.remove(name: "grpc-encoding")
        context.fireChannelRead(wrapInboundOut(.headers(passed)))
    }

    private func refuse(_ refusal: GRPCRefusal, _ context: ChannelHandlerContext) {
        switch refusal {
        case .tooLarge(let reason):
            // Without a time to try again: it will not fit later.
            answer(.resourceExhausted, reason, [], .tooLarge, context)
        case .malformed(let reason):
            answer(.invalidArgument, reason, [], .malformed, context)
        case .noRoom:
            let message = "the server is busy"
            let details = OTLP.status(
                code: StatusCodeNumber.unavailable.rawValue,
                message: message,
                retryDelaySeconds: rules.retryAfterSeconds(),
                format: .protobuf
            )
            let text = Data(details).base64EncodedString()
            answer(.unavailable, message, [("grpc-status-details-bin", text)], .overloaded, context)
        }
    }

    /// Ends the call with a status; the rest of its request is not read.
    private func answer(
        _ code: StatusCodeNumber,
        _ message: String,
        _ fields: [(String, String)],
        _ counted: IngestResult,
        _ context: ChannelHandlerContext
    ) {
        rules.count(counted)
        framing = nil
        stopWatching()
        hasRefused = true
        guard !hasAnswered else {
            context.close(promise: nil)
            return
        }
        var headers = HPACKHeaders([
            (":status", "200"), ("content-type", "application/grpc"),
            ("grpc-status", String(code.rawValue)), ("grpc-message", percentEncoded(message)),
        ])
        headers.add(contentsOf: fields)
        let trailers = HTTP2Frame.FramePayload.Headers(headers: headers, endStream: true)
        context.write(wrapOutboundOut(.headers(trailers)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil)
    }

    /// As gRPC writes messages: printable ASCII stays, the rest becomes `%XX`.
    private func percentEncoded(_ message: String) -> String {
        var encoded = ""
        for byte in message.utf8 {
            if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}

@available(*, unavailable)
extension GRPCMessageGate: Sendable {}
