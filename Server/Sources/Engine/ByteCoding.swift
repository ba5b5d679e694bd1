// SPDX-License-Identifier: Apache-2.0

/// Bytes that do not have the form they should: damage, or another program's file.
struct CorruptBytes: Error, Equatable {
    let what: String
}

/// Appends little-endian numbers and length-prefixed runs.
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        var rest = number
        for _ in 0..<MemoryLayout<Number>.size {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// 7 bits a byte, the low ones first.
    mutating func append(varint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(varint number: Int) { append(varint: UInt64(number)) }

    mutating func append(varint number: UInt32) { append(varint: UInt64(number)) }

    /// A varint length, then the bytes.
    mutating func append(run: some Collection<UInt8>) {
        append(varint: run.count)
        bytes.append(contentsOf: run)
    }
}

/// Reads what `ByteWriter` wrote; every read is checked against the bytes that remain.
struct ByteReader {
    let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int

    init(_ bytes: [UInt8], from offset: Int = 0, to end: Int? = nil) {
        self.bytes = bytes
        self.offset = offset
        self.end = min(end ?? bytes.count, bytes.count)
    }

    var remaining: Int { end - offset }

    mutating func number<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(CorruptBytes) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw CorruptBytes(what: "a number is cut short") }
        var value: Number = 0
        for index in 0..<size {
            value |= Number(truncatingIfNeeded: bytes[offset + index]) << Number(8 * index)
        }
        offset += size
        return value
    }

    mutating func varint() throws(CorruptBytes) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while remaining > 0, shift < 64 {
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw CorruptBytes(what: "a number is cut short")
    }

    /// A varint that counts things, each of which takes at least `byteCount` of the bytes that
    /// remain: so no allocation is sized by a lie.
    mutating func count(ofAtLeast byteCount: Int = 1) throws(CorruptBytes) -> Int {
        let value = try varint()
        guard value <= UInt64(remaining / max(byteCount, 1)) else {
            throw CorruptBytes(what: "a count is larger than the file")
        }
        return Int(value)
    }

    /// A varint that must be below `limit`.
    mutating func index(below limit: Int) throws(CorruptBytes) -> Int {
        let value = try varint()
        guard value < UInt64(limit) else { throw CorruptBytes(what: "an index is out of range") }
        return Int(value)
    }

    mutating func small() throws(CorruptBytes) -> UInt32 {
        guard let value = UInt32(exactly: try varint()) else {
            throw CorruptBytes(what: "a number is too large")
        }
        return value
    }

    /// Passes over `count` bytes.
    mutating func skip(_ count: Int) throws(CorruptBytes) {
        guard count >= 0, count <= remaining else { throw CorruptBytes(what: "a run is cut short") }
        offset += count
    }

    mutating func run() throws(CorruptBytes) -> ArraySlice<UInt8> {
        let count = try count()
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    mutating func text() throws(CorruptBytes) -> String {
        String(decoding: try run(), as: UTF8.self)
    }
}

/// Signed differences as small unsigned numbers: 0, -1, 1, -2 -> 0, 1, 2, 3. A bijection.
enum Zigzag {
    @inline(__always)
    static func encode(_ difference: UInt64) -> UInt64 {
        let signed = Int64(bitPattern: difference)
        return UInt64(bitPattern: (signed << 1) ^ (signed >> 63))
    }

    @inline(__always)
    static func decode(_ code: UInt64) -> UInt64 { (code >> 1) ^ (0 &- (code & 1)) }
}
