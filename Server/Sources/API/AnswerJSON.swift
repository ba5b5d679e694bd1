// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinWire

/// A JSON answer in the shape of its code: what is opened in a closure closes with it.
struct AnswerJSON {
    private var writer = JSONWriter()

    var bytes: [UInt8] { writer.bytes }

    mutating func object(_ body: (inout AnswerJSON) throws -> Void) rethrows {
        writer.beginObject()
        try body(&self)
        writer.endObject()
    }

    mutating func array(_ body: (inout AnswerJSON) throws -> Void) rethrows {
        writer.beginArray()
        try body(&self)
        writer.endArray()
    }

    mutating func object(
        _ name: String,
        _ body: (inout AnswerJSON) throws -> Void
    ) rethrows {
        key(name)
        try object(body)
    }

    mutating func array(_ name: String, _ body: (inout AnswerJSON) throws -> Void) rethrows {
        key(name)
        try array(body)
    }

    mutating func array(_ name: String, of texts: some Sequence<String>) {
        array(name) { json in
            for text in texts { json.string(text) }
        }
    }

    mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    mutating func member(_ name: String, number: some BinaryInteger) {
        key(name)
        self.number(number)
    }

    mutating func member(_ name: String, flag: Bool) {
        key(name)
        self.flag(flag)
    }

    /// Text, or null.
    mutating func member(_ name: String, optional text: String?) {
        key(name)
        if let text { string(text) } else { null() }
    }

    mutating func key(_ name: String) { writer.key(name) }

    mutating func string(_ text: String) { writer.string(text) }

    /// A whole number; what leaves the range of 64 bits reads as its bound.
    mutating func number(_ value: some BinaryInteger) {
        if value >= 0 {
            writer.uint(UInt64(clamping: value))
        } else {
            writer.int(Int64(clamping: value))
        }
    }

    mutating func number(_ value: Double) { writer.double(value) }

    /// An integer, as text where JavaScript would round it.
    mutating func safeInteger(_ value: Int64) {
        if value.magnitude < 1 << 53 { writer.int(value) } else { writer.intText(value) }
    }

    mutating func flag(_ value: Bool) { writer.bool(value) }

    mutating func null() { writer.null() }

    mutating func base64(_ bytes: [UInt8]) { bytes.withUnsafeBytes { writer.base64($0) } }

    /// A value as OTLP writes it, with its type.
    mutating func anyValue(_ value: AttributeValue) { writer.anyValue(value) }

    /// A JSON text that somebody else wrote.
    mutating func embed(_ json: [UInt8]) { writer.raw(json) }
}

extension AnswerJSON {
    /// A value in its natural JSON form; bytes as base64, integers beyond 2^53 as text.
    mutating func value(_ value: AttributeValue) {
        switch value {
        case .empty: null()
        case .string(let text): string(text)
        case .bool(let flag): self.flag(flag)
        case .int(let number): safeInteger(number)
        case .double(let number): self.number(number)
        case .bytes(let bytes): base64(bytes)
        case .array(let elements):
            array { json in
                for element in elements { json.value(element) }
            }
        case .map(let entries):
            object { json in
                for entry in entries {
                    json.key(entry.key)
                    json.value(entry.value)
                }
            }
        }
    }
}

/// Base64 as ids come in addresses (RFC 4648).
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    /// Bytes of standard or URL-safe text, padded or not; `nil` for any other text.
    static func bytes(_ text: String) -> [UInt8]? {
        var bits: UInt32 = 0
        var bitCount = 0
        var result: [UInt8] = []
        for digit in text.utf8.reversed().drop(while: { $0 == UInt8(ascii: "=") }).reversed() {
            let plain: UInt8 =
                switch digit {
                case UInt8(ascii: "-"): UInt8(ascii: "+")
                case UInt8(ascii: "_"): UInt8(ascii: "/")
                default: digit
                }
            guard let value = alphabet.firstIndex(of: plain) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return result
    }
}
