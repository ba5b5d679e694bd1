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
