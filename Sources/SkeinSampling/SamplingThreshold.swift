// SPDX-License-Identifier: Apache-2.0

/// A ratio as the rejection threshold that travels in `tracestate` as `ot=th`.
///
/// Of the 2^56 values that the randomness takes, those from the threshold on are kept:
/// ```
/// 0 ........................ threshold ............ 2^56
/// |        rejected             |      sampled       |
/// ```
public struct SamplingThreshold: Sendable, Hashable {
    /// 0 keeps all, 2^56 none.
    public let rawValue: UInt64

    /// The threshold that keeps none.
    public static let never = SamplingThreshold(rawValue: 1 << 56)

    /// Wraps a threshold, at most 2^56; anything above keeps none too.
    public init(rawValue: UInt64) { self.rawValue = min(rawValue, 1 << 56) }

    /// The threshold that keeps `ratio` of all traces.
    ///
    /// Rounded to five hexadecimal digits after the leading ones that are the same for every ratio
    /// of that size, so that the header stays short: one per cent is `fd70a4`.
    ///
    /// - Parameter ratio: 0 to 1; anything outside counts as the nearer end, what is not a number
    ///   as 1.
    public init(ratio: Double) {
        let ratio = ratio.isNaN ? 1 : min(max(ratio, 0), 1)
        // Below this even one value of 2^56 would be too many.
        guard ratio > 0x1p-57 else {
            self = .never
            return
        }
        let rarer = min(ratio, 1 - ratio)
        let leading = rarer > 0 ? max(0, -rarer.exponent - 1) / 4 : 0
        let digits = min(14, 5 + Int(leading))
        let unit = UInt64(1) << UInt64(4 * (14 - digits))
        // From the share that is kept, which a `Double` holds exactly; 1 - ratio would lose it.
        let kept = UInt64((ratio * 0x1p56).rounded())
        self.init(rawValue: (1 << 56) - (kept + unit / 2) / unit * unit)
    }

    /// Whether a trace with these 56 random bits is kept.
    public func keeps(_ randomness: UInt64) -> Bool { randomness >= rawValue }
}
