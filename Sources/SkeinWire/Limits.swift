// SPDX-License-Identifier: Apache-2.0

/// What one payload may hold. What goes past a limit is counted and marked, or refused whole.
public struct DecodeLimits: Sendable, Hashable {
    /// Bytes of one payload, uncompressed. More is refused: OTLP recommends 64 MiB.
    public var payloadByteCount = 64 << 20
    /// Spans of one payload. The rest is rejected as a partial success: 100,000 spans of the usual
    /// 475 bytes are close to the byte limit, so that only tiny spans in masses meet this one.
    public var spansPerPayload = 100_000
    /// Attributes of one span, event, link, resource or scope. SDKs stop at 128 by default.
    public var attributesPerOwner = 1_024
    /// Events of one span. SDKs stop at 128 by default.
    public var eventsPerSpan = 1_024
    /// Links of one span. SDKs stop at 128 by default.
    public var linksPerSpan = 1_024
    /// Attributes, events and links of one payload together: an empty one costs two bytes on the
    /// wire and up to 56 here, and this keeps that exchange bounded.
    public var itemsPerPayload = 4_000_000
    /// Bytes of an attribute's key. Longer ones are cut: keys are names.
    public var keyByteCount = 512
    /// Bytes of an attribute's value, a span's or event's name, a status message, a tracestate.
    /// Longer text is cut at a character: a stack trace fits, a file does not.
    public var valueByteCount = 64 << 10
    /// Bytes of all attribute values of one span. What comes after is cut: a span of more than a
    /// mebibyte is a dump.
    public var spanValueByteCount = 1 << 20
    /// Rows of call statistics of one payload: Skein's own SDK sends 2,008 at most. The rest is
    /// rejected.
    public var callRowsPerPayload = 20_000
    /// Buckets of all rows of call statistics of one payload, empty ones between two included: 16 MiB.
    /// What goes past is rejected.
    public var callBucketsPerPayload = 2 << 20
    /// Bytes of a service's, operation's or peer's name in call statistics. A row with a longer one is
    /// rejected.
    public var callNameByteCount = 1_024
    /// Levels of nested values that are stored. Deeper ones read as empty: nobody can look at them.
    public var storedDepth = 64
    /// Levels of nested messages, groups, objects and arrays that are read. Deeper payloads are
    /// refused whole, as other protobuf decoders do at 100.
    public var parsedDepth = 100

    /// The limits of a server that was told nothing else.
    public static let standard = DecodeLimits()

    /// Makes the standard limits, to be changed one by one.
    public init() {}
}

/// `parsedDepth` and `storedDepth` of `DecodeLimits`.
struct DepthLimits {
    let parsed: Int
    let stored: Int
}
