// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SkeinModel

/// What to tell of a service.
public struct ServiceSearch: Sendable, Hashable {
    public var service: String
    public var operation: String?
    /// How far to look back, such as `1h`.
    public var last: String?
    /// Lines of each table.
    public var limit: Int?
    /// Traces that call trees are made from.
    public var traces: Int?

    /// All of it in the last hour.
    public init(service: String) { self.service = service }

    /// Of one of the routes.
    func parameters(limitUpTo most: Int, hasTraces: Bool = false) -> [(String, String)] {
        let pairs: [(String, String?)] = [
            ("service", service), ("operation", operation), ("last", last),
            ("limit", limit.map { "\(min($0, most))" }),
            ("traces", hasTraces ? traces.map { "\($0)" } : nil),
        ]
        return pairs.compactMap { pair in pair.1.map { (pair.0, $0) } }
    }
}

/// The instances of a service.
public struct InstancesAnswer: Sendable, Codable {
    public var instanceCount: Int
    public var instances: [Instance]
    public var complete: Bool
    public var incompleteReasons: [String]

    /// One of them.
    public struct Instance: Sendable, Codable {
        public var key: String?
        public var name: String
        public var version: String?
        public var spanCount: UInt64
        public var errorCount: UInt64
        public var p50Nanos: TraceSummary.Number
        public var p99Nanos: TraceSummary.Number
        public var firstTimeUnixNano: TraceSummary.Number
        public var lastTimeUnixNano: TraceSummary.Number
        public var query: String
    }
}

/// Exceptions of a service.
public struct ExceptionsAnswer: Sendable, Codable {
    public var exceptionCount: UInt64
    public var groupCount: Int
    public var groups: [Group]
    public var complete: Bool
    public var incompleteReasons: [String]

    /// Exceptions that are alike.
    public struct Group: Sendable, Codable {
        public var type: String?
        public var message: String
        public var messageCut: Bool
        public var operation: String
        public var event: Bool
        public var count: UInt64
        public var traceCount: UInt64
        public var lastTimeUnixNano: TraceSummary.Number
        public var example: Example
        public var query: String
    }

    /// One of them.
    public struct Example: Sendable, Codable {
        public var traceId: String
        public var spanId: String
    }
}

/// The ways that calls of a service went.
public struct CallTreesAnswer: Sendable, Codable {
    public var traceCount: Int
    public var olderTraces: Bool
    public var callCount: Int
    public var treeCount: Int
    public var trees: [Tree]
    public var complete: Bool
    public var incompleteReasons: [String]

    /// Calls that went the same ways.
    public struct Tree: Sendable, Codable {
        public var callCount: Int
        public var share: Double
        public var errorCount: Int
        public var p50Nanos: TraceSummary.Number
        public var p99Nanos: TraceSummary.Number
        public var typical: Example
        public var slowest: Example
        public var usual: Int?
        public var lineCount: Int
        public var lines: [Line]
        public var missing: [Operation]
    }

    /// One call.
    public struct Example: Sendable, Codable {
        public var traceId: String
        public var durationNanos: TraceSummary.Number
    }

    /// Calls from one place of a tree.
    public struct Line: Sendable, Codable {
        public var parent: Int?
        public var service: String
        public var operation: String
        public var errorCount: Int
        public var fewest: Int
        public var most: Int
        public var extra: Bool
    }

    /// A kind of work.
    public struct Operation: Sendable, Codable {
        public var service: String
        public var operation: String
    }
}

extension NativeAPI {
    /// Instances, exceptions and call trees, each as the server wrote it, in one object.
    public func serviceJSON(_ search: ServiceSearch) async throws -> [UInt8] {
        var text = Array("{\"instances\":".utf8)
        text += try await instancesJSON(search)
        text += Array(",\"exceptions\":".utf8)
        text += try await exceptionsJSON(search)
        text += Array(",\"callTrees\":".utf8)
        text += try await callTreesJSON(search)
        return text + Array("}".utf8)
    }

    /// What runs a service.
    public func instances(_ search: ServiceSearch) async throws -> InstancesAnswer {
        try decoded(try await instancesJSON(search))
    }

    /// What fails in a service.
    public func exceptions(_ search: ServiceSearch) async throws -> ExceptionsAnswer {
        try decoded(try await exceptionsJSON(search))
    }

    /// Which ways the calls of a service go.
    public func callTrees(_ search: ServiceSearch) async throws -> CallTreesAnswer {
        try decoded(try await callTreesJSON(search))
    }

    private func instancesJSON(_ search: ServiceSearch) async throws -> [UInt8] {
        let parameters = search.parameters(limitUpTo: 1_000)
        return try await get("/api/skein/v1/instances" + Self.query(parameters)).body
    }

    private func exceptionsJSON(_ search: ServiceSearch) async throws -> [UInt8] {
        let parameters = search.parameters(limitUpTo: 1_000)
        return try await get("/api/skein/v1/exceptions" + Self.query(parameters)).body
    }

    private func callTreesJSON(_ search: ServiceSearch) async throws -> [UInt8] {
        let parameters = search.parameters(limitUpTo: 100, hasTraces: true)
        return try await get("/api/skein/v1/call-trees" + Self.query(parameters)).body
    }
}
