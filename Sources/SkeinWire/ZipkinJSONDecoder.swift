// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Walks a list of Zipkin v2 spans in JSON. A list of lists, as read APIs answer, is taken too.
struct ZipkinJSONDecoder: ~Copyable {
    private var spans: ZipkinBuilder
    private var reader: JSONReader

    /// A decoder of `bytes`, which must outlive it.
    init(_ bytes: UnsafeRawBufferPointer, receivedAt: UInt64, limits: DecodeLimits) {
        spans = ZipkinBuilder(
            payloadByteCount: bytes.count,
            receivedAt: receivedAt,
            limits: limits
        )
        reader = JSONReader(bytes, depthLimit: limits.parsedDepth)
    }

    consuming func finish() -> DecodedBatch { spans.finish() }

    func error(_ fault: JSONFault) -> WireError { reader.error(fault) }

    mutating func list() throws(JSONFault) {
        try reader.beginArray()
        while try reader.nextElement() {
            if reader.peek() == UInt8(ascii: "[") {
                try reader.beginArray()
                while try reader.nextElement() { try element() }
            } else {
                try element()
            }
        }
        try reader.finish()
    }

    private mutating func element() throws(JSONFault) {
        if spans.builder.admitsSpan() { try span() } else { try reader.skipValue() }
    }

    private mutating func span() throws(JSONFault) {
        spans.beginFields()
        var fields = ZipkinBuilder.Fields()
        var tags: JSONReader.Bookmark?
        var annotations: JSONReader.Bookmark?
        var hasTraceID = false
        var hasID = false
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key.equals("tags") {
                if try !reader.takeNull() { tags = try reader.postpone() }
            } else if key.equals("annotations") {
                if try !reader.takeNull() { annotations = try reader.postpone() }
            } else if key.equals("traceId") {
                fields.traceID = try traceID()
                hasTraceID = true
            } else if key.equals("id") {
                fields.spanID = try spanID("id")
                hasID = true
            } else {
                try field(key, &fields)
            }
        }
        guard hasTraceID else { throw reader.fault(.value("a span has no traceId")) }
        guard hasID else { throw reader.fault(.value("a span has no id")) }
        var row = spans.begin(fields)
        if let tags { try read(tags: tags) }
        spans.beginAnnotations(fields, &row)
        if let annotations { try read(annotations: annotations, &row) }
        spans.end(&row)
    }

    private mutating func field(
        _ key: UnsafeRawBufferPointer,
        _ fields: inout ZipkinBuilder.Fields
    ) throws(JSONFault) {
        if key.equals("binaryAnnotations") {
            throw reader.fault(.otherFormat("received v1 spans, expected v2"))
        }
        if key.equals("parentId") {
            if try !reader.takeNull() { fields.parentID = try spanID("parentId") }
        } else if key.equals("name") {
            if try !reader.takeNull() { fields.name = spans.builder.name(try reader.text()) }
        } else if key.equals("kind") {
            if try reader.takeNull() { return }
            guard let kind = SpanKind(zipkin: try reader.text()) else {
                throw reader.fault(.value("kind must be CLIENT, SERVER, PRODUCER or CONSUMER"))
            }
            fields.kind = kind
        } else if key.equals("timestamp") {
            if try !reader.takeNull() { fields.timestamp = try reader.uint64() }
        } else if key.equals("duration") {
            if try !reader.takeNull() { fields.duration = try reader.uint64() }
        } else if key.equals("localEndpoint") {
            fields.local = try endpoint()
        } else if key.equals("remoteEndpoint") {
            fields.remote = try endpoint()
        } else if key.equals("shared") {
            if try !reader.takeNull() { fields.isShared = try reader.bool() }
        } else if key.equals("debug") {
            if try !reader.takeNull() { fields.isDebug = try reader.bool() }
        } else {
            try reader.skipValue()
        }
    }

    private mutating func traceID() throws(JSONFault) -> TraceID {
        let digits = String(decoding: try reader.text(), as: UTF8.self)
        guard let id = TraceID(hex: digits), id.isValid else {
            throw reader.fault(.value("traceId must be 1 to 32 hexadecimal digits, not all zero"))
        }
        return id
    }

    private mutating func spanID(_ name: String) throws(JSONFault) -> SpanID {
        let digits = String(decoding: try reader.text(), as: UTF8.self)
        guard let id = SpanID(hex: digits), id.isValid || name == "parentId" else {
            throw reader.fault(.value("\(name) must be 1 to 16 hexadecimal digits, not all zero"))
        }
        return id
    }

    private mutating func endpoint() throws(JSONFault) -> ZipkinBuilder.Endpoint {
        var endpoint = ZipkinBuilder.Endpoint()
        if try reader.takeNull() { return endpoint }
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if try reader.takeNull() { continue }
            if key.equals("serviceName") {
                endpoint.service = spans.builder.name(try reader.text())
            } else if key.equals("ipv4") {
                endpoint.ipv4 = spans.builder.name(try reader.text())
            } else if key.equals("ipv6") {
                endpoint.ipv6 = spans.builder.name(try reader.text())
            } else if key.equals("port") {
                endpoint.port = try reader.uint32()
            } else {
                try reader.skipValue()
            }
        }
        return endpoint
    }

    private mutating func read(tags: JSONReader.Bookmark) throws(JSONFault) {
        let here = reader.move(to: tags)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            reader.hold()
            spans.tag(key, try reader.text())
        }
        reader.move(back: here)
    }

    private mutating func read(
        annotations: JSONReader.Bookmark,
        _ row: inout SpanRow
    ) throws(JSONFault) {
        let here = reader.move(to: annotations)
        try reader.beginArray()
        while try reader.nextElement() {
            var timestamp: UInt64 = 0
            var value = UnsafeRawBufferPointer(start: nil, count: 0)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                if key.equals("timestamp") {
                    timestamp = try reader.uint64()
                } else if key.equals("value") {
                    value = try reader.text()
                    reader.hold()
                } else if key.equals("endpoint") {
                    throw reader.fault(.otherFormat("received v1 spans, expected v2"))
                } else {
                    try reader.skipValue()
                }
            }
            spans.annotation(timestamp: timestamp, value, &row)
        }
        reader.move(back: here)
    }
}
