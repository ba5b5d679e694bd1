// SPDX-License-Identifier: Apache-2.0

/// Reads an OTLP protobuf message field by field: each resource with its spans, which is field 1.
/// Messages written one after another are one message, as protobuf has it.
struct ProtobufSource {
    private var reader: ByteReader

    init(_ reader: ByteReader) { self.reader = reader }

    var path: String { reader.path }

    /// The next resource with its spans as a message of its own, and where it begins.
    mutating func next() throws(ClientError) -> (message: [UInt8], offset: Int)? {
        let offset = reader.offset
        guard let tag = try reader.next() else { return nil }
        guard tag == 0x0A else {
            throw ClientError(
                "expected field 1 of an ExportTraceServiceRequest, found tag 0x"
                    + String(tag, radix: 16),
                at: "\(path), byte \(offset)",
                hint: "metrics and logs cannot be loaded; a file may also be damaged"
            )
        }
        var message = [tag]
        let length = try varint(&message, offset)
        guard length <= UInt64(Limits.elementByteCount) else {
            throw ClientError(
                "a resource of \(length) bytes is too long, the limit is "
                    + "\(Limits.elementByteCount)",
                at: "\(path), byte \(offset)"
            )
        }
        guard let body = try reader.read(Int(length)) else {
            throw ClientError(
                "the message says \(length) bytes, but the file ends before",
                at: "\(path), byte \(offset)",
                hint: "is the file complete?"
            )
        }
        message += body
        return (message, offset)
    }

    private mutating func varint(
        _ message: inout [UInt8],
        _ offset: Int
    ) throws(ClientError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = try reader.next() else { break }
            message.append(byte)
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw ClientError("a length is not a number", at: "\(path), byte \(offset)")
    }
}
