// SPDX-License-Identifier: Apache-2.0

/// Protobuf bytes, written front to back.
///
/// A message's length stands before its body and is known after it: room for the expected number of
/// digits is left and corrected afterwards, which moves bytes only where the guess was wrong.
public struct ProtobufWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []

    /// Makes an empty message with room for so many bytes.
    public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Where an open message's length belongs.
    struct Mark {
        fileprivate let body: Int
        fileprivate let room: Int
    }

    /// Opens message `field`, whose length will probably take `digits` bytes: 1 up to 127 bytes, 2
    /// up to 16 KiB, 3 up to 2 MiB.
    mutating func begin(_ field: UInt32, digits: Int = 1) -> Mark {
        tag(field, 2)
        for _ in 0..<digits { bytes.append(0) }
        return Mark(body: bytes.count, room: digits)
    }

    /// Closes the message that `begin` opened; messages close in the reverse order.
    mutating func end(_ mark: Mark) {
        var rest = UInt64(bytes.count - mark.body)
        let needed = Self.digits(rest)
        let start = mark.body - mark.room
        if needed > mark.room {
            let missing = repeatElement(UInt8(0), count: needed - mark.room)
            bytes.insert(contentsOf: missing, at: start)
        } else if needed < mark.room {
            bytes.removeSubrange(start..<start + mark.room - needed)
        }
        for index in 0..<needed {
            let more: UInt8 = index < needed - 1 ? 0x80 : 0
            bytes[start + index] = UInt8(truncatingIfNeeded: rest & 0x7F) | more
            rest >>= 7
        }
    }

    private static func digits(_ value: UInt64) -> Int {
        max(1, (70 - value.leadingZeroBitCount) / 7)
    }

    private mutating func tag(_ field: UInt32, _ wireType: UInt32) {
        rawVarint(UInt64(field << 3 | wireType))
    }

    private mutating func rawVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func littleEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes a number, 0 too: for members of a oneof.
    public mutating func varint(_ field: UInt32, always value: UInt64) {
        tag(field, 0)
        rawVarint(value)
    }

    /// Writes a number unless it is 0.
    public mutating func varint(_ field: UInt32, _ value: UInt64) {
        if value != 0 { varint(field, always: value) }
    }

    /// Writes a fixed64 or double, 0 too: for members of a oneof.
    public mutating func fixed64(_ field: UInt32, always value: UInt64) {
        tag(field, 1)
        littleEndian(value)
    }

    /// Writes a fixed64 unless it is 0.
    public mutating func fixed64(_ field: UInt32, _ value: UInt64) {
        if value != 0 { fixed64(field, always: value) }
    }

    /// Writes a fixed32 unless it is 0.
    mutating func fixed32(_ field: UInt32, _ value: UInt32) {
        guard value != 0 else { return }
        tag(field, 5)
        littleEndian(value)
    }

    /// Writes text or bytes, empty ones too: for members of a oneof and of lists.
    mutating func bytes(_ field: UInt32, always value: UnsafeRawBufferPointer) {
        tag(field, 2)
        rawVarint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes text or bytes unless there are none.
    mutating func bytes(_ field: UInt32, _ value: UnsafeRawBufferPointer) {
        if !value.isEmpty { bytes(field, always: value) }
    }

    /// Writes bytes, empty ones too: for messages within this one that somebody else wrote.
    public mutating func bytes(_ field: UInt32, _ value: [UInt8]) {
        value.withUnsafeBytes { bytes(field, always: $0) }
    }

    /// Writes a message within this one, an empty one too.
    public mutating func message(_ field: UInt32, _ body: (inout ProtobufWriter) -> Void) {
        let mark = begin(field)
        body(&self)
        end(mark)
    }

    /// Writes text, empty text too: for lists.
    public mutating func string(_ field: UInt32, always value: String) {
        var value = value
        value.withUTF8 { bytes(field, always: UnsafeRawBufferPointer($0)) }
    }

    /// Writes text unless it is empty.
    public mutating func string(_ field: UInt32, _ value: String) {
        var value = value
        value.withUTF8 { bytes(field, UnsafeRawBufferPointer($0)) }
    }

    /// Writes an id of 8 or 16 bytes, the most significant first; nothing for an all-zero one.
    public mutating func id(_ field: UInt32, _ words: UInt64...) {
        guard words.contains(where: { $0 != 0 }) else { return }
        tag(field, 2)
        rawVarint(UInt64(words.count * 8))
        for word in words { withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) } }
    }
}
