// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import NIOHTTP1
internal import SkeinWire
internal import Store
internal import Synchronization

/// What an OTLP/HTTP request's head says, and what is wrong with it.
struct OTLPRequest {
    let method: HTTPMethod
    let answers: OTLPAnswers
    /// What it carries; traces where the path names nothing.
    let signal: OTLP.Signal
    let encoding: ContentEncoding
    /// The length that the client declares; `nil` for a chunked body.
    let declaredByteCount: Int?
    let isKeepAlive: Bool
    let expectsContinue: Bool
    /// Bytes of the body so far.
    var byteCount = 0
    private let fault: Fault?

    private enum Fault {
        case path, method, contentType, contentEncoding
    }

    /// A refusal and how it counts.
    struct Refusal {
        let answer: OTLPAnswer
        let counted: IngestResult
    }

    /// Nothing yet.
    init() {
        method = .POST
        answers = OTLPAnswers(format: .json)
        signal = .traces
        encoding = .identity
        declaredByteCount = nil
        isKeepAlive = false
        expectsContinue = false
        fault = nil
    }

    init(_ head: HTTPRequestHead) {
        method = head.method
        let path = head.uri.prefix { $0 != "?" }
        let format = OTLP.Format(contentType: head.headers.first(name: "content-type"))
        let signal = OTLP.Signal(path: path)
        let encoding = ContentEncoding(header: head.headers.first(name: "content-encoding"))
        answers = OTLPAnswers(format: format ?? .json)
        self.signal = signal ?? .traces
        self.encoding = encoding ?? .identity
        // The decoder checked that it is a number.
        declaredByteCount = head.headers.first(name: "content-length").map { Int($0) ?? .max }
        // What HTTP/1.0 asks for beyond that, nobody who sends spans needs.
        isKeepAlive = head.version == .http1_1 && head.isKeepAlive
        expectsContinue = head.headers.first(name: "expect")?.lowercased() == "100-continue"
        fault =
            if signal == nil {
                .path
            } else if head.method != .POST {
                .method
            } else if format == nil {
                .contentType
            } else if encoding == nil {
                .contentEncoding
            } else {
                nil
            }
    }

    /// Why this is not read on, if it is not. What leaves a body unread ends the connection.
    func refusal(limit: Int) -> Refusal? {
        switch fault {
        case .path:
            return Refusal(
                answer: answers.failure(
                    .notFound,
                    .notFound,
                    "there is nothing at this path; send spans to POST /v1/traces"
                ),
                counted: .unsupported
            )
        case .method:
            var answer = answers.failure(
                .methodNotAllowed,
                .unimplemented,
                "use POST, not \(method.rawValue)"
            )
            answer.closes = true
            answer.headers.add(name: "allow", value: "POST")
            return Refusal(answer: answer, counted: .unsupported)
        case .contentType:
            var answer = answers.failure(
                .unsupportedMediaType,
                .invalidArgument,
                "the content type must be application/x-protobuf or application/json"
            )
            answer.closes = true
            return Refusal(answer: answer, counted: .unsupported)
        case .contentEncoding:
            var answer = answers.failure(
                .unsupportedMediaType,
                .invalidArgument,
                "the content encoding must be one of \(ContentEncoding.accepted)"
            )
            answer.closes = true
            answer.headers.add(name: "accept-encoding", value: ContentEncoding.accepted)
            return Refusal(answer: answer, counted: .unsupported)
        case nil: break
        }
        guard let declaredByteCount, declaredByteCount > limit else { return nil }
        return Refusal(
            answer: tooLarge("the body has \(declaredByteCount) bytes, the limit is \(limit)"),
            counted: .tooLarge
        )
    }

    /// The answer to a body over the limit.
    func tooLarge(_ reason: String) -> OTLPAnswer {
        var answer = answers.failure(.payloadTooLarge, .resourceExhausted, reason)
        answer.closes = true
        return answer
    }
}

/// Bytes of the budget that a request holds until it is answered.
final class HeldBytes: Sendable {
    private let reservation: Mutex<Reservation>

    init(_ reservation: consuming sending Reservation) {
        self.reservation = Mutex(reservation)
    }

    /// Makes sure that at least `byteCount` are held; false when there is no room.
    func grow(to byteCount: Int) -> Bool {
        reservation.withLock { $0.grow(to: byteCount) }
    }

    /// Unpacks a body, whose bytes are held already.
    func unpack(
        _ body: [UInt8],
        _ encoding: ContentEncoding,
        limit: Int
    ) throws(DecompressionError) -> [UInt8] {
        try reservation.withLock { (reservation) throws(DecompressionError) in
            try encoding.decompress(body, limit: limit, reservation: &reservation)
        }
    }
}

/// What is done with a request once it is whole.
struct OTLPWork: Sendable {
    /// What came of it.
    enum Result: Sendable {
        case outcome(IngestOutcome)
        case tooLarge(String)
        case damaged(String)
        case noRoom
    }

    let ingest: Ingest
    let payload: [UInt8]
    let format: PayloadFormat
    let encoding: ContentEncoding
    let held: HeldBytes

    /// Unpacks, decodes and stores; calls `done` once, here or on another thread.
    func run(_ done: @escaping @Sendable (Result) -> Void) {
        let bytes: [UInt8]
        do throws(DecompressionError) {
            bytes = try held.unpack(payload, encoding, limit: ingest.limits.requestByteCount)
        } catch {
            switch error {
            case .tooLarge: return done(.tooLarge("\(error)"))
            case .damaged: return done(.damaged("\(error)"))
            case .noRoom: return done(.noRoom)
            }
        }
        ingest.accept(bytes, format: format, by: .otlpHTTP) { done(.outcome($0)) }
    }
}

extension OTLP.Format {
    /// The format a `Content-Type` value names, parameters aside.
    init?(contentType: String?) {
        guard let contentType else { return nil }
        // What nearly every client sends needs no look at its parts.
        if contentType == "application/x-protobuf" {
            self = .protobuf
            return
        }
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        switch type {
        case "application/x-protobuf", "application/protobuf": self = .protobuf
        case "application/json": self = .json
        default: return nil
        }
    }
}
