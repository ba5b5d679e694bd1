// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Records about so many traces a second of each operation, whether it is called once a minute or ten
/// thousand times a second.
///
/// Each operation has a ratio of its own, set anew each period from what was seen in the last:
/// ```
/// seen 800/s, wanted 2/s  ->  ratio 1/400, threshold in `ot=th`, so that counts can be scaled up
/// ```
/// Within a period a leaky bucket of ten times the wanted rate keeps a sudden rush from being recorded
/// whole. Of an operation that was not seen yet the first traces are recorded, up to the wanted rate.
public final class AdaptiveSampler: Sampler {
    private struct Operation {
        var seen: UInt64 = 0
        var periodStart: UInt64
        var threshold = SamplingThreshold(rawValue: 0)
        var isNew = true
        var first: LeakyBucket
        var rush: LeakyBucket
    }

    private let tracesPerSecond: Double
    private let period: UInt64
    private let operations = Mutex<[String: Operation]>([:])

    /// A rush may be recorded at so many times the wanted rate until the period ends.
    private static let rushFactor = 10.0

    /// Makes the sampler.
    ///
    /// - Parameters:
    ///   - tracesPerSecond: Wanted of each operation.
    ///   - period: How often ratios are set anew; a second at least.
    public init(tracesPerSecond: Double, period: Duration = .seconds(10)) {
        self.tracesPerSecond = tracesPerSecond > 0 ? min(tracesPerSecond, 1e6) : 0
        let seconds = min(max(period.components.seconds, 1), 3_600)
        self.period = UInt64(seconds) * 1_000_000_000
    }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        operations.withLock { operations in
            // An operation too many is counted together with all that came too late.
            let isKnown = operations[span.name] != nil || operations.count < Limits.operations
            let name = isKnown ? span.name : ""
            var operation = operations[name] ?? new(at: span.time)
            defer { operations[name] = operation }
            if span.time >= operation.periodStart &+ period { begin(&operation, at: span.time) }
            operation.seen += 1
            if operation.isNew { return operation.first.take(at: span.time) ? .sample : .drop }
            guard operation.threshold.keeps(span.randomness), operation.rush.take(at: span.time)
            else { return .drop }
            return .sample(by: operation.threshold)
        }
    }

    private func new(at time: UInt64) -> Operation {
        Operation(
            periodStart: time,
            first: LeakyBucket(perSecond: tracesPerSecond),
            rush: LeakyBucket(perSecond: tracesPerSecond * Self.rushFactor)
        )
    }

    private func begin(_ operation: inout Operation, at time: UInt64) {
        let seconds = Double(time - operation.periodStart) * 1e-9
        let rate = Double(operation.seen) / seconds
        operation.threshold = SamplingThreshold(ratio: tracesPerSecond / max(rate, tracesPerSecond))
        if tracesPerSecond == 0 { operation.threshold = .never }
        operation.isNew = false
        operation.seen = 0
        operation.periodStart = time
    }
}
