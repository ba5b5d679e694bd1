// SPDX-License-Identifier: Apache-2.0

/// Reads the corpus of the benchmarks.
///
/// | offset | bytes | meaning |
/// |---|---|---|
/// | 0 | 8 | `OTLPB01` and a line feed |
///
/// then records:
///
/// | offset | bytes | meaning |
/// |---|---|---|
/// | 0 | 4 | payload length, little endian |
/// | 4 | 4 | spans in the payload, little endian |
/// | 8 | length | an OTLP `ExportTraceServiceRequest` |
struct CorpusSource {
    static let magic = Array("OTLPB01\n".utf8)

    private var reader: ByteReader

    init(_ reader: ByteReader) throws(ClientError) {
        self.reader = reader
        _ = try self.reader.read(Self.magic.count)
    }

    /// The payload of the next record and the spans it says to hold.
    mutating func next() throws(ClientError) -> (payload: [UInt8], spanCount: Int)? {
        let place = "\(reader.path), byte \(reader.offset)"
        guard !(try reader.peek(1)).isEmpty else { return nil }
        guard let header = try reader.read(8) else {
            throw ClientError("the last record is cut off", at: place)
        }
        let length = Self.number(header[0..<4])
        guard length <= Limits.elementByteCount else {
            throw ClientError(
                "a record of \(length) bytes is too long, the limit is \(Limits.elementByteCount)",
                at: place,
                hint: "the file may be damaged"
            )
        }
        guard let payload = try reader.read(length) else {
            throw ClientError("the last record is cut off", at: place)
        }
        return (payload, Self.number(header[4..<8]))
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
