// SPDX-License-Identifier: Apache-2.0

import Analysis
import Hummingbird
import Query
import SkeinModel
import Store

/// Answers in Jaeger's shapes.
enum JaegerAnswer {
    /// A trace that could not be given, or why nothing could.
    struct TraceError {
        var code: Int
        var message: String
        var traceID: String?
    }

    static func response(
        total: Int = 0,
        errors: [TraceError] = [],
        data: (inout AnswerJSON) -> Void
    ) -> Response {
        var json = AnswerJSON()
        envelope(&json, total: total, errors: errors, data: data)
        return .json(json)
    }

    static func response(_ traces: [Trace], errors: [TraceError] = []) -> Response {
        response(errors: errors) { json in
            json.array { json in for trace in traces { json.jaegerTrace(trace) } }
        }
    }

    static func envelope(
        _ json: inout AnswerJSON,
        total: Int = 0,
        errors: [TraceError] = [],
        data: (inout AnswerJSON) -> Void
    ) {
        json.object { json in
            json.key("data")
            data(&json)
            json.member("total", number: total)
            json.member("limit", number: 0)
            json.member("offset", number: 0)
            json.key("errors")
            guard !errors.isEmpty else { return json.null() }
            json.array { json in
                for error in errors {
                    json.object { json in
                        json.member("code", number: error.code)
                        json.member("msg", error.message)
                        if let id = error.traceID { json.member("traceID", id) }
                    }
                }
            }
        }
    }

    /// The value of the tag `span.kind`; none for unspecified.
    static func kindWord(_ kind: SpanKind) -> String {
        kind == .unspecified ? "" : kind.word
    }

    /// The same of version 3: what says nothing is internal to its service.
    static func definiteWord(_ kind: SpanKind?) -> String {
        let known = kind ?? .internal
        return (known == .unspecified ? .internal : known).word
    }
}

/// The processes of one trace: each distinct resource, numbered as it comes.
private struct Processes {
    struct Process: Hashable {
        var service: String
        var tags: [AttributeValue.KeyValue]
    }

    private(set) var list: [Process] = []
    private var numbers: [Process: Int] = [:]

    mutating func id(_ process: Process) -> String {
        if let number = numbers[process] { return "p\(number)" }
        list.append(process)
        numbers[process] = list.count
        return "p\(list.count)"
    }
}

extension AnswerJSON {
    fileprivate mutating func jaegerTrace(_ trace: Trace) {
        var processes = Processes()
        object { json in
            json.member("traceID", trace.traceID.shortHex)
            json.array("spans") { json in
                for row in 0..<trace.count { json.jaegerSpan(trace, row, &processes) }
            }
            json.object("processes") { json in
                for (index, process) in processes.list.enumerated() {
                    json.object("p\(index + 1)") { json in
                        json.member("serviceName", process.service)
                        json.tags("tags", process.tags)
                    }
                }
            }
            json.warnings(trace.spans.incomplete)
        }
    }

    /// The span at frame row `row`.
    private mutating func jaegerSpan(_ trace: Trace, _ row: Int, _ processes: inout Processes) {
        let span = JaegerSpan(trace, row)
        let processID = processes.id(.init(service: span.service, tags: span.resource))
        object { json in
            json.member("traceID", trace.traceID.shortHex)
            json.member("spanID", Hex.text(trace.frame.spanID[row]))
            json.member("operationName", trace.text(span.fields.name))
            json.array("references") { json in
                for reference in span.references {
                    json.object { json in
                        json.member("refType", reference.isChild ? "CHILD_OF" : "FOLLOWS_FROM")
                        json.member("traceID", reference.traceID.shortHex)
                        json.member("spanID", reference.spanID.hex)
                    }
                }
            }
            let start = trace.frame.start[row]
            json.member("startTime", number: start / 1000)
            json.member("duration", number: (trace.frame.end[row] - start) / 1000)
            json.tags("tags", span.tags)
            json.array("logs") { json in
                for log in span.logs {
                    json.object { json in
                        json.member("timestamp", number: log.time / 1000)
                        json.tags("fields", log.fields)
                    }
                }
            }
            json.member("processID", processID)
            json.warnings(trace.frame.warnings[row] ?? [])
        }
    }

    private mutating func warnings(_ warnings: [String]) {
        if warnings.isEmpty {
            key("warnings")
            null()
        } else {
            array("warnings", of: warnings)
        }
    }

    private mutating func tags(_ name: String, _ tags: [AttributeValue.KeyValue]) {
        array(name) { json in for tag in tags { json.tag(tag) } }
    }

    private mutating func tag(_ tag: AttributeValue.KeyValue) {
        object { json in
            json.member("key", tag.key)
            switch JaegerTagValue(tag.value) {
            case .bool(let flag):
                json.member("type", "bool")
                json.member("value", flag: flag)
            case .int(let number):
                json.member("type", "int64")
                json.key("value")
                json.safeInteger(number)
            case .double(let number):
                json.member("type", "float64")
                json.key("value")
                json.number(number)
            case .bytes(let bytes):
                json.member("type", "binary")
                json.key("value")
                json.base64(bytes)
            case .string(let text):
                json.member("type", "string")
                json.member("value", text)
            }
        }
    }
}
