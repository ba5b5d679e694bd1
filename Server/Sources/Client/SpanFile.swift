// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
import SkeinWire

/// A file of spans in any of the known formats, read forwards in bounded memory.
public struct SpanFile: ~Copyable {
    /// Spans read together, ready to be sent.
    public struct Batch: ~Copyable {
        /// The spans.
        public var columns: SpanColumns
        /// Spans of the file that were refused while reading, each for a fault of its own.
        public var refused: Int
        /// Why they were refused.
        public var reason: String
    }

    private enum Source {
        case json(JSONElements, pending: JSONElements.Element?)
        case protobuf(ProtobufSource)
        case csv(CSVSource)
        case corpus(CorpusSource)
    }

    /// The format that the file's first bytes tell.
    public let format: SpanFileFormat
    private let file: InputFile
    private var source: Source
    private let receivedAt: UInt64

    /// Opens a file and tells its format.
    ///
    /// - Parameters:
    ///   - path: The file; gzip is undone.
    ///   - receivedAt: Stands in for times that the file does not give, nanoseconds since 1970.
    /// - Throws: `ClientError` when it cannot be read or is none of the formats.
    public init(path: String, receivedAt: UInt64) throws(ClientError) {
        let file = try InputFile(path: path)
        var reader = ByteReader(file)
        let head = try reader.peek(Limits.headByteCount)
        guard !head.isEmpty else { throw ClientError("the file is empty", at: path) }
        guard let format = SpanFileFormat.detect(head) else {
            throw ClientError(
                "the file is in none of the known formats",
                at: path,
                hint:
                    "OTLP JSON or protobuf (also length-delimited), Zipkin v2 JSON, Jaeger JSON, the trace CSV, or the "
                    + "bench corpus, each also as .gz"
            )
        }
        let source: Source
        switch format {
        case .json: source = .json(JSONElements(reader), pending: nil)
        case .otlpProtobuf: source = .protobuf(ProtobufSource(reader))
        case .otlpDelimited: source = .protobuf(ProtobufSource(reader, isDelimited: true))
        case .csv: source = .csv(try CSVSource(reader))
        case .corpus: source = .corpus(try CorpusSource(reader))
        }
        self.format = format
        self.file = file
        self.source = source
        self.receivedAt = receivedAt
    }

    /// Bytes on disk, 0 where they cannot be told.
    public var byteCount: Int { file.byteCount }

    /// Bytes on disk that have been read.
    public var readByteCount: Int { file.readByteCount }

    /// The next spans, `nil` at the end of the file.
    public mutating func next() throws(ClientError) -> Batch? {
        switch source {
        case .json(var elements, var pending):
            guard let group = try Self.group(&elements, &pending) else { return nil }
            source = .json(elements, pending: pending)
            return try decode(group)
        case .protobuf(var protobuf):
            guard let group = try Self.group(&protobuf) else { return nil }
            source = .protobuf(protobuf)
            return try decodeProtobuf(group.bytes, at: "byte \(group.offset)")
        case .csv(var csv):
            guard let columns = try csv.next() else { return nil }
            source = .csv(csv)
            return Batch(columns: columns, refused: 0, reason: "")
        case .corpus(var corpus):
            let place = "byte \(file.readByteCount)"
            guard let record = try corpus.next() else { return nil }
            source = .corpus(corpus)
            return try decodeProtobuf(record.payload, at: place)
        }
    }

    /// Elements of one kind that are decoded together.
    private struct Group {
        var kind: JSONElements.Kind
        var bytes: [UInt8]
        var offset: Int
    }

    private static func group(
        _ elements: inout JSONElements,
        _ pending: inout JSONElements.Element?
    ) throws(ClientError) -> Group? {
        var first = pending
        if first == nil { first = try elements.next() }
        pending = nil
        guard let first else { return nil }
        var group = Group(kind: first.kind, bytes: first.bytes, offset: first.offset)
        while group.bytes.count < Limits.groupByteCount, let element = try elements.next() {
            let isMore = group.bytes.count + element.bytes.count < Limits.elementByteCount
            guard element.kind == group.kind, isMore else {
                pending = element
                break
            }
            group.bytes.append(UInt8(ascii: ","))
            group.bytes += element.bytes
        }
        return group
    }

    private static func group(
        _ protobuf: inout ProtobufSource
    ) throws(ClientError) -> (bytes: [UInt8], offset: Int)? {
        guard let first = try protobuf.next() else { return nil }
        var bytes = first.message
        while bytes.count < Limits.groupByteCount, let more = try protobuf.next() {
            bytes += more.message
        }
        return (bytes, first.offset)
    }

    private func decode(_ group: Group) throws(ClientError) -> Batch {
        do {
            switch group.kind {
            case .otlpResourceSpans:
                let whole = Array(#"{"resourceSpans":["#.utf8) + group.bytes + Array("]}".utf8)
                return Batch(try OTLP.decodeJSON(whole, receivedAt: receivedAt, limits: .file))
            case .zipkinSpan:
                let whole = Array("[".utf8) + group.bytes + Array("]".utf8)
                return Batch(try Zipkin.decodeJSON(whole, receivedAt: receivedAt, limits: .file))
            case .jaegerTrace:
                let whole = Array(#"{"data":["#.utf8) + group.bytes + Array("]}".utf8)
                return Batch(try Jaeger.decodeUIJSON(whole, receivedAt: receivedAt, limits: .file))
            }
        } catch {
            throw refusal(error, at: "byte \(group.offset)")
        }
    }

    private func decodeProtobuf(_ bytes: [UInt8], at place: String) throws(ClientError) -> Batch {
        do {
            return Batch(try OTLP.decodeProtobuf(bytes, receivedAt: receivedAt, limits: .file))
        } catch {
            throw refusal(error, at: place)
        }
    }

    /// What a decoder said of some elements: its own place counts from the first of them.
    private func refusal(_ error: WireError, at place: String) -> ClientError {
        ClientError(
            "\(error.message), \(error.place) of the elements read from here",
            at: "\(file.path), \(place)",
            hint: error.hint
        )
    }
}

extension SpanFile.Batch {
    init(_ decoded: consuming DecodedBatch) {
        refused = decoded.rejected
        reason = decoded.rejectionReason
        columns = decoded.columns
    }
}

extension DecodeLimits {
    /// The limits of one request, but for its size: elements are grouped here, and cut to requests
    /// later.
    fileprivate static let file: DecodeLimits = {
        var limits = DecodeLimits.standard
        limits.payloadByteCount = Limits.elementByteCount + 1_024
        limits.spansPerPayload = 10_000_000
        return limits
    }()
}
