// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import HTTPTypes
import SkeinWire

/// A gRPC service that answers questions.
struct GRPCService: RegistrableRPCService {
    /// With its package, such as `jaeger.api_v3.QueryService`.
    let name: String
    let calls: [GRPCCall]
    let questions: QuestionLog
    /// Whose it is, for the log of questions.
    let interface: String

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for call in calls {
            router.registerHandler(
                forMethod: MethodDescriptor(fullyQualifiedService: name, method: call.method),
                deserializer: GRPCBytes(),
                serializer: GRPCBytes()
            ) { request, _ in
                let bytes = try await ServerRequest(stream: request).message
                return StreamingServerResponse { writer in
                    do {
                        let question = try ProtobufFields(bytes)
                        return try await questions.answer(
                            QuestionPlace(interface: interface, route: "\(name)/\(call.method)"),
                            text: "",
                            status: Self.status
                        ) {
                            try await call.answer(question, GRPCAnswer(writer)).metadata
                        }
                    } catch let error as RPCError {
                        throw error
                    } catch {
                        throw Failure(of: error).rpcError
                    }
                }
            }
        }
    }
}

extension GRPCService {
    private static func status(_ answer: Result<Metadata, any Error>) -> HTTPResponse.Status {
        guard case .failure(let error) = answer else { return .ok }
        return Failure(of: error).status
    }
}

/// One call of a service: a question, and one message or a stream of them for an answer, which are
/// the same on the wire.
struct GRPCCall: Sendable {
    let method: String
    /// Writes the answer's messages, and says what is missing in them.
    let answer: @Sendable (ProtobufFields, GRPCAnswer) async throws -> GRPCIncomplete

    init(
        _ method: String,
        _ answer: @escaping @Sendable (ProtobufFields, GRPCAnswer) async throws -> GRPCIncomplete
    ) {
        self.method = method
        self.answer = answer
    }
}

/// Where an answer's messages go.
struct GRPCAnswer: Sendable {
    private let writer: RPCWriter<[UInt8]>

    init(_ writer: RPCWriter<[UInt8]>) { self.writer = writer }

    /// Sends a message; waits while the client takes none.
    func send(_ message: ProtobufWriter) async throws { try await writer.write(message.bytes) }

    /// Sends a message that is there already.
    func send(_ message: [UInt8]) async throws { try await writer.write(message) }
}

/// Messages of one stream, each with as many entries as the bound has room for.
struct GRPCChunks {
    private let answer: GRPCAnswer
    private var message = ProtobufWriter()

    init(_ answer: GRPCAnswer) { self.answer = answer }

    /// Adds an entry of a repeated field. One that has more than the bound has a message of its own.
    mutating func add(_ field: UInt32, _ entry: [UInt8]) async throws {
        let byteCount = message.bytes.count
        if byteCount > 0, byteCount + entry.count > RequestLimits.chunkByteCount {
            try await answer.send(message)
            message = ProtobufWriter()
        }
        if entry.isEmpty { message.string(field, always: "") } else { message.bytes(field, entry) }
    }

    mutating func add(
        _ field: UInt32,
        _ entry: (inout ProtobufWriter) -> Void
    ) async throws {
        var written = ProtobufWriter()
        entry(&written)
        try await add(field, written.bytes)
    }

    /// Sends what is left, even where that is nothing, with what ends a message.
    mutating func end(_ last: (inout ProtobufWriter) -> Void = { _ in }) async throws {
        last(&message)
        try await answer.send(message)
        message = ProtobufWriter()
    }
}

/// The one message of numbers over time, which clients take up to a size.
extension ProtobufWriter {
    /// - Throws: `Failure` where the message is larger already.
    func checkMetricByteCount() throws {
        guard bytes.count <= RequestLimits.metricByteCount else {
            throw Failure(
                status: .contentTooLarge,
                message: "the answer has \(bytes.count) bytes or more; at most "
                    + "\(RequestLimits.metricByteCount) fit: ask for fewer series, a shorter time or "
                    + "a larger step"
            )
        }
    }
}

/// Why an answer is not whole; nothing where it is.
struct GRPCIncomplete {
    static let whole = GRPCIncomplete(reasons: [])

    let reasons: [String]

    /// In the trailers, as the header of the same name over HTTP.
    fileprivate var metadata: Metadata {
        reasons.isEmpty ? [:] : ["skein-incomplete": .string(reasons.joined(separator: "; "))]
    }
}

extension Failure {
    fileprivate var rpcError: RPCError {
        let code = Status.Code(rawValue: ErrorStyle.grpcCode(status)).flatMap { RPCError.Code($0) }
        return RPCError(code: code ?? .internalError, message: message)
    }
}
