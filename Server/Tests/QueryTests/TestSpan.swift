// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// One span as a test writes it.
struct TestSpan {
    var trace = TraceID(high: 0xA, low: 1)
    var id: UInt64
    var parent: UInt64 = 0
    var service = "shop"
    var name = "op"
    var start: UInt64 = 1_000
    var duration: UInt64 = 100
    var kind = SpanKind.unspecified
    var status = StatusCode.unset
    var statusMessage = ""
    var attributes: [AttributeValue.KeyValue] = []
    var resource: [AttributeValue.KeyValue] = []
    var events: [(name: String, attributes: [AttributeValue.KeyValue])] = []
    var links: [TraceID] = []
}

func pair(_ key: String, _ value: AttributeValue) -> AttributeValue.KeyValue {
    .init(key: key, value: value)
}

/// Columns of `spans`, in their order.
func columns(_ spans: [TestSpan]) -> SpanColumns {
    var columns = SpanColumns()
    let scope = columns.scopes.append()
    for span in spans {
        let service = columns.strings.intern(span.service)
        let run = columns.appendAttributes(
            [pair("service.name", .string(span.service))] + span.resource
        )
        let resource = columns.resources.append(service: service, attributes: run)
        let firstEvent = UInt32(columns.events.count)
        for event in span.events {
            let name = columns.strings.intern(event.name)
            let attributes = columns.appendAttributes(event.attributes)
            columns.events.append(time: span.start, name: name, attributes: attributes)
        }
        let firstLink = UInt32(columns.links.count)
        for link in span.links { columns.links.append(traceID: link, spanID: SpanID(7)) }
        let name = columns.strings.intern(span.name)
        let attributes = columns.appendAttributes(span.attributes)
        let message = columns.strings.intern(span.statusMessage)
        columns.append(
            SpanRow(
                traceID: span.trace,
                spanID: SpanID(span.id),
                parentID: SpanID(span.parent),
                start: span.start,
                end: span.start &+ span.duration,
                name: name,
                kind: span.kind,
                status: span.status,
                statusMessage: message,
                resource: resource,
                scope: scope,
                attributes: attributes,
                events: Run(first: firstEvent, count: UInt32(span.events.count)),
                links: Run(first: firstLink, count: UInt32(span.links.count))
            )
        )
    }
    return columns
}
