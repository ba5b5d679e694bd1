// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
public import SkeinPropagation
public import SkeinSampling
internal import Synchronization
public import Tracing

/// Starts spans for one resource and hands them to one sink when they end.
///
/// A process has as many tracers as it has services, most often one, made by
/// `SkeinTracing.bootstrap(_:)`. Several may share a pipeline:
/// ```swift
/// let pipeline = SpanPipeline(exporter: exporter)
/// let orders = SkeinTracer(resource: Resource(serviceName: "order"), pipeline: pipeline)
/// let stock = SkeinTracer(resource: Resource(serviceName: "stock"), pipeline: pipeline)
/// ```
/// Keep a tracer in a constant: `InstrumentationSystem.tracer` costs more than a span does.
public final class SkeinTracer: Tracer {
    /// The spans this tracer starts.
    public typealias Span = SkeinSpan

    /// Who the spans speak of.
    public var resource: Resource { core.resource }
    @usableFromInline let core: TracerCore
    private let flushSink: @Sendable () -> Void
    /// Spans that wait, once what nobody will export is counted as dropped.
    private let queuedCount: @Sendable () -> Int

    /// Makes a tracer that hands its spans to a sink of yours.
    ///
    /// - Parameters:
    ///   - resource: Who the spans speak of.
    ///   - sink: Takes each span when it ends, one after the other; what it does is not recorded.
    ///   - options: Sampler, propagators and limits.
    public init(resource: Resource, sink: any SpanSink, options: TracerOptions = TracerOptions()) {
        let limits = PipelineLimits()
        let slab = SpanSlab(spanCount: limits.spanCount, byteCount: limits.byteCount)
        // One at a time: who ended a span returns when the sink has it, whoever gave it.
        let giving = Mutex(())
        core = TracerCore(
            resource: resource,
            sink: sink,
            counters: CounterCells(),
            options: options,
            slab: slab,
            calls: nil,
            wakeCount: 1
        ) {
            // The one who ends a span gives it to the sink, as spans of the other kind do.
            giving.withLock { _ in
                // What the sink does is not recorded: it would end here again.
                LocalSpan.binding.withValue(.exporting) {
                    for batch in slab.take(resource, limit: limits.spanCount) {
                        batch.records().forEach(sink.accept)
                        slab.release(batch.encoded.count)
                    }
                }
            }
        }
        flushSink = {}
        queuedCount = { 0 }
    }

    /// Makes a tracer that exports its spans by a pipeline, whose counters it shares.
    ///
    /// - Parameters:
    ///   - resource: Who the spans speak of.
    ///   - pipeline: Exports the spans; other tracers may use it too.
    ///   - options: Sampler, propagators and limits.
    public init(
        resource: Resource,
        pipeline: SpanPipeline,
        options: TracerOptions = TracerOptions()
    ) {
        core = TracerCore(
            resource: resource,
            sink: pipeline,
            counters: pipeline.cells,
            options: options,
            slab: pipeline.makeSlab(for: resource),
            calls: options.countsCalls ? pipeline.makeStatistics(for: resource) : nil,
            wakeCount: pipeline.slabWakeCount
        ) { pipeline.startFlush() }
        flushSink = { pipeline.startFlush() }
        queuedCount = {
            pipeline.settleLeftovers()
            return pipeline.queuedCount
        }
    }

    /// What became of this tracer's spans, and of those of all tracers with the same pipeline.
    public var counters: TracingCounters { core.counters.snapshot(queuedCount: queuedCount()) }

    /// Whether spans that start from now on may be recorded: the switch to throw when tracing itself
    /// is suspected, or has to stop at once. While it is `false` no sampler and no caller counts, not
    /// even one that asks for `debug`; a span costs what one does that is not sampled. Spans that run
    /// already are finished and exported.
    public var isRecording: Bool {
        get { core.isRecording.load(ordering: .relaxed) }
        set { core.isRecording.store(newValue, ordering: .relaxed) }
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> InstrumentationContext,
        ofKind kind: Tracing.SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> SkeinSpan {
        let outer = context()
        guard core.isEnabled else { return SkeinSpan(context: outer, recorder: nil, call: 0) }
        ForeignContexts.noteUse()
        let scope = outer[SpanScopeKey.self]
        let local = LocalSpan.binding.get()
        if let scope, scope.isUnrecorded, core.followsParents,
            !local.isNewer(than: outer, hasScope: true)
        {
            core.counters.notSampled.add(1, ordering: .relaxed)
            let call = core.openCall(operationName, kind, local, instant().nanosecondsSinceEpoch)
            return SkeinSpan(context: outer, recorder: nil, call: call)
        }
        let propagated = TracerCore.newest(outer, scope, local)
        let parent = propagated?.trace
        let traceID = parent?.traceID ?? core.ids.traceID()
        let decision = core.decide(
            traceID: traceID,
            propagated: propagated,
            name: operationName,
            kind: kind.model,
            within: local
        )
        var call: UInt64 = 0
        if !decision.isSampled {
            core.counters.notSampled.add(1, ordering: .relaxed)
            call = core.openCall(operationName, kind, local, instant().nanosecondsSinceEpoch)
            // A child that is not sampled either adds nothing: its parent's context serves.
            if let parent, !parent.isSampled, !parent.isRemote, scope?.propagated.trace == parent {
                return SkeinSpan(context: outer, recorder: nil, call: call)
            }
        }
        let trace = core.child(of: parent, traceID: traceID, decision: decision)
        let recorder =
            decision.isSampled
            ? SpanRecorder(
                context: trace,
                parent: parent,
                name: operationName,
                kind: kind,
                start: instant().nanosecondsSinceEpoch,
                owner: core
            ) : nil
        var inner = outer
        var own = propagated ?? PropagatedContext()
        own.trace = trace
        // The flags say the rest; that somebody is looking for this trace they cannot.
        own.decision = propagated?.decision == .debug ? .debug : .open
        if let recorder, !core.copiedKeys.isEmpty {
            recorder.setAttributes(core.copiedAttributes(of: own))
        }
        inner[SpanScopeKey.self] = SpanScope(propagated: own, recorder: recorder)
        return SkeinSpan(context: inner, recorder: recorder, call: call)
    }

    /// The recorded span that `context` belongs to, while it runs and is one of this tracer's.
    public func activeSpan(identifiedBy context: InstrumentationContext) -> SkeinSpan? {
        guard let recorder = context[SpanScopeKey.self]?.recorder,
            recorder.owner === core, !recorder.hasEnded
        else { return nil }
        return SkeinSpan(context: context, recorder: recorder, call: 0)
    }

    /// Starts the export of what has ended and returns at once; `SpanPipeline.flush` waits for it.
    public func forceFlush() { flushSink() }

    /// Reads the carrier into `context`; what the carrier does not say stays as it was.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout InstrumentationContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        ForeignContexts.noteUse()
        var found = PropagatedContext()
        core.propagator.extract(into: &found) { extractor.extract(key: $0, from: carrier) }
        core.countDropped(found)
        guard
            found.trace != nil || found.carriesBaggage || found.decision != .open
        else { return }
        let scope = context[SpanScopeKey.self]
        guard scope != nil || found.hasBaggage else {
            // The usual request: nothing of ours was there.
            return context[SpanScopeKey.self] = SpanScope(propagated: found)
        }
        var propagated = scope?.propagated ?? PropagatedContext()
        if let trace = found.trace { propagated.trace = trace }
        if found.trace != nil || found.decision != .open { propagated.decision = found.decision }
        if found.carriesBaggage || propagated.hasBaggage {
            if !found.baggage.isEmpty { propagated.baggage = found.baggage }
            // What came before, or was to go, belongs to another request.
            propagated.once = found.once
        }
        context[SpanScopeKey.self] = SpanScope(
            propagated: propagated,
            recorder: found.trace == nil ? scope?.recorder : nil
        )
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let propagated = TracerCore.newest(context, context[SpanScopeKey.self]) else {
            return
        }
        core.propagator.inject(propagated) { key, value in
            injector.inject(value, forKey: key, into: &carrier)
        }
    }
}

/// What a tracer does with spans and carriers.
public struct TracerOptions: Sendable {
    /// Decides which spans are recorded.
    public var sampler: any Sampler = ParentBasedSampler(root: AlwaysSampler())
    /// Read and write carriers, in this order.
    public var propagators: [any Propagator] = [
        W3CTraceContext(), W3CBaggage(), OnceBaggageHeader(),
    ]
    /// Keys of baggage, such as `order.id`, whose values become attributes of each recorded span. With
    /// none, the usual case, nobody looks for any.
    public var copiedBaggageKeys: [String] = []
    /// How much one span may carry.
    public var limits = SpanLimits()
    /// `false` passes every context on untouched and records nothing.
    public var isEnabled = true
    /// Whether the tracer records from the start; `SkeinTracer.isRecording` changes it later.
    public var isRecording = true

    /// Whether every call, sampled or not, is counted, and the counts exported: calls, errors and
    /// durations by operation, peer and kind. Calls are spans that are not internal ones. It needs a
    /// pipeline whose exporter carries them (`CallStatisticsExporter`); `docs/call-statistics.md` says
    /// what it costs.
    public var countsCalls = true

    /// Makes options that record all traces but those a caller decided not to.
    public init() {}
}
