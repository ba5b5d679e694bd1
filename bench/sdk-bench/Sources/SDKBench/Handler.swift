// SPDX-License-Identifier: Apache-2.0

import Skein
import Tracing

/// A request handler that works for about a millisecond, in four steps.
enum Handler {
    private static let requestCount = 100
    private static let stepCount = 4

    /// Prints the CPU milliseconds of the process for each request, export included, of a run without
    /// spans, one with spans of ours and one with spans of swift-distributed-tracing, in turn.
    static func compare(rounds: Int) async {
        let pipeline = SpanPipeline(exporter: Nowhere())
        let tracer = SkeinTracer(resource: Resource(serviceName: "bench"), pipeline: pipeline)
        let turns = turnsOfStep()
        let kinds: [(String, (Int) -> Void)] = [
            ("none", { work($0) }),
            (
                "own",
                { turns in
                    tracer.span("step", .client) { span in
                        span.set("order.id", 4_711)
                        span.set("shop", static: "kites")
                        span.set("item", "kite-17")
                        work(turns)
                    }
                }
            ),
            (
                "tracing",
                { turns in
                    tracer.withSpan("step", ofKind: .client) { span in
                        span.attributes["order.id"] = 4_711
                        span.attributes["shop"] = "kites"
                        span.attributes["item"] = "kite-17"
                        work(turns)
                    }
                }
            ),
        ]
        for round in 0...rounds {
            for (name, step) in kinds {
                let start = CPU.ofProcess
                for _ in 0..<requestCount {
                    benchLoop(stepCount) { step(turns) }
                }
                await pipeline.flush()
                let milliseconds = (CPU.ofProcess - start) / 1e6 / Double(requestCount)
                // The first round warms up.
                guard round > 0 else { continue }
                print("{\"spans\": \"\(name)\", \"round\": \(round), \"ms\": \(milliseconds)}")
            }
        }
    }

    /// Work that takes the same instructions each time.
    @inline(never)
    private static func work(_ turns: Int) {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<turns {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        Sink.take(state == 0)
    }

    /// Turns that take about a quarter of a millisecond here.
    private static func turnsOfStep() -> Int {
        let turns = 1_000_000
        var best = Double.infinity
        for _ in 0..<5 {
            let start = CPU.ofThread
            work(turns)
            best = min(best, CPU.ofThread - start)
        }
        return Int(Double(turns) * 250_000 / best)
    }
}
