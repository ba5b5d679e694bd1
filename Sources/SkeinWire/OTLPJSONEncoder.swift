// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

extension OTLP {
    /// How JSON writes what protobuf has a type of its own for.
    public enum JSONForm: Sendable {
        /// As OTLP says: ids in hexadecimal, enums as numbers.
        case otlp
        /// As protobuf says of every message: ids in base64, enums by name.
        case protobuf
    }

    /// Encodes spans as OTLP/JSON, `{"resourceSpans":[...]}`: 64-bit numbers as strings, what is empty
    /// or 0 left out.
    ///
    /// - Parameters:
    ///   - columns: The batch.
    ///   - rows: Which spans of it; all where `nil`. They are grouped by resource and scope and keep
    ///     their order within one.
    ///   - form: How ids and enums are written.
    ///   - name: The name of the one member, where readers know it by another.
    /// - Returns: UTF-8 text.
    public static func encodeJSON(
        _ columns: borrowing SpanColumns,
        rows: Range<Int>? = nil,
        form: JSONForm = .otlp,
        name: String = "resourceSpans"
    ) -> [UInt8] {
        encodeJSON(columns, runs: [rows ?? 0..<columns.count], form: form, name: name)
    }

    /// The same for several runs of rows, one after the other.
    public static func encodeJSON(
        _ columns: borrowing SpanColumns,
        runs: [Range<Int>],
        form: JSONForm = .otlp,
        name: String = "resourceSpans"
    ) -> [UInt8] {
        var json = JSONWriter(capacity: runs.reduce(0) { $0 + $1.count } * 512)
        json.beginObject()
        json.key(name)
        json.beginArray()
        for rows in runs { json.resourceSpans(RowGroups(columns, rows: rows), columns, form) }
        json.endArray()
        json.endObject()
        return json.take()
    }
}

extension JSONWriter {
    fileprivate mutating func resourceSpans(
        _ groups: RowGroups,
        _ columns: borrowing SpanColumns,
        _ form: OTLP.JSONForm
    ) {
        for resource in groups.resources {
            beginObject()
            key("resource")
            self.resource(resource.row, columns)
            key("scopeSpans")
            beginArray()
            for scope in resource.scopes {
                beginObject()
                key("scope")
                self.scope(scope.row, columns)
                key("spans")
                beginArray()
                for row in scope.spans { span(row, columns, form) }
                endArray()
                text("schemaUrl", columns.scopes.schemaURL[scope.row], columns)
                endObject()
            }
            endArray()
            text("schemaUrl", columns.resources.schemaURL[resource.row], columns)
            endObject()
        }
    }

    fileprivate mutating func text(
        _ key: String,
        _ id: UInt32,
        _ columns: borrowing SpanColumns
    ) {
        guard id != 0 else { return }
        self.key(key)
        columns.strings.withBytes(of: id) { string(utf8: $0) }
    }

    private mutating func number(_ key: String, _ value: UInt32) {
        guard value != 0 else { return }
        self.key(key)
        uint(UInt64(value))
    }

    private mutating func time(_ key: String, _ value: UInt64) {
        guard value != 0 else { return }
        self.key(key)
        uintText(value)
    }

    private mutating func ids(
        traceHigh: UInt64,
        traceLow: UInt64,
        span: UInt64,
        _ form: OTLP.JSONForm
    ) {
        if traceHigh | traceLow != 0 {
            key("traceId")
            switch form {
            case .otlp: hex(traceHigh, traceLow)
            case .protobuf:
                withUnsafeBytes(of: (traceHigh.bigEndian, traceLow.bigEndian)) { base64($0) }
            }
        }
        id("spanId", span, form)
    }

    private mutating func id(_ key: String, _ value: UInt64, _ form: OTLP.JSONForm) {
        guard value != 0 else { return }
        self.key(key)
        switch form {
        case .otlp: hex(value)
        case .protobuf: withUnsafeBytes(of: value.bigEndian) { base64($0) }
        }
    }

    /// An enum's value, unless it is 0; a number without a name as it is.
    private mutating func constant(
        _ key: String,
        _ value: UInt8,
        _ prefix: String,
        _ word: String?,
        _ form: OTLP.JSONForm
    ) {
        guard form == .protobuf, let word else { return number(key, UInt32(value)) }
        guard value != 0 else { return }
        self.key(key)
        string(prefix + word.uppercased())
    }

    fileprivate mutating func resource(_ row: Int, _ columns: borrowing SpanColumns) {
        beginObject()
        attributes(columns.resources.attributes[row], columns)
        number("droppedAttributesCount", columns.resources.dropped[row])
        endObject()
    }

    fileprivate mutating func scope(_ row: Int, _ columns: borrowing SpanColumns) {
        beginObject()
        text("name", columns.scopes.name[row], columns)
        text("version", columns.scopes.version[row], columns)
        attributes(columns.scopes.attributes[row], columns)
        number("droppedAttributesCount", columns.scopes.dropped[row])
        endObject()
    }

    fileprivate mutating func span(
        _ row: Int,
        _ columns: borrowing SpanColumns,
        _ form: OTLP.JSONForm
    ) {
        beginObject()
        ids(
            traceHigh: columns.traceHigh[row],
            traceLow: columns.traceLow[row],
            span: columns.spanID[row],
            form
        )
        text("traceState", columns.traceState[row], columns)
        id("parentSpanId", columns.parentID[row], form)
        number("flags", columns.flags[row])
        text("name", columns.name[row], columns)
        let kind = columns.kind[row]
        constant("kind", kind, "SPAN_KIND_", SpanKind(rawValue: kind)?.word, form)
        time("startTimeUnixNano", columns.start[row])
        time("endTimeUnixNano", columns.end[row])
        attributes(columns.spanAttributes[row], columns)
        number("droppedAttributesCount", columns.droppedAttributes[row])
        events(columns.spanEvents[row], columns)
        number("droppedEventsCount", columns.droppedEvents[row])
        links(columns.spanLinks[row], columns, form)
        number("droppedLinksCount", columns.droppedLinks[row])
        if columns.status[row] != 0 || columns.statusMessage[row] != 0 {
            key("status")
            beginObject()
            text("message", columns.statusMessage[row], columns)
            let code = columns.status[row]
            constant("code", code, "STATUS_CODE_", StatusCode(rawValue: code)?.word, form)
            endObject()
        }
        endObject()
    }

    private mutating func events(_ run: Run, _ columns: borrowing SpanColumns) {
        guard run.count > 0 else { return }
        key("events")
        beginArray()
        for row in run.rows {
            beginObject()
            time("timeUnixNano", columns.events.time[row])
            text("name", columns.events.name[row], columns)
            attributes(columns.events.attributes[row], columns)
            number("droppedAttributesCount", columns.events.dropped[row])
            endObject()
        }
        endArray()
    }

    private mutating func links(
        _ run: Run,
        _ columns: borrowing SpanColumns,
        _ form: OTLP.JSONForm
    ) {
        guard run.count > 0 else { return }
        key("links")
        beginArray()
        for row in run.rows {
            beginObject()
            ids(
                traceHigh: columns.links.traceHigh[row],
                traceLow: columns.links.traceLow[row],
                span: columns.links.spanID[row],
                form
            )
            text("traceState", columns.links.traceState[row], columns)
            attributes(columns.links.attributes[row], columns)
            number("droppedAttributesCount", columns.links.dropped[row])
            number("flags", columns.links.flags[row])
            endObject()
        }
        endArray()
    }

    private mutating func attributes(_ run: Run, _ columns: borrowing SpanColumns) {
        guard run.count > 0 else { return }
        key("attributes")
        beginArray()
        for row in run.rows {
            beginObject()
            text("key", columns.attributes.key[row], columns)
            key("value")
            attribute(row, columns)
            endObject()
        }
        endArray()
    }

    private mutating func attribute(_ row: Int, _ columns: borrowing SpanColumns) {
        switch columns.attributes.type(row) {
        case .string:
            beginObject()
            key("stringValue")
            columns.attributes.withBytes(row) { string(utf8: $0) }
            endObject()
        case .empty, .bool, .int, .double, .bytes, .array, .map:
            anyValue(columns.attributes[row])
        }
    }

    /// Writes an `AnyValue` of OTLP. Recursion is bounded by `NestedValue.depthLimit`.
    public mutating func anyValue(_ value: AttributeValue) {
        beginObject()
        switch value {
        case .empty: break
        case .string(let text):
            key("stringValue")
            string(text)
        case .bool(let flag):
            key("boolValue")
            bool(flag)
        case .int(let number):
            key("intValue")
            intText(number)
        case .double(let number):
            key("doubleValue")
            double(number)
        case .bytes(let data):
            key("bytesValue")
            data.withUnsafeBytes { base64($0) }
        case .array(let values):
            key("arrayValue")
            list(values) { writer, value in writer.anyValue(value) }
        case .map(let entries):
            key("kvlistValue")
            list(entries) { writer, entry in
                writer.beginObject()
                writer.key("key")
                writer.string(entry.key)
                writer.key("value")
                writer.anyValue(entry.value)
                writer.endObject()
            }
        }
        endObject()
    }

    private mutating func list<Element>(
        _ elements: [Element],
        _ write: (inout JSONWriter, Element) -> Void
    ) {
        beginObject()
        if !elements.isEmpty {
            key("values")
            beginArray()
            for element in elements { write(&self, element) }
            endArray()
        }
        endObject()
    }
}
