// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What time it is.
public protocol Clock: Sendable {
    /// Nanoseconds since 1970. May jump either way when somebody sets the clock.
    func wallNanoseconds() -> UInt64

    /// Nanoseconds since some moment before the process began. Never goes back.
    func monotonicNanoseconds() -> UInt64
}

/// The clocks of the machine.
public struct SystemClock: Clock {
    /// The one clock.
    public init() {}

    public func wallNanoseconds() -> UInt64 { read(CLOCK_REALTIME) }

    public func monotonicNanoseconds() -> UInt64 { read(CLOCK_MONOTONIC) }

    private func read(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(clamping: now.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: now.tv_nsec)
    }
}

/// Where unpredictable numbers come from.
public protocol Randomness: Sendable {
    /// 64 bits nobody can guess.
    func next() -> UInt64
}

/// The generator of the operating system.
public struct SystemRandomness: Randomness {
    /// The one generator.
    public init() {}

    public func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}
