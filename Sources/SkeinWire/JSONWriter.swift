// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// JSON bytes, written front to back; commas and escapes are its business, pairing is the caller's.
/// ```
/// json.beginObject()
/// json.key("services")
/// json.beginArray()
/// json.string("cart")
/// json.endArray()
/// json.endObject()        // {"services":["cart"]}
/// ```
public struct JSONWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []
    /// Whether a comma belongs before the next value or key.
    private var needsComma = false

    /// Makes a writer with room for `capacity` bytes.
    public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Gives the bytes away and keeps the place, for answers that are sent piece by piece.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    // MARK: Structure

    /// Writes `{`.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }

    /// Writes `}`.
    public mutating func endObject() { close(UInt8(ascii: "}")) }

    /// Writes `[`.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }

    /// Writes `]`.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes a member's name; its value comes next.
    public mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a member's name from its UTF-8 bytes; its value comes next.
    public mutating func key(utf8 name: UnsafeRawBufferPointer) {
        string(utf8: name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func open(_ bracket: UInt8) {
        comma()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    // MARK: Values

    /// Writes a string.
    public mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// Writes a string from its bytes; what is not UTF-8 becomes U+FFFD.
    public mutating func string(utf8 text: UnsafeRawBufferPointer) {
        guard Text.isUTF8(text) else { return string(String(decoding: text, as: UTF8.self)) }
        comma()
        bytes.append(UInt8(ascii: "\""))
        escaped(text)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escaped(_ text: UnsafeRawBufferPointer) {
        var plain = 0
        for index in 0..<text.count {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
                continue
            }
            bytes.append(contentsOf: text[plain..<index])
            plain = index + 1
            escape(byte)
        }
        bytes.append(contentsOf: text[plain...])
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
            bytes.append(Hex.digit(of: byte >> 4))
            bytes.append(Hex.digit(of: byte))
        }
    }

    /// Writes a whole number.
    public mutating func int(_ value: Int64) {
        comma()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(value.magnitude)
    }

    /// Writes a whole number.
    public mutating func uint(_ value: UInt64) {
        comma()
        digits(value)
    }

    /// Writes a whole number as a string, for readers that keep numbers as doubles.
    public mutating func intText(_ value: Int64) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(value.magnitude)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a whole number as a string, for readers that keep numbers as doubles.
    public mutating func uintText(_ value: UInt64) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        digits(value)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func digits(_ value: UInt64) {
        let start = bytes.count
        var rest = value
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Writes the shortest number that reads back the same; `"NaN"`, `"Infinity"` and `"-Infinity"`
    /// as strings, as proto3 JSON does.
    public mutating func double(_ value: Double) {
        guard value.isFinite else {
            return string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
        comma()
        bytes.append(contentsOf: value.description.utf8)
    }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) {
        comma()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes `null`.
    public mutating func null() {
        comma()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes 64 bits as a string of 16 lower-case hexadecimal digits, the form of a span id.
    public mutating func hex(_ value: UInt64) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        hexDigits(value)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes 128 bits as a string of 32 lower-case hexadecimal digits, the form of a trace id.
    public mutating func hex(_ high: UInt64, _ low: UInt64) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        hexDigits(high)
        hexDigits(low)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func hexDigits(_ value: UInt64) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            bytes.append(Hex.digit(of: UInt8(truncatingIfNeeded: value >> shift)))
        }
    }

    /// Writes bytes as a string of padded base64.
    public mutating func base64(_ data: UnsafeRawBufferPointer) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        var offset = 0
        while offset < data.count {
            let taken = min(3, data.count - offset)
            var group: UInt32 = 0
            for index in 0..<3 {
                group = group << 8 | (index < taken ? UInt32(data[offset + index]) : 0)
            }
            for index in 0..<4 {
                let value = UInt8(group >> UInt32(18 - 6 * index) & 0x3F)
                bytes.append(index <= taken ? Self.base64Digit(value) : UInt8(ascii: "="))
            }
            offset += taken
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func base64Digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    /// Writes a value that is JSON already.
    public mutating func raw(_ json: some Collection<UInt8>) {
        comma()
        bytes.append(contentsOf: json)
    }
}
