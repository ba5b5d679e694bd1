// SPDX-License-Identifier: Apache-2.0

/// Which calls to count.
public struct TotalsSearch: Sendable, Hashable {
    /// What has a line of its own.
    public enum Lines: String, Sendable, Hashable, CaseIterable {
        /// Operations of each service.
        case operations
        /// Calls of one service by another.
        case edges
    }

    public var lines: Lines
    public var service: String?
    public var operation: String?
    /// What is told apart in operations: `service`, `operation` or `kind`.
    public var by: String?
    /// Nanoseconds since 1970.
    public var start: UInt64?
    public var end: UInt64?
    /// How far to look back, such as `1h`.
    public var last: String?
    /// Numbers from 0 to 1 with commas between.
    public var quantiles: String?
    /// A number of whole minutes, such as `1m`.
    public var step: String?

    /// Counts all calls of the last hour.
    public init(_ lines: Lines) { self.lines = lines }

    /// The query part of the address.
    var parameters: [(String, String)] {
        let pairs: [(String, String?)] = [
            ("service", service), ("operation", operation), ("by", by),
            ("start", start.map { "\($0)" }), ("end", end.map { "\($0)" }), ("last", last),
            ("quantiles", quantiles), ("step", step),
        ]
        return pairs.compactMap { pair in pair.1.map { (pair.0, $0) } }
    }
}

/// What a server counted.
public struct TotalsAnswer: Sendable, Codable {
    public var startTimeUnixNano: TraceSummary.Number
    public var endTimeUnixNano: TraceSummary.Number
    public var quantiles: [Double]
    /// `nil` where edges were asked for.
    public var operations: [Operation]?
    /// `nil` where operations were asked for.
    public var edges: [Edge]?
    /// Whether nothing is missing.
    public var complete: Bool
    /// What is.
    public var incompleteReasons: [String]

    /// One operation of a service, or one service.
    public struct Operation: Sendable, Codable {
        public var service: String
        public var operation: String?
        public var kind: String?
        public var callCount: UInt64
        public var errorCount: UInt64
        public var durationSumNanos: TraceSummary.Number
        public var longestNanos: TraceSummary.Number
        public var quantileNanos: [TraceSummary.Number]
        /// Of the calls, those that the service counted itself.
        public var reportedCount: UInt64
    }

    /// Calls of one service by another.
    public struct Edge: Sendable, Codable {
        public var parent: String
        public var child: String
        public var callCount: UInt64
        public var errorCount: UInt64
        public var durationSumNanos: TraceSummary.Number
        public var longestNanos: TraceSummary.Number
        public var quantileNanos: [TraceSummary.Number]
        /// Of the calls, those that the caller counted itself.
        public var reportedCount: UInt64
        public var requestCount: UInt64
        public var requestCallCount: UInt64
    }
}

extension NativeAPI {
    /// Totals as the server wrote them.
    public func totalsJSON(_ search: TotalsSearch) async throws -> [UInt8] {
        let path = "/api/skein/v1/totals/" + search.lines.rawValue
        return try await get(path + Self.query(search.parameters)).body
    }

    /// Counts calls, errors and durations.
    public func totals(_ search: TotalsSearch) async throws -> TotalsAnswer {
        try decoded(try await totalsJSON(search))
    }
}
