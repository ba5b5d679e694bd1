// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import SkeinSampling
internal import Synchronization
internal import Tracing

/// What all spans of one tracer share.
@usableFromInline
final class TracerCore: Sendable {
    let resource: Resource
    let sink: any SpanSink
    /// The sink, where it is one that takes spans without a record made of them.
    let pipeline: SpanPipeline?
    let counters: CounterCells
    let ids: IDGenerator
    let propagator: CombinedPropagator
    let limits: SpanLimits
    let isEnabled: Bool
    /// Whether spans that start may be recorded.
    let isRecording: Atomic<Bool>
    /// Keys of baggage that become attributes of each recorded span.
    let copiedKeys: [String]
    /// Where spans of our own are recorded.
    let slab: SpanSlab
    /// Those of `slab`.
    let slots: SlotMemory
    /// Counts calls, where they are counted.
    let calls: CallStatistics?
    /// The same; see there.
    let heldCalls: HeldCalls
    @usableFromInline let countsCalls: Bool
    /// So many ended spans in one shard of the slab wake whoever takes them out.
    let wakeCount: Int
    let wake: @Sendable () -> Void
    private let sampler: any Sampler
    /// The sampler does what a parent of this process did, so there it need not be asked.
    let followsParents: Bool

    init(
        resource: Resource,
        sink: any SpanSink,
        counters: CounterCells,
        options: TracerOptions,
        slab: SpanSlab,
        calls: CallStatistics?,
        wakeCount: Int,
        wake: @escaping @Sendable () -> Void
    ) {
        self.resource = resource
        self.sink = sink
        pipeline = sink as? SpanPipeline
        self.counters = counters
        ids = IDGenerator(random: Transport.random)
        propagator = CombinedPropagator(options.propagators)
        limits = options.limits
        copiedKeys = options.copiedBaggageKeys
        isEnabled = options.isEnabled
        isRecording = Atomic(options.isRecording)
        sampler = options.sampler
        followsParents = sampler is ParentBasedSampler
        self.slab = slab
        slots = slab.slots
        self.calls = calls
        heldCalls = HeldCalls(calls)
        countsCalls = calls != nil
        counters.add(slab)
        self.wakeCount = wakeCount
        self.wake = wake
    }

    /// Whether a span that starts now may be recorded: nobody switched recording off, and there are
    /// threads that will export it.
    var mayRecord: Bool { isRecording.load(ordering: .relaxed) && !Transport.isForkedCopy }

    /// Decides about a span that is about to start: as the caller asked, or as the sampler says.
    ///
    /// - Parameters:
    ///   - traceID: Of the trace that the span belongs to.
    ///   - propagated: What the span's surroundings, or a carrier, say.
    ///   - name: The operation.
    ///   - kind: The role in a call.
    ///   - local: The innermost span of ours where it starts.
    func decide(
        traceID: TraceID,
        propagated: PropagatedContext?,
        name: String,
        kind: SkeinModel.SpanKind,
        within local: LocalSpan
    ) -> SamplingDecision {
        guard mayRecord, local.bits & LocalSpan.exportingBit == 0 else { return .drop }
        var parent = propagated?.trace
        switch propagated?.decision ?? .open {
        case .open: break
        case .debug: return .sample
        // Whoever leaves the decision to us has none that a child could follow.
        case .deferred: parent = nil
        case .drop where parent == nil: return .drop
        case .record where parent == nil: return .sample
        case .drop, .record: break
        }
        let input = SamplingInput(
            traceID: traceID,
            randomness: propagated?.trace?.state.samplingRandomness,
            parent: parent.map { .init(isSampled: $0.isSampled, isRemote: $0.isRemote) },
            name: name,
            kind: kind,
            // Below a parent of this process nothing depends on the time, and it costs a call.
            time: parent.map(\.isRemote) ?? true ? Transport.monotonicNanoseconds() : 0
        )
        return sampler.decision(for: input)
    }

    /// The context of a new span: a new id in the parent's trace, or in one of its own.
    func child(
        of parent: TraceContext?,
        traceID: TraceID,
        decision: SamplingDecision
    ) -> TraceContext {
        // Our own ids are random; of others we know what they say.
        var flags: TraceFlags = parent.map { $0.flags.intersection(.random) } ?? .random
        if decision.isSampled { flags.insert(.sampled) }
        var state = parent?.state ?? TraceState()
        if let threshold = decision.threshold, threshold.rawValue > 0 {
            state.setSamplingThreshold(threshold.rawValue)
        } else if !decision.isSampled, state.samplingThreshold != nil {
            // What an earlier sampler promised no longer holds for what is below this span.
            state.setSamplingThreshold(nil)
        }
        return TraceContext(traceID: traceID, spanID: ids.spanID(), flags: flags, state: state)
    }
}

extension Tracing.SpanKind {
    /// The same kind in Skein's vocabulary.
    var model: SkeinModel.SpanKind {
        switch self {
        case .internal: .internal
        case .server: .server
        case .client: .client
        case .producer: .producer
        case .consumer: .consumer
        }
    }
}
