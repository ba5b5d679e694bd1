// SPDX-License-Identifier: Apache-2.0

/// The formats of span files.
public enum SpanFileFormat: String, Sendable, CaseIterable {
    /// OTLP, Zipkin v2 or Jaeger JSON; which of them is told by the names in it.
    case json
    /// An OTLP `ExportTraceServiceRequest` or `TracesData` message.
    case otlpProtobuf
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
        return nil
    }
}
