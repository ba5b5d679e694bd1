// SPDX-License-Identifier: Apache-2.0
// What an application pays for the tracer. Results are JSON lines; `bench/sdk.py` and
// `bench/sdk_costs.py` read them.
//
//     SDKBench times [CASE]       CPU nanoseconds of each case, best of seven rounds
//     SDKBench counts             each case COUNT times, in order, each in one call of `sdk_bench_loop`:
//                                 for callgrind; with allocations.so preloaded, allocations of each
//     SDKBench export SPANS       CPU of the caller and of everything behind it while so many spans are
//                                 recorded and exported to nowhere
//     SDKBench handler ROUNDS     CPU of a handler of a millisecond with four spans and without

import Dispatch
import Glibc
import Skein

@main
enum SDKBench {
    // Not async: valgrind does not survive what becomes of the main thread then.
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let number = arguments.dropFirst().first.flatMap { Int($0) }
        let end = DispatchSemaphore(value: 0)
        Task.detached {
            defer { end.signal() }
            switch (arguments.first, number) {
            case ("times", nil): await Setup().time(only: arguments.dropFirst().first)
            case ("counts", nil): await Setup().count()
            case ("export", let spans?): await ExportCost.measure(spanCount: spans)
            case ("handler", let rounds?): await Handler.compare(rounds: rounds)
            default: exit(64)
            }
        }
        end.wait()
    }
}

/// Takes batches, encoded, and forgets them; calls are counted, as they are by default.
struct Nowhere: CallStatisticsExporter {
    func encode(_ spans: [SpanRecord]) -> [UInt8] { OTLPRequest.encode(spans) }
    func encode(_ spans: RecordedSpans) -> [UInt8] { OTLPRequest.encode(spans) }
    func encode(_ window: CallWindow) -> [UInt8] { OTLPRequest.encode(window) }
    func send(statistics payload: [UInt8]) async -> ExportOutcome { .delivered }
    func send(_ payload: [UInt8]) async -> ExportOutcome { .delivered }
}

enum CPU {
    /// Nanoseconds that the calling thread has used.
    static var ofThread: Double { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }
    /// Nanoseconds that the process has used.
    static var ofProcess: Double { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static func nanoseconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}

/// Runs `body` so often. Its name is what callgrind is told to watch, and its cost is three
/// instructions a turn.
@_silgen_name("sdk_bench_loop")
@inline(never)
func benchLoop(_ count: Int, _ body: () -> Void) {
    for _ in 0..<count { body() }
}

enum Allocations {
    private typealias Counter = @Sendable @convention(c) () -> UInt64

    /// How to ask how often the calling thread allocated; `nil` where nobody counts.
    static let counter: (@Sendable () -> UInt64)? = {
        guard let symbol = dlsym(nil, "allocation_count") else { return nil }
        return unsafeBitCast(symbol, to: Counter.self)
    }()
}
