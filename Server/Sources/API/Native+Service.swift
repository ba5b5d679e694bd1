// SPDX-License-Identifier: Apache-2.0

import Analysis
import Hummingbird
import Query
import QueryLanguage
import SkeinModel

/// What runs a service, what fails in it, and which ways its calls go.
extension ReadAPI {
    var serviceRoutes: [Route] {
        [
            Route("/api/skein/v1/instances", instances),
            Route("/api/skein/v1/exceptions", exceptions),
            Route("/api/skein/v1/call-trees", callTrees),
        ]
    }

    private func instances(_ request: ReadRequest) async throws -> Response {
        let question = try Self.serviceQuestion(
            request.query,
            RequestLimits.instanceCount,
            others: ["kind"]
        )
        let found = try await engine.instances(question)
        return .object { json in
            json.asked(question, found.facts)
            json.member("instanceCount", number: found.instanceCount)
            json.array("instances") { json in
                for instance in found.instances { json.instance(instance) }
            }
            json.member("uncountedSpanCount", number: found.uncountedSpanCount)
            json.ended(found.facts)
        }
    }

    private func exceptions(_ request: ReadRequest) async throws -> Response {
        let question = try Self.serviceQuestion(
            request.query,
            RequestLimits.exceptionGroupCount,
            others: ["kind"]
        )
        let found = try await engine.exceptions(question)
        return .object { json in
            json.asked(question, found.facts)
            json.member("stepNanos", "\(found.step)")
            json.member("exceptionCount", number: found.exceptionCount)
            json.member("groupCount", number: found.groupCount)
            json.array("groups") { json in
                for group in found.groups { json.exceptionGroup(group) }
            }
            json.ended(found.facts)
        }
    }

    private func callTrees(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        let question = try Self.serviceQuestion(
            query,
            RequestLimits.callTreeCount,
            others: ["traces"]
        )
        let traces = try query.count("traces", default: RequestLimits.shapedTraceCount.standard)
        guard (1...RequestLimits.shapedTraceCount.most).contains(traces) else {
            throw Failure.badRequest(
                "traces is \(traces); give 1 to \(RequestLimits.shapedTraceCount.most)"
            )
        }
        let found = try await engine.callTrees(question, traceLimit: traces)
        return .object { json in
            json.asked(question, found.facts)
            json.member("traceCount", number: found.shapes.traceCount)
            json.member("olderTraces", flag: found.hasOlderTraces)
            json.member("callCount", number: found.shapes.callCount)
            json.member("treeCount", number: found.shapes.treeCount)
            json.array("trees") { json in
                for tree in found.shapes.trees { json.callTree(tree, of: found.shapes.callCount) }
            }
            json.ended(found.facts)
        }
    }

    private static func serviceQuestion(
        _ query: QueryParameters,
        _ count: (standard: Int, most: Int),
        others: [String]
    ) throws -> ServiceQuestion {
        try query.allow(["service", "operation", "start", "end", "last", "limit"] + others)
        let limit = try query.count("limit", default: count.standard)
        guard (1...count.most).contains(limit) else {
            throw Failure.badRequest("limit is \(limit); give 1 to \(count.most)")
        }
        return ServiceQuestion(
            service: try query.required("service", example: "cart"),
            operation: try query.one("operation"),
            kinds: try query.kinds("kind"),
            time: try NativeSearch.time(query),
            limit: limit
        )
    }
}

extension AnswerJSON {
    /// How every one of these answers begins.
    fileprivate mutating func asked(_ question: ServiceQuestion, _ facts: ServiceAnswerFacts) {
        member("service", question.service)
        member("operation", optional: question.operation)
        member("startTimeUnixNano", "\(facts.range.lowerBound)")
        member("endTimeUnixNano", "\(facts.range.upperBound)")
    }

    /// How it ends.
    fileprivate mutating func ended(_ facts: ServiceAnswerFacts) {
        member("examinedTraceCount", number: facts.examinedTraceCount)
        member("examinedSpanCount", number: facts.examinedSpanCount)
        member("complete", flag: facts.incomplete.isEmpty)
        array("incompleteReasons", of: facts.incomplete)
    }

    fileprivate mutating func instance(_ instance: ServiceInstance) {
        object { json in
            json.member("key", optional: instance.key)
            json.member("name", instance.name)
            json.member("version", optional: instance.version)
            json.member("spanCount", number: instance.spanCount)
            json.member("errorCount", number: instance.errorCount)
            json.member("p50Nanos", "\(instance.p50)")
            json.member("p99Nanos", "\(instance.p99)")
            json.member("firstTimeUnixNano", "\(instance.first)")
            json.member("lastTimeUnixNano", "\(instance.last)")
            json.member("query", instance.query)
        }
    }

    fileprivate mutating func exceptionGroup(_ group: ExceptionGroup) {
        object { json in
            json.member("type", optional: group.type)
            json.member("message", group.message.text)
            json.member("messageCut", flag: group.message.isCut)
            json.member("operation", group.operation)
            json.member("event", flag: group.isEvent)
            json.member("count", number: group.count)
            json.member("traceCount", number: group.traceCount)
            json.member("firstTimeUnixNano", "\(group.first)")
            json.member("lastTimeUnixNano", "\(group.last)")
            json.array("steps") { json in
                for step in group.steps { json.number(step) }
            }
            json.object("example") { json in
                json.member("traceId", group.example.traceID.hex)
                json.member("spanId", group.example.spanID.hex)
                json.member("startTimeUnixNano", "\(group.example.start)")
                json.member("message", group.example.message)
                json.member("stackTrace", optional: group.example.stackTrace)
            }
            json.member("query", group.query)
        }
    }

    fileprivate mutating func callTree(_ tree: CallShapes.Tree, of callCount: Int) {
        object { json in
            json.member("callCount", number: tree.callCount)
            json.key("share")
            json.number(callCount > 0 ? Double(tree.callCount) / Double(callCount) : 0)
            json.member("errorCount", number: tree.errorCount)
            json.member("p50Nanos", "\(tree.p50)")
            json.member("p99Nanos", "\(tree.p99)")
            json.member("longestNanos", "\(tree.longest)")
            json.example("typical", tree.typical)
            json.example("slowest", tree.slowest)
            json.number("usual", tree.usual)
            json.member("lineCount", number: tree.lineCount)
            json.array("lines") { json in
                for line in tree.lines {
                    json.object { json in
                        json.number("parent", line.parent)
                        json.member("service", line.operation.service)
                        json.member("operation", line.operation.name)
                        json.member("spanCount", number: line.spanCount)
                        json.member("errorCount", number: line.errorCount)
                        json.member("fewest", number: line.fewest)
                        json.member("most", number: line.most)
                        json.member("extra", flag: line.isExtra)
                    }
                }
            }
            json.array("missing") { json in
                for operation in tree.missing {
                    json.object { json in
                        json.member("service", operation.service)
                        json.member("operation", operation.name)
                    }
                }
            }
        }
    }

    private mutating func example(_ name: String, _ example: CallShapes.Example) {
        object(name) { json in
            json.member("traceId", example.traceID.hex)
            json.member("spanId", example.spanID.hex)
            json.member("durationNanos", "\(example.duration)")
        }
    }

    /// A number, or null.
    private mutating func number(_ name: String, _ value: Int?) {
        key(name)
        if let value { number(value) } else { null() }
    }
}
