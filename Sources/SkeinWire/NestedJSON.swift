// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Reads OTLP/JSON's `ArrayValue` and `KeyValueList` into the form of `NestedValue`.
///
/// Recursion is bounded by `DecodeLimits.parsedDepth`.
enum NestedJSON {
    /// What was noticed on the way.
    struct Notes {
        var isTooDeep = false
        var hasBadText = false

        mutating func merge(_ other: Notes) {
            isTooDeep = isTooDeep || other.isTooDeep
            hasBadText = hasBadText || other.hasBadText
        }
    }

    /// Reads `{"values": [...]}` of an array or a map and appends its body to `output`.
    static func list(
        _ type: AttributeType,
        _ reader: inout JSONReader,
        depth: Int,
        _ limits: DecodeLimits,
        _ output: inout [UInt8]
    ) throws(JSONFault) -> Notes {
        guard depth <= limits.parsedDepth else { throw reader.fault(.tooDeep) }
        var notes = Notes(isTooDeep: depth > limits.storedDepth)
        try reader.beginObject()
        while let member = try reader.nextKey() {
            guard member.equals("values") else {
                try reader.skipValue()
                continue
            }
            if try reader.takeNull() { continue }
            try reader.beginArray()
            while try reader.nextElement() {
                var body: [UInt8] = []
                if type == .array {
                    notes.merge(try value(&reader, depth: depth, limits, &body))
                } else {
                    notes.merge(try entry(&reader, depth: depth, limits, &body))
                }
                append(1, body, to: &output)
            }
        }
        return notes
    }

    private static func entry(
        _ reader: inout JSONReader,
        depth: Int,
        _ limits: DecodeLimits,
        _ output: inout [UInt8]
    ) throws(JSONFault) -> Notes {
        var notes = Notes()
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if member.equals("key") {
                let key = try reader.text()
                notes.hasBadText = notes.hasBadText || !Text.isUTF8(key)
                append(1, key, to: &output)
            } else if member.equals("value") {
                if try reader.takeNull() { continue }
                var body: [UInt8] = []
                notes.merge(try value(&reader, depth: depth, limits, &body))
                append(2, body, to: &output)
            } else {
                try reader.skipValue()
            }
        }
        return notes
    }

    private static func value(
        _ reader: inout JSONReader,
        depth: Int,
        _ limits: DecodeLimits,
        _ output: inout [UInt8]
    ) throws(JSONFault) -> Notes {
        var notes = Notes()
        if try reader.takeNull() { return notes }
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if member.equals("stringValue") {
                let text = try reader.text()
                notes.hasBadText = notes.hasBadText || !Text.isUTF8(text)
                append(1, text, to: &output)
            } else if member.equals("boolValue") {
                output += [2 << 3, try reader.bool() ? 1 : 0]
            } else if member.equals("intValue") {
                output.append(3 << 3)
                varint(UInt64(bitPattern: try reader.int64()), to: &output)
            } else if member.equals("doubleValue") {
                output.append(4 << 3 | 1)
                let bits = try reader.double().bitPattern.littleEndian
                withUnsafeBytes(of: bits) { output += $0 }
            } else if member.equals("arrayValue") || member.equals("kvlistValue") {
                let type: AttributeType = member.equals("arrayValue") ? .array : .map
                var body: [UInt8] = []
                notes.merge(try list(type, &reader, depth: depth + 1, limits, &body))
                append(type == .array ? 5 : 6, body, to: &output)
            } else if member.equals("bytesValue") {
                guard let bytes = Base64.decode(try reader.text()) else {
                    throw reader.fault(.value("bytesValue is not base64"))
                }
                append(7, bytes, to: &output)
            } else {
                try reader.skipValue()
            }
        }
        return notes
    }

    private static func append(
        _ field: UInt8,
        _ body: some Collection<UInt8>,
        to output: inout [UInt8]
    ) {
        output.append(field << 3 | 2)
        varint(UInt64(body.count), to: &output)
        output += body
    }

    private static func varint(_ value: UInt64, to output: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }
}

/// RFC 4648, both alphabets, padded or not, as proto3 JSON accepts.
enum Base64 {
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for character in text {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count == 4 {
                output.append(UInt8(truncatingIfNeeded: bits >> 16))
                output.append(UInt8(truncatingIfNeeded: bits >> 8))
                output.append(UInt8(truncatingIfNeeded: bits))
                (bits, count) = (0, 0)
            }
        }
        switch count {
        case 0: break
        case 2: output.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3:
            output.append(UInt8(truncatingIfNeeded: bits >> 10))
            output.append(UInt8(truncatingIfNeeded: bits >> 2))
        default: return nil
        }
        return padding <= 2 ? output : nil
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
