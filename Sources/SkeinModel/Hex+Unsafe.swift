// SPDX-License-Identifier: Apache-2.0

/// Hexadecimal digits, the text form of every id.
public enum Hex {
    /// The value of one ASCII digit of either case, or `nil` for any other byte.
    @inlinable
    public static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit &- UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit &- UInt8(ascii: "a") &+ 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit &- UInt8(ascii: "A") &+ 10
        default: nil
        }
    }

    /// The lower-case ASCII digit of the low four bits of `value`.
    @inlinable
    public static func digit(of value: UInt8) -> UInt8 {
        let nibble = value & 0xF
        return nibble < 10 ? nibble &+ UInt8(ascii: "0") : nibble &- 10 &+ UInt8(ascii: "a")
    }

    /// 16 lower-case digits.
    public static func text(_ value: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { buffer in
            write(value, to: buffer, at: 0)
            return 16
        }
    }

    /// Writes 16 lower-case digits from `place` on, where `buffer` must have room for them.
    @inlinable
    public static func write(
        _ value: UInt64,
        to buffer: UnsafeMutableBufferPointer<UInt8>,
        at place: Int
    ) {
        precondition(place >= 0 && place &+ 16 <= buffer.count, "no room for 16 digits")
        let bytes = UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped) + place
        // Bound: checked above.
        bytes.storeBytes(of: digits(UInt32(truncatingIfNeeded: value >> 32)), as: UInt64.self)
        (bytes + 8).storeBytes(of: digits(UInt32(truncatingIfNeeded: value)), as: UInt64.self)
    }

    /// The value of the 16 lower-case digits from `place` on, which `text` must have; `nil` where there is
    /// any other character among them.
    @inlinable
    public static func lowerCaseValue(_ text: borrowing Span<UInt8>, at place: Int) -> UInt64? {
        precondition(place >= 0 && place &+ 16 <= text.count, "no 16 digits")
        let bytes = text.bytes
        // Bound: checked above.
        guard let high = value(bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)),
            let low = value(bytes.unsafeLoadUnaligned(fromByteOffset: place &+ 8, as: UInt64.self))
        else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// The value of eight lower-case digits, the first in the byte that lies first in memory; `nil` for any
    /// other characters.
    ///
    /// All at once, as `digits` writes them. Whether they were digits shows when the value is written
    /// again.
    @inlinable
    static func value(_ text: UInt64) -> UInt32? {
        // Bit 6 tells the letters from the rest: `a` is 0x61 and stands for 9 more than its low half.
        let nibbles = text.bigEndian & 0x0F0F_0F0F_0F0F_0F0F
        let letters = text.bigEndian >> 6 & 0x0101_0101_0101_0101
        var packed = nibbles &+ letters &* 9
        packed = (packed | packed >> 4) & 0x00FF_00FF_00FF_00FF
        packed = (packed | packed >> 8) & 0x0000_FFFF_0000_FFFF
        let value = UInt32(truncatingIfNeeded: packed | packed >> 16)
        return digits(value) == text ? value : nil
    }

    /// Eight digits, the first in the byte that lies first in memory.
    ///
    /// All at once: each half-byte is spread to a byte of its own; where it is above 9, adding 6
    /// carries into the upper half, which picks the letters.
    @inlinable
    static func digits(_ value: UInt32) -> UInt64 {
        var spread = UInt64(value)
        spread = (spread << 16 | spread) & 0x0000_FFFF_0000_FFFF
        spread = (spread << 8 | spread) & 0x00FF_00FF_00FF_00FF
        spread = (spread << 4 | spread) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
    }
}
