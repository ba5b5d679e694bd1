// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Where a duration stands among others, of which some quantiles are known.
public struct LatencyStanding: Sendable, Equatable {
    /// A duration that a part of the calls does not exceed.
    public struct Quantile: Sendable, Equatable {
        /// 0...1.
        public var part: Double
        /// Nanoseconds, within `LatencyBucket.relativeError`.
        public var duration: UInt64

        /// Pairs a part with its duration.
        public init(part: Double, duration: UInt64) {
            self.part = part
            self.duration = duration
        }
    }

    /// At least this part of the calls, 0...1, was faster. Durations that differ by no more than the
    /// error of the quantiles are as fast as each other.
    public let fasterAtLeast: Double
    /// At most this part was.
    public let fasterAtMost: Double

    /// Places `duration` among `quantiles`, which ascend.
    public init(of duration: UInt64, among quantiles: [Quantile]) {
        // Both sides may be off by the error: the quantile as told, and the bucket it stands for.
        let slack = Double(duration) * LatencyBucket.relativeError * 2
        let low = max(Double(duration) - slack, 0)
        let high = Double(duration) + slack
        fasterAtLeast = quantiles.last { Double($0.duration) < low }?.part ?? 0
        fasterAtMost = quantiles.first { Double($0.duration) >= high }?.part ?? 1
    }

    /// Parts that first tell roughly where a duration stands, tails finer.
    public static let firstParts: [Double] = [
        0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999, 1,
    ]

    /// Parts that tell it more closely: `count` between the bounds, spread evenly.
    public func closerParts(_ count: Int = 16) -> [Double] {
        let step = (fasterAtMost - fasterAtLeast) / Double(count + 1)
        return step > 0 ? (1...max(count, 1)).map { fasterAtLeast + step * Double($0) } : []
    }
}
