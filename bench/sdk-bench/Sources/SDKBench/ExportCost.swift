// SPDX-License-Identifier: Apache-2.0

import Skein

/// What spans cost after their end, on threads that are not the application's.
enum ExportCost {
    /// Spans recorded before they are flushed: one batch, so that none is dropped.
    private static let burst = 512

    static func measure(spanCount: Int) async {
        let pipeline = SpanPipeline(exporter: Nowhere())
        let tracer = SkeinTracer(resource: Resource(serviceName: "bench"), pipeline: pipeline)
        await record(burst, by: tracer, pipeline)
        let start = CPU.ofProcess
        let ofCaller = await record(spanCount, by: tracer, pipeline)
        let ofExport = CPU.ofProcess - start - ofCaller
        let count = Double(spanCount)
        print(
            "{\"caller_ns\": \(ofCaller / count), \"export_ns\": \(ofExport / count), "
                + "\"dropped\": \(tracer.counters.droppedCounts.values.reduce(0, +))}"
        )
    }

    /// The CPU of the threads that record.
    @discardableResult
    private static func record(
        _ spanCount: Int,
        by tracer: SkeinTracer,
        _ pipeline: SpanPipeline
    ) async -> Double {
        var ofCaller = 0.0
        var left = spanCount
        while left > 0 {
            let count = min(burst, left)
            left -= count
            ofCaller += burst(count, by: tracer)
            await pipeline.flush()
        }
        return ofCaller
    }

    /// Not async: it begins and ends on one thread.
    private static func burst(_ count: Int, by tracer: SkeinTracer) -> Double {
        let start = CPU.ofThread
        benchLoop(count) {
            tracer.span("GET /api/v1/order/{id}", .server) { Attributes.set($0) }
        }
        return CPU.ofThread - start
    }
}
