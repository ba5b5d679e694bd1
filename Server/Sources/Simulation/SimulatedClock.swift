// SPDX-License-Identifier: Apache-2.0

public import Platform

import StoreContract
import Synchronization

/// A clock that stands where it is put.
public final class SimulatedClock: Clock {
    private struct Time {
        var wall: UInt64
        var monotonic: UInt64 = 1
    }

    private let time: Mutex<Time>

    /// A clock that shows `wall` nanoseconds since 1970.
    public init(_ wall: UInt64 = 1_790_000_100_000_000_000) { time = Mutex(Time(wall: wall)) }

    public func wallNanoseconds() -> UInt64 { time.withLock { $0.wall } }

    public func monotonicNanoseconds() -> UInt64 { time.withLock { $0.monotonic } }

    /// Time passes.
    public func advance(_ duration: Duration) {
        let parts = duration.components
        advance(
            nanoseconds: UInt64(clamping: parts.seconds) &* 1_000_000_000
                &+ UInt64(clamping: parts.attoseconds / 1_000_000_000)
        )
    }

    func advance(nanoseconds: UInt64) {
        time.withLock {
            $0.wall &+= nanoseconds
            $0.monotonic &+= nanoseconds
        }
    }

    /// Somebody sets the clock.
    public func jump(to nanoseconds: UInt64) { time.withLock { $0.wall = nanoseconds } }
}

/// Numbers that everybody can guess who knows the seed.
final class SimulatedRandomness: Randomness {
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

    func next() -> UInt64 { generator.withLock { $0.next() } }
}
