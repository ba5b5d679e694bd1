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
            // Index: below 16, the capacity asked for.
            for index in 0..<16 {
                let shift = UInt64(60 - 4 * index)
                buffer[index] = digit(of: UInt8(truncatingIfNeeded: value >> shift))
            }
            return 16
        }
    }
}
