// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinPropagation
import SkeinSampling
import Tracing

/// One thing an application does, and what it does it within.
struct Case {
    let name: String
    var within: (() -> Void) -> Void = { $0() }
    let body: () -> Void
}

/// A tracer that records, one that does not but counts calls, and one that does neither.
struct Setup {
    let recorded: SkeinTracer
    let unrecorded: SkeinTracer
    let uncounted: SkeinTracer
    private let pipeline: SpanPipeline

    /// Times a case is run in one go, so few that no shard of the buffer fills and no export begins on
    /// the way.
    private static let runsOfBurst = 500

    init() {
        var options = PipelineOptions()
        options.limits.batchSpanCount = 512
        pipeline = SpanPipeline(exporter: Nowhere(), options: options)
        let resource = Resource(serviceName: "bench")
        recorded = SkeinTracer(resource: resource, pipeline: pipeline)
        var never = TracerOptions()
        never.sampler = ParentBasedSampler(root: NeverSampler())
        unrecorded = SkeinTracer(resource: resource, pipeline: pipeline, options: never)
        never.countsCalls = false
        uncounted = SkeinTracer(resource: resource, pipeline: pipeline, options: never)
    }

    /// Rounds of a measurement, and bursts of one round: after each the buffer is emptied, because a
    /// span that is dropped costs less than one that is recorded.
    private static let (rounds, bursts) = (7, 60)

    /// - Parameter name: of the one case to time; `nil` for all.
    func time(only name: String?) async {
        for one in cases where name == nil || one.name == name {
            var best = Double.infinity
            for round in 0...Self.rounds {
                var spent = 0.0
                for _ in 0..<Self.bursts {
                    spent += burst(of: one)
                    await pipeline.flush()
                }
                // The first one warms up.
                guard round > 0 else { continue }
                best = min(best, spent / Double(Self.bursts * Self.runsOfBurst))
            }
            print("{\"case\": \"\(one.name)\", \"ns\": \((best * 10).rounded() / 10)}")
        }
        let counters = recorded.counters
        let dropped = counters.droppedCounts.values.reduce(0, +)
        print("{\"started\": \(counters.startedCount), \"dropped\": \(dropped)}")
    }

    /// Not async: it begins and ends on one thread.
    private func burst(of one: Case) -> Double {
        var spent = 0.0
        one.within {
            let start = CPU.ofThread
            benchLoop(Self.runsOfBurst, one.body)
            spent = CPU.ofThread - start
        }
        return spent
    }

    func count() async {
        for one in cases {
            // What happens once is over, and slots lie ready that were used before.
            one.within { for _ in 0..<Self.runsOfBurst { one.body() } }
            await pipeline.flush()
            var allocated: UInt64?
            one.within {
                let before = Allocations.counter?()
                benchLoop(Self.runsOfBurst, one.body)
                allocated = Allocations.counter.flatMap { now in before.map { now() - $0 } }
            }
            await pipeline.flush()
            let each = allocated.map { "\(Double($0) / Double(Self.runsOfBurst))" } ?? "null"
            print(
                "{\"case\": \"\(one.name)\", \"runs\": \(Self.runsOfBurst), \"allocations\": \(each)}"
            )
        }
    }
}
