// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

/// The innermost span of `SkeinTracer.span` around the running code: 40 bytes without a reference,
/// so that reading and binding it costs next to nothing.
///
/// What else travels with a trace (`tracestate`, baggage) stays in `InstrumentationContext`.
@usableFromInline
struct LocalSpan: Sendable, BitwiseCopyable {
    @usableFromInline var traceHigh: UInt64
    @usableFromInline var traceLow: UInt64
    @usableFromInline var spanID: UInt64
    /// Which `InstrumentationContext` was current when this was bound. As long as it still is, this
    /// span is the newer of the two.
    @usableFromInline var surroundings: UInt
    /// Trace flags in the low byte; see the constants.
    @usableFromInline var bits: UInt64

    /// The trace is recorded.
    @usableFromInline static let sampledBit: UInt64 = 1
    /// The low 56 bits of the trace id are random.
    @usableFromInline static let randomBit: UInt64 = 2
    /// Somebody asked for this very trace.
    @usableFromInline static let debugBit: UInt64 = 1 << 8
    /// A sampler wrote to the trace's state: it has to travel.
    @usableFromInline static let stateBit: UInt64 = 1 << 10
    /// The code that runs works for the tracer itself: nothing in it is recorded.
    static let exportingBit: UInt64 = 1 << 11
    /// The context that was current when this was bound belongs to the same span.
    static let contextBit: UInt64 = 1 << 12
    /// There is a span at all.
    @usableFromInline static let presentBit: UInt64 = 1 << 9

    /// The innermost span; bound by hand, because code inlined into applications needs it.
    @usableFromInline static let binding = TaskLocal(wrappedValue: LocalSpan.none)

    @usableFromInline static let none = LocalSpan(
        traceHigh: 0,
        traceLow: 0,
        spanID: 0,
        surroundings: 0,
        bits: 0
    )

    /// What the tracer's own work is bound to, so that a traced client of an exporter does not make the
    /// spans of its exports for ever.
    static let exporting = LocalSpan(
        traceHigh: 0,
        traceLow: 0,
        spanID: 0,
        surroundings: 0,
        bits: exportingBit
    )

    @usableFromInline
    init(traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, surroundings: UInt, bits: UInt64) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.spanID = spanID
        self.surroundings = surroundings
        self.bits = bits
    }

    /// The span of a scope that is not recorded.
    init(of scope: SpanScope, _ surroundings: UInt) {
        let trace = scope.propagated.trace
        self.init(
            traceHigh: trace?.traceID.high ?? 0,
            traceLow: trace?.traceID.low ?? 0,
            spanID: trace?.spanID.raw ?? 0,
            surroundings: surroundings,
            bits: Self.presentBit | UInt64(trace?.flags.rawValue ?? 0)
        )
    }

    @inlinable var isPresent: Bool { bits & Self.presentBit != 0 }
    @inlinable var isSampled: Bool { bits & Self.sampledBit != 0 }
    /// There is a span, and it is not recorded.
    @inlinable var isUnrecorded: Bool {
        bits & (Self.presentBit | Self.sampledBit) == Self.presentBit
    }

    /// Whether this span was bound later than `context` was.
    ///
    /// - Parameter hasScope: Whether `context` holds anything of ours. What was bound before any
    ///   context mattered has no mark of its surroundings: then it is newer than an empty one only.
    func isNewer(than context: InstrumentationContext, hasScope: Bool) -> Bool {
        guard isPresent else { return false }
        return surroundings == 0 ? !hasScope : surroundings == ForeignContexts.identity(of: context)
    }

    /// All that travels with this span: the ids are its own, state and baggage those around it.
    func propagated(_ surroundings: PropagatedContext?) -> PropagatedContext {
        let decision: CallerDecision = bits & Self.debugBit != 0 ? .debug : .open
        guard var propagated = surroundings else {
            return PropagatedContext(trace: context(state: TraceState()), decision: decision)
        }
        let isSameTrace = propagated.trace.map { $0.traceID.low == traceLow } ?? false
        let state = isSameTrace ? propagated.trace?.state : nil
        propagated.trace = context(state: state ?? TraceState())
        propagated.decision = decision
        return propagated
    }

    /// The same as a context of propagation, with the state that came with the trace.
    private func context(state: TraceState) -> TraceContext {
        TraceContext(
            traceID: TraceID(high: traceHigh, low: traceLow),
            spanID: SpanID(spanID),
            flags: TraceFlags(rawValue: UInt8(truncatingIfNeeded: bits)),
            state: state
        )
    }
}
