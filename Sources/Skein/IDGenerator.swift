// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import Synchronization

/// Makes trace and span ids: a shared counter run through a mixing function (splitmix64), keyed by
/// random seeds. One atomic addition an id, no lock.
///
/// Two processes make the same trace id only where the difference of both their 64-bit seeds
/// matches, so the ids are as unlikely to meet as 128 random bits. They are not secret.
final class IDGenerator: Sendable {
    private let counter = Atomic<UInt64>(0)
    private let seeds: (high: UInt64, low: UInt64, span: UInt64, record: UInt64)
    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Seeds the generator; `random` is called four times.
    init(random: () -> UInt64) {
        seeds = (random(), random(), random(), random())
    }

    /// A new trace id, never zero.
    func traceID() -> TraceID {
        let step = next()
        let id = TraceID(high: Self.mix(seeds.high &+ step), low: Self.mix(seeds.low &+ step))
        return id.isValid ? id : TraceID(high: 0, low: 1)
    }

    /// A new span id, never zero.
    func spanID() -> SpanID {
        let id = SpanID(Self.mix(seeds.span &+ next()))
        return id.isValid ? id : SpanID(1)
    }

    /// The id of a span that is recorded, never zero; `record` is its own, so nothing is counted.
    @inline(__always)
    func spanID(of record: UInt64) -> SpanID {
        let id = SpanID(Self.mix(seeds.record &+ record &* Self.step))
        return id.isValid ? id : SpanID(1)
    }

    /// Evenly distributed over 0 ..< 1.
    func fraction() -> Double {
        Double(Self.mix(seeds.low ^ seeds.span &+ next()) >> 11) * 0x1p-53
    }

    private func next() -> UInt64 {
        counter.wrappingAdd(Self.step, ordering: .relaxed).newValue
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
