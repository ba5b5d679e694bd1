// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import NIOCore
internal import NIOHTTP1
internal import SkeinWire
internal import Store

/// OTLP over HTTP on one connection: `POST /v1/traces`, protobuf or JSON. Metrics and logs are
/// answered, not kept.
///
/// ```
/// head ──► body ──► working ──► head                  one request at a time; what comes meanwhile
///   │        │         │                              waits here, and the socket is not read
///   │        └─────────┴── answer that closes ──► lingering
///   └── answered at once ──► skipping ──► head        the body of a request that was refused
/// ```
/// A body is collected in one array; its bytes are reserved from the budget before they are read.
/// Requests of ordinary size are decoded right here, which takes a few hundred microseconds; large
/// and packed ones on the shared pool. Lives on one event loop, like every handler.
final class OTLPHTTPConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case head, body, skipping, working, lingering
    }

    private let ingest: Ingest
    private let limits: ReceiverLimits
    private var phase = Phase.head
    /// The request whose body is being read or that is being worked on.
    private var request = OTLPRequest()
    private var body: [UInt8] = []
    private var held: HeldBytes?
    /// Parts of requests that a client sent without waiting for the answer to the one before; no
    /// more than one read of the socket brought.
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    private var isReadWanted = false
    private var isTakingWaiting = false
    /// The client sends no more, or the server stops: the answer being prepared is the last.
    private var isEnding = false
    private var watch: ConnectionWatch?
    private var tick: RepeatedTask?

    init(ingest: Ingest, limits: ReceiverLimits) {
        self.ingest = ingest
        self.limits = limits
    }

    // MARK: The connection

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
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

    func channelInactive(context: ChannelHandlerContext) {
        tick?.cancel()
        tick = nil
        if phase == .body { ingest.counters.count(.otlpHTTP, .aborted) }
        if phase != .working { release() }
        phase = .lingering
        waiting = []
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        tick?.cancel()
        tick = nil
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch?.writabilityChanged(context.channel.isWritable, now: now(context))
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if phase == .working {
            isReadWanted = true
        } else {
            context.read()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed as ChannelEvent:
            // A client that shuts its sending side down may still wait for its answer.
            if phase == .working { isEnding = true } else { context.close(promise: nil) }
        case is ChannelShouldQuiesceEvent:
            stop(context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// The server stops: what was received whole is answered, a body that is still coming gets a
    /// moment and is given up, so that no client can hold the stop up.
    private func stop(_ context: ChannelHandlerContext) {
        isEnding = true
        switch phase {
        case .head: context.close(promise: nil)
        case .working, .lingering: break
        case .body, .skipping:
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .seconds(Int64(limits.stopBodySeconds))) {
                let (handler, context) = bound.value
                if handler.phase == .body || handler.phase == .skipping {
                    context.close(promise: nil)
                }
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let fault = error as? HTTPParserError else { return context.close(promise: nil) }
        switch phase {
        case .head, .body: refuse(fault, context)
        case .working:
            // What follows a whole request is no request: the one is answered still.
            isEnding = true
        case .skipping, .lingering: context.close(promise: nil)
        }
    }

    /// Answers what is not HTTP.
    private func refuse(_ fault: HTTPParserError, _ context: ChannelHandlerContext) {
        ingest.counters.count(.otlpHTTP, .malformed)
        let isOverflow = fault == .headerOverflow
        var answer = OTLPAnswers(format: .json).failure(
            isOverflow ? .requestHeaderFieldsTooLarge : .badRequest,
            .invalidArgument,
            isOverflow
                ? "the header has more than \(limits.headerFieldCount) fields, one of more than "
                    + "\(limits.headerFieldByteCount) bytes, or more than "
                    + "\(limits.headerListByteCount) in all" : "this is not HTTP/1.1"
        )
        answer.closes = true
        self.answer(answer, context)
    }

    private func now(_ context: ChannelHandlerContext) -> UInt64 {
        context.eventLoop.now.uptimeNanoseconds
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if phase == .working {
            waiting.append(unwrapInboundIn(data))
        } else {
            take(unwrapInboundIn(data), context)
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (part, phase) {
        case (.head(let head), .head):
            watch?.readHead(now: now(context))
            take(head, context)
        case (.body(let bytes), .body):
            watch?.readBody(byteCount: bytes.readableBytes)
            collect(bytes, context)
        case (.body(let bytes), .skipping):
            watch?.readBody(byteCount: bytes.readableBytes)
        case (.end, .body):
            watch?.readEnd()
            complete(context)
        case (.end, .skipping):
            watch?.readEnd()
            phase = .head
            if isEnding { context.close(promise: nil) }
        default: break
        }
    }

    /// Reads a request's head: refuses it, or makes ready for its body.
    private func take(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        request = OTLPRequest(head)
        phase = .body
        if let refusal = request.refusal(limit: ingest.limits.requestByteCount) {
            ingest.counters.count(.otlpHTTP, refusal.counted)
            return answer(refusal.answer, context)
        }
        if request.signal.isKept {
            let wanted = request.declaredByteCount ?? limits.chunkedBodyByteCount
            guard let reservation = ingest.budget.reserve(wanted) else { return pushBack(context) }
            held = HeldBytes(reservation)
            // No more than this on a client's word: the rest grows as it comes.
            body.reserveCapacity(min(wanted, limits.bodyRoomByteCount))
        }
        if request.expectsContinue {
            let interim = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
        }
    }

    private func collect(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        request.byteCount += bytes.readableBytes
        let limit = ingest.limits.requestByteCount
        guard request.byteCount <= limit else {
            ingest.counters.count(.otlpHTTP, .tooLarge)
            return answer(request.tooLarge("the body is larger than \(limit) bytes"), context)
        }
        // What is not kept need not be held either.
        guard let held else { return }
        guard held.grow(to: request.byteCount) else { return pushBack(context) }
        body.append(contentsOf: bytes.readableBytesView)
    }

    private func complete(_ context: ChannelHandlerContext) {
        phase = .working
        guard request.signal.isKept, let held else {
            ingest.counters.count(.otlpHTTP, .notKept)
            return answer(request.answers.notKept(request.signal), context)
        }
        let payload = body
        body = []
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let work = OTLPWork(
            ingest: ingest,
            payload: payload,
            format: request.answers.payloadFormat(of: request.signal),
            encoding: request.encoding,
            held: held
        )
        let done: @Sendable (OTLPWork.Result) -> Void = { result in
            eventLoop.execute {
                let (handler, context) = bound.value
                handler.finish(result, context)
            }
        }
        if request.encoding == .identity, payload.count <= limits.inlineByteCount {
            work.run(done)
        } else {
            Task { work.run(done) }
        }
    }

    private func finish(_ result: OTLPWork.Result, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return release() }
        switch result {
        case .outcome(let outcome):
            answer(request.answers.answer(to: outcome, request.signal), context)
        case .noRoom: pushBack(context)
        case .tooLarge(let reason):
            ingest.counters.count(.otlpHTTP, .tooLarge)
            answer(request.tooLarge(reason), context)
        case .damaged(let reason):
            ingest.counters.count(.otlpHTTP, .malformed)
            answer(request.answers.failure(.badRequest, .invalidArgument, reason), context)
        }
    }

    // MARK: Answers

    private func pushBack(_ context: ChannelHandlerContext) {
        ingest.counters.count(.otlpHTTP, .overloaded)
        let seconds = ingest.retryAfterSeconds()
        answer(request.answers.overloaded(retryAfterSeconds: seconds), context)
    }

    /// Answers the request and goes on with the next, or ends the connection.
    private func answer(_ answer: OTLPAnswer, _ context: ChannelHandlerContext) {
        var answer = answer
        if !request.isKeepAlive || isEnding { answer.closes = true }
        release()
        write(answer, context)
        watch?.wroteEnd(now: now(context))
        if answer.closes {
            linger(context)
        } else if phase == .body {
            phase = .skipping
        } else {
            phase = .head
            takeWaiting(context)
        }
    }

    private func release() {
        held = nil
        body = []
    }

    private func write(_ answer: OTLPAnswer, _ context: ChannelHandlerContext) {
        var head = HTTPResponseHead(
            version: .http1_1,
            status: answer.status,
            headers: answer.headers
        )
        if answer.closes { head.headers.add(name: "connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if answer.body.readableBytes > 0, request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Lets a client that may still be sending read the answer before the connection goes.
    private func linger(_ context: ChannelHandlerContext) {
        phase = .lingering
        waiting = []
        context.close(mode: .output, promise: nil)
        readIfWanted(context)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(Int64(limits.lingerSeconds))) {
            channel.close(promise: nil)
        }
    }

    private func takeWaiting(_ context: ChannelHandlerContext) {
        guard !isTakingWaiting else { return }
        isTakingWaiting = true
        while phase != .working, let part = waiting.popFirst() { take(part, context) }
        isTakingWaiting = false
        if phase != .working { readIfWanted(context) }
    }

    private func readIfWanted(_ context: ChannelHandlerContext) {
        guard isReadWanted else { return }
        isReadWanted = false
        context.read()
    }
}

@available(*, unavailable)
extension OTLPHTTPConnection: Sendable {}
