// SPDX-License-Identifier: Apache-2.0

/// The byte form of array and map attribute values inside a batch: the body of OTLP's `ArrayValue`
/// or `KeyValueList` message, so that the hot decoder copies it as it came.
///
/// | message | field |
/// |---|---|
/// | array | 1: value, repeated |
/// | map | 1: { 1: key, 2: value }, repeated |
/// | value | 1 string, 2 bool, 3 int64, 4 double, 5 array, 6 map, 7 bytes |
///
/// Reading is bounded: at most `depthLimit` levels, never past the bytes; what does not parse ends
/// the list it stands in, for decoders check the form before they store it.
public enum NestedValue {
    /// Levels of nesting that are read. A level deeper reads as empty.
    public static let depthLimit = 64

    /// Reads the body of an array.
    public static func array(_ bytes: UnsafeRawBufferPointer, depth: Int = 0) -> [AttributeValue] {
        var cursor = Cursor(bytes: bytes)
        var values: [AttributeValue] = []
        while let field = cursor.next() {
            if case .bytes(1, let body) = field { values.append(value(body, depth: depth + 1)) }
        }
        return values
    }

    /// Reads the body of a map.
    public static func map(
        _ bytes: UnsafeRawBufferPointer,
        depth: Int = 0
    ) -> [AttributeValue.KeyValue] {
        var cursor = Cursor(bytes: bytes)
        var entries: [AttributeValue.KeyValue] = []
        while let field = cursor.next() {
            guard case .bytes(1, let body) = field else { continue }
            var entry = AttributeValue.KeyValue(key: "", value: .empty)
            var inner = Cursor(bytes: body)
            while let field = inner.next() {
                if case .bytes(1, let key) = field {
                    entry.key = String(decoding: key, as: UTF8.self)
                } else if case .bytes(2, let body) = field {
                    entry.value = value(body, depth: depth + 1)
                }
            }
            entries.append(entry)
        }
        return entries
    }

    private static func value(_ bytes: UnsafeRawBufferPointer, depth: Int) -> AttributeValue {
        guard depth < depthLimit else { return .empty }
        var cursor = Cursor(bytes: bytes)
        var result = AttributeValue.empty
        while let field = cursor.next() {
            switch field {
            case .bytes(1, let text): result = .string(String(decoding: text, as: UTF8.self))
            case .varint(2, let bits): result = .bool(bits != 0)
            case .varint(3, let bits): result = .int(Int64(bitPattern: bits))
            case .fixed64(4, let bits): result = .double(Double(bitPattern: bits))
            case .bytes(5, let body): result = .array(array(body, depth: depth))
            case .bytes(6, let body): result = .map(map(body, depth: depth))
            case .bytes(7, let raw): result = .bytes([UInt8](raw))
            default: break
            }
        }
        return result
    }

    /// Appends the body of an array of `values` to `output`.
    public static func encode(array values: [AttributeValue], to output: inout [UInt8]) {
        for value in values { appendMessage(1, encoded(value), to: &output) }
    }

    /// Appends the body of a map of `entries` to `output`.
    public static func encode(map entries: [AttributeValue.KeyValue], to output: inout [UInt8]) {
        for entry in entries {
            var body: [UInt8] = []
            appendMessage(1, Array(entry.key.utf8), to: &body)
            appendMessage(2, encoded(entry.value), to: &body)
            appendMessage(1, body, to: &output)
        }
    }

    private static func encoded(_ value: AttributeValue) -> [UInt8] {
        var output: [UInt8] = []
        switch value {
        case .empty: break
        case .string(let text): appendMessage(1, Array(text.utf8), to: &output)
        case .bool(let flag): output += [2 << 3, flag ? 1 : 0]
        case .int(let number):
            output.append(3 << 3)
            appendVarint(UInt64(bitPattern: number), to: &output)
        case .double(let number):
            output.append(4 << 3 | 1)
            let bits = number.bitPattern
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                output.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        case .array(let values):
            var body: [UInt8] = []
            encode(array: values, to: &body)
            appendMessage(5, body, to: &output)
        case .map(let entries):
            var body: [UInt8] = []
            encode(map: entries, to: &body)
            appendMessage(6, body, to: &output)
        case .bytes(let raw): appendMessage(7, raw, to: &output)
        }
        return output
    }

    private static func appendMessage(_ field: UInt8, _ body: [UInt8], to output: inout [UInt8]) {
        output.append(field << 3 | 2)
        appendVarint(UInt64(body.count), to: &output)
        output += body
    }

    private static func appendVarint(_ value: UInt64, to output: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }
}

/// A bounded walk over protobuf fields; ends quietly at anything malformed.
private struct Cursor {
    enum Field {
        case varint(UInt64, UInt64)
        case fixed64(UInt64, UInt64)
        case bytes(UInt64, UnsafeRawBufferPointer)
        case other
    }

    let bytes: UnsafeRawBufferPointer
    var offset = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next() -> Field? {
        guard offset < bytes.count, let tag = varint() else { return nil }
        switch tag & 7 {
        case 0:
            guard let bits = varint() else { return nil }
            return .varint(tag >> 3, bits)
        case 1:
            guard bytes.count - offset >= 8 else { return nil }
            let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset += 8
            return .fixed64(tag >> 3, UInt64(littleEndian: bits))
        case 2:
            guard let length = varint(), length <= UInt64(bytes.count - offset) else { return nil }
            let start = offset
            offset += Int(length)
            return .bytes(tag >> 3, UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
        case 5:
            guard bytes.count - offset >= 4 else { return nil }
            offset += 4
            return .other
        default: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count, shift < 64 {
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
