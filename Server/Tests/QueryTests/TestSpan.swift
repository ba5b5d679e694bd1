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
    var traceState = ""
    var attributes: [AttributeValue.KeyValue] = []
    var resource: [AttributeValue.KeyValue] = []
    var events: [(name: String, attributes: [AttributeValue.KeyValue])] = []
    /// Nanoseconds from the start of the span to each event; 0 where none is said.
    var eventOffsets: [UInt64] = []
    var links: [TraceID] = []
    /// By link; none where none are said.
    var linkAttributes: [[AttributeValue.KeyValue]] = []
    var libraryName = ""
    var libraryVersion = ""
    var libraryAttributes: [AttributeValue.KeyValue] = []
}

func pair(_ key: String, _ value: AttributeValue) -> AttributeValue.KeyValue {
    .init(key: key, value: value)
}

/// Columns of `spans`, in their order.
func columns(_ spans: [TestSpan]) -> SpanColumns {
    var columns = SpanColumns()
    for span in spans {
        let libraryName = columns.strings.intern(span.libraryName)
        let libraryVersion = columns.strings.intern(span.libraryVersion)
        let libraryAttributes = columns.appendAttributes(span.libraryAttributes)
        let scope = columns.scopes.append(
            name: libraryName,
            version: libraryVersion,
            attributes: libraryAttributes
        )
        let service = columns.strings.intern(span.service)
        let run = columns.appendAttributes(
            [pair("service.name", .string(span.service))] + span.resource
        )
        let resource = columns.resources.append(service: service, attributes: run)
        let firstEvent = UInt32(columns.events.count)
        for (number, event) in span.events.enumerated() {
            let name = columns.strings.intern(event.name)
            let attributes = columns.appendAttributes(event.attributes)
            let offset = number < span.eventOffsets.count ? span.eventOffsets[number] : 0
            columns.events.append(time: span.start + offset, name: name, attributes: attributes)
        }
        let firstLink = UInt32(columns.links.count)
        for (number, link) in span.links.enumerated() {
            let pairs = number < span.linkAttributes.count ? span.linkAttributes[number] : []
            let attributes = columns.appendAttributes(pairs)
            columns.links.append(traceID: link, spanID: SpanID(7), attributes: attributes)
        }
        let name = columns.strings.intern(span.name)
        let attributes = columns.appendAttributes(span.attributes)
        let message = columns.strings.intern(span.statusMessage)
        let state = columns.strings.intern(span.traceState)
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
                traceState: state,
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
