// SPDX-License-Identifier: Apache-2.0

import Analysis
public import GRPCCore
import Query
import SkeinModel
import SkeinWire
import Store

/// Jaeger's query interfaces over gRPC. Messages are read and written by their field numbers; what
/// they ask is asked as over HTTP.
extension ReadAPI {
    /// The services of Jaeger's port for queries.
    public var jaegerGRPCServices: [any RegistrableRPCService] {
        [
            jaegerService("jaeger.api_v3.QueryService", jaegerV3Calls),
            jaegerService("jaeger.api_v2.QueryService", jaegerV2Calls),
            jaegerService("jaeger.api_v2.metrics.MetricsQueryService", jaegerMetricCalls),
        ]
    }

    private func jaegerService(_ name: String, _ calls: [GRPCCall]) -> GRPCService {
        GRPCService(name: name, calls: calls, questions: questions, interface: "jaeger")
    }

    /// Both versions' list of services.
    @Sendable func jaegerServiceNames(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let found = try await engine.services()
        var message = ProtobufWriter()
        for name in found.names { message.string(1, always: name.text) }
        try await answer.send(message)
        return GRPCIncomplete(reasons: found.incomplete)
    }

    /// Both versions' calls between services; they ask and answer by the same numbers.
    @Sendable func jaegerDependencyLinks(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let range = try JaegerQuestion.range(
            question.moment(1, "start_time"),
            question.moment(2, "end_time"),
            names: ("start_time", "end_time")
        )
        let found = try await engine.dependencies(in: range)
        var message = ProtobufWriter()
        for link in found.links {
            message.message(1) { message in
                message.string(1, link.parent)
                message.string(2, link.child)
                message.varint(3, UInt64(clamping: link.callCount))
            }
        }
        try await answer.send(message)
        return GRPCIncomplete(reasons: found.incomplete)
    }

    /// The query of a search, which both versions have in field 1.
    static func searchQuery(_ question: ProtobufFields) throws -> ProtobufFields {
        guard let query = try question.message(1) else {
            throw Failure.badRequest("query is missing; say at least when the spans started")
        }
        return query
    }
}

extension JaegerQuestion {
    /// Reads `TraceQueryParameters`, whose first nine fields are the same in versions 2 and 3.
    init(_ query: ProtobufFields) throws {
        service = try query.text(1)
        operation = try query.text(2)
        attributes = try query.textMap(3)
        start = try query.moment(4, "start_time_min")
        end = try query.moment(5, "start_time_max")
        durations = try QueryParameters.range(
            query.duration(6, "duration_min"),
            query.duration(7, "duration_max"),
            names: ("duration_min", "duration_max")
        )
        let depth = Int64(bitPattern: query.number(8))
        guard depth >= 0 else {
            throw Failure.badRequest("search_depth is \(depth); give a count of traces above 0")
        }
        self.depth = depth == 0 ? nil : Int(clamping: depth)
    }

    /// Reads `TraceQueryParameters` of version 3, which may have a filter.
    init(version3 query: ProtobufFields) throws {
        try self.init(query)
        let name = "query.filter"
        filter = try query.message(10).map { call in
            try JaegerFilterMeaning.condition(JaegerFilter(call, path: name), path: name)
        }
    }
}
