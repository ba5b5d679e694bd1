// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import SkeinModel
import Store

/// A value in Jaeger's model, which has five types: others are text.
enum JaegerTagValue {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case bytes([UInt8])

    init(_ value: AttributeValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .bytes(let bytes): self = .bytes(bytes)
        case .empty: self = .string("")
        case .array, .map:
            var nested = AnswerJSON()
            nested.value(value)
            self = .string(String(decoding: nested.bytes, as: UTF8.self))
        }
    }
}

/// One span in Jaeger's model: what are fields here are tags there.
struct JaegerSpan {
    typealias KeyValue = AttributeValue.KeyValue

    struct Reference: Equatable {
        var isChild: Bool
        var traceID: TraceID
        var spanID: SpanID
    }

    struct Log {
        /// Nanoseconds since 1970.
        var time: UInt64
        var fields: [KeyValue]
    }

    let fields: SpanRow
    let service: String
    /// The process's tags.
    let resource: [KeyValue]
    let tags: [KeyValue]
    let logs: [Log]
    let references: [Reference]

    /// Translates the span at frame row `row` of `trace`.
    init(_ trace: Trace, _ row: Int) {
        let stored = trace.rows[row]
        let fields = trace.spans.columns[stored]
        self.fields = fields
        let isAdjusted = !trace.isRaw
        service =
            fields.marks.contains(.serviceMissing)
            ? "OTLPResourceNoServiceName" : trace.text(trace.spans.columns.service(stored))
        var attributes = trace.spans.columns.keyValues(fields.attributes)
        let run = trace.spans.columns.resources.attributes[Int(fields.resource)]
        var resource = trace.spans.columns.keyValues(run).filter { $0.key != "service.name" }
        if isAdjusted {
            (attributes, resource) = AttributeAdjusters.movingLibraryAttributes(
                span: AttributeAdjusters.withDottedAddresses(attributes),
                resource: AttributeAdjusters.withDottedAddresses(resource)
            )
            attributes = AttributeAdjusters.sorted(attributes)
            resource = AttributeAdjusters.sorted(resource)
        }
        self.resource = resource
        tags = Self.scopeTags(trace, fields) + attributes + Self.fieldTags(trace, fields)
        logs = Self.logs(trace, row, isAdjusted: isAdjusted)
        references = Self.references(trace, row, isAdjusted: isAdjusted)
    }

    private static func scopeTags(_ trace: Trace, _ fields: SpanRow) -> [KeyValue] {
        let scope = Int(fields.scope)
        let name = trace.text(trace.spans.columns.scopes.name[scope])
        let version = trace.text(trace.spans.columns.scopes.version[scope])
        return [("otel.scope.name", name), ("otel.scope.version", version)]
            .filter { !$0.1.isEmpty }
            .map { KeyValue(key: $0.0, value: .string($0.1)) }
    }

    private static func fieldTags(_ trace: Trace, _ fields: SpanRow) -> [KeyValue] {
        var tags: [KeyValue] = []
        if fields.kind != .unspecified {
            tags.append(KeyValue(key: "span.kind", value: .string(fields.kind.word)))
        }
        switch fields.status {
        case .ok: tags.append(KeyValue(key: "otel.status_code", value: .string("OK")))
        case .error: tags.append(KeyValue(key: "error", value: .bool(true)))
        case .unset: break
        }
        let texts = [
            ("otel.status_description", fields.statusMessage),
            ("w3c.tracestate", fields.traceState),
        ]
        for (key, id) in texts where id != 0 {
            tags.append(KeyValue(key: key, value: .string(trace.text(id))))
        }
        return tags
    }

    private static func logs(_ trace: Trace, _ row: Int, isAdjusted: Bool) -> [Log] {
        let run = trace.spans.columns.spanEvents[trace.rows[row]]
        var logs = run.rows.map { event in
            var fields = trace.attributesOfEvent(event)
            if isAdjusted { fields = AttributeAdjusters.sorted(fields) }
            let name = trace.text(trace.spans.columns.events.name[event])
            if !name.isEmpty, !fields.contains(where: { $0.key == "event" }) {
                fields.insert(KeyValue(key: "event", value: .string(name)), at: 0)
            }
            let time = trace.spans.columns.events.time[event]
            return Log(time: shifted(time, by: trace.frame.clockShift[row]), fields: fields)
        }
        if isAdjusted { logs.sort { $0.time < $1.time } }
        return logs
    }

    private static func references(_ trace: Trace, _ row: Int, isAdjusted: Bool) -> [Reference] {
        var references: [Reference] = []
        let parent = SpanID(trace.frame.parentID[row])
        if parent.isValid {
            references.append(.init(isChild: true, traceID: trace.traceID, spanID: parent))
        }
        for link in trace.spans.columns.spanLinks[trace.rows[row]].rows {
            let traceID = trace.linkedTrace(link)
            let spanID = SpanID(trace.spans.columns.links.spanID[link])
            if isAdjusted, !AttributeAdjusters.isLinkKept(traceID: traceID, spanID: spanID) {
                continue
            }
            let run = trace.spans.columns.links.attributes[link]
            let isChild = trace.spans.columns.keyValues(run).contains {
                $0.key == "opentracing.ref_type" && $0.value == .string("child_of")
            }
            if parent.isValid, traceID == trace.traceID, spanID == parent {
                // A link to the parent says how the parent is meant.
                references[0].isChild = isChild
            } else {
                references.append(.init(isChild: isChild, traceID: traceID, spanID: spanID))
            }
        }
        return references
    }
}
