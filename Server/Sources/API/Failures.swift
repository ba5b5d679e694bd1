// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import QueryLanguage
import SkeinWire
import Store

/// An answer other than success, with what to say.
struct Failure: Error {
    var status: HTTPResponse.Status
    var message: String
    var retryAfterSeconds: Int?
    /// Of a trace that is not there: why.
    var absence: TraceAbsence?

    static func badRequest(_ message: String) -> Failure {
        Failure(status: .badRequest, message: message)
    }

    static func notFound(_ message: String) -> Failure {
        Failure(status: .notFound, message: message)
    }

    /// What Jaeger answers without storage for an archive, and why there is none here.
    static let noArchive = Failure(
        status: .internalServerError,
        message:
            "archive span storage was not configured; a trace is kept until retention removes it"
    )
}

extension Failure {
    /// What to answer for an error of any station.
    init(of error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as QueryError: self = .badRequest(error.description)
        case let error as WireError: self = .badRequest(error.description)
        case let error as StoreError: self.init(of: error)
        case is CancellationError:
            self.init(status: .serviceUnavailable, message: "the query was cancelled; ask again")
        default:
            self.init(status: .internalServerError, message: "the query failed: \(error)")
        }
    }

    private init(of error: StoreError) {
        switch error {
        case .overloaded(let seconds):
            self.init(
                status: .serviceUnavailable,
                message: "too busy; ask again in \(seconds) s",
                retryAfterSeconds: seconds
            )
        case .storageFailed(let reason):
            self.init(status: .internalServerError, message: "the storage failed: \(reason)")
        case .closed:
            self.init(status: .serviceUnavailable, message: "the server is shutting down")
        case .unsupported(let what):
            self.init(status: .notImplemented, message: "not supported: \(what)")
        case .refused(let reason): self = .badRequest(reason)
        case .cancelled:
            self.init(status: .serviceUnavailable, message: "the query was cancelled; ask again")
        }
    }
}

/// How an interface writes its errors.
enum ErrorStyle: Sendable {
    /// `{"error":{"code","message"}}`; for what was asked wrongly its parts as well.
    case native
    /// Jaeger's envelope with `data` null.
    case jaeger
    /// `{"error":{"grpcCode","httpCode","message","httpStatus"}}`
    case jaegerV3
    /// Plain text.
    case zipkin
    /// Plain text.
    case tempo

    /// Whose interface it is.
    var interface: String {
        switch self {
        case .native: "native"
        case .jaeger, .jaegerV3: "jaeger"
        case .zipkin: "zipkin"
        case .tempo: "tempo"
        }
    }

    func response(to error: any Error) -> Response {
        if let error = error as? QueryError { return response(to: error) }
        let failure = Failure(of: error)
        var answer = response(failure.status, failure.message, failure.absence)
        if let seconds = failure.retryAfterSeconds { answer.headers[.retryAfter] = "\(seconds)" }
        return answer
    }

    /// The code of gRPC that says the same.
    static func grpcCode(_ status: HTTPResponse.Status) -> Int {
        switch status {
        case .badRequest: 3
        case .notFound: 5
        case .conflict: 10
        case .notImplemented, .methodNotAllowed: 12
        case .contentTooLarge, .tooManyRequests: 8
        case .serviceUnavailable: 14
        default: 13
        }
    }

    func response(
        _ status: HTTPResponse.Status,
        _ message: String,
        _ absence: TraceAbsence? = nil
    ) -> Response {
        var json = AnswerJSON()
        switch self {
        case .native:
            json.object { json in
                json.object("error") { json in
                    json.member("code", number: status.code)
                    json.member("message", message)
                    if let absence { json.members(of: absence) }
                }
            }
            return .json(json, status: status)
        case .jaeger:
            JaegerAnswer.envelope(
                &json,
                errors: [.init(code: status.code, message: message, traceID: nil)]
            ) { $0.null() }
            return .bytes(json.bytes, type: "text/plain; charset=utf-8", status: status)
        case .jaegerV3:
            json.object { json in
                json.object("error") { json in
                    json.member("grpcCode", number: Self.grpcCode(status))
                    json.member("httpCode", number: status.code)
                    json.member("message", message)
                    json.member("httpStatus", status.reasonPhrase)
                }
            }
            return .json(json, status: status)
        case .zipkin, .tempo:
            return .bytes(
                Array(message.utf8),
                type: "text/plain; charset=utf-8",
                status: status
            )
        }
    }
}

extension Response {
    static func bytes(
        _ bytes: [UInt8],
        type: String,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        // Payload is data: nobody may guess it to be a page.
        headers[.xContentTypeOptions] = "nosniff"
        // Spans arrive all the time: an answer kept is an answer that is wrong.
        headers[.cacheControl] = "no-store"
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    static func json(_ json: AnswerJSON, status: HTTPResponse.Status = .ok) -> Response {
        .bytes(json.bytes, type: "application/json", status: status)
    }
}
