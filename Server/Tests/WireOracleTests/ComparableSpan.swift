// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// One span with everything written out, so that two decoders' results compare with `==`.
struct ComparableSpan: Equatable {
    struct Event: Equatable {
        var time: UInt64
        var name: String
        var attributes: [AttributeValue.KeyValue]
        var dropped: UInt32
    }

    struct Link: Equatable {
        var traceID: String
        var spanID: String
        var traceState: String
        var flags: UInt32
        var attributes: [AttributeValue.KeyValue]
    }

    var resource: [AttributeValue.KeyValue]
    var resourceSchema: String
    var scope: String
    var scopeAttributes: [AttributeValue.KeyValue]
    var traceID: String
    var spanID: String
    var parentID: String
    var traceState: String
    var name: String
    var kind: Int32
    var start: UInt64
    var end: UInt64
    var attributes: [AttributeValue.KeyValue]
    var dropped: [UInt32]
    var events: [Event]
    var links: [Link]
    var status: Int32
    var statusMessage: String
    var flags: UInt32
}

/// The spans of our columns.
func spans(of columns: borrowing SpanColumns) -> [ComparableSpan] {
    var spans: [ComparableSpan] = []
    for row in 0..<columns.count {
        let span = columns[row]
        let resource = Int(span.resource)
        let scope = Int(span.scope)
        var events: [ComparableSpan.Event] = []
        for event in span.events.rows {
            events.append(
                .init(
                    time: columns.events.time[event],
                    name: columns.strings.text(columns.events.name[event]),
                    attributes: columns.keyValues(columns.events.attributes[event]),
                    dropped: columns.events.dropped[event]
                )
            )
        }
        var links: [ComparableSpan.Link] = []
        for link in span.links.rows {
            let id = TraceID(high: columns.links.traceHigh[link], low: columns.links.traceLow[link])
            links.append(
                .init(
                    traceID: id.hex,
                    spanID: SpanID(columns.links.spanID[link]).hex,
                    traceState: columns.strings.text(columns.links.traceState[link]),
                    flags: columns.links.flags[link],
                    attributes: columns.keyValues(columns.links.attributes[link])
                )
            )
        }
        let scopeName = columns.strings.text(columns.scopes.name[scope])
        let scopeVersion = columns.strings.text(columns.scopes.version[scope])
        spans.append(
            ComparableSpan(
                resource: columns.keyValues(columns.resources.attributes[resource]),
                resourceSchema: columns.strings.text(columns.resources.schemaURL[resource]),
                scope: "\(scopeName) \(scopeVersion)",
                scopeAttributes: columns.keyValues(columns.scopes.attributes[scope]),
                traceID: span.traceID.hex,
                spanID: span.spanID.hex,
                parentID: span.parentID.isValid ? span.parentID.hex : "",
                traceState: columns.strings.text(span.traceState),
                name: columns.strings.text(span.name),
                kind: Int32(span.kind.rawValue),
                start: span.start,
                end: span.end,
                attributes: columns.keyValues(span.attributes),
                dropped: [span.droppedAttributes, span.droppedEvents, span.droppedLinks],
                events: events,
                links: links,
                status: Int32(span.status.rawValue),
                statusMessage: columns.strings.text(span.statusMessage),
                flags: span.flags
            )
        )
    }
    return spans
}

/// What the tests give as the time of receipt: the start of a span that was sent without one.
let receivedAt: UInt64 = 1

/// The spans of the oracle's message, in the order they stand in it.
func spans(of request: Skein_Oracle_ExportRequest) -> [ComparableSpan] {
    request.resourceSpans.flatMap { resource in
        resource.scopeSpans.flatMap { scope in
            scope.spans.map { comparable($0, resource, scope) }
        }
    }
}

private func comparable(
    _ span: Skein_Oracle_Span,
    _ resource: Skein_Oracle_ResourceSpans,
    _ scope: Skein_Oracle_ScopeSpans
) -> ComparableSpan {
    let start = span.startTimeUnixNano == 0 ? receivedAt : span.startTimeUnixNano
    return ComparableSpan(
        resource: keyValues(resource.resource.attributes),
        resourceSchema: resource.schemaURL,
        scope: "\(scope.scope.name) \(scope.scope.version)",
        scopeAttributes: keyValues(scope.scope.attributes),
        traceID: hex(span.traceID),
        spanID: hex(span.spanID),
        parentID: hex(span.parentSpanID),
        traceState: span.traceState,
        name: span.name,
        kind: Int32(span.kind.rawValue),
        start: start,
        end: span.endTimeUnixNano == 0 ? start : span.endTimeUnixNano,
        attributes: keyValues(span.attributes),
        dropped: [
            span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount,
        ],
        events: span.events.map {
            .init(
                time: $0.timeUnixNano,
                name: $0.name,
                attributes: keyValues($0.attributes),
                dropped: $0.droppedAttributesCount
            )
        },
        links: span.links.map {
            .init(
                traceID: hex($0.traceID),
                spanID: hex($0.spanID),
                traceState: $0.traceState,
                flags: $0.flags,
                attributes: keyValues($0.attributes)
            )
        },
        status: Int32(span.status.code.rawValue),
        statusMessage: span.status.message,
        flags: span.flags
    )
}

private func hex(_ bytes: some Sequence<UInt8>) -> String {
    String(
        decoding: bytes.flatMap { [Hex.digit(of: $0 >> 4), Hex.digit(of: $0)] },
        as: UTF8.self
    )
}

private func keyValues(_ pairs: [Skein_Oracle_KeyValue]) -> [AttributeValue.KeyValue] {
    pairs.map { .init(key: $0.key, value: comparableValue($0.value)) }
}

private func comparableValue(_ value: Skein_Oracle_AnyValue) -> AttributeValue {
    switch value.value {
    case nil: .empty
    case .stringValue(let text): .string(text)
    case .boolValue(let flag): .bool(flag)
    case .intValue(let number): .int(number)
    case .doubleValue(let number): .double(number)
    case .bytesValue(let raw): .bytes([UInt8](raw))
    case .arrayValue(let list): .array(list.values.map { comparableValue($0) })
    case .kvlistValue(let list): .map(keyValues(list.values))
    }
}
