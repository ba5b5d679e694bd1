// SPDX-License-Identifier: Apache-2.0

/// Writes protobuf fields one after another. Lengths are written after the content they stand
/// before: room for the expected digits is left, and moved where more or fewer are needed.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// Makes a writer with room for `capacity` bytes.
    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// A varint field; zero is the default of proto3 and is left out.
    mutating func varint(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        presentVarint(field, value)
    }

    /// A varint field that is written whatever its value, as members of a `oneof` are.
    mutating func presentVarint(_ field: UInt8, _ value: UInt64) {
        bytes.append(field << 3)
        append(varint: value)
    }

    /// A fixed64 field.
    mutating func fixed64(_ field: UInt8, _ value: UInt64) {
        bytes.append(field << 3 | 1)
        bytes.append(word: value.littleEndian)
    }

    /// A fixed32 field; the value stands in the low half.
    mutating func fixed32(_ field: UInt8, _ value: UInt32) {
        appendTag(field, wireType: 5)
        bytes.append(word: value.littleEndian)
    }

    /// A string field; the empty string is the default of proto3 and is left out.
    mutating func string(_ field: UInt8, _ text: String) {
        guard !text.isEmpty else { return }
        presentString(field, text)
    }

    /// A string field that is written whatever its value, as members of a `oneof` are.
    mutating func presentString(_ field: UInt8, _ text: String) {
        appendTag(field, wireType: 2)
        append(varint: UInt64(text.utf8.count))
        bytes.append(text: text)
    }

    /// A bytes field of the given words, most significant byte first.
    mutating func words(_ field: UInt8, _ first: UInt64, _ second: UInt64? = nil) {
        appendTag(field, wireType: 2)
        bytes.append(second == nil ? 8 : 16)
        bytes.append(word: first.bigEndian)
        if let second { bytes.append(word: second.bigEndian) }
    }

    /// A packed field of varints.
    mutating func packed(_ field: UInt8, _ values: [UInt64]) {
        message(field, lengthDigitCount: 2) { writer in
            for value in values { writer.append(varint: value) }
        }
    }

    /// A message field whose content is already encoded.
    mutating func message(_ field: UInt8, encoded: [UInt8]) {
        appendTag(field, wireType: 2)
        append(varint: UInt64(encoded.count))
        bytes.append(contentsOf: encoded)
    }

    /// A message field that `body` writes.
    ///
    /// - Parameters:
    ///   - field: The number of the field.
    ///   - lengthDigitCount: The bytes its length will most likely take: 1 below 128 bytes, 2 below
    ///     16 KiB, 3 below 2 MiB.
    ///   - body: Writes the content.
    @inline(__always)
    mutating func message(
        _ field: UInt8,
        lengthDigitCount: Int = 1,
        _ body: (inout ProtobufWriter) -> Void
    ) {
        let head = openMessage(field, lengthDigitCount: lengthDigitCount)
        body(&self)
        closeMessage(head)
    }

    /// Begins a message field that goes on until `closeMessage` is given what this returns.
    mutating func openMessage(_ field: UInt8, lengthDigitCount: Int) -> Range<Int> {
        appendTag(field, wireType: 2)
        let head = bytes.count
        for _ in 0..<lengthDigitCount { bytes.append(0) }
        return head..<head &+ lengthDigitCount
    }

    /// Writes the length of a message over the room that was left for it.
    mutating func closeMessage(_ room: Range<Int>) {
        let length = bytes.count - room.upperBound
        if length < 0x80, room.count == 1 {
            // Nearly every attribute: nothing to move.
            bytes[room.lowerBound] = UInt8(truncatingIfNeeded: length)
        } else if room.count == 2, length >= 0x80, length < 0x4000 {
            // Nearly every span.
            bytes[room.lowerBound] = UInt8(truncatingIfNeeded: length) | 0x80
            bytes[room.lowerBound + 1] = UInt8(truncatingIfNeeded: length >> 7)
        } else {
            bytes.replaceSubrange(room, with: Self.digits(of: UInt64(length)))
        }
    }

    /// Fields that are already encoded.
    mutating func append(raw fields: some Collection<UInt8>) { bytes.append(contentsOf: fields) }

    private mutating func appendTag(_ field: UInt8, wireType: UInt8) {
        // Field numbers of OTLP spans end at 16, the first whose tag takes two bytes.
        append(varint: UInt64(field) << 3 | UInt64(wireType))
    }

    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func digits(of value: UInt64) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.append(varint: value)
        return writer.bytes
    }
}
