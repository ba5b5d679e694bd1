// SPDX-License-Identifier: Apache-2.0

/// The buckets in which durations are counted: each is 2^(1/64), about 1.09 %, wider than the last.
///
/// A duration of n nanoseconds belongs to bucket ⌊64·log2(n)⌋, found without rounding: bucket `i`
/// holds the whole numbers from 2^(i/64) up to but not including 2^((i+1)/64). Zero has a bucket of
/// its own (`nil` here).
/// ```
/// duration   1   2   3    1,000    1,000,000    UInt64.max
/// bucket     0  64  101     637        1,275         4,095
/// ```
/// The formulas are those of DDSketch (Masson, Rim and Lee 2019) with γ = 2^(1/64). The bounds are
/// those of an OpenTelemetry exponential histogram of scale 6, whose buckets can be added to these
/// one by one; only exact powers of two lie one bucket lower there, its upper bounds being inclusive.
public enum LatencyBucket {
    /// Buckets there are: numbers are `0..<count`.
    public static let count = 4_096

    /// How far `representative` can be from any duration of its bucket, as a part of the latter:
    /// (γ - 1) / (γ + 1), before the rounding to whole nanoseconds.
    public static let relativeError = 0.005_415_159_415_902_57

    /// The bucket of a duration; `nil` for zero.
    @inlinable
    public static func index(of nanoseconds: UInt64) -> Int? {
        nanoseconds == 0 ? nil : index(ofNonZero: nanoseconds)
    }

    /// The bucket of a duration above zero.
    @inlinable
    @inline(__always)
    public static func index(ofNonZero nanoseconds: UInt64) -> Int {
        let shift = nanoseconds.leadingZeroBitCount
        let mantissa = nanoseconds &<< UInt64(truncatingIfNeeded: shift)
        // 128 cells of the octave; each holds at most one bound between two buckets.
        let guess = Int(firstInCell[Int(truncatingIfNeeded: mantissa &>> 56) & 0x7F])
        let isNext = guess < 63 && mantissa >= bounds[guess &+ 1]
        return (63 &- shift) &* 64 &+ guess &+ (isNext ? 1 : 0)
    }

    /// The number of whole nanoseconds that stands for all durations of bucket `index`: within
    /// `relativeError`, and half a nanosecond, of each.
    public static func representative(_ index: Int) -> UInt64 {
        precondition((0..<count).contains(index), "there is no bucket \(index)")
        let mantissa = Double(bounds[index % 64])
        let lower = Double(sign: .plus, exponent: index / 64 - 63, significand: mantissa)
        let middle = (lower * twoGammaByGammaPlusOne).rounded()
        return UInt64(exactly: middle) ?? .max
    }

    /// 2γ / (γ + 1): times the lower bound of a bucket, the value with the least relative error.
    private static let twoGammaByGammaPlusOne = 1.005_415_159_415_902_57

    /// ⌈2^(63 + i/64)⌉: where bucket `i` of an octave begins, scaled to the highest octave.
    @usableFromInline
    static let bounds: [UInt64] = [
        0x8000_0000_0000_0000, 0x8164_D1F3_BC03_0774, 0x82CD_8698_AC2B_A1D8,
        0x843A_28C3_ACDE_4047, 0x85AA_C367_CC48_7B15, 0x871F_6196_9E8D_1011,
        0x8898_0E80_92DA_8528, 0x8A14_D575_496E_FD9B, 0x8B95_C1E3_EA8B_D6E7,
        0x8D1A_DF5B_7E5B_A9E6, 0x8EA4_398B_45CD_53C1, 0x9031_DC43_1466_B1DD,
        0x91C3_D373_AB11_C337, 0x935A_2B2F_13E6_E92C, 0x94F4_EFA8_FEF7_0962,
        0x9694_2D37_2018_5A01, 0x9837_F051_8DB8_A970, 0x99E0_4593_20B7_FA65,
        0x9B8D_39B9_D54E_5539, 0x9D3E_D9A7_2CFF_B751, 0x9EF5_3260_91A1_11AE,
        0xA0B0_510F_B971_4FC3, 0xA270_4303_0C49_6819, 0xA435_15AE_09E6_809F,
        0xA5FE_D6A9_B151_38EB, 0xA7CD_93B4_E965_356A, 0xA9A1_5AB4_EA7C_0EF9,
        0xAB7A_39B5_A93E_D338, 0xAD58_3EEA_42A1_4AC7, 0xAF3B_78AD_690A_4375,
        0xB123_F581_D2AC_2590, 0xB311_C412_A911_248A, 0xB504_F333_F9DE_6485,
        0xB6FD_91E3_28D1_7792, 0xB8FB_AF47_62FB_9EEA, 0xBAFF_5AB2_133E_45FC,
        0xBD08_A39F_580C_36BF, 0xBF17_99B6_7A73_1083, 0xC12C_4CCA_6670_9457,
        0xC346_CCDA_2497_6408, 0xC567_2A11_5506_DADE, 0xC78D_74C8_ABB9_B15D,
        0xC9B9_BD86_6E2F_27A3, 0xCBEC_14FE_F272_7C5D, 0xCE24_8C15_1F84_80E4,
        0xD063_33DA_EF2B_2595, 0xD2A8_1D91_F12A_E45B, 0xD4F3_5AAB_CFED_FA20,
        0xD744_FCCA_D69D_6AF5, 0xD99D_15C2_78AF_D7B6, 0xDBFB_B797_DAF2_3756,
        0xDE60_F482_5E0E_9124, 0xE0CC_DEEC_2A94_E112, 0xE33F_8972_BE8A_5A52,
        0xE5B9_06E7_7C83_48A9, 0xE839_6A50_3C4B_DC69, 0xEAC0_C6E7_DD24_392F,
        0xED4F_301E_D994_2B85, 0xEFE4_B99B_DCDA_F5CC, 0xF281_773C_59FF_B13A,
        0xF525_7D15_2486_CC2D, 0xF7D0_DF73_0AD1_3BB9, 0xFA83_B2DB_722A_033B,
        0xFD3E_0C0C_F486_C175,
    ]

    /// By the seven bits after the highest one: the bucket in which that cell of the octave begins.
    @usableFromInline
    static let firstInCell: [UInt8] = [
        0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 12, 12, 13, 14, 14, 15, 15, 16,
        17, 17, 18, 18, 19, 20, 20, 21, 21, 22, 22, 23, 24, 24, 25, 25, 26, 26, 27, 27, 28, 28, 29,
        29, 30, 30, 31, 31, 32, 33, 33, 34, 34, 35, 35, 35, 36, 36, 37, 37, 38, 38, 39, 39, 40, 40,
        41, 41, 42, 42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 47, 48, 48, 49, 49, 50, 50, 50,
        51, 51, 52, 52, 52, 53, 53, 54, 54, 54, 55, 55, 56, 56, 56, 57, 57, 58, 58, 58, 59, 59, 59,
        60, 60, 61, 61, 61, 62, 62, 62, 63, 63,
    ]
}
