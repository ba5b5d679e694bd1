// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import SkeinWire
internal import Tracing

/// Finished spans of one resource, already in OTLP's encoding: what comes out of the slab.
public struct RecordedSpans: Sendable {
    /// Who the spans speak of.
    public let resource: Resource
    /// How many there are.
    public let spanCount: Int
    /// The repeated field `spans` of a `ScopeSpans` message.
    let encoded: [UInt8]

    /// The same spans as records: for exporters and sinks that do not speak OTLP.
    public func records() -> [SpanRecord] {
        guard
            let batch = try? OTLP.decodeProtobuf(
                OTLPRequest.encode(self),
                receivedAt: 0,
                limits: .ownSpans
            )
        else {
            return []
        }
        return (0..<batch.columns.count).map { Self.record($0, of: batch.columns, resource) }
    }

    private static func record(
        _ row: Int,
        of columns: borrowing SpanColumns,
        _ resource: Resource
    ) -> SpanRecord {
        let span = columns[row]
        var dropped = SpanRecord.DroppedCounts()
        dropped.attributes = span.droppedAttributes
        dropped.events = span.droppedEvents
        dropped.links = span.droppedLinks
        return SpanRecord(
            resource: resource,
            context: TraceContext(
                traceID: span.traceID,
                spanID: span.spanID,
                flags: TraceFlags(rawValue: UInt8(truncatingIfNeeded: span.flags)),
                state: TraceState(header: columns.strings.text(span.traceState)) ?? TraceState()
            ),
            parentSpanID: span.parentID,
            parentIsRemote: span.flags & 0x200 != 0,
            name: columns.strings.text(span.name),
            kind: Tracing.SpanKind(span.kind),
            start: span.start,
            end: span.end,
            attributes: attributes(span.attributes, of: columns),
            events: events(span.events, of: columns),
            links: links(span.links, of: columns),
            status: status(span, of: columns),
            dropped: dropped
        )
    }

    private static func status(_ span: SpanRow, of columns: borrowing SpanColumns) -> SpanStatus? {
        switch span.status {
        case .unset: return nil
        case .ok: return SpanStatus(code: .ok)
        case .error:
            let message = columns.strings.text(span.statusMessage)
            return SpanStatus(code: .error, message: message.isEmpty ? nil : message)
        }
    }

    private static func events(
        _ run: Run,
        of columns: borrowing SpanColumns
    ) -> [SpanRecord.Event] {
        var events: [SpanRecord.Event] = []
        for row in run.rows {
            events.append(
                SpanRecord.Event(
                    name: columns.strings.text(columns.events.name[row]),
                    time: columns.events.time[row],
                    attributes: attributes(columns.events.attributes[row], of: columns),
                    droppedAttributeCount: columns.events.dropped[row]
                )
            )
        }
        return events
    }

    private static func links(_ run: Run, of columns: borrowing SpanColumns) -> [SpanRecord.Link] {
        var links: [SpanRecord.Link] = []
        for row in run.rows {
            let flags = columns.links.flags[row]
            let context = TraceContext(
                traceID: TraceID(
                    high: columns.links.traceHigh[row],
                    low: columns.links.traceLow[row]
                ),
                spanID: SpanID(columns.links.spanID[row]),
                flags: TraceFlags(rawValue: UInt8(truncatingIfNeeded: flags)),
                state: TraceState(header: columns.strings.text(columns.links.traceState[row]))
                    ?? TraceState(),
                isRemote: flags & 0x200 != 0
            )
            links.append(
                SpanRecord.Link(
                    context: context,
                    attributes: attributes(columns.links.attributes[row], of: columns),
                    droppedAttributeCount: columns.links.dropped[row]
                )
            )
        }
        return links
    }

    private static func attributes(
        _ run: Run,
        of columns: borrowing SpanColumns
    ) -> SpanAttributes {
        var result = SpanAttributes([:])
        for row in run.rows {
            let key = columns.strings.text(columns.attributes.key[row])
            result.set(key, value: SpanAttribute(columns.attributes[row]))
        }
        return result
    }
}

extension SpanAttribute {
    /// The nearest there is: what swift-distributed-tracing has no type for becomes a text.
    init?(_ value: AttributeValue) {
        switch value {
        case .empty: return nil
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int64(number)
        case .double(let number): self = .double(number)
        case .bytes, .map: self = .string(String(describing: value))
        case .array(let values):
            if let texts = values.mapAll({ if case .string(let text) = $0 { text } else { nil } }) {
                self = .stringArray(texts)
            } else if let all = values.mapAll({ if case .int(let all) = $0 { all } else { nil } }) {
                self = .int64Array(all)
            } else if let all = values.mapAll({ if case .bool(let all) = $0 { all } else { nil } })
            {
                self = .boolArray(all)
            } else if let all = values.mapAll({ if case .double(let all) = $0 { all } else { nil } }
            ) {
                self = .doubleArray(all)
            } else {
                self = .string(String(describing: value))
            }
        }
    }
}

extension Array where Element == AttributeValue {
    fileprivate func mapAll<Value>(_ transform: (Element) -> Value?) -> [Value]? {
        let values = compactMap(transform)
        return values.count == count ? values : nil
    }
}

extension Tracing.SpanKind {
    init(_ kind: SkeinModel.SpanKind) {
        switch kind {
        case .unspecified, .internal: self = .internal
        case .server: self = .server
        case .client: self = .client
        case .producer: self = .producer
        case .consumer: self = .consumer
        }
    }
}
