// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Walks a Zipkin `ListOfSpans` (proto3).
struct ZipkinProtobufDecoder: ~Copyable {
    private var spans: ZipkinBuilder
    /// The first id that was none: Zipkin refuses such a list whole.
    private(set) var badID: WireError?

    init(payloadByteCount: Int, receivedAt: UInt64, limits: DecodeLimits) {
        spans = ZipkinBuilder(
            payloadByteCount: payloadByteCount,
            receivedAt: receivedAt,
            limits: limits
        )
    }

    consuming func finish() -> DecodedBatch { spans.finish() }

    private var depths: DepthLimits { spans.builder.depths }

    mutating func list(_ bytes: UnsafeRawBufferPointer) throws(ProtobufFault) {
        guard var cursor = ProtobufCursor(payload: bytes, .zipkinList) else { return }
        // Thrift's list of structs begins with the element type 12, its struct with a small type id.
        if bytes[0] == 0x0C || bytes[0] == 0x0B { throw cursor.fault(.v1) }
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 1 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            let body = try cursor.bytes()
            if spans.builder.admitsSpan() { try span(cursor.inner(body, .zipkinSpan)) }
        }
    }

    private mutating func span(_ cursor: consuming ProtobufCursor) throws(ProtobufFault) {
        let depths = depths
        let start = cursor.offset
        spans.beginFields()
        var fields = ZipkinBuilder.Fields()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2:
                fields.traceID = traceID(try cursor.bytes(), at: cursor.offset)
            case 2 << 3 | 2:
                fields.parentID = SpanID(number(try cursor.bytes(), "parent_id", at: cursor.offset))
            case 3 << 3 | 2:
                fields.spanID = SpanID(number(try cursor.bytes(), "id", at: cursor.offset))
            case 4 << 3 | 0: fields.kind = kind(try cursor.varint())
            case 5 << 3 | 2: fields.name = spans.builder.name(try cursor.bytes())
            case 6 << 3 | 1: fields.timestamp = try cursor.fixed64()
            case 7 << 3 | 0: fields.duration = try cursor.varint()
            case 8 << 3 | 2:
                fields.local = try endpoint(cursor.inner(cursor.bytes(), .zipkinEndpoint))
            case 9 << 3 | 2:
                fields.remote = try endpoint(cursor.inner(cursor.bytes(), .zipkinEndpoint))
            case 12 << 3 | 0: fields.isDebug = try cursor.varint() != 0
            case 13 << 3 | 0: fields.isShared = try cursor.varint() != 0
            default: try cursor.skip(tag, depths)
            }
        }
        if !fields.traceID.isValid { refuse("trace_id must be 8 or 16 bytes, not all zero", start) }
        if !fields.spanID.isValid { refuse("id must be 8 bytes, not all zero", start) }
        var row = spans.begin(fields)
        try tags(cursor.rewound(to: start))
        spans.beginAnnotations(fields, &row)
        try annotations(cursor.rewound(to: start), &row)
        spans.end(&row)
    }

    /// Zipkin's numbers: 1 client, 2 server, 3 producer, 4 consumer.
    private func kind(_ number: UInt64) -> SpanKind {
        switch number {
        case 1: .client
        case 2: .server
        case 3: .producer
        case 4: .consumer
        default: .unspecified
        }
    }

    private mutating func refuse(_ message: String, _ offset: Int) {
        guard badID == nil else { return }
        badID = WireError(code: .malformed, message: message, place: "byte \(offset)")
    }

    private mutating func traceID(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> TraceID {
        guard bytes.count == 8 || bytes.count == 16 else {
            refuse("trace_id must be 8 or 16 bytes, not \(bytes.count)", offset)
            return .zero
        }
        let half = bytes.count == 16 ? 8 : 0
        return TraceID(
            high: half == 0 ? 0 : bigEndian(UnsafeRawBufferPointer(rebasing: bytes[..<half])),
            low: bigEndian(UnsafeRawBufferPointer(rebasing: bytes[half...]))
        )
    }

    private mutating func number(
        _ bytes: UnsafeRawBufferPointer,
        _ name: String,
        at offset: Int
    ) -> UInt64 {
        if bytes.isEmpty { return 0 }
        guard bytes.count == 8 else {
            refuse("\(name) must be 8 bytes, not \(bytes.count)", offset)
            return 0
        }
        return bigEndian(bytes)
    }

    private func bigEndian(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func endpoint(
        _ cursor: consuming ProtobufCursor
    ) throws(ProtobufFault) -> ZipkinBuilder.Endpoint {
        let depths = depths
        var endpoint = ZipkinBuilder.Endpoint()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: endpoint.service = spans.builder.name(try cursor.bytes())
            case 2 << 3 | 2: endpoint.ipv4 = address(try cursor.bytes(), length: 4)
            case 3 << 3 | 2: endpoint.ipv6 = address(try cursor.bytes(), length: 16)
            case 4 << 3 | 0: endpoint.port = UInt32(clamping: try cursor.varint())
            default: try cursor.skip(tag, depths)
            }
        }
        return endpoint
    }

    private mutating func address(_ bytes: UnsafeRawBufferPointer, length: Int) -> UInt32 {
        guard bytes.count == length else { return 0 }
        return spans.builder.columns.strings.intern(AddressText.text(bytes))
    }

    private mutating func tags(_ cursor: consuming ProtobufCursor) throws(ProtobufFault) {
        let depths = depths
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 11 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            var inner = try cursor.inner(cursor.bytes(), .zipkinTag)
            var key = UnsafeRawBufferPointer(start: nil, count: 0)
            var value = UnsafeRawBufferPointer(start: nil, count: 0)
            while !inner.atEnd {
                let tag = try inner.tag()
                switch tag {
                case 1 << 3 | 2: key = try inner.bytes()
                case 2 << 3 | 2: value = try inner.bytes()
                default: try inner.skip(tag, depths)
                }
            }
            spans.tag(key, value)
        }
    }

    private mutating func annotations(
        _ cursor: consuming ProtobufCursor,
        _ row: inout SpanRow
    ) throws(ProtobufFault) {
        let depths = depths
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 10 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            var inner = try cursor.inner(cursor.bytes(), .zipkinAnnotation)
            var timestamp: UInt64 = 0
            var value = UnsafeRawBufferPointer(start: nil, count: 0)
            while !inner.atEnd {
                let tag = try inner.tag()
                switch tag {
                case 1 << 3 | 1: timestamp = try inner.fixed64()
                case 2 << 3 | 2: value = try inner.bytes()
                default: try inner.skip(tag, depths)
                }
            }
            spans.annotation(timestamp: timestamp, value, &row)
        }
    }
}

/// IP addresses between bytes and text.
enum AddressText {
    /// Dotted for 4 bytes; eight groups of hexadecimal digits, the longest run of zeros shortened
    /// (RFC 5952), for 16.
    static func text(_ bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map {
            UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = end + 1
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if best.isEmpty { return joined(groups[...]) }
        return joined(groups[..<best.lowerBound]) + "::" + joined(groups[best.upperBound...])
    }
}
