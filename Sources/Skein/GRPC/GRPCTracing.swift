// SPDX-License-Identifier: Apache-2.0

#if GRPC
public import GRPCCore
internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

/// Puts every call of a gRPC client into a span and sends the trace along.
///
/// ```swift
/// GRPCClient(transport: transport, interceptors: [GRPCClientTracing(tracer)])
/// ```
/// The span ends with the last part of the answer, or when nobody reads it any more. Every status but
/// OK is an error.
public struct GRPCClientTracing: ClientInterceptor {
    private let tracer: SkeinTracer

    /// Makes an interceptor that records its spans with `tracer`.
    public init(_ tracer: SkeinTracer) { self.tracer = tracer }

    public func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingClientRequest<Input>,
        context: ClientContext,
        next: (StreamingClientRequest<Input>, ClientContext) async throws ->
            StreamingClientResponse<Output>
    ) async throws -> StreamingClientResponse<Output> {
        let span = tracer.startSpan(context.descriptor.fullyQualifiedMethod, ofKind: .client)
        span.describe(context.descriptor, peer: context.remotePeer, isCaller: true)
        var request = request
        tracer.inject(
            span.context,
            into: &request.metadata,
            using: MetadataCarrier()
        )
        do {
            var response = try await InstrumentationContext.withValue(span.context) {
                try await next(request, context)
            }
            switch response.accepted {
            case .failure(let error): span.end(with: error, isError: true)
            case .success(var contents):
                contents.bodyParts = RPCAsyncSequence(
                    wrapping: TracedParts(parts: contents.bodyParts, call: RunningCall(span))
                )
                response.accepted = .success(contents)
            }
            return response
        } catch {
            span.end(with: error, isError: true)
            throw error
        }
    }
}

/// Puts every call that a gRPC server answers into a span of the caller's trace.
///
/// ```swift
/// GRPCServer(transport: transport, services: […], interceptors: [GRPCServerTracing(tracer)])
/// ```
/// The span ends with the last part of the answer, or when that will not be sent. Of the statuses those
/// are errors that say something of the server, not of the request.
public struct GRPCServerTracing: ServerInterceptor {
    private let tracer: SkeinTracer

    /// Makes an interceptor that records its spans with `tracer`.
    public init(_ tracer: SkeinTracer) { self.tracer = tracer }

    public func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable (StreamingServerRequest<Input>, ServerContext) async throws ->
            StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        var outer = InstrumentationContext.topLevel
        tracer.extract(request.metadata, into: &outer, using: MetadataCarrier())
        let span = tracer.startSpan(
            context.descriptor.fullyQualifiedMethod,
            context: outer,
            ofKind: .server
        )
        span.describe(context.descriptor, peer: context.remotePeer, isCaller: false)
        do {
            var response = try await InstrumentationContext.withValue(span.context) {
                try await next(request, context)
            }
            switch response.accepted {
            case .failure(let error): span.end(with: error, isError: error.code.isOfServer)
            case .success(var contents):
                let producer = contents.producer
                let call = RunningCall(span)
                contents.producer = { writer in
                    do {
                        let metadata = try await InstrumentationContext.withValue(
                            call.span.context
                        ) {
                            try await producer(writer)
                        }
                        call.span.end(with: nil, isError: false)
                        return metadata
                    } catch {
                        call.span.end(with: error, isError: error.isOfServer)
                        throw error
                    }
                }
                response.accepted = .success(contents)
            }
            return response
        } catch {
            span.end(with: error, isError: error.isOfServer)
            throw error
        }
    }
}

/// Reads and writes the metadata of a call. What is written takes the place of what stood there.
private struct MetadataCarrier: Extractor, Injector {
    func extract(key: String, from carrier: Metadata) -> String? {
        let values = carrier[stringValues: key].map { $0 }
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    func inject(_ value: String, forKey key: String, into carrier: inout Metadata) {
        carrier.replaceOrAddString(value, forKey: key)
    }
}

/// The parts of an answer, whose end is the end of the call.
private struct TracedParts<Part: Sendable>: AsyncSequence, Sendable {
    typealias Element = Part
    typealias Failure = any Error

    let parts: RPCAsyncSequence<Part, any Error>
    let call: RunningCall

    func makeAsyncIterator() -> Iterator {
        Iterator(parts: parts.makeAsyncIterator(), call: call)
    }

    struct Iterator: AsyncIteratorProtocol {
        var parts: RPCAsyncSequence<Part, any Error>.AsyncIterator
        let call: RunningCall

        mutating func next() async throws -> Part? { try await next(isolation: nil) }

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Part?
        {
            do {
                let part = try await parts.next(isolation: actor)
                if part == nil { call.span.end(with: nil, isError: false) }
                return part
            } catch {
                call.span.end(with: error, isError: true)
                throw error
            }
        }
    }
}

/// Ends its span when the last who could read or write the answer is gone; where it has ended that is
/// for nought.
private final class RunningCall: Sendable {
    let span: SkeinSpan

    init(_ span: SkeinSpan) { self.span = span }

    deinit { if !span.hasEnded { span.end() } }
}

extension SkeinSpan {
    fileprivate func describe(
        _ method: MethodDescriptor,
        peer: String,
        isCaller: Bool
    ) {
        guard isRecording else {
            if isCaller { countServer(PeerPlace(peer).host) }
            return
        }
        var all: SpanAttributes = [
            "rpc.system": "grpc",
            "rpc.service": .string(method.service.fullyQualifiedService),
            "rpc.method": .string(method.method),
        ]
        let place = PeerPlace(peer)
        if isCaller {
            all.setServer(place.host, place.port)
        } else {
            all.set("network.peer.address", value: .string(place.host))
            if let port = place.port {
                all.set("network.peer.port", value: .int64(Int64(port)))
            }
        }
        updateAttributes { $0.merge(all) }
    }

    /// Ends the call's span; what a span says after its end is nothing new here, so that is not counted.
    fileprivate func end(with error: (any Error)?, isError: Bool) {
        guard !hasEnded else { return }
        if isRecording {
            let code = error.map { $0.code.rawValue } ?? 0
            attributes.set("rpc.grpc.status_code", value: .int64(Int64(code)))
        }
        if let error, isError { fail(error) }
        end()
    }
}

extension RPCError.Code {
    /// Whether it says something of the server rather than of the request.
    fileprivate var isOfServer: Bool {
        switch self {
        case .unknown, .deadlineExceeded, .unimplemented, .internalError, .unavailable, .dataLoss:
            true
        default: false
        }
    }
}

extension Error {
    /// What the caller is told; of an error that gRPC does not know, UNKNOWN.
    fileprivate var code: RPCError.Code {
        (self as? RPCError)?.code ?? (self as? any RPCErrorConvertible)?.rpcErrorCode ?? .unknown
    }

    fileprivate var isOfServer: Bool { code.isOfServer }
}

/// What gRPC calls a peer: `ipv4:127.0.0.1:4317`, `ipv6:[::1]:4317`, `unix:/path`.
private struct PeerPlace {
    var host: String
    var port: Int?

    init(_ peer: String) {
        let parts = peer.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == "ipv4" || parts[0] == "ipv6",
            let colon = parts[1].lastIndex(of: ":"),
            let number = Int(parts[1][parts[1].index(after: colon)...])
        else {
            host = parts.last ?? peer
            return
        }
        host = parts[1][..<colon].filter { $0 != "[" && $0 != "]" }
        port = number
    }
}
#endif
