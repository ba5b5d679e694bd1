// SPDX-License-Identifier: Apache-2.0

/// Which numbers over time to ask for.
public struct MetricsSearch: Sendable, Hashable {
    /// A TraceQL query that ends in a function of metrics.
    public var query: String
    /// How far to look back, such as `1h`.
    public var last: String?
    /// A step, such as `1m`, or `all` for one number of the whole time.
    public var step: String?

    /// Asks for the numbers of the last hour.
    public init(_ query: String) { self.query = query }

    /// The query part of the address.
    var parameters: [(String, String)] {
        [("q", query)]
            + [("last", last), ("step", step)].compactMap { pair in pair.1.map { (pair.0, $0) } }
    }
}

/// Numbers over time.
public struct MetricsAnswer: Sendable, Codable {
    public var startTimeUnixNano: TraceSummary.Number
    public var endTimeUnixNano: TraceSummary.Number
    public var stepNanos: TraceSummary.Number
    public var series: [Series]
    /// `totals` or `spans`.
    public var source: String
    /// Whether nothing is missing.
    public var complete: Bool
    /// What is.
    public var incompleteReasons: [String]

    /// One line of a chart.
    public struct Series: Sendable, Codable {
        public var labels: [TraceSummary.Value]
        /// One a step; `nil` where there is none. Durations are seconds.
        public var values: [Double?]
    }
}

extension NativeAPI {
    /// Numbers over time as the server wrote them.
    public func metricsJSON(_ search: MetricsSearch) async throws -> [UInt8] {
        try await get("/api/skein/v1/metrics" + Self.query(search.parameters)).body
    }

    /// Numbers over time.
    public func metrics(_ search: MetricsSearch) async throws -> MetricsAnswer {
        try decoded(try await metricsJSON(search))
    }
}
