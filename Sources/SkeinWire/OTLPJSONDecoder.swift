// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Walks an OTLP/JSON request once and puts its spans straight into columns.
///
/// Members come in any order, so what needs another member first is skipped and read on the way
/// back: the spans of a scope after the scope, the events of a span after its attributes.
struct OTLPJSONDecoder: ~Copyable {
    private var builder: BatchBuilder
    private var reader: JSONReader
    private var resources = InternedOwners()
    private var scopes = InternedOwners()
    /// The bytes of the value being read where they are not in the payload as they must be stored.
    private var nested: [UInt8] = []
    private var nestedIsValue = false

    /// A decoder of `bytes`, which must outlive it.
    init(_ bytes: UnsafeRawBufferPointer, receivedAt: UInt64, limits: DecodeLimits) {
        builder = BatchBuilder(
            payloadByteCount: bytes.count,
            receivedAt: receivedAt,
            limits: limits
        )
        // A nested level takes up to four JSON levels; eight lead down to the first value.
        reader = JSONReader(bytes, depthLimit: 8 + 4 * limits.parsedDepth)
    }

    consuming func finish() -> DecodedBatch { builder.finish() }

    func error(_ fault: JSONFault) -> WireError { reader.error(fault) }

    mutating func request() throws(JSONFault) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard key.equals("resourceSpans") else {
                try reader.skipValue()
                continue
            }
            if try reader.takeNull() { continue }
            try reader.beginArray()
            while try reader.nextElement() { try resourceSpans() }
        }
        try reader.finish()
    }

    // MARK: Resource and scope

    /// The members of a `ResourceSpans` or a `ScopeSpans`, to be read in our order.
    private struct Parts {
        var heading: JSONReader.Bookmark?
        var bodies: [JSONReader.Bookmark] = []
        var schemaURL: JSONReader.Bookmark?
    }

    private mutating func parts(
        heading: StaticString,
        bodies: StaticString
    ) throws(JSONFault) -> Parts {
        var parts = Parts()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let isHeading = key.equals(heading)
            let isBody = key.equals(bodies)
            let isURL = key.equals("schemaUrl")
            if try reader.takeNull() { continue }
            let place = try reader.postpone()
            if isHeading { parts.heading = place }
            if isBody { parts.bodies.append(place) }
            if isURL { parts.schemaURL = place }
        }
        return parts
    }

    private mutating func resourceSpans() throws(JSONFault) {
        let parts = try parts(heading: "resource", bodies: "scopeSpans")
        let (resource, marks) = try resource(parts)
        for body in parts.bodies {
            let here = reader.move(to: body)
            try reader.beginArray()
            while try reader.nextElement() { try scopeSpans(resource, marks) }
            reader.move(back: here)
        }
    }

    private mutating func resource(
        _ parts: Parts
    ) throws(JSONFault) -> (row: UInt32, marks: SpanMarks) {
        let (id, known) = resources.find(
            written(parts.heading),
            written(parts.schemaURL),
            whole: true
        )
        if let known { return known }
        builder.beginOwner()
        builder.beginAttributes()
        var dropped: UInt32 = 0
        if let heading = parts.heading {
            let here = reader.move(to: heading)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                if key.equals("attributes") {
                    try attributes()
                } else if key.equals("droppedAttributesCount") {
                    dropped = try count()
                } else {
                    try reader.skipValue()
                }
            }
            reader.move(back: here)
        }
        let (run, cut) = builder.endAttributes()
        let service = builder.service(in: run)
        let row = builder.columns.resources.append(
            service: service,
            attributes: run,
            dropped: dropped.saturatingAdd(cut),
            schemaURL: try schemaURL(parts)
        )
        resources.remember(id, row, builder.marks)
        return (row, builder.marks)
    }

    private func written(_ place: JSONReader.Bookmark?) -> UnsafeRawBufferPointer {
        place.map { reader.written($0) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private mutating func schemaURL(_ parts: Parts) throws(JSONFault) -> UInt32 {
        guard let place = parts.schemaURL else { return 0 }
        let here = reader.move(to: place)
        let id = builder.name(try reader.text())
        reader.move(back: here)
        return id
    }

    private mutating func scopeSpans(
        _ resource: UInt32,
        _ inherited: SpanMarks
    ) throws(JSONFault) {
        let parts = try parts(heading: "scope", bodies: "spans")
        let (scope, marks) = try scope(parts)
        for body in parts.bodies {
            let here = reader.move(to: body)
            try reader.beginArray()
            while try reader.nextElement() {
                if builder.admitsSpan() {
                    try span(resource, scope, inherited.union(marks))
                } else {
                    try reader.skipValue()
                }
            }
            reader.move(back: here)
        }
    }

    private mutating func scope(
        _ parts: Parts
    ) throws(JSONFault) -> (row: UInt32, marks: SpanMarks) {
        let (id, known) = scopes.find(written(parts.heading), written(parts.schemaURL), whole: true)
        if let known { return known }
        builder.beginOwner()
        builder.beginAttributes()
        var name: UInt32 = 0
        var version: UInt32 = 0
        var dropped: UInt32 = 0
        if let heading = parts.heading {
            let here = reader.move(to: heading)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                if key.equals("name") {
                    name = try text()
                } else if key.equals("version") {
                    version = try text()
                } else if key.equals("attributes") {
                    try attributes()
                } else if key.equals("droppedAttributesCount") {
                    dropped = try count()
                } else {
                    try reader.skipValue()
                }
            }
            reader.move(back: here)
        }
        let (run, cut) = builder.endAttributes()
        let row = builder.columns.scopes.append(
            name: name,
            version: version,
            attributes: run,
            dropped: dropped.saturatingAdd(cut),
            schemaURL: try schemaURL(parts)
        )
        scopes.remember(id, row, builder.marks)
        return (row, builder.marks)
    }

    // MARK: Spans

    private mutating func span(
        _ resource: UInt32,
        _ scope: UInt32,
        _ inherited: SpanMarks
    ) throws(JSONFault) {
        let position = builder.position
        let start = reader.position
        var row = SpanRow(traceID: .zero, spanID: .none, resource: resource, scope: scope)
        var ids = RawIDs()
        var later = Later()
        builder.beginSpan(marks: inherited)
        builder.beginAttributes()
        try reader.beginObject()
        while let key = try reader.nextKey() { try member(key, &row, &ids, &later) }
        let (run, cut) = builder.endAttributes()
        row.attributes = run
        row.droppedAttributes = row.droppedAttributes.saturatingAdd(cut)
        if let place = later.events { try events(place, &row) }
        if let place = later.links { try links(place, &row) }
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

    private struct Later {
        var events: JSONReader.Bookmark?
        var links: JSONReader.Bookmark?
    }

    private mutating func member(
        _ key: UnsafeRawBufferPointer,
        _ row: inout SpanRow,
        _ ids: inout RawIDs,
        _ later: inout Later
    ) throws(JSONFault) {
        if key.equals("traceId") {
            ids.trace(try traceID())
        } else if key.equals("spanId") {
            ids.span(try spanID())
        } else if key.equals("parentSpanId") {
            ids.parent(try spanID())
        } else if key.equals("name") {
            row.name = try text()
        } else if key.equals("startTimeUnixNano") {
            row.start = try number()
        } else if key.equals("endTimeUnixNano") {
            row.end = try number()
        } else if key.equals("attributes") {
            try attributes()
        } else if key.equals("kind") {
            row.kind = SpanKind(
                wire: try enumeration("SPAN_KIND_") { SpanKind(word: $0)?.rawValue }
            )
        } else if key.equals("status") {
            try status(&row)
        } else if key.equals("events") {
            if try !reader.takeNull() { later.events = try reader.postpone() }
        } else if key.equals("links") {
            if try !reader.takeNull() { later.links = try reader.postpone() }
        } else if key.equals("traceState") {
            row.traceState = try text()
        } else if key.equals("flags") {
            row.flags = try count()
        } else if key.equals("droppedAttributesCount") {
            row.droppedAttributes = try count()
        } else if key.equals("droppedEventsCount") {
            row.droppedEvents = try count()
        } else if key.equals("droppedLinksCount") {
            row.droppedLinks = try count()
        } else {
            try reader.skipValue()
        }
    }

    private mutating func status(_ row: inout SpanRow) throws(JSONFault) {
        if try reader.takeNull() { return }
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key.equals("code") {
                let code = try enumeration("STATUS_CODE_") { StatusCode(word: $0)?.rawValue }
                row.status = StatusCode(wire: code)
            } else if key.equals("message") {
                row.statusMessage = try text()
            } else {
                try reader.skipValue()
            }
        }
    }

    private mutating func events(
        _ place: JSONReader.Bookmark,
        _ row: inout SpanRow
    ) throws(JSONFault) {
        let first = builder.columns.events.count
        let here = reader.move(to: place)
        try reader.beginArray()
        while try reader.nextElement() {
            guard builder.admitsEvent(since: first) else {
                row.droppedEvents = row.droppedEvents.saturatingAdd(1)
                try reader.skipValue()
                continue
            }
            try event()
        }
        reader.move(back: here)
        let count = builder.columns.events.count &- first
        row.events = Run(first: UInt32(first), count: UInt32(count))
    }

    private mutating func event() throws(JSONFault) {
        var time: UInt64 = 0
        var name: UInt32 = 0
        var dropped: UInt32 = 0
        builder.beginAttributes()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key.equals("timeUnixNano") {
                time = try number()
            } else if key.equals("name") {
                name = try text()
            } else if key.equals("attributes") {
                try attributes()
            } else if key.equals("droppedAttributesCount") {
                dropped = try count()
            } else {
                try reader.skipValue()
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
        _ place: JSONReader.Bookmark,
        _ row: inout SpanRow
    ) throws(JSONFault) {
        let first = builder.columns.links.count
        let here = reader.move(to: place)
        try reader.beginArray()
        while try reader.nextElement() {
            if builder.admitsLink(since: first) {
                if try link() { continue }
            } else {
                try reader.skipValue()
            }
            row.droppedLinks = row.droppedLinks.saturatingAdd(1)
        }
        reader.move(back: here)
        let count = builder.columns.links.count &- first
        row.links = Run(first: UInt32(first), count: UInt32(count))
    }

    /// Reads one link; false for one whose ids are none, which is not kept.
    private mutating func link() throws(JSONFault) -> Bool {
        let position = builder.position
        var ids = RawIDs()
        var state: UInt32 = 0
        var flags: UInt32 = 0
        var dropped: UInt32 = 0
        builder.beginAttributes()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key.equals("traceId") {
                ids.trace(try traceID())
            } else if key.equals("spanId") {
                ids.span(try spanID())
            } else if key.equals("traceState") {
                state = try text()
            } else if key.equals("attributes") {
                try attributes()
            } else if key.equals("droppedAttributesCount") {
                dropped = try count()
            } else if key.equals("flags") {
                flags = try count()
            } else {
                try reader.skipValue()
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

    // MARK: Scalars, where null stands for absent

    private mutating func text() throws(JSONFault) -> UInt32 {
        try reader.takeNull() ? 0 : builder.name(try reader.text())
    }

    private mutating func number() throws(JSONFault) -> UInt64 {
        try reader.takeNull() ? 0 : try reader.uint64()
    }

    private mutating func count() throws(JSONFault) -> UInt32 {
        try reader.takeNull() ? 0 : try reader.uint32()
    }

    /// An id of exactly 32 digits; zero where it is empty, `nil` where it is none.
    private mutating func traceID() throws(JSONFault) -> TraceID? {
        if try reader.takeNull() { return .zero }
        let digits = try reader.text()
        if digits.isEmpty { return .zero }
        return digits.count == 32 ? TraceID(hex: String(decoding: digits, as: UTF8.self)) : nil
    }

    /// An id of exactly 16 digits; zero where it is empty, `nil` where it is none.
    private mutating func spanID() throws(JSONFault) -> SpanID? {
        if try reader.takeNull() { return SpanID.none }
        let digits = try reader.text()
        if digits.isEmpty { return SpanID.none }
        return digits.count == 16 ? SpanID(hex: String(decoding: digits, as: UTF8.self)) : nil
    }

    /// An enum as a number or, as several exporters write it, as its name. Unknown ones read as 0.
    private mutating func enumeration(
        _ prefix: String,
        _ named: (String) -> UInt8?
    ) throws(JSONFault) -> UInt64 {
        if try reader.takeNull() { return 0 }
        guard reader.peek() == UInt8(ascii: "\"") else {
            return UInt64(clamping: try reader.int64())
        }
        let word = String(decoding: try reader.text(), as: UTF8.self)
        if let number = UInt64(word) { return number }
        guard word.hasPrefix(prefix) else { return 0 }
        return UInt64(named(word.dropFirst(prefix.count).lowercased()) ?? 0)
    }

    // MARK: Attributes

    private mutating func attributes() throws(JSONFault) {
        if try reader.takeNull() { return }
        try reader.beginArray()
        while try reader.nextElement() { try keyValue() }
    }

    private mutating func keyValue() throws(JSONFault) {
        var key = UnsafeRawBufferPointer(start: nil, count: 0)
        var place: JSONReader.Bookmark?
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if member.equals("key") {
                if try reader.takeNull() { continue }
                key = try reader.text()
                reader.hold()
            } else if member.equals("value") {
                if try reader.takeNull() { continue }
                place = try reader.postpone()
            } else {
                try reader.skipValue()
            }
        }
        guard let place else { return builder.attribute(key: key, RawValue()) }
        let here = reader.move(to: place)
        let value = try anyValue()
        reader.move(back: here)
        if nestedIsValue {
            nested.withUnsafeBytes {
                var value = value
                value.body = $0
                builder.attribute(key: key, value)
            }
        } else {
            builder.attribute(key: key, value)
        }
    }

    /// Reads an `AnyValue`; lists and bytes are left in `nested`.
    private mutating func anyValue() throws(JSONFault) -> RawValue {
        var value = RawValue()
        nestedIsValue = false
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if try reader.takeNull() { continue }
            if try scalar(member, &value) { continue }
            if member.equals("arrayValue") || member.equals("kvlistValue") {
                value = RawValue(type: member.equals("arrayValue") ? .array : .map)
                nestedIsValue = true
                nested = []
                let limits = builder.limits
                let list = try NestedJSON.list(value.type, &reader, depth: 1, limits, &nested)
                value.isTooDeep = list.isTooDeep
                value.hasBadText = list.hasBadText
            } else if member.equals("bytesValue") {
                let text = try reader.text()
                guard let bytes = Base64.decode(text) else {
                    throw reader.fault(.value("bytesValue is not base64"))
                }
                value = RawValue(type: .bytes)
                nestedIsValue = true
                nested = bytes
            } else {
                try reader.skipValue()
            }
        }
        return value
    }

    private mutating func scalar(
        _ member: UnsafeRawBufferPointer,
        _ value: inout RawValue
    ) throws(JSONFault) -> Bool {
        if member.equals("stringValue") {
            value = RawValue(type: .string, body: try reader.text())
            // Text with escapes must survive the names of members that follow it.
            nestedIsValue = !reader.isInPlace(value.body)
            if nestedIsValue { nested = [UInt8](value.body) }
        } else if member.equals("boolValue") {
            value = RawValue(type: .bool, bits: try reader.bool() ? 1 : 0)
        } else if member.equals("intValue") {
            value = RawValue(type: .int, bits: UInt64(bitPattern: try reader.int64()))
        } else if member.equals("doubleValue") {
            value = RawValue(type: .double, bits: try reader.double().bitPattern)
        } else {
            return false
        }
        return true
    }
}
