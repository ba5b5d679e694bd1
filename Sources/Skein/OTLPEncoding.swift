// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

// OTLP's trace messages, written from the tracer's own records. SkeinWire has encoders too, but they
// write from columns, which is how a server holds spans; here it would mean building columns first.
// Field numbers are those of opentelemetry/proto/trace/v1 and collector/trace/v1.

/// Spans as the body of an OTLP export request.
public enum OTLPRequest {
    /// The `ExportTraceServiceRequest` of `spans`: one `ResourceSpans` for each resource, in the
    /// order they appear first, with one scope.
    public static func encode(_ spans: [SpanRecord]) -> [UInt8] {
        var order: [ObjectIdentifier] = []
        var groups: [ObjectIdentifier: [Int]] = [:]
        for (index, span) in spans.enumerated() {
            let identity = span.resource.identity
            if groups[identity] == nil { order.append(identity) }
            groups[identity, default: []].append(index)
        }
        var writer = ProtobufWriter(capacity: spans.count * 512)
        for identity in order {
            let indices = groups[identity] ?? []
            guard let first = indices.first else { continue }
            writer.message(1, lengthDigitCount: 3) { writer in
                writer.message(1, encoded: spans[first].resource.encoded)
                writer.message(2, lengthDigitCount: 3) { writer in
                    writer.message(1) { $0.scope() }
                    for index in indices { writer.span(2, spans[index]) }
                }
            }
        }
        return writer.bytes
    }

    /// The `ExportTraceServiceRequest` of spans that are encoded already.
    public static func encode(_ spans: RecordedSpans) -> [UInt8] {
        var writer = ProtobufWriter(capacity: spans.encoded.count + 1_024)
        writer.message(1, lengthDigitCount: 3) { writer in
            writer.message(1, encoded: spans.resource.encoded)
            writer.message(2, lengthDigitCount: 3) { writer in
                writer.message(1) { $0.scope() }
                writer.append(raw: spans.encoded)
            }
        }
        return writer.bytes
    }

    /// One span, as an element of the repeated field `spans` of a `ScopeSpans` message.
    static func encode(_ span: borrowing SpanRecord) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 512)
        writer.span(2, span)
        return writer.bytes
    }

    /// The trace's flags, and bits 8 and 9: "it is known whether the parent is remote", "it is".
    static func flags(_ traceFlags: UInt8, isRemote: Bool) -> UInt32 {
        UInt32(traceFlags) | 0x100 | (isRemote ? 0x200 : 0)
    }
}

extension ProtobufWriter {
    /// The fields of this SDK's `InstrumentationScope`.
    fileprivate mutating func scope() {
        string(1, "skein")
        string(2, SDKVersion.text)
    }

    fileprivate mutating func span(_ field: UInt8, _ span: borrowing SpanRecord) {
        let head = openMessage(field, lengthDigitCount: 2)
        words(1, span.context.traceID.high, span.context.traceID.low)
        words(2, span.context.spanID.raw)
        string(3, span.context.state.text)
        if span.parentSpanID.isValid { words(4, span.parentSpanID.raw) }
        string(5, span.name)
        varint(6, span.kind.number)
        fixed64(7, span.start)
        fixed64(8, span.end)
        attributes(9, span.attributes)
        varint(10, UInt64(span.dropped.attributes))
        for event in span.events { self.event(11, event) }
        varint(12, UInt64(span.dropped.events))
        for link in span.links { self.link(13, link) }
        varint(14, UInt64(span.dropped.links))
        if let status = span.status { self.status(15, status) }
        fixed32(16, OTLPRequest.flags(span.context.flags.rawValue, isRemote: span.parentIsRemote))
        closeMessage(head)
    }

    private mutating func event(_ field: UInt8, _ event: SpanRecord.Event) {
        message(field) { writer in
            writer.fixed64(1, event.time)
            writer.string(2, event.name)
            writer.attributes(3, event.attributes)
            writer.varint(4, UInt64(event.droppedAttributeCount))
        }
    }

    private mutating func link(_ field: UInt8, _ link: SpanRecord.Link) {
        message(field) { writer in
            writer.words(1, link.context.traceID.high, link.context.traceID.low)
            writer.words(2, link.context.spanID.raw)
            writer.string(3, link.context.state.text)
            writer.attributes(4, link.attributes)
            writer.varint(5, UInt64(link.droppedAttributeCount))
            let isRemote = link.context.isRemote
            writer.fixed32(6, OTLPRequest.flags(link.context.flags.rawValue, isRemote: isRemote))
        }
    }

    private mutating func status(_ field: UInt8, _ status: SpanStatus) {
        message(field) { writer in
            writer.string(2, status.message ?? "")
            writer.varint(3, status.code == .error ? 2 : 1)
        }
    }

    /// `KeyValue` messages, one for each attribute, in no order.
    mutating func attributes(_ field: UInt8, _ attributes: SpanAttributes) {
        attributes.forEach { key, value in
            self.message(field) { writer in
                writer.string(1, key)
                writer.message(2) { $0.value(value) }
            }
        }
    }

    /// The fields of an `AnyValue`; none for a value of a kind that is not known here.
    private mutating func value(_ value: SpanAttribute) {
        switch value {
        case .string(let text): presentString(1, text)
        case .stringConvertible(let text): presentString(1, text.description)
        case .bool(let flag): presentVarint(2, flag ? 1 : 0)
        case .int32(let number): presentVarint(3, UInt64(bitPattern: Int64(number)))
        case .int64(let number): presentVarint(3, UInt64(bitPattern: number))
        case .double(let number): fixed64(4, number.bitPattern)
        case .stringArray(let texts): array(texts) { $0.presentString(1, $1) }
        case .stringConvertibleArray(let texts):
            array(texts) { $0.presentString(1, $1.description) }
        case .boolArray(let flags): array(flags) { $0.presentVarint(2, $1 ? 1 : 0) }
        case .int32Array(let numbers):
            array(numbers) { $0.presentVarint(3, UInt64(bitPattern: Int64($1))) }
        case .int64Array(let numbers):
            array(numbers) { $0.presentVarint(3, UInt64(bitPattern: $1)) }
        case .doubleArray(let numbers): array(numbers) { $0.fixed64(4, $1.bitPattern) }
        default: break
        }
    }

    private mutating func array<Element>(
        _ elements: [Element],
        _ write: (inout ProtobufWriter, Element) -> Void
    ) {
        message(5) { writer in
            for element in elements { writer.message(1) { write(&$0, element) } }
        }
    }

    // MARK: Values of Skein's own vocabulary

    /// `KeyValue` messages, one for each pair.
    mutating func attributes(
        _ field: UInt8,
        _ attributes: some Sequence<(key: String, value: AttributeValue)>,
        cutTo length: Int?
    ) {
        for (key, value) in attributes {
            message(field) { writer in
                writer.string(1, key)
                writer.message(2) { $0.value(value, cutTo: length) }
            }
        }
    }

    /// The fields of an `AnyValue`.
    ///
    /// - Parameters:
    ///   - value: Nested no deeper than 64.
    ///   - length: Characters (Unicode scalars) of a text that are kept; `nil` for all.
    ///   - depth: Arrays and maps around this value; past 64 nothing is written.
    mutating func value(_ value: AttributeValue, cutTo length: Int?, depth: Int = 0) {
        guard depth <= 64 else { return }
        switch value {
        case .empty: break
        case .string(let text):
            let isLong = length.map { text.utf8.count > $0 } ?? false
            presentString(1, isLong ? String(text.unicodeScalars.prefix(length ?? 0)) : text)
        case .bool(let flag): presentVarint(2, flag ? 1 : 0)
        case .int(let number): presentVarint(3, UInt64(bitPattern: number))
        case .double(let number): fixed64(4, number.bitPattern)
        case .array(let values):
            message(5) { writer in
                for value in values {
                    writer.message(1) { $0.value(value, cutTo: length, depth: depth + 1) }
                }
            }
        case .map(let pairs):
            message(6) { writer in
                for pair in pairs {
                    writer.message(1) { writer in
                        writer.string(1, pair.key)
                        writer.message(2) { $0.value(pair.value, cutTo: length, depth: depth + 1) }
                    }
                }
            }
        case .bytes(let bytes): message(7, encoded: bytes)
        }
    }
}

extension Tracing.SpanKind {
    /// The number of the kind in OTLP.
    var number: UInt64 {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}
