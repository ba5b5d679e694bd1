// SPDX-License-Identifier: Apache-2.0

internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Closes connections whose clients stop talking, answers `Expect: 100-continue`, and lets an answer
/// that ends the connection be read before it closes.
///
/// Stands between the HTTP codec and the server's request loop, which has none of this. Lives on one
/// event loop, like every handler.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ReceiverLimits
    private var watch: ConnectionWatch?
    private var tick: RepeatedTask?
    /// The answer being written ends the connection.
    private var isLastAnswer = false
    /// It is written: what still comes in is dropped until the client closes or the time is over.
    private var isLingering = false

    init(limits: ReceiverLimits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        tick?.cancel()
        tick = nil
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        tick?.cancel()
        tick = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isLingering { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            watch?.readHead(now: now(context))
            if head.headerFields[.expect]?.lowercased() == "100-continue" {
                let interim = HTTPResponse(status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
            }
        case .body(let bytes):
            watch?.readBody(byteCount: bytes.readableBytes)
        case .end:
            watch?.readEnd()
        }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isLingering, case .some(.inputClosed) = event as? ChannelEvent {
            context.close(promise: nil)
            return
        }
        if event is ChannelShouldQuiesceEvent { giveUpHalfRequests(context) }
        context.fireUserInboundEventTriggered(event)
    }

    /// The server stops: what was received whole is answered, a body that is still coming gets a
    /// moment and is given up, so that no client can hold the stop up.
    private func giveUpHalfRequests(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(Int64(limits.stopBodySeconds))) {
            let (handler, context) = bound.value
            if handler.watch?.isReadingBody == true { context.close(promise: nil) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch?.writabilityChanged(context.channel.isWritable, now: now(context))
        context.fireChannelWritabilityChanged()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isLastAnswer = head.headerFields[.connection]?.lowercased() == "close"
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            watch?.wroteEnd(now: now(context))
            guard isLastAnswer else {
                context.write(data, promise: promise)
                return
            }
            isLingering = true
            context.writeAndFlush(data, promise: promise)
            context.close(mode: .output, promise: nil)
            let channel = context.channel
            context.eventLoop.scheduleTask(in: .seconds(Int64(limits.lingerSeconds))) {
                channel.close(promise: nil)
            }
        }
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard watch == nil else { return }
        watch = ConnectionWatch(limits: limits, now: now(context))
        let pause = TimeAmount.seconds(Int64(limits.watchSeconds))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        tick = context.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { task in
            let (handler, context) = bound.value
            guard handler.watch?.isTooSlow(now: handler.now(context)) == true else { return }
            task.cancel()
            context.close(promise: nil)
        }
    }

    private func now(_ context: ChannelHandlerContext) -> UInt64 {
        context.eventLoop.now.uptimeNanoseconds
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
