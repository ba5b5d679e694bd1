// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// One span with everything that belongs to it as plain values: what tests compare.
public struct SpanValue: Hashable, Sendable {
    /// A point in time inside a span.
    public struct Event: Hashable, Sendable {
        public var time: UInt64
        public var name: String
        public var attributes: [AttributeValue.KeyValue]
        public var dropped: UInt32
    }

    /// A reference to another span.
    public struct Link: Hashable, Sendable {
        public var traceID: TraceID
        public var spanID: SpanID
        public var traceState: String
        public var flags: UInt32
        public var attributes: [AttributeValue.KeyValue]
        public var dropped: UInt32
    }

    /// A resource or a scope.
    public struct Origin: Hashable, Sendable {
        public var name: String
        public var version: String
        public var schemaURL: String
        public var dropped: UInt32
        public var attributes: [AttributeValue.KeyValue]
    }

    public var traceID: TraceID
    public var spanID: SpanID
    public var parentID: SpanID
    public var start: UInt64
    public var end: UInt64
    public var name: String
    public var kind: SpanKind
    public var status: StatusCode
    public var statusMessage: String
    public var traceState: String
    public var flags: UInt32
    public var dropped: [UInt32]
    public var marks: SpanMarks
    public var attributes: [AttributeValue.KeyValue]
    public var events: [Event]
    public var links: [Link]
    public var resource: Origin
    public var scope: Origin

    /// Reads span `row`.
    public init(_ columns: borrowing SpanColumns, _ row: Int) {
        let span = columns[row]
        traceID = span.traceID
        spanID = span.spanID
        parentID = span.parentID
        start = span.start
        end = span.end
        name = columns.strings.text(span.name)
        kind = span.kind
        status = span.status
        statusMessage = columns.strings.text(span.statusMessage)
        traceState = columns.strings.text(span.traceState)
        flags = span.flags
        dropped = [span.droppedAttributes, span.droppedEvents, span.droppedLinks]
        marks = span.marks
        attributes = columns.keyValues(span.attributes)
        var events: [Event] = []
        for event in span.events.rows {
            events.append(
                Event(
                    time: columns.events.time[event],
                    name: columns.strings.text(columns.events.name[event]),
                    attributes: columns.keyValues(columns.events.attributes[event]),
                    dropped: columns.events.dropped[event]
                )
            )
        }
        self.events = events
        var links: [Link] = []
        for link in span.links.rows {
            links.append(
                Link(
                    traceID: TraceID(
                        high: columns.links.traceHigh[link],
                        low: columns.links.traceLow[link]
                    ),
                    spanID: SpanID(columns.links.spanID[link]),
                    traceState: columns.strings.text(columns.links.traceState[link]),
                    flags: columns.links.flags[link],
                    attributes: columns.keyValues(columns.links.attributes[link]),
                    dropped: columns.links.dropped[link]
                )
            )
        }
        self.links = links
        let resource = Int(span.resource)
        self.resource = Origin(
            name: columns.strings.text(columns.resources.service[resource]),
            version: "",
            schemaURL: columns.strings.text(columns.resources.schemaURL[resource]),
            dropped: columns.resources.dropped[resource],
            attributes: columns.keyValues(columns.resources.attributes[resource])
        )
        let scope = Int(span.scope)
        self.scope = Origin(
            name: columns.strings.text(columns.scopes.name[scope]),
            version: columns.strings.text(columns.scopes.version[scope]),
            schemaURL: columns.strings.text(columns.scopes.schemaURL[scope]),
            dropped: columns.scopes.dropped[scope],
            attributes: columns.keyValues(columns.scopes.attributes[scope])
        )
    }

    /// The service.
    public var service: String { resource.name }

    /// Nanoseconds, 0 where the end lies before the start.
    public var duration: UInt64 { end > start ? end - start : 0 }

    /// The order of answers: trace id, start, span id.
    public static func isBefore(_ a: SpanValue, _ b: SpanValue) -> Bool {
        if a.traceID != b.traceID { return a.traceID < b.traceID }
        if a.start != b.start { return a.start < b.start }
        return a.spanID < b.spanID
    }
}
