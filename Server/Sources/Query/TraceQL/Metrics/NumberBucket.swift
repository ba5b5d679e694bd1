// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// The buckets of `LatencyBucket` for any number: below one and below zero too.
///
/// | code | stands for |
/// |---|---|
/// | 2^18 + 1 + 64·1,100 + i | bucket `i` of `LatencyBucket`, which may be below zero: numbers below one |
/// | 2^18 | zero |
/// | 2^18 - that | the same numbers below zero |
///
/// Codes are in the order of the numbers and below 2^19.
enum NumberBucket {
    static let bitCount: UInt64 = 19
    private static let zero = 1 << 18
    /// Doubles begin at 2^-1074.
    private static let lowestExponent = -1_100

    static func code(ofNanoseconds value: UInt64) -> UInt64 {
        guard let index = LatencyBucket.index(of: value) else { return UInt64(zero) }
        return UInt64(zero + 1 - 64 * lowestExponent + index)
    }

    /// Of a number that is finite.
    static func code(of value: Double) -> UInt64 {
        guard value != 0 else { return UInt64(zero) }
        let size = value.magnitude
        // One at the top, then the digits after the point.
        let mantissa = 1 << 63 | size.significand.significandBitPattern << 11
        let place = LatencyBucket.index(ofNonZero: mantissa) - 63 * 64
        let distance = 1 + 64 * (Int(size.exponent) - lowestExponent) + place
        return UInt64(value < 0 ? zero - distance : zero + distance)
    }

    /// The number that stands for all of a bucket.
    ///
    /// - Parameter isWhole: Whether only whole numbers were counted.
    static func representative(_ code: UInt64, isWhole: Bool) -> Double {
        let distance = Int(code) - zero
        guard distance != 0 else { return 0 }
        let index = Int(distance.magnitude) - 1 + 64 * lowestExponent
        let exponent = index >> 6
        // Exact: a bucket of the highest octave, scaled down.
        let size =
            isWhole && index >= 0 && index < LatencyBucket.count
            ? Double(LatencyBucket.representative(index))
            : Double(
                sign: .plus,
                exponent: exponent - 63,
                significand: Double(LatencyBucket.representative(63 * 64 + index & 63))
            )
        return distance < 0 ? -size : size
    }

    // MARK: Powers of two

    /// Of the smallest power of two that is no smaller than `value`, a finite number; in the order of
    /// the numbers.
    static func power(of value: Double) -> UInt32 {
        guard value != 0 else { return UInt32(zero) }
        let size = value.magnitude
        let isPower = size.significand == 1
        let exponent = Int(size.exponent) + (value < 0 || isPower ? 0 : 1)
        let distance = 1 + exponent - lowestExponent
        return UInt32(value < 0 ? zero - distance : zero + distance)
    }

    static func power(ofNanoseconds value: UInt64) -> UInt32 {
        guard value > 0 else { return UInt32(zero) }
        let exponent = 64 - (value - 1).leadingZeroBitCount
        return UInt32(zero + 1 + exponent - lowestExponent)
    }

    /// The number a power stands for.
    static func value(ofPower code: UInt32) -> Double {
        let distance = Int(code) - zero
        guard distance != 0 else { return 0 }
        let exponent = Int(distance.magnitude) - 1 + lowestExponent
        let size = Double(sign: .plus, exponent: exponent, significand: 1)
        return distance < 0 ? -size : size
    }
}
