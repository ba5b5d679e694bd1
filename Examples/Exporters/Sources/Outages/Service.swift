// SPDX-License-Identifier: Apache-2.0

import Foundation
import Skein
import Tracing

/// Handles requests at a steady rate and measures what each takes of its thread.
struct Service {
    /// Durations of requests, and the CPU of all of them.
    struct Measured {
        var durations: [Double] = []
        var cpuMicroseconds = 0.0

        var figures: Report.Figures {
            let sorted = durations.sorted()
            func quantile(_ part: Double) -> Double {
                sorted.isEmpty ? 0 : sorted[min(Int(Double(sorted.count) * part), sorted.count - 1)]
            }
            return Report.Figures(
                requestCount: sorted.count,
                cpuMicroseconds: sorted.isEmpty ? 0 : cpuMicroseconds / Double(sorted.count),
                p50Microseconds: quantile(0.5),
                p99Microseconds: quantile(0.99)
            )
        }
    }

    private(set) var traced = Measured()
    private(set) var untraced = Measured()
    private(set) var spanCount = 0
    private let tracer: SkeinTracer
    private let text: String
    private let rate: Int
    private var number = 0
    /// How long one turn takes.
    private let turn = Duration.milliseconds(100)
    /// Durations kept, so that the measurement itself takes no memory that grows.
    private static let durationCount = 50_000

    init(_ tracer: SkeinTracer, textLength: Int, rate: Int) {
        self.tracer = tracer
        self.rate = rate
        text = String(repeating: "x", count: textLength)
        traced.durations.reserveCapacity(Self.durationCount)
        untraced.durations.reserveCapacity(Self.durationCount)
        // Touched now, so that they belong to the idle process.
        for _ in 0..<Self.durationCount {
            traced.durations.append(0)
            untraced.durations.append(0)
        }
        forget()
    }

    mutating func forget() {
        traced.durations.removeAll(keepingCapacity: true)
        untraced.durations.removeAll(keepingCapacity: true)
        (traced.cpuMicroseconds, untraced.cpuMicroseconds) = (0, 0)
    }

    /// Handles the requests of one turn, with a break after each.
    mutating func run(isTraced: Bool) async throws {
        let end = ContinuousClock.now + turn
        let rest = turn / max(1, rate / 10)
        while ContinuousClock.now < end {
            let next = ContinuousClock.now + rest
            handle(isTraced: isTraced)
            if ContinuousClock.now < next {
                try await Task.sleep(until: next, tolerance: .zero, clock: .continuous)
            }
        }
    }

    /// Not async: it begins and ends on one thread.
    mutating func handle(isTraced: Bool) {
        // Texts of the request's own: shared ones would take no memory.
        number += 1
        let texts = ["\(number) ", "\(number + 1) "].map { $0 + text }
        let (start, cpu) = (
            Self.microseconds(CLOCK_MONOTONIC), Self.microseconds(CLOCK_THREAD_CPUTIME_ID)
        )
        if isTraced { withSpans(texts) } else { withoutSpans() }
        let spent = Self.microseconds(CLOCK_THREAD_CPUTIME_ID) - cpu
        let duration = Self.microseconds(CLOCK_MONOTONIC) - start
        if isTraced { spanCount += 4 }
        let path = isTraced ? \Service.traced : \Service.untraced
        guard self[keyPath: path].durations.count < Self.durationCount else { return }
        if isTraced {
            traced.durations.append(duration)
            traced.cpuMicroseconds += spent
        } else {
            untraced.durations.append(duration)
            untraced.cpuMicroseconds += spent
        }
    }

    private func withoutSpans() { for _ in 0..<4 { work() } }

    private func withSpans(_ texts: [String]) {
        tracer.span("GET /orders", .server) { span in
            span.set("text", texts[0])
            work()
            tracer.span("place order") { span in
                span.set("text", texts[0])
                work()
            }
            tracer.withSpan("charge card", ofKind: .client) { span in
                span.attributes["text"] = texts[0]
                work()
                tracer.withSpan("connect") { span in
                    span.attributes["text"] = texts[1]
                    work()
                }
            }
        }
    }

    private func work() {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<2_000 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        if state == 0 { exit(70) }
    }

    private static func microseconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
}
