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
