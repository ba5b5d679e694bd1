// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Walks an `ExportTraceServiceRequest` once and puts its spans straight into columns.
///
/// Fields may come in any order and a message may come in pieces, as protobuf allows. So a resource
/// or scope is read when its whole list is known, and then written to the spans read before; and a
/// span's events and links are read after its attributes, each kind in one run.
struct OTLPProtobufDecoder: ~Copyable {
    private var builder: BatchBuilder
    /// Resources and scopes by their bytes, so that each distinct one is one row.
    private var resources = InternedOwners()
    private var scopes = InternedOwners()

    init(payloadByteCount: Int, receivedAt: UInt64, limits: DecodeLimits) {
        builder = BatchBuilder(
            payloadByteCount: payloadByteCount,
            receivedAt: receivedAt,
            limits: limits
        )
    }

    func finish() -> DecodedBatch { builder.finish() }

    /// Begins the next payload in the memory of the last.
    mutating func restart(receivedAt: UInt64) {
        builder.restart(receivedAt: receivedAt)
        resources.removeAll()
        scopes.removeAll()
    }

    /// Bytes of memory held for the next payload.
    var allocatedByteCount: Int { builder.columns.allocatedByteCount }

    private var depths: DepthLimits { builder.depths }

    mutating func request(_ bytes: UnsafeRawBufferPointer) throws(ProtobufFault) {
        guard var cursor = ProtobufCursor(payload: bytes, .request) else { return }
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2:
                let body = try cursor.bytes()
                try resourceSpans(cursor.inner(body, .resourceSpans))
            default: try cursor.skip(tag, depths)
            }
        }
    }

    // MARK: Resource and scope

    /// The pieces of a resource or scope, and the schema URL beside it.
    private struct Heading {
        var first = UnsafeRawBufferPointer(start: nil, count: 0)
        var pieces = 0
        var schemaURL = UnsafeRawBufferPointer(start: nil, count: 0)

        mutating func add(_ piece: UnsafeRawBufferPointer) {
            if pieces == 0 { first = piece }
            pieces &+= 1
        }
    }

    private mutating func resourceSpans(
        _ cursor: consuming ProtobufCursor
    ) throws(ProtobufFault) {
        let start = cursor.offset
        let firstSpan = builder.columns.count
        var heading = Heading()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: heading.add(try cursor.bytes())
            case 2 << 3 | 2:
                let body = try cursor.bytes()
                try scopeSpans(cursor.inner(body, .scopeSpans))
            case 3 << 3 | 2: heading.schemaURL = try cursor.bytes()
            default: try cursor.skip(tag, depths)
            }
        }
        let (resource, marks) = try resource(heading, cursor.rewound(to: start))
        builder.place(spansFrom: firstSpan, resource: resource, marks)
    }

    private mutating func resource(
        _ heading: Heading,
        _ outer: consuming ProtobufCursor
    ) throws(ProtobufFault) -> (row: UInt32, marks: SpanMarks) {
        let (id, known) = resources.find(
            heading.first,
            heading.schemaURL,
            whole: heading.pieces <= 1
        )
        if let known { return known }
        builder.beginOwner()
        builder.beginAttributes()
        var dropped: UInt32 = 0
        while !outer.atEnd {
            let tag = try outer.tag()
            guard tag == 1 << 3 | 2 else {
                try outer.skip(tag, depths)
                continue
            }
            var inner = try outer.inner(outer.bytes(), .resource)
            while !inner.atEnd {
                let tag = try inner.tag()
                switch tag {
                case 1 << 3 | 2: try keyValue(inner.inner(inner.bytes(), .keyValue))
                case 2 << 3 | 0: dropped = UInt32(truncatingIfNeeded: try inner.varint())
                default: try inner.skip(tag, depths)
                }
            }
        }
        let (run, cut) = builder.endAttributes()
        let service = builder.service(in: run)
        let schemaURL = builder.name(heading.schemaURL)
        let row = builder.columns.resources.append(
            service: service,
            attributes: run,
            dropped: dropped.saturatingAdd(cut),
            schemaURL: schemaURL
        )
        resources.remember(id, row, builder.marks)
        return (row, builder.marks)
    }

    private mutating func scopeSpans(_ cursor: consuming ProtobufCursor) throws(ProtobufFault) {
        let start = cursor.offset
        let firstSpan = builder.columns.count
        var heading = Heading()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: heading.add(try cursor.bytes())
            case 2 << 3 | 2:
                let body = try cursor.bytes()
                if builder.admitsSpan() { try span(cursor.inner(body, .span)) }
            case 3 << 3 | 2: heading.schemaURL = try cursor.bytes()
            default: try cursor.skip(tag, depths)
            }
        }
        let (scope, marks) = try scope(heading, cursor.rewound(to: start))
        builder.place(spansFrom: firstSpan, scope: scope, marks)
    }

    private mutating func scope(
        _ heading: Heading,
        _ outer: consuming ProtobufCursor
    ) throws(ProtobufFault) -> (row: UInt32, marks: SpanMarks) {
        let (id, known) = scopes.find(heading.first, heading.schemaURL, whole: heading.pieces <= 1)
        if let known { return known }
        builder.beginOwner()
        builder.beginAttributes()
        var name: UInt32 = 0
        var version: UInt32 = 0
        var dropped: UInt32 = 0
        while !outer.atEnd {
            let tag = try outer.tag()
            guard tag == 1 << 3 | 2 else {
                try outer.skip(tag, depths)
                continue
            }
            var inner = try outer.inner(outer.bytes(), .scope)
            while !inner.atEnd {
                let tag = try inner.tag()
                switch tag {
                case 1 << 3 | 2: name = builder.name(try inner.bytes())
                case 2 << 3 | 2: version = builder.name(try inner.bytes())
                case 3 << 3 | 2: try keyValue(inner.inner(inner.bytes(), .keyValue))
                case 4 << 3 | 0: dropped = UInt32(truncatingIfNeeded: try inner.varint())
                default: try inner.skip(tag, depths)
                }
            }
        }
        let (run, cut) = builder.endAttributes()
        let schemaURL = builder.name(heading.schemaURL)
        let row = builder.columns.scopes.append(
            name: name,
            version: version,
            attributes: run,
            dropped: dropped.saturatingAdd(cut),
            schemaURL: schemaURL
        )
        scopes.remember(id, row, builder.marks)
        return (row, builder.marks)
    }

    // MARK: Spans

    /// Reads one span; its resource and scope are filled in once they are known.
    private mutating func span(_ cursor: consuming ProtobufCursor) throws(ProtobufFault) {
        let depths = depths
        let position = builder.position
        let start = cursor.offset
        var row = SpanRow(traceID: .zero, spanID: .none, resource: 0, scope: 0)
        var ids = RawIDs()
        var eventCount = 0
        var linkCount = 0
        builder.beginSpan(marks: [])
        builder.beginAttributes()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: ids.trace(try cursor.bytes())
            case 2 << 3 | 2: ids.span(try cursor.bytes())
            case 3 << 3 | 2: row.traceState = builder.name(try cursor.bytes())
            case 4 << 3 | 2: ids.parent(try cursor.bytes())
            case 5 << 3 | 2: row.name = builder.name(try cursor.bytes())
            case 6 << 3 | 0: row.kind = SpanKind(wire: try cursor.varint())
            case 7 << 3 | 1: row.start = try cursor.fixed64()
            case 8 << 3 | 1: row.end = try cursor.fixed64()
            case 9 << 3 | 2: try keyValue(cursor.inner(cursor.bytes(), .keyValue))
            case 10 << 3 | 0:
                row.droppedAttributes = UInt32(truncatingIfNeeded: try cursor.varint())
            case 11 << 3 | 2:
                _ = try cursor.bytes()
                eventCount &+= 1
            case 12 << 3 | 0: row.droppedEvents = UInt32(truncatingIfNeeded: try cursor.varint())
            case 13 << 3 | 2:
                _ = try cursor.bytes()
                linkCount &+= 1
            case 14 << 3 | 0: row.droppedLinks = UInt32(truncatingIfNeeded: try cursor.varint())
            case 15 << 3 | 2: try status(cursor.inner(cursor.bytes(), .status), &row)
            case 16 << 3 | 5: row.flags = try cursor.fixed32()
            default: try cursor.skip(tag, depths)
            }
        }
        let (run, cut) = builder.endAttributes()
        row.attributes = run
        row.droppedAttributes = row.droppedAttributes.saturatingAdd(cut)
        if eventCount > 0 { try events(cursor.rewound(to: start), &row) }
        if linkCount > 0 { try links(cursor.rewound(to: start), &row) }
        if let refusal = ids.refusal {
            builder.rewind(to: position)
            builder.reject("\(refusal.reason) (span at byte \(start))")
            return
        }
        row.traceID = ids.traceID
        row.spanID = ids.spanID
        row.parentID = ids.parentID
        builder.append(&row)
    }

    private mutating func status(
        _ cursor: consuming ProtobufCursor,
        _ row: inout SpanRow
    ) throws(ProtobufFault) {
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 2 << 3 | 2: row.statusMessage = builder.name(try cursor.bytes())
            case 3 << 3 | 0: row.status = StatusCode(wire: try cursor.varint())
            default: try cursor.skip(tag, depths)
            }
        }
    }

    private mutating func events(
        _ cursor: consuming ProtobufCursor,
        _ row: inout SpanRow
    ) throws(ProtobufFault) {
        let first = builder.columns.events.count
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 11 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            var inner = try cursor.inner(cursor.bytes(), .event)
            guard builder.admitsEvent(since: first) else {
                row.droppedEvents = row.droppedEvents.saturatingAdd(1)
                continue
            }
            try event(&inner)
        }
        let count = builder.columns.events.count &- first
        row.events = Run(first: UInt32(first), count: UInt32(count))
    }

    private mutating func event(_ cursor: inout ProtobufCursor) throws(ProtobufFault) {
        var time: UInt64 = 0
        var name: UInt32 = 0
        var dropped: UInt32 = 0
        builder.beginAttributes()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 1: time = try cursor.fixed64()
            case 2 << 3 | 2: name = builder.name(try cursor.bytes())
            case 3 << 3 | 2: try keyValue(cursor.inner(cursor.bytes(), .keyValue))
            case 4 << 3 | 0: dropped = UInt32(truncatingIfNeeded: try cursor.varint())
            default: try cursor.skip(tag, depths)
            }
        }
        let (run, cut) = builder.endAttributes()
        builder.columns.events.append(
            time: time,
            name: name,
            attributes: run,
            dropped: dropped.saturatingAdd(cut)
        )
    }

    private mutating func links(
        _ cursor: consuming ProtobufCursor,
        _ row: inout SpanRow
    ) throws(ProtobufFault) {
        let first = builder.columns.links.count
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 13 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            var inner = try cursor.inner(cursor.bytes(), .link)
            if builder.admitsLink(since: first), try link(&inner) { continue }
            row.droppedLinks = row.droppedLinks.saturatingAdd(1)
        }
        let count = builder.columns.links.count &- first
        row.links = Run(first: UInt32(first), count: UInt32(count))
    }

    /// Reads one link; false for one whose ids have a wrong length, which is not kept.
    private mutating func link(_ cursor: inout ProtobufCursor) throws(ProtobufFault) -> Bool {
        let position = builder.position
        var ids = RawIDs()
        var state: UInt32 = 0
        var flags: UInt32 = 0
        var dropped: UInt32 = 0
        builder.beginAttributes()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: ids.trace(try cursor.bytes())
            case 2 << 3 | 2: ids.span(try cursor.bytes())
            case 3 << 3 | 2: state = builder.name(try cursor.bytes())
            case 4 << 3 | 2: try keyValue(cursor.inner(cursor.bytes(), .keyValue))
            case 5 << 3 | 0: dropped = UInt32(truncatingIfNeeded: try cursor.varint())
            case 6 << 3 | 5: flags = try cursor.fixed32()
            default: try cursor.skip(tag, depths)
            }
        }
        let (run, cut) = builder.endAttributes()
        guard ids.haveRightLengths else {
            builder.rewind(to: position)
            return false
        }
        builder.columns.links.append(
            traceID: ids.traceID,
            spanID: ids.spanID,
            traceState: state,
            flags: flags,
            attributes: run,
            dropped: dropped.saturatingAdd(cut)
        )
        return true
    }

    // MARK: Attributes

    /// Reads an attribute. A key and one plain value, as nearly every one is, go through registers;
    /// `anyAttribute` does what is left.
    @inline(__always)
    private mutating func keyValue(_ cursor: consuming ProtobufCursor) throws(ProtobufFault) {
        let start = cursor.offset
        var key = UnsafeRawBufferPointer(start: nil, count: 0)
        var text = UnsafeRawBufferPointer(start: nil, count: 0)
        var scalar: (type: AttributeType, bits: UInt64) = (.empty, 0)
        var values = 0
        while !cursor.atEnd {
            let tag = try cursor.tag()
            if tag == 1 << 3 | 2 {
                key = try cursor.bytes()
                continue
            }
            guard tag == 2 << 3 | 2, values == 0 else {
                return try anyAttribute(cursor.rewound(to: start))
            }
            values = 1
            let body = try cursor.bytes()
            if let short = ProtobufCursor.onlyShortText(body) {
                text = short
                scalar.type = .string
            } else if let plain = ProtobufCursor.onlyScalar(body) {
                scalar = plain
            } else {
                return try anyAttribute(cursor.rewound(to: start))
            }
        }
        if scalar.type == .string {
            builder.attribute(key: key, text: text)
        } else {
            builder.attribute(key: key, scalar.type, bits: scalar.bits)
        }
    }

    /// Reads an attribute of any form.
    @inline(never)
    private mutating func anyAttribute(_ cursor: consuming ProtobufCursor) throws(ProtobufFault) {
        let depths = depths
        var key = UnsafeRawBufferPointer(start: nil, count: 0)
        var value = RawValue()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: key = try cursor.bytes()
            case 2 << 3 | 2:
                try Self.anyValue(cursor.inner(cursor.bytes(), .anyValue), depths, &value)
            default: try cursor.skip(tag, depths)
            }
        }
        builder.attribute(key: key, value)
    }

    /// Static, for a method that only borrows `self` copies all of it, 1.5 KB an attribute.
    @inline(never)
    private static func anyValue(
        _ cursor: consuming ProtobufCursor,
        _ depths: DepthLimits,
        _ value: inout RawValue
    ) throws(ProtobufFault) {
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: value = RawValue(type: .string, body: try cursor.bytes())
            case 2 << 3 | 0: value = RawValue(type: .bool, bits: try cursor.varint() == 0 ? 0 : 1)
            case 3 << 3 | 0: value = RawValue(type: .int, bits: try cursor.varint())
            case 4 << 3 | 1: value = RawValue(type: .double, bits: try cursor.fixed64())
            case 5 << 3 | 2:
                value = RawValue(type: .array, body: try cursor.bytes())
                let inner = cursor.inner(value.body, .arrayValue)
                try NestedCheck.array(inner, depth: 1, depths, &value)
            case 6 << 3 | 2:
                value = RawValue(type: .map, body: try cursor.bytes())
                let inner = cursor.inner(value.body, .keyValueList)
                try NestedCheck.map(inner, depth: 1, depths, &value)
            case 7 << 3 | 2: value = RawValue(type: .bytes, body: try cursor.bytes())
            default: try cursor.skip(tag, depths)
            }
        }
    }
}
