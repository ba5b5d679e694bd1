// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import Glibc
import Skein
import SkeinModel
import SkeinTesting
import Testing
import Tracing

@_silgen_name("fork") private func copyProcess() -> Int32

@Suite struct ForkTests {
    /// Runs `body` in a copy of this process; gives what it returns.
    private func inCopy(_ body: () -> Int32) -> Int32? {
        let process = copyProcess()
        if process == 0 { _exit(body()) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return nil }
        }
        // Ended by `_exit`, not by a signal.
        return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
    }

    @Test func `a copy of the process never waits, records nothing and counts`() async {
        let exporter = ScriptedExporter()
        let pipeline = SpanPipeline(exporter: exporter)
        let tracer = SkeinTracer(resource: Resource(serviceName: "x"), pipeline: pipeline)
        tracer.startSpan("waits in the parent").end()
        let running = tracer.startSpan("running")
        let code = tracer.span("own running") { own in
            inCopy {
                alarm(30)
                // What runs ends, and is counted.
                running.attributes["k"] = "v"
                running.end()
                // What starts is not recorded, of either kind.
                if tracer.startSpan("new").isRecording { return 1 }
                let isRecorded = tracer.span("own new") { $0.isRecording }
                if isRecorded { return 2 }
                // No lock of another thread is waited for, however often.
                for _ in 0..<5_000 { tracer.span("more") { _ in } }
                tracer.forceFlush()
                let counters = tracer.counters
                if counters.droppedCounts[.forked] != 1 { return 3 }
                if counters.startedCount != 3 || counters.notSampledCount != 5_002 { return 4 }
                return 42
            }
        }
        #expect(code == 42)
        running.end()
        #expect(await pipeline.shutdown())
        // The parent did not notice.
        #expect(Set(exporter.sent.joined()) == ["waits in the parent", "running", "own running"])
        #expect(pipeline.counters.exportedCount == 3)
        #expect(pipeline.counters.droppedCounts.isEmpty)
    }

    @Test func `a copy of the process counts no calls and sends none`() async {
        let exporter = StatisticsExporter()
        let pipeline = SpanPipeline(exporter: exporter)
        let tracer = SkeinTracer(resource: Resource(serviceName: "test"), pipeline: pipeline)
        tracer.span("ask", .client) { _ in }
        let foreign = tracer.startSpan("never seen before", ofKind: .server)
        let code = tracer.span("around", .client) { around in
            inCopy {
                alarm(30)
                around.rename("renamed in the copy")
                foreign.end()
                for _ in 0..<5_000 {
                    tracer.span("ask", .client) { _ in }
                    tracer.startSpan("answer", ofKind: .server).end()
                }
                tracer.forceFlush()
                let counters = pipeline.callCounters
                return counters.startedWindowCount == 0 && counters.missedCount == 0 ? 42 : 1
            }
        }
        #expect(code == 42)
        tracer.span("ask", .client) { _ in }
        foreign.end()
        #expect(await pipeline.shutdown())
        #expect(
            exporter.totals.mapValues(\.callCount) == [
                StatisticsExporter.Key(operation: "ask"): 2,
                StatisticsExporter.Key(operation: "around"): 1,
                StatisticsExporter.Key(operation: "never seen before", kind: .server): 1,
            ]
        )
    }
}
#endif
