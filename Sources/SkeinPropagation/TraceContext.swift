// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// The place of one span in one trace: what a child needs to know of its parent.
public struct TraceContext: Sendable, Hashable {
    /// The trace.
    public var traceID: TraceID
    /// The span within the trace.
    public var spanID: SpanID
    /// Whether the trace is sampled, and what is known of its id.
    public var flags: TraceFlags
    /// What the tracing systems on the way noted.
    public var state: TraceState
    /// Whether the span is in another process: the context came through a carrier.
    public var isRemote: Bool

    /// Makes a context of its parts.
    public init(
        traceID: TraceID,
        spanID: SpanID,
        flags: TraceFlags,
        state: TraceState = TraceState(),
        isRemote: Bool = false
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
        self.state = state
        self.isRemote = isRemote
    }

    /// Whether the span is recorded somewhere.
    public var isSampled: Bool { flags.contains(.sampled) }
}

/// The flags of W3C's `traceparent`. Bits that the standard leaves open are never set.
public struct TraceFlags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    /// Keeps the bits that have a meaning and clears the others, as the standard asks.
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0b11 }

    /// The caller may have recorded the trace.
    public static let sampled = TraceFlags(rawValue: 1)
    /// The low 56 bits of the trace id are random.
    public static let random = TraceFlags(rawValue: 2)
}
