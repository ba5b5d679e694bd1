// SPDX-License-Identifier: Apache-2.0
// Many tasks start and end spans of both kinds as fast as they can, hop between actors and are
// cancelled, while an exporter looks at what comes out. It ends with 1 where a parent is wrong or a
// count does not add up; whether memory was raced for is for the thread sanitizer to say.
//
//     SpanStorm TASKS SPANS       SPANS of each task
//     SpanStorm race              races on purpose: shows that the sanitizer would see one

import CMutexWatch
import Dispatch
import Glibc
import Skein
import SkeinModel
import SkeinPropagation
import Synchronization
import Tracing

@main
enum SpanStorm {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard mutex_watch() != 0 else {
            print("build with --sanitize=thread")
            exit(64)
        }
        if arguments == ["race"] { return race() }
        let numbers = arguments.compactMap { Int($0) }
        guard arguments.count == 2, numbers.count == 2 else { exit(64) }
        exit(await storm(taskCount: numbers[0], spanCount: numbers[1]) ? 0 : 1)
    }

    private static func storm(taskCount: Int, spanCount: Int) async -> Bool {
        let checker = Checker()
        let pipeline = SpanPipeline(exporter: checker)
        let tracer = SkeinTracer(resource: Resource(serviceName: "storm"), pipeline: pipeline)
        let station = Station()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<taskCount {
                group.addTask {
                    var left = spanCount
                    while left > 0 {
                        left -= await round(task, tracer, station)
                    }
                }
                // Some are cancelled while they are at it: spans do not care.
                if task % 10 == 9 {
                    group.addTask {
                        let cancelled = Task { await round(task, tracer, station) }
                        cancelled.cancel()
                        _ = await cancelled.value
                    }
                }
            }
        }
        let isFlushed = await pipeline.shutdown(timeout: .seconds(60))
        let counters = pipeline.counters
        let dropped = counters.droppedCounts.values.reduce(0, +)
        print(
            "started \(counters.startedCount), exported \(counters.exportedCount), "
                + "dropped \(counters.droppedCounts), wrong parents \(checker.wrongCount)"
        )
        let extra = taskCount / 10 * spansOfRound
        return isFlushed && checker.wrongCount == 0 && counters.exportedCount > 0
            && counters.startedCount >= taskCount * spanCount + extra
            && counters.startedCount == counters.endedCount
            && counters.endedCount == counters.exportedCount + dropped
            && counters.exportedCount == checker.seenCount
    }

    private static let spansOfRound = 5

    /// Starts and ends some spans, each of which notes who its parent should be.
    @discardableResult
    private static func round(
        _ task: Int,
        _ tracer: SkeinTracer,
        _ station: Station
    ) async -> Int {
        await tracer.span("outer") { outer in
            outer.set("parent", 0)
            tracer.span("sync") { inner in
                inner.set("parent", Int(bitPattern: UInt(outer.spanID.raw)))
                inner.set("task", task)
            }
            await station.visit(tracer, below: outer.spanID.raw)
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    tracer.withSpan("tracing") { inner in
                        inner.attributes["parent"] = Int(bitPattern: UInt(outer.spanID.raw))
                        guard let own = inner.context.traceContext else { return }
                        tracer.span("below tracing") {
                            $0.set("parent", Int(bitPattern: UInt(own.spanID.raw)))
                        }
                    }
                }
            }
        }
        return spansOfRound
    }

    /// Two threads write the same word, and nothing orders them.
    private static func race() {
        nonisolated(unsafe) let word = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        word.initialize(to: 0)
        let arrived = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 2) { index in
            arrived.add(1, ordering: .relaxed)
            // So that they are two threads; what is relaxed orders nothing.
            while arrived.load(ordering: .relaxed) < 2 {}
            for _ in 0..<100 { write(index, to: word) }
        }
        print(word.pointee)
    }

    // Not inlined: all of it would become one addition.
    @inline(never)
    private static func write(_ value: Int, to word: UnsafeMutablePointer<Int>) {
        word.pointee &+= value
    }
}

private actor Station {
    func visit(_ tracer: SkeinTracer, below parent: UInt64) async {
        await tracer.span("visit") { span in
            span.set("parent", Int(bitPattern: UInt(parent)))
            await Task.yield()
            span.event("rested")
        }
    }
}

/// Compares the parent that each span has with the one that it noted.
private final class Checker: SpanExporter {
    private let wrong = Atomic(0)
    private let seen = Atomic(0)

    var wrongCount: Int { wrong.load(ordering: .relaxed) }
    var seenCount: Int { seen.load(ordering: .relaxed) }

    func encode(_ spans: [SpanRecord]) -> [SpanRecord] { spans }

    func send(_ spans: [SpanRecord]) async -> ExportOutcome {
        for span in spans {
            let noted = span.attributes.get("parent")
            let parent = SpanAttribute.int64(Int64(bitPattern: span.parentSpanID.raw))
            if noted != parent || span.end < span.start { wrong.add(1, ordering: .relaxed) }
        }
        seen.add(spans.count, ordering: .relaxed)
        return .delivered
    }
}
