// SPDX-License-Identifier: Apache-2.0

/// The role of a span in a call, numbered as OTLP does.
public enum SpanKind: UInt8, Sendable, CaseIterable {
    case unspecified, `internal`, server, client, producer, consumer

    /// Whether a span of this kind is one end of a call between two parties.
    @inlinable public var isCall: Bool { rawValue >= SpanKind.server.rawValue }

    /// The lower-case word used in the API, the page and TraceQL.
    public var word: String {
        switch self {
        case .unspecified: "unspecified"
        case .internal: "internal"
        case .server: "server"
        case .client: "client"
        case .producer: "producer"
        case .consumer: "consumer"
        }
    }

    /// Parses the lower-case word.
    public init?(word: String) {
        guard let kind = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = kind
    }
}

/// How an operation ended, numbered as OTLP does.
public enum StatusCode: UInt8, Sendable, CaseIterable {
    case unset, ok, error

    /// The lower-case word used in the API, the page and TraceQL.
    public var word: String {
        switch self {
        case .unset: "unset"
        case .ok: "ok"
        case .error: "error"
        }
    }

    /// Parses the lower-case word.
    public init?(word: String) {
        guard let code = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = code
    }
}

/// What Skein noted about a span while it was taken in; nothing is changed silently.
public struct SpanMarks: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Zipkin's `shared`: the server half of a span whose id the client half carries too.
    public static let shared = SpanMarks(rawValue: 1)
    /// Zipkin's `debug`: sampled whatever the sampler says.
    public static let debug = SpanMarks(rawValue: 2)
    /// The sender gave no start; `start` is the receive time.
    public static let startMissing = SpanMarks(rawValue: 4)
    /// The sender gave no duration; `end` equals `start`.
    public static let durationMissing = SpanMarks(rawValue: 8)
    /// An attribute, event or link was cut or dropped by a limit of ours.
    public static let limited = SpanMarks(rawValue: 16)
    /// Bytes that were not UTF-8 were replaced by U+FFFD.
    public static let textRepaired = SpanMarks(rawValue: 32)
    /// The sender named no service; the service reads `unknown_service`.
    public static let serviceMissing = SpanMarks(rawValue: 64)
}
