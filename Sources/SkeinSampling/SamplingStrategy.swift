// SPDX-License-Identifier: Apache-2.0

/// What a sampling service asks of one service's processes, as Jaeger's sampling endpoint tells it.
public struct SamplingStrategy: Sendable, Hashable {
    /// A share of all traces, 0 to 1.
    public var ratio: Double?
    /// Traces a second, at most.
    public var tracesPerSecond: Double?
    /// Shares by operation.
    public var operations: Operations?

    /// Shares by operation.
    public struct Operations: Sendable, Hashable {
        /// The share of operations not named below.
        public var otherwise: Double
        /// The least to record of each operation, traces a second.
        public var leastPerSecond: Double
        /// The most to record of each operation, traces a second; `nil` for no bound.
        public var mostPerSecond: Double?
        /// Share by operation.
        public var ratios: [String: Double]

        /// Makes shares by operation.
        public init(
            otherwise: Double,
            leastPerSecond: Double = 0,
            mostPerSecond: Double? = nil,
            ratios: [String: Double] = [:]
        ) {
            self.otherwise = otherwise
            self.leastPerSecond = leastPerSecond
            self.mostPerSecond = mostPerSecond
            self.ratios = ratios
        }
    }

    /// Makes a strategy of its parts.
    public init(
        ratio: Double? = nil,
        tracesPerSecond: Double? = nil,
        operations: Operations? = nil
    ) {
        self.ratio = ratio
        self.tracesPerSecond = tracesPerSecond
        self.operations = operations
    }

    /// The sampler that does what the strategy asks; `nil` where it asks for nothing.
    ///
    /// Shares by operation count before a share of all, and that before a rate.
    public var sampler: (any Sampler)? {
        if let operations {
            let bounded: @Sendable (Double) -> BoundedRateSampler = { ratio in
                BoundedRateSampler(
                    ratio: ratio,
                    atLeast: operations.leastPerSecond,
                    atMost: operations.mostPerSecond
                )
            }
            return PerOperationSampler(operations.ratios.mapValues(bounded)) {
                bounded(operations.otherwise)
            }
        }
        if let ratio { return RatioSampler(ratio) }
        if let tracesPerSecond { return RateLimitSampler(tracesPerSecond: tracesPerSecond) }
        return nil
    }
}
