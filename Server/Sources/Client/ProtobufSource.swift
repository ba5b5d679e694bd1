// SPDX-License-Identifier: Apache-2.0

/// Reads an OTLP protobuf message field by field: each resource with its spans, which is field 1.
/// Messages written one after another are one message, as protobuf has it; each may stand after its
/// length, as exports have it.
struct ProtobufSource {
    /// Field 1000, length-delimited: the counts at the end of an export.
    static let endTag: [UInt8] = [0xC2, 0x3E]

    private var reader: ByteReader
    private let isDelimited: Bool
    /// Bytes left of the message that is being read, where messages have lengths.
    private var left: UInt64 = 0

    init(_ reader: ByteReader, isDelimited: Bool = false) {
        self.reader = reader
        self.isDelimited = isDelimited
    }

    var path: String { reader.path }

    /// The next resource with its spans as a message of its own, and where it begins.
    mutating func next() throws(ClientError) -> (message: [UInt8], offset: Int)? {
        while true {
            let offset = reader.offset
            if isDelimited, left == 0 {
                guard let first = try reader.next() else { return nil }
                left = try varint(beginning: first, offset)
                continue
            }
            guard let tag = try reader.next() else {
                guard left == 0 else { throw cutShort(left, offset) }
                return nil
            }
            let isEnd = isDelimited && tag == Self.endTag[0]
            let isKnown = isEnd ? try reader.next() == Self.endTag[1] : tag == 0x0A
            guard isKnown else {
                throw ClientError(
                    "expected field 1 of an ExportTraceServiceRequest, found tag 0x"
                        + String(tag, radix: 16),
                    at: "\(path), byte \(offset)",
                    hint: "metrics and logs cannot be loaded; a file may also be damaged"
                )
            }
            var message = [tag]
            let body = try body(&message, offset)
            if isDelimited {
                let read = UInt64(reader.offset - offset)
                guard read <= left else { throw cutShort(left, offset) }
                left -= read
            }
            if isEnd { continue }
            return (message + body, offset)
        }
    }

    /// What stands after a tag; its length is added to `message`.
    private mutating func body(
        _ message: inout [UInt8],
        _ offset: Int
    ) throws(ClientError) -> [UInt8] {
        let length = try varint(&message, offset)
        guard length <= UInt64(Limits.elementByteCount) else {
            throw ClientError(
                "a resource of \(length) bytes is too long, the limit is "
                    + "\(Limits.elementByteCount)",
                at: "\(path), byte \(offset)"
            )
        }
        guard let body = try reader.read(Int(length)) else { throw cutShort(length, offset) }
        return Array(body)
    }

    private func cutShort(_ length: UInt64, _ offset: Int) -> ClientError {
        ClientError(
            "the message says \(length) bytes, but the file ends before",
            at: "\(path), byte \(offset)",
            hint: "is the file complete?"
        )
    }

    private mutating func varint(
        beginning first: UInt8,
        _ offset: Int
    ) throws(ClientError) -> UInt64 {
        guard first >= 0x80 else { return UInt64(first) }
        var bytes: [UInt8] = []
        let rest = try varint(&bytes, offset)
        return UInt64(first & 0x7F) | (rest << 7)
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
