// SPDX-License-Identifier: Apache-2.0

import Foundation
import Skein
import Synchronization

/// A service under a steady load whose collector is in trouble; what the service noticed of it is
/// printed as JSON.
///
/// usage: `Outages URL SECONDS HANDLERS_A_SECOND small|large`
///
/// In turn it handles requests with spans and without any, a tenth of a second each. A request has two
/// spans of each kind, `large` ones with 20 kB of text each.
@main struct Outages {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let seconds = Int(arguments[2]), let rate = Int(arguments[3]),
            ["small", "large"].contains(arguments[4])
        else { exit(64) }
        let warnings = Mutex(0)
        var configuration = SkeinConfiguration(serviceName: "outages")
        configuration.exporter = OTLPEndpoint(baseURL: arguments[1])
        // An exit is no part of this.
        configuration.exitTimeout = nil
        configuration.pipeline.onWarning = { _ in warnings.withLock { $0 += 1 } }
        let tracing = SkeinTracing.bootstrap(configuration, environment: TracingEnvironment([:]))

        let textLength = arguments[4] == "large" ? 20_000 : 20
        var service = Service(tracing.tracer, textLength: textLength, rate: rate)
        // Idle is a process that has done everything once, an attempt to export included.
        for turn in 0..<20 { service.handle(isTraced: turn == 0) }
        await tracing.flush(timeout: .milliseconds(500))
        var report = Report(idleKilobytes: Memory.kilobytes("VmRSS"))
        service.forget()

        let end = ContinuousClock.now + .seconds(seconds)
        var turn = 0
        while ContinuousClock.now < end {
            try await service.run(isTraced: turn.isMultiple(of: 2))
            turn += 1
        }
        report.counters = Report.Counters(tracing.counters)
        report.isFlushedInTime = await tracing.shutdown(timeout: .seconds(1))
        report.countersAfterShutdown = Report.Counters(tracing.counters)
        report.peakKilobytes = Memory.kilobytes("VmHWM")
        report.warningCount = warnings.withLock { $0 }
        report.expectedSpanCount = service.spanCount
        report.traced = service.traced.figures
        report.untraced = service.untraced.figures
        try FileHandle.standardOutput.write(
            contentsOf: JSONEncoder().encode(report) + Data("\n".utf8)
        )
    }
}

/// What is printed.
struct Report: Encodable {
    struct Counters: Encodable {
        var started, ended, abandoned, queued, exported, rejected: Int
        var dropped: [String: Int]

        init(_ counters: TracingCounters) {
            started = counters.startedCount
            ended = counters.endedCount
            abandoned = counters.abandonedCount
            queued = counters.queuedCount
            exported = counters.exportedCount
            rejected = counters.rejectedCount
            dropped = [:]
            for (reason, count) in counters.droppedCounts { dropped[reason.rawValue] = count }
        }
    }

    /// Of one request.
    struct Figures: Encodable {
        var requestCount: Int
        var cpuMicroseconds, p50Microseconds, p99Microseconds: Double
    }

    let idleKilobytes: Int
    var peakKilobytes = 0
    var counters: Counters?
    var countersAfterShutdown: Counters?
    var isFlushedInTime = false
    var warningCount = 0
    /// Spans that the service started, by its own count.
    var expectedSpanCount = 0
    var traced: Figures?
    var untraced: Figures?

    init(idleKilobytes: Int) { self.idleKilobytes = idleKilobytes }
}

enum Memory {
    /// A number of `/proc/self/status`.
    static func kilobytes(_ field: String) -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
            ?? 0
    }
}
