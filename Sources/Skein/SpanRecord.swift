// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
public import SkeinPropagation
public import Tracing

/// A finished span: what exporters and tests are given.
public struct SpanRecord: Sendable {
    /// Who the span speaks of.
    public let resource: Resource
    /// The span's own place in its trace.
    public let context: TraceContext
    /// The parent; `SpanID.none` for a root.
    public let parentSpanID: SpanID
    /// Whether the parent is in another process.
    public let parentIsRemote: Bool
    /// The operation.
    public let name: String
    /// The role in a call.
    public let kind: Tracing.SpanKind
    /// Unsigned nanoseconds since 1970.
    public let start: UInt64
    /// Unsigned nanoseconds since 1970, never before `start`: a clock that was set back in between
    /// shows as a span of no duration.
    public let end: UInt64
    /// The attributes that were kept.
    public let attributes: SpanAttributes
    /// The events that were kept, in the order they were added.
    public let events: [Event]
    /// The links that were kept, in the order they were added.
    public let links: [Link]
    /// How the operation ended; `nil` where nobody said.
    public let status: SpanStatus?
    /// What limits kept out of this span.
    public let dropped: DroppedCounts

    /// Something that happened during the span.
    public struct Event: Sendable {
        /// What happened.
        public let name: String
        /// When, in unsigned nanoseconds since 1970.
        public let time: UInt64
        /// What is known of it.
        public let attributes: SpanAttributes
        /// Attributes that the limit kept out.
        public let droppedAttributeCount: UInt32
    }

    /// Another span that this one has to do with.
    public struct Link: Sendable {
        /// The other span.
        public let context: TraceContext
        /// What is known of the relation.
        public let attributes: SpanAttributes
        /// Attributes that the limit kept out.
        public let droppedAttributeCount: UInt32
    }

    /// How many things the limits kept out of one span.
    public struct DroppedCounts: Sendable, Hashable {
        /// Attributes not kept.
        public var attributes: UInt32 = 0
        /// Events not kept.
        public var events: UInt32 = 0
        /// Links not kept.
        public var links: UInt32 = 0

        /// Makes counts of zero.
        public init() {}
    }

    /// The trace that the span belongs to.
    public var traceID: TraceID { context.traceID }
    /// The span's own id.
    public var spanID: SpanID { context.spanID }
    /// Whether the span has no parent in this process or another.
    public var isRoot: Bool { !parentSpanID.isValid }
}
