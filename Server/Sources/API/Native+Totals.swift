// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

/// Counts over every span, whatever was sampled away or removed since.
extension ReadAPI {
    func totalsOfOperations(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(
            ["by", "service", "operation", "kind", "start", "end", "last", "quantiles", "step"]
        )
        let lines = try query.word(
            "by",
            of: [
                ("service", TotalsRequest.Lines.services), ("operation", .operations),
                ("kind", .operationsByKind),
            ]
        )
        let quantiles = try Self.quantiles(query)
        let step = try query.duration("step")
        let totals = try await engine.totals(
            lines ?? .operations,
            in: try Self.time(query),
            service: try query.one("service"),
            operation: try query.one("operation"),
            kinds: try query.kinds("kind"),
            quantiles: quantiles,
            step: step
        )
        return Self.answer(totals, quantiles, step) { json in
            json.array("operations") { json in
                for line in totals.lines {
                    json.object { json in
                        json.member("service", line.service)
                        json.member("operation", optional: line.operation)
                        json.member("kind", optional: line.kind?.word)
                        json.members(line.total)
                        json.steps(line.steps)
                    }
                }
            }
        }
    }

    func totalsOfEdges(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["service", "start", "end", "last", "quantiles", "step"])
        let quantiles = try Self.quantiles(query)
        let step = try query.duration("step")
        let totals = try await engine.totals(
            .edges,
            in: try Self.time(query),
            service: try query.one("service"),
            quantiles: quantiles,
            step: step
        )
        return Self.answer(totals, quantiles, step) { json in
            json.array("edges") { json in
                for edge in totals.edges {
                    json.object { json in
                        json.member("parent", edge.parent)
                        json.member("child", edge.child)
                        json.members(edge.total)
                        json.member("requestCount", number: edge.requestCount)
                        json.member("requestCallCount", number: edge.requestCallCount)
                        json.array("requestQuantiles") { json in
                            for count in edge.requestQuantiles { json.number(count) }
                        }
                        json.steps(edge.steps)
                    }
                }
            }
        }
    }

    private static func answer(
        _ totals: Totals,
        _ quantiles: [Double],
        _ step: UInt64?,
        _ body: (inout AnswerJSON) -> Void
    ) -> Response {
        .object { json in
            json.member("startTimeUnixNano", "\(totals.range.lowerBound)")
            json.member("endTimeUnixNano", "\(totals.range.upperBound)")
            json.member("stepNanos", optional: step.map { "\($0)" })
            json.array("quantiles") { json in
                for quantile in quantiles { json.number(quantile) }
            }
            body(&json)
            json.member("complete", flag: totals.incomplete.isEmpty)
            json.array("incompleteReasons", of: totals.incomplete)
        }
    }

    static func time(_ query: QueryParameters) throws -> TraceQuery.TimeSpan {
        let time = try NativeSearch.time(query)
        if case .between(let start, let end) = time, start >= end {
            throw Failure.badRequest("start \(start) is not before end \(end): the range is empty")
        }
        return time
    }

    /// Numbers from 0 to 1 with commas between; the median and two tails where nothing is said.
    private static func quantiles(_ query: QueryParameters) throws -> [Double] {
        guard let text = try query.one("quantiles") else { return [0.5, 0.95, 0.99] }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= TotalsRequest.quantileLimit else {
            throw Failure.badRequest(
                "quantiles has \(parts.count) numbers; at most \(TotalsRequest.quantileLimit)"
            )
        }
        return try parts.map { part in
            guard let number = Double(part), number >= 0, number <= 1 else {
                throw QueryError(
                    parameter: "quantiles",
                    text: text,
                    problem: "\"\(part.prefix(20))\" is no number from 0 to 1",
                    hint: "give numbers with commas between, such as 0.5,0.95,0.99"
                )
            }
            return number
        }
    }
}

extension AnswerJSON {
    fileprivate mutating func members(_ calls: CallTotals) {
        member("callCount", number: calls.callCount)
        member("errorCount", number: calls.errorCount)
        member("durationSumNanos", "\(calls.durationSum)")
        member("longestNanos", "\(calls.longest)")
        array("quantileNanos", of: calls.quantiles.map { "\($0)" })
        member("reportedCount", number: calls.reportedCount)
    }

    fileprivate mutating func steps(_ steps: [CallTotals]) {
        array("steps") { json in
            for step in steps { json.object { $0.members(step) } }
        }
    }
}
