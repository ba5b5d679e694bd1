// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The system calls of the tracer that are not sockets: clock, randomness, environment, errors.
enum Transport {
    /// Measures the waits of the pipeline. The times of spans come from swift-distributed-tracing.
    static let clock: any Clock<Duration> = ContinuousClock()

    /// A clock that only goes forward, nanoseconds.
    static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }

    /// Nanoseconds since 1970.
    @inline(__always)
    static func wallNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }

    /// A number that differs between most threads that run at the same time.
    @inline(__always)
    static var threadNumber: UInt {
        // A thread's descriptor lies at the end of its stack, so the low bits are the same in all.
        #if canImport(Darwin)
        UInt(bitPattern: pthread_self()) >> 12
        #else
        pthread_self() >> 12
        #endif
    }

    /// Lets another thread run.
    static func yieldThread() { sched_yield() }

    /// 64 random bits of the system.
    @Sendable static func random() -> UInt64 { .random(in: .min ... .max) }

    /// Writes one line to standard error.
    @Sendable static func warn(_ message: String) {
        let line = Array("skein: \(message)\n".utf8)
        // A short or failed write loses a warning, which is nobody's to repair.
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// The value of an environment variable; `nil` where it is not set.
    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// The last part of the path by which the process was started.
    static var processName: String {
        let path = CommandLine.arguments.first ?? ""
        return path.split(separator: "/").last.map(String.init) ?? "process"
    }
}
