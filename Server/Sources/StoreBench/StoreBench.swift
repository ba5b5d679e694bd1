// SPDX-License-Identifier: Apache-2.0

// StoreBench opens the store of one directory in its own process and asks it the questions it reads
// from standard input, one a line; `bench/store.py` writes them, times nothing itself and judges the
// answers. It is for developers: no product contains it.
//
// It prints one line of JSON when the store is open and one for each question:
// ```
// {"cpu_ms":1.25,"wall_ms":0.9,"incomplete":[],"answer":...}
// {"failure":"..."}
// ```
// CPU is that of all threads of the process, so nothing hides; background work is off, and memory is
// kept as `skein serve` keeps it.

import Engine
import Glibc
import Ingest
import Platform
import SkeinModel
import SkeinWire
import Store

@main
struct StoreBench {
    static func main() async {
        guard CommandLine.arguments.count == 2 else {
            print("usage: StoreBench DIRECTORY < QUESTIONS")
            exit(64)
        }
        Process.keepMemory()
        do {
            try await run(directory: CommandLine.arguments[1])
        } catch {
            print("StoreBench: \(error)")
            exit(1)
        }
    }

    private static func run(directory: String) async throws {
        var options = EngineOptions()
        options.merging = false
        options.maintenanceInterval = .seconds(86_400)
        let start = Moment()
        let store = try EmbeddedStore.open(
            directory: directory,
            options: options,
            decoder: WirePayloadDecoder()
        )
        var report = Report(since: start)
        report.statistics(store.statistics)
        report.end()
        while let line = readLine() {
            await ask(line, store)
        }
        await store.close()
    }

    private static func ask(_ line: String, _ store: EmbeddedStore) async {
        let start: Moment
        let answer: Answer
        do {
            let question = try Question(line)
            start = Moment()
            answer = try await question.answer(from: store)
        } catch {
            var report = Report()
            report.failure("\(error)")
            report.end()
            return
        }
        var report = Report(since: start)
        report.answer(answer)
        report.end()
    }
}

/// A moment on the clocks of the process.
struct Moment {
    let cpu = Moment.nanoseconds(CLOCK_PROCESS_CPUTIME_ID)
    let wall = Moment.nanoseconds(CLOCK_MONOTONIC)

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(clamping: now.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: now.tv_nsec)
    }
}
