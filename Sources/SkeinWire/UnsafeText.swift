// SPDX-License-Identifier: Apache-2.0

/// UTF-8 questions about raw bytes, quick where they are ASCII.
enum Text {
    /// Whether every byte is below 0x80. Eight bytes a step.
    @inline(__always)
    static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        var offset = 0
        var seen: UInt64 = 0
        while count &- offset >= 8 {
            // Bound: 8 bytes remain.
            seen |= bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        while offset < count {
            // Bound: offset < count.
            seen |= UInt64(bytes.load(fromByteOffset: offset, as: UInt8.self))
            offset &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    /// Whether `bytes` are UTF-8: no overlong form, no surrogate, nothing past U+10FFFF.
    static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        var offset = 0
        while offset < count {
            if count &- offset >= 8 {
                // Bound: 8 bytes remain.
                let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                if word & 0x8080_8080_8080_8080 == 0 {
                    offset &+= 8
                    continue
                }
            }
            let length = scalarLength(bytes, offset)
            if length == 0 { return false }
            offset &+= length
        }
        return true
    }

    /// The bytes of the scalar that begins at `offset`, 0 where none does.
    private static func scalarLength(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        let first = bytes[offset]
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch first {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, low) = (3, 0xA0)
        case 0xED: (length, high) = (3, 0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, low) = (4, 0x90)
        case 0xF4: (length, high) = (4, 0x8F)
        case 0xF1...0xF3: length = 4
        default: return 0
        }
        guard bytes.count &- offset >= length else { return 0 }
        let second = bytes[offset &+ 1]
        guard second >= low, second <= high else { return 0 }
        for index in 2..<max(length, 2) where bytes[offset &+ index] & 0xC0 != 0x80 { return 0 }
        return length
    }

    /// The longest beginning of at most `limit` bytes that does not cut a scalar in two.
    static func prefix(_ bytes: UnsafeRawBufferPointer, _ limit: Int) -> UnsafeRawBufferPointer {
        guard bytes.count > limit else { return bytes }
        var end = max(limit, 0)
        var steps = 0
        while end > 0, steps < 3, bytes[end] & 0xC0 == 0x80 {
            end &-= 1
            steps &+= 1
        }
        // Bound: end <= limit < bytes.count.
        return UnsafeRawBufferPointer(rebasing: bytes[..<end])
    }
}
