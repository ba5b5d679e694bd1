// SPDX-License-Identifier: Apache-2.0

public import Skein
public import SkeinModel
internal import Synchronization
public import Tracing

/// Collects finished spans in memory, at once when they end:
/// ```swift
/// let spans = SpanCollector()
/// withTracer(spans.makeTracer()) {
///     placeOrder()
/// }
/// let trace = try spans.onlyTrace()
/// #expect(trace.contains(.span("charge card").attribute("order.id", 4711)))
/// ```
/// What other tasks still have to end, `trace(containing:within:)` waits for. It is meant for tests:
/// nothing bounds what it keeps.
public final class SpanCollector: SpanSink {
    private struct State {
        var spans: [SpanRecord] = []
        var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher = 0
    }

    private let state = Mutex(State())

    /// Makes a collector without spans.
    public init() {}

    /// Makes a tracer whose spans end up here.
    ///
    /// - Parameters:
    ///   - serviceName: The attribute `service.name` of the tracer's resource.
    ///   - options: Sampler, propagators and limits.
    /// - Returns: A tracer that nothing else knows of; give it to `withTracer`.
    public func makeTracer(
        serviceName: String = "test",
        options: TracerOptions = TracerOptions()
    ) -> SkeinTracer {
        SkeinTracer(resource: Resource(serviceName: serviceName), sink: self, options: options)
    }

    public func accept(_ span: SpanRecord) {
        let watchers = state.withLock { state in
            state.spans.append(span)
            return state.watchers
        }
        for watcher in watchers.values { watcher.yield() }
    }

    /// All spans, in the order they ended.
    public var spans: [SpanRecord] { state.withLock { $0.spans } }

    /// Spans without a parent in this process or another.
    public var roots: [SpanRecord] { spans.filter(\.isRoot) }

    /// The spans of an operation.
    public func spans(named name: String) -> [SpanRecord] { spans.filter { $0.name == name } }

    /// The first span of an operation to end.
    public func first(named name: String) -> SpanRecord? { spans.first { $0.name == name } }

    /// The spans of one trace.
    public func spans(of trace: TraceID) -> [SpanRecord] {
        spans.filter { $0.traceID == trace }
    }

    /// The spans right below `parent`.
    public func children(of parent: SpanRecord) -> [SpanRecord] {
        spans.filter {
            $0.traceID == parent.traceID && $0.parentSpanID == parent.spanID
        }
    }

    /// Spans with this attribute; `nil` stands for any value.
    public func spans(
        withAttribute key: String,
        equalTo value: SpanAttribute? = nil
    ) -> [SpanRecord] {
        spans.filter { span in
            guard let found = span.attributes.get(key) else { return false }
            return value.map { $0 == found } ?? true
        }
    }

    /// Forgets all spans.
    public func removeAll() { state.withLock { $0.spans = [] } }

    /// Lets `watcher` know of each further span.
    func watch(_ watcher: AsyncStream<Void>.Continuation) -> Int {
        state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = watcher
            return state.nextWatcher
        }
    }

    func unwatch(_ id: Int) { state.withLock { _ = $0.watchers.removeValue(forKey: id) } }
}
