// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

extension Zipkin {
    /// Encodes spans as a JSON list of v2 spans, whatever protocol they came by.
    ///
    /// The way back of `ZipkinBuilder`'s table; for spans of OTLP the mapping of the OpenTelemetry
    /// specification's Zipkin exporter: resource attributes become tags, events annotations, status
    /// the tags `otel.status_code` and `error`. Names are lower-cased, as Zipkin's model asks; times
    /// are cut to microseconds, and a duration is at least one.
    ///
    /// - Parameters:
    ///   - columns: The batch.
    ///   - rows: Which spans of it, in this order; all where `nil`.
    /// - Returns: A JSON list.
    public static func encodeJSON(
        _ columns: borrowing SpanColumns,
        rows: Range<Int>? = nil
    ) -> [UInt8] {
        let chosen = rows.map { $0.clamped(to: 0..<columns.count) } ?? 0..<columns.count
        var json = JSONWriter(capacity: chosen.count * 512)
        json.beginArray()
        for row in chosen { json.zipkinSpan(row, columns) }
        json.endArray()
        return json.take()
    }
}

extension JSONWriter {
    fileprivate mutating func zipkinSpan(_ row: Int, _ columns: borrowing SpanColumns) {
        let span = columns[row]
        beginObject()
        key("traceId")
        string(span.traceID.shortHex)
        if span.parentID.isValid {
            key("parentId")
            hex(span.parentID.raw)
        }
        key("id")
        hex(span.spanID.raw)
        if let kind = span.kind.zipkinWord {
            key("kind")
            string(kind)
        }
        let name = columns.strings.text(span.name).lowercased()
        if !name.isEmpty {
            key("name")
            string(name)
        }
        if !span.marks.contains(.startMissing) {
            key("timestamp")
            uint(span.start / 1000)
        }
        if !span.marks.contains(.durationMissing) {
            key("duration")
            uint(max(columns.duration(row) / 1000, 1))
        }
        let peer = ZipkinPeer(row, columns)
        localEndpoint(span, columns)
        remoteEndpoint(peer)
        annotations(span.events, columns)
        tags(span, peer, columns)
        if span.marks.contains(.debug) {
            key("debug")
            bool(true)
        }
        if span.marks.contains(.shared) {
            key("shared")
            bool(true)
        }
        endObject()
    }

    private mutating func localEndpoint(_ span: SpanRow, _ columns: borrowing SpanColumns) {
        var address = ZipkinAddress()
        for pair in columns.keyValues(columns.resources.attributes[Int(span.resource)]) {
            address.take(pair, prefix: "network.local.")
        }
        if !span.marks.contains(.serviceMissing) {
            let service = columns.resources.service[Int(span.resource)]
            address.service = columns.strings.text(service)
        }
        endpoint("localEndpoint", address)
    }

    private mutating func remoteEndpoint(_ peer: ZipkinPeer) {
        endpoint("remoteEndpoint", peer.address)
    }

    private mutating func endpoint(_ name: String, _ address: ZipkinAddress) {
        guard !address.isEmpty else { return }
        key(name)
        beginObject()
        if !address.service.isEmpty {
            key("serviceName")
            string(address.service.lowercased())
        }
        if !address.ipv4.isEmpty {
            key("ipv4")
            string(address.ipv4)
        }
        if !address.ipv6.isEmpty {
            key("ipv6")
            string(address.ipv6)
        }
        if address.port > 0 {
            key("port")
            int(address.port)
        }
        endObject()
    }

    private mutating func annotations(_ events: Run, _ columns: borrowing SpanColumns) {
        guard events.count > 0 else { return }
        key("annotations")
        beginArray()
        for event in events.rows {
            beginObject()
            key("timestamp")
            uint(columns.events.time[event] / 1000)
            key("value")
            let name = columns.strings.text(columns.events.name[event])
            let attributes = columns.keyValues(columns.events.attributes[event])
            string(attributes.isEmpty ? name : AttributeText.event(name, attributes))
            endObject()
        }
        endArray()
    }

    private mutating func tags(
        _ span: SpanRow,
        _ peer: ZipkinPeer,
        _ columns: borrowing SpanColumns
    ) {
        var written: Set<String> = []
        var pairs = columns.keyValues(span.attributes).filter { !peer.keys.contains($0.key) }
        pairs += columns.keyValues(columns.resources.attributes[Int(span.resource)]).filter {
            $0.key != "service.name" && !$0.key.hasPrefix("network.local.")
        }
        let scope = Int(span.scope)
        let scopeName = columns.strings.text(columns.scopes.name[scope])
        let scopeVersion = columns.strings.text(columns.scopes.version[scope])
        if !scopeName.isEmpty {
            pairs.append(.init(key: "otel.scope.name", value: .string(scopeName)))
        }
        if !scopeVersion.isEmpty {
            pairs.append(.init(key: "otel.scope.version", value: .string(scopeVersion)))
        }
        if span.status != .unset {
            let word = span.status == .ok ? "OK" : "ERROR"
            pairs.append(.init(key: "otel.status_code", value: .string(word)))
        }
        if span.status == .error {
            let message = columns.strings.text(span.statusMessage)
            pairs.append(.init(key: "error", value: .string(message)))
        }
        guard !pairs.isEmpty else { return }
        key("tags")
        beginObject()
        for pair in pairs where written.insert(pair.key).inserted {
            key(pair.key)
            string(AttributeText.text(pair.value))
        }
        endObject()
    }
}

/// An endpoint as text.
private struct ZipkinAddress {
    var service = ""
    var ipv4 = ""
    var ipv6 = ""
    var port: Int64 = 0

    var isEmpty: Bool { service.isEmpty && ipv4.isEmpty && ipv6.isEmpty && port == 0 }

    /// Takes an attribute that says something of an endpoint; whether it did.
    @discardableResult
    mutating func take(_ pair: AttributeValue.KeyValue, prefix: String) -> Bool {
        guard pair.key.hasPrefix(prefix) else { return false }
        switch (pair.key.dropFirst(prefix.count), pair.value) {
        case ("address", .string(let text)) where text.contains(":"): ipv6 = text
        case ("address", .string(let text)): ipv4 = text
        case ("address.ipv6", .string(let text)): ipv6 = text
        case ("port", .int(let number)) where number > 0 && number < 65_536: port = number
        default: return false
        }
        return true
    }
}

/// Whom a span talked to, and which attributes that was read from.
private struct ZipkinPeer {
    var address = ZipkinAddress()
    /// Keys that the remote endpoint says completely; they are not repeated as tags.
    var keys: Set<String> = []

    /// Names of a peer, the first that is there counts (OpenTelemetry's Zipkin exporter).
    private static let names = [
        "peer.service", "server.address", "net.peer.name", "network.peer.address",
        "server.socket.domain", "server.socket.address", "net.sock.peer.name",
        "net.sock.peer.addr", "peer.hostname", "peer.address", "db.name",
    ]

    init(_ row: Int, _ columns: borrowing SpanColumns) {
        let pairs = columns.keyValues(columns.spanAttributes[row])
        for pair in pairs where address.take(pair, prefix: "network.peer.") {
            keys.insert(pair.key)
        }
        let kind = SpanKind(rawValue: columns.kind[row])
        for name in Self.names {
            // Only a caller is told by the other names: a server's own address is no peer.
            let tells = name == "peer.service" || kind == .client || kind == .producer
            guard tells, name != "network.peer.address",
                let pair = pairs.first(where: { $0.key == name }),
                case .string(let text) = pair.value, !text.isEmpty
            else { continue }
            address.service = text
            if name == "peer.service" { keys.insert(name) }
            break
        }
    }
}

/// Attribute values as text, as Zipkin's tags hold them.
enum AttributeText {
    /// Text as it is, numbers in decimal, lists and maps as JSON, bytes in base64.
    static func text(_ value: AttributeValue) -> String {
        if case .string(let text) = value { return text }
        if case .empty = value { return "" }
        var json = JSONWriter()
        write(value, to: &json)
        let text = String(decoding: json.take(), as: UTF8.self)
        if case .bytes = value { return String(text.dropFirst().dropLast()) }
        return text
    }

    /// An event as an annotation's value: `"name": {attributes}`.
    static func event(_ name: String, _ attributes: [AttributeValue.KeyValue]) -> String {
        var label = JSONWriter()
        label.string(name)
        let body = text(.map(attributes))
        return String(decoding: label.take(), as: UTF8.self) + ": " + body
    }

    private static func write(_ value: AttributeValue, to json: inout JSONWriter) {
        switch value {
        case .empty: json.null()
        case .string(let text): json.string(text)
        case .bool(let flag): json.bool(flag)
        case .int(let number): json.int(number)
        case .double(let number): json.double(number)
        case .bytes(let raw): raw.withUnsafeBytes { json.base64($0) }
        case .array(let values):
            json.beginArray()
            for value in values { write(value, to: &json) }
            json.endArray()
        case .map(let entries):
            json.beginObject()
            for entry in entries {
                json.key(entry.key)
                write(entry.value, to: &json)
            }
            json.endObject()
        }
    }
}
