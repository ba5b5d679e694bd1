// SPDX-License-Identifier: Apache-2.0

/// The formats of span files.
public enum SpanFileFormat: String, Sendable, CaseIterable {
    /// OTLP, Zipkin v2 or Jaeger JSON; which of them is told by the names in it.
    case json
    /// An OTLP `ExportTraceServiceRequest` or `TracesData` message.
    case otlpProtobuf
    /// `TracesData` messages, each after its length: what `skein export` writes.
    case otlpDelimited
    /// The rows of a trace table, one span each.
    case csv
    /// The corpus of the benchmarks.
    case corpus

    /// The format of a file that begins with `head`, `nil` when it is none of them.
    static func detect(_ head: ArraySlice<UInt8>) -> SpanFileFormat? {
        if head.starts(with: CorpusSource.magic) { return .corpus }
        if head.starts(with: CSVSource.header) { return .csv }
        // Text has no control characters but blanks; protobuf soon has.
        let isText = head.allSatisfy { $0 >= 0x20 || $0 == 9 || $0 == 10 || $0 == 13 }
        let first = head.drop { JSONElements.isBlank($0) }.first
        if isText, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return .json }
        // Field 1, a message: the resource spans.
        if !isText, head.first == 0x0A { return .otlpProtobuf }
        if !isText, isDelimited(head) { return .otlpDelimited }
        return nil
    }

    /// A length, then a message that begins with field 1 of at most this length, or with the end of
    /// an export.
    private static func isDelimited(_ head: ArraySlice<UInt8>) -> Bool {
        var rest = head
        guard let length = varint(&rest), let tag = rest.popFirst() else { return false }
        if tag == ProtobufSource.endTag[0] { return rest.first == ProtobufSource.endTag[1] }
        guard tag == 0x0A, let first = varint(&rest) else { return false }
        return first < length
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
