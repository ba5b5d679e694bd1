// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// FNV-1a over a span's ids, times, service, name, and attributes in their order, as
/// `bench/questions.cpp` takes it from the bytes that were sent.
struct Digest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    init(of row: Int, in spans: borrowing SpanColumns) {
        put(spans.spanID[row])
        put(spans.parentID[row])
        put(spans.start[row])
        put(spans.end[row])
        put(spans.strings.text(spans.service(row)))
        put(spans.strings.text(spans.name[row]))
        for pair in spans.keyValues(spans.spanAttributes[row]) {
            put(pair.key)
            switch pair.value {
            case .string(let text): put(text)
            case .bool(let flag): put(flag ? "true" : "false")
            case .int(let number): put(String(number))
            default: put("a value of a type that the corpus has not")
            }
        }
    }

    private mutating func put(byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
    }

    private mutating func put(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) {
            put(byte: UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }

    private mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        for byte in text.utf8 { put(byte: byte) }
    }
}
