// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// One trace in a result list.
public struct TraceSummary: Sendable, Equatable {
    public var traceID: TraceID
    /// Service of the root span, or of the earliest span where no root was received.
    public var rootService: String
    /// Operation of the same span: the trace's entry.
    public var rootOperation: String
    /// Earliest start, nanoseconds since 1970.
    public var start: UInt64
    /// Latest end less earliest start, nanoseconds.
    public var duration: UInt64
    public var spanCount: Int
    public var errorCount: Int
    /// Sorted by name.
    public var services: [ServiceCount]
    /// Spans that satisfied the predicate, in order of start, up to the plan's limit.
    public var matchedSpans: [SpanID]

    /// How many of a trace's spans a service has.
    public struct ServiceCount: Sendable, Equatable {
        public var name: String
        public var spanCount: Int
        public var errorCount: Int

        /// Counts one service.
        public init(name: String, spanCount: Int, errorCount: Int) {
            self.name = name
            self.spanCount = spanCount
            self.errorCount = errorCount
        }
    }

    /// Describes one trace.
    public init(
        traceID: TraceID,
        rootService: String,
        rootOperation: String,
        start: UInt64,
        duration: UInt64,
        spanCount: Int,
        errorCount: Int,
        services: [ServiceCount],
        matchedSpans: [SpanID]
    ) {
        self.traceID = traceID
        self.rootService = rootService
        self.rootOperation = rootOperation
        self.start = start
        self.duration = duration
        self.spanCount = spanCount
        self.errorCount = errorCount
        self.services = services
        self.matchedSpans = matchedSpans
    }
}

/// A page of traces in the plan's order.
public struct ScanResult: Sendable {
    public var traces: [TraceSummary]
    /// Where the next page begins; `nil` when there is none.
    public var cursor: ScanCursor?
    /// Why the answer is not whole; empty when it is.
    public var incomplete: [String]

    /// Makes a page.
    public init(traces: [TraceSummary], cursor: ScanCursor?, incomplete: [String] = []) {
        self.traces = traces
        self.cursor = cursor
        self.incomplete = incomplete
    }
}

/// Which traces to read whole.
public struct TraceRequest: Sendable {
    public var tenant: Tenant
    /// Ids with a zero high half find 128-bit ids with the same low half too.
    public var ids: [TraceID]

    /// Asks for traces by id.
    public init(tenant: Tenant = .default, ids: [TraceID]) {
        self.tenant = tenant
        self.ids = ids
    }
}

/// Spans of whole traces.
public final class TraceSpans: Sendable {
    /// Sorted by trace id, then start, then span id.
    public let columns: SpanColumns
    /// Why spans may be missing; empty when none are.
    public let incomplete: [String]

    /// Takes the columns over.
    public init(columns: consuming SpanColumns, incomplete: [String] = []) {
        self.columns = columns
        self.incomplete = incomplete
    }
}

/// Which names to list.
public struct NamesRequest: Sendable {
    /// Kinds of names.
    public enum Scope: Sendable, Equatable {
        case services
        /// Operations with their span kinds, of one service or of all.
        case operations(service: TextMatch?)
        /// Attribute keys with their scopes, of spans of one service or of all.
        case keys(service: TextMatch?)
        /// Values, as text, of one attribute key.
        case values(AttributeScope, key: String, service: TextMatch?, prefix: String)
    }

    public var tenant: Tenant
    public var scope: Scope
    /// Names in the answer, at most.
    public var limit: Int

    /// Asks for names.
    public init(tenant: Tenant = .default, scope: Scope, limit: Int = 10_000) {
        self.tenant = tenant
        self.scope = scope
        self.limit = limit
    }
}

/// Names, sorted by text.
public struct NamesResult: Sendable {
    /// One name.
    public struct Name: Sendable, Hashable {
        public var text: String
        /// For operations: the span kind.
        public var kind: SpanKind?
        /// For keys: where the attribute stands.
        public var scope: AttributeScope?

        /// Makes a name.
        public init(text: String, kind: SpanKind? = nil, scope: AttributeScope? = nil) {
            self.text = text
            self.kind = kind
            self.scope = scope
        }
    }

    public var names: [Name]
    /// Why names may be missing (the limit counts); empty when none are.
    public var incomplete: [String]

    /// Makes a list.
    public init(names: [Name], incomplete: [String] = []) {
        self.names = names
        self.incomplete = incomplete
    }
}
