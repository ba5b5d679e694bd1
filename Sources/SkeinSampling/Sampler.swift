// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// Decides whether a span is recorded.
public protocol Sampler: Sendable {
    /// Decides about one span that is about to start; called on the application's thread.
    func decision(for span: SamplingInput) -> SamplingDecision
}

/// What is known of a span before it starts.
public struct SamplingInput: Sendable {
    /// What is known of the parent.
    public struct Parent: Sendable, Hashable {
        /// Whether the parent is recorded.
        public var isSampled: Bool
        /// Whether the parent is in another process.
        public var isRemote: Bool

        /// Makes a parent of its parts.
        public init(isSampled: Bool, isRemote: Bool) {
            self.isSampled = isSampled
            self.isRemote = isRemote
        }
    }

    /// The trace that the span will belong to.
    public var traceID: TraceID
    /// The 56 bits that consistent samplers compare: `rv` of the `tracestate`, or the low bits of
    /// the trace id.
    public var randomness: UInt64
    /// The span's parent; `nil` for a root.
    public var parent: Parent?
    /// The operation, as far as it is known at the start.
    public var name: String
    /// The span's role in a call.
    public var kind: SpanKind
    /// A clock that only goes forward, nanoseconds; 0 below a parent of this process.
    public var time: UInt64

    /// Makes an input of its parts.
    ///
    /// - Parameters:
    ///   - traceID: The trace that the span will belong to.
    ///   - randomness: `nil` stands for the low 56 bits of `traceID`.
    ///   - parent: The span's parent; `nil` for a root.
    ///   - name: The operation.
    ///   - kind: The span's role in a call.
    ///   - time: A clock that only goes forward, nanoseconds; what limits rates needs it.
    public init(
        traceID: TraceID,
        randomness: UInt64? = nil,
        parent: Parent?,
        name: String,
        kind: SpanKind,
        time: UInt64 = 0
    ) {
        self.traceID = traceID
        self.randomness = (randomness ?? traceID.low) & ((1 << 56) - 1)
        self.parent = parent
        self.name = name
        self.kind = kind
        self.time = time
    }
}

/// What a sampler decided.
public struct SamplingDecision: Sendable, Hashable {
    /// Whether the span is recorded and exported.
    public let isSampled: Bool
    /// By which threshold, where the sampler decided by a ratio of its own.
    public let threshold: SamplingThreshold?

    /// The span is not recorded.
    public static let drop = SamplingDecision(isSampled: false, threshold: nil)
    /// The span is recorded, whatever its randomness.
    public static let sample = SamplingDecision(isSampled: true, threshold: nil)

    /// The span is recorded where its randomness reaches `threshold`.
    public static func sample(by threshold: SamplingThreshold) -> SamplingDecision {
        SamplingDecision(isSampled: true, threshold: threshold)
    }
}
