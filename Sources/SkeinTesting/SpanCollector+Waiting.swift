// SPDX-License-Identifier: Apache-2.0

internal import Skein
public import SkeinModel

// Traces of what the collector has, now or as soon as it has it.
extension SpanCollector {
    /// What has been collected of each trace, in the order their first spans ended.
    public var traces: [CollectedTrace] {
        let all = spans
        var seen: Set<TraceID> = []
        return all.map(\.traceID).filter { seen.insert($0).inserted }
            .map { CollectedTrace($0, of: all) }
    }

    /// What has been collected of one trace.
    public func trace(of traceID: TraceID) -> CollectedTrace { CollectedTrace(traceID, of: spans) }

    /// What has been collected, where it is all of one trace.
    ///
    /// - Throws: `MissingSpans`, which says what there is, where it is none or several.
    public func onlyTrace() throws -> CollectedTrace {
        let traces = traces
        if traces.count == 1 { return traces[0] }
        throw MissingSpans(
            description: "wanted spans of one trace, found \(traces.count)\n\(Self.text(traces))"
        )
    }

    /// The first trace in which there is a span for each pattern. It waits until there is one, for what
    /// other tasks do, and not an instant longer:
    /// ```swift
    /// try await client.post("/orders")
    /// let trace = try await spans.trace(containing: .span("POST /orders"), .span("send mail"))
    /// ```
    /// A span is there once it has ended: name the last one to end.
    ///
    /// - Parameters:
    ///   - pattern: What has to be there.
    ///   - more: What else has to be there.
    ///   - limit: Longest wait.
    ///   - clock: Measures the wait.
    /// - Throws: `MissingSpans`, which says what there was by then, or `CancellationError`.
    public func trace(
        containing pattern: SpanPattern,
        _ more: SpanPattern...,
        within limit: Duration = .seconds(10),
        clock: some Clock<Duration> = .continuous
    ) async throws -> CollectedTrace {
        let patterns = [pattern] + more
        let (changes, watcher) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let id = watch(watcher)
        defer { unwatch(id) }
        watcher.yield()
        let timer = Task {
            try? await clock.sleep(for: limit)
            watcher.finish()
        }
        defer { timer.cancel() }
        for await _ in changes {
            let found = traces.first { trace in patterns.allSatisfy { trace.contains($0) } }
            if let found { return found }
        }
        try Task.checkCancellation()
        let texts = patterns.map { "\n  \($0)" }.joined()
        throw MissingSpans(
            description: "no trace within \(limit) contains\(texts)\n\(Self.text(traces))"
        )
    }

    private static func text(_ traces: [CollectedTrace]) -> String {
        traces.isEmpty
            ? "no span was collected" : traces.map { TraceTree($0).text }.joined(separator: "\n")
    }
}
