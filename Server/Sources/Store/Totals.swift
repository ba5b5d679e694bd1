// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// Which spans to count, and what to tell apart.
public struct TotalsRequest: Sendable {
    /// What has a line of its own in the answer.
    public enum Lines: Sendable, Equatable {
        case services
        /// Operations of each service.
        case operations
        /// Operations of each service, each span kind apart.
        case operationsByKind
        /// Calls of one service by another, as `Totals.Edge` says.
        case edges
    }

    public var tenant: Tenant
    /// The span starts in here, nanoseconds since 1970; for edges the called one. Widened to whole
    /// minutes: the answer says to which.
    public var range: Range<UInt64>
    public var lines: Lines
    /// Only spans of this service (edges: calls to it or by it); `nil` for all.
    public var service: String?
    /// Only spans of this name; `nil` for all. Edges cannot be told apart by it.
    public var operation: String?
    /// Only spans of these kinds; `nil` for all. Edges cannot be told apart by it.
    public var kinds: Set<SpanKind>?
    /// Parts of the calls, 0...1, whose durations are asked for: at most `quantileLimit`.
    public var quantiles: [Double]
    /// Whether durations are told. Where they are not, sums, the longest, quantiles and counts up to
    /// bounds are zero or missing, and many steps cost a fraction.
    public var tellsDurations = true
    /// Whether `Totals.maySample` is told, for which tracestates may have to be read.
    public var asksForSampling = false
    /// Nanoseconds, a multiple of a minute: the answer has a count for each such step too.
    public var step: UInt64?
    /// Nanoseconds above zero: how many calls took no longer is asked for; at most `boundLimit`.
    public var bounds: [UInt64] = []

    /// Quantiles in one request, at most.
    public static let quantileLimit = 16

    /// Bounds in one request, at most.
    public static let boundLimit = 32

    /// Nanoseconds of a minute.
    public static let minute: UInt64 = 60_000_000_000

    /// Asks for the totals of a range.
    public init(
        tenant: Tenant = .default,
        range: Range<UInt64>,
        lines: Lines = .edges,
        service: String? = nil,
        operation: String? = nil,
        kinds: Set<SpanKind>? = nil,
        quantiles: [Double] = [0.5, 0.95, 0.99],
        step: UInt64? = nil
    ) {
        self.tenant = tenant
        self.range = range
        self.lines = lines
        self.service = service
        self.operation = operation
        self.kinds = kinds
        self.quantiles = quantiles
        self.step = step
    }

    /// The numbers, from 0 at 1970, of the minutes that `range` touches.
    public var minutes: Range<UInt64> {
        guard !range.isEmpty else {
            let minute = range.lowerBound / Self.minute
            return minute..<minute
        }
        return range.lowerBound / Self.minute..<(range.upperBound - 1) / Self.minute + 1
    }
}

/// What was counted of some spans.
public struct CallTotals: Sendable, Equatable {
    public var callCount: UInt64
    /// Those whose status is error.
    public var errorCount: UInt64
    /// Those that applications counted themselves, sampled or not (call statistics); the others were
    /// counted from stored spans.
    public var reportedCount: UInt64
    /// Nanoseconds of all together, within 0.01 %. Stays at its maximum.
    public var durationSum: UInt64
    /// Nanoseconds, within twice `LatencyBucket.relativeError`; exact where whole ten minutes, counted
    /// from 1970, were asked for.
    public var longest: UInt64
    /// Nanoseconds, as many as were asked for, within `LatencyBucket.relativeError`, by the rule of
    /// `LatencySketch.quantile`. All zero where there are no calls.
    public var quantiles: [UInt64]
    /// Calls that took no longer than each of the bounds that were asked for, those of the bucket of
    /// the bound (`LatencyBucket`) among them: a bound is meant within 1.1 %.
    public var boundCounts: [UInt64]

    /// Counts calls.
    public init(
        callCount: UInt64 = 0,
        errorCount: UInt64 = 0,
        reportedCount: UInt64 = 0,
        durationSum: UInt64 = 0,
        longest: UInt64 = 0,
        quantiles: [UInt64] = [],
        boundCounts: [UInt64] = []
    ) {
        self.callCount = callCount
        self.errorCount = errorCount
        self.reportedCount = reportedCount
        self.durationSum = durationSum
        self.longest = longest
        self.quantiles = quantiles
        self.boundCounts = boundCounts
    }
}

/// Counts over every span of a range, whatever was sampled away afterwards.
///
/// Counts are exact over the spans that are stored, at once: a span that came twice counts once, and
/// a call counts for its caller as soon as both are stored.
///
/// Where an application counted its calls itself (`CallCounts`), these counts stand for the spans of
/// that service and minute: of edges, for those of that caller, called service and minute, for whoever
/// calls says whom. Requests of edges are counted from stored spans alone. A call belongs to the minute
/// of the window in which it ended, its span to the minute in which it began: so counts stand for
/// spans of earlier minutes too, as many whole minutes before as the longest call counted there can
/// have begun (`longestCall` at most).
public struct Totals: Sendable {
    /// One service, or one operation of it.
    public struct Line: Sendable, Equatable {
        public var service: String
        /// `nil` where services were asked for.
        public var operation: String?
        /// `nil` unless kinds were asked apart.
        public var kind: SpanKind?
        public var total: CallTotals
        /// One for each step of the range; empty where no step was asked.
        public var steps: [CallTotals]

        /// Counts one line.
        public init(
            service: String,
            operation: String?,
            kind: SpanKind?,
            total: CallTotals,
            steps: [CallTotals] = []
        ) {
            self.service = service
            self.operation = operation
            self.kind = kind
            self.total = total
            self.steps = steps
        }
    }

    /// Calls of one service by another: spans whose caller, the parent span mostly, is of another
    /// service. The server half of a Zipkin span, which shares its id with the client half, is called
    /// by the client's service.
    public struct Edge: Sendable, Equatable {
        public var parent: String
        public var child: String
        /// Of the called spans.
        public var total: CallTotals
        /// One for each step of the range; empty where no step was asked.
        public var steps: [CallTotals]
        /// Calling spans: all calls of the service by one span are one request, told at the start of
        /// the first of them.
        public var requestCount: UInt64
        /// Calls of those requests together.
        public var requestCallCount: UInt64
        /// Calls of one request, as many numbers as quantiles were asked for; exact. All zero where
        /// there are no requests.
        public var requestQuantiles: [UInt64]

        /// Counts one edge.
        public init(
            parent: String,
            child: String,
            total: CallTotals,
            steps: [CallTotals] = [],
            requestCount: UInt64 = 0,
            requestCallCount: UInt64 = 0,
            requestQuantiles: [UInt64] = []
        ) {
            self.parent = parent
            self.child = child
            self.total = total
            self.steps = steps
            self.requestCount = requestCount
            self.requestCallCount = requestCallCount
            self.requestQuantiles = requestQuantiles
        }
    }

    /// How long, in nanoseconds, a call may take for its span not to count beside the counts of an
    /// application: a day.
    public static let longestCall: UInt64 = 86_400_000_000_000

    /// Nanoseconds since 1970: the asked range, widened to whole minutes.
    public var range: Range<UInt64>
    /// Sorted by service, operation, kind; empty where edges were asked for.
    public var lines: [Line]
    /// Sorted by parent, then child; empty where lines were asked for.
    public var edges: [Edge]
    /// Why calls may be missing; empty when none are.
    public var incomplete: [String]
    /// Whether stored spans of the range may say that they stand for several (a threshold, `th`, in
    /// the `ot` member of their tracestate): they count as one each here. What outlives its spans does
    /// not tell. Never where it was not asked for.
    public var maySample: Bool = false

    /// Makes totals.
    public init(
        range: Range<UInt64>,
        lines: [Line] = [],
        edges: [Edge] = [],
        incomplete: [String] = []
    ) {
        self.range = range
        self.lines = lines
        self.edges = edges
        self.incomplete = incomplete
    }
}
