// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import SkeinModel

/// A trace explained.
public struct AnalysisAnswer: Sendable, Codable {
    public var traceId: String
    public var spanCount: Int
    public var startTimeUnixNano: TraceSummary.Number
    public var durationNanos: TraceSummary.Number
    public var levelCount: Int
    public var serviceCount: Int
    public var hostCount: Int
    public var errorCount: Int
    public var orphanCount: Int
    public var movedCount: Int
    public var droppedPartCount: UInt64
    /// What to say of it, the most telling first.
    public var findings: [Finding]
    public var criticalPath: Path
    /// Operations there are; the server tells the first 2,000.
    public var operationCount: Int
    /// Most time on the critical path first.
    public var operations: [Figures]
    public var complete: Bool
    public var incompleteReasons: [String]

    /// One thing to say.
    public struct Finding: Sendable, Codable {
        public var kind: String
        public var row: Int?
        public var service: String?
        public var operation: String?
        public var count: Int
        public var nanos: TraceSummary.Number
        /// Of the trace's duration.
        public var share: Double
        public var startTimeUnixNano: TraceSummary.Number?
        public var waiting: Bool
    }

    /// The critical path of the main piece.
    public struct Path: Sendable, Codable {
        public var startTimeUnixNano: TraceSummary.Number
        public var durationNanos: TraceSummary.Number
        public var segmentCount: Int
        /// By segment: the span that decided.
        public var rows: [Int]
        /// By segment: nanoseconds after the start; it ends where the next begins.
        public var starts: [TraceSummary.Number]
        /// By segment: a number of `operations` above; `nil` for one that is not told.
        public var operations: [Int?]
    }

    /// One operation.
    public struct Figures: Sendable, Codable {
        public var service: String
        public var operation: String
        public var count: Int
        public var errorCount: Int
        public var selfNanos: TraceSummary.Number
        public var pathNanos: TraceSummary.Number
        public var p50Nanos: TraceSummary.Number
        public var p99Nanos: TraceSummary.Number
        public var longestNanos: TraceSummary.Number
    }
}

/// A map of services.
public struct MapAnswer: Sendable, Codable {
    public var startTimeUnixNano: TraceSummary.Number
    public var endTimeUnixNano: TraceSummary.Number
    public var nodes: [Node]
    public var edges: [Edge]
    public var cycles: [Cycle]
    public var focusFound: Bool
    public var complete: Bool
    public var incompleteReasons: [String]

    /// A service.
    public struct Node: Sendable, Codable {
        public var name: String
        public var layer: Int
        public var callCount: UInt64
        public var errorCount: UInt64
        public var p50Nanos: TraceSummary.Number
        public var p99Nanos: TraceSummary.Number
    }

    /// Calls of one service by another; both are numbers of nodes.
    public struct Edge: Sendable, Codable {
        public var from: Int
        public var to: Int
        public var callCount: UInt64
        public var errorCount: UInt64
    }

    /// Services that reach each other.
    public struct Cycle: Sendable, Codable {
        public var members: [Int]
        public var example: [Int]
        public var callCount: UInt64
    }
}

/// What of a map to tell.
public struct MapSearch: Sendable, Hashable {
    /// How far to look back, such as `1h`.
    public var last: String?
    public var focus: String?
    public var hops: Int?
    public var minCalls: UInt64?

    /// All calls of the last hour.
    public init() {}

    var parameters: [(String, String)] {
        let pairs: [(String, String?)] = [
            ("last", last), ("focus", focus), ("hops", hops.map { "\($0)" }),
            ("minCalls", minCalls.map { "\($0)" }),
        ]
        return pairs.compactMap { pair in pair.1.map { (pair.0, $0) } }
    }
}

extension NativeAPI {
    /// A trace explained, as the server wrote it.
    public func analysisJSON(_ id: TraceID) async throws -> [UInt8] {
        try await get("/api/skein/v1/traces/\(id.shortHex)/analysis").body
    }

    /// A trace explained.
    public func analysis(_ id: TraceID) async throws -> AnalysisAnswer {
        try decoded(try await analysisJSON(id))
    }

    /// A map as the server wrote it.
    public func mapJSON(_ search: MapSearch) async throws -> [UInt8] {
        try await get("/api/skein/v1/map" + Self.query(search.parameters)).body
    }

    /// Services and their calls.
    public func map(_ search: MapSearch) async throws -> MapAnswer {
        try decoded(try await mapJSON(search))
    }

    func decoded<Answer: Decodable>(_ bytes: [UInt8]) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(bytes))
        } catch {
            throw notUnderstood("\(error)")
        }
    }
}
