// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
internal import SkeinPropagation
internal import SkeinSampling
internal import Synchronization
internal import Tracing

// The start and the end of spans that are recorded in the slab.
extension TracerCore {
    /// Whether no span of swift-distributed-tracing began since `local`.
    @usableFromInline
    func isInnermost(_ local: LocalSpan) -> Bool {
        local.surroundings == ForeignContexts.identity
    }

    /// A span that is not recorded under one that is: recording was switched off in between.
    @inline(never)
    private func unrecorded(below parent: LocalSpan) -> BegunSpan {
        counters.notSampled.add(1, ordering: .relaxed)
        var local = parent
        local.spanID = ids.spanID().raw
        local.bits &= ~LocalSpan.sampledBit
        return BegunSpan(unrecorded: local)
    }

    @usableFromInline
    func begin(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        peer: @autoclosure () -> String,
        under local: LocalSpan
    ) -> BegunSpan {
        counted(begin(name, kind, under: local), name, kind, peer())
    }

    @inline(__always)
    private func begin(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        under local: LocalSpan
    ) -> BegunSpan {
        let surroundings = ForeignContexts.identity
        guard isEnabled else { return BegunSpan(unrecorded: local) }
        if local.isPresent, local.surroundings == surroundings {
            guard local.isSampled else { return BegunSpan(unrecorded: local) }
            guard mayRecord else { return unrecorded(below: local) }
            let span = record(name, kind, parent: local, isRemote: false, state: "", surroundings)
            if !copiedKeys.isEmpty, span.isRecorded { copyBaggage(to: span.record, nil) }
            return span
        }
        return beginElsewhere(name, kind, under: local, surroundings)
    }

    /// A span whose parent is one of swift-distributed-tracing, comes from another process, or is
    /// not there.
    @inline(never)
    private func beginElsewhere(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        under local: LocalSpan,
        _ surroundings: UInt
    ) -> BegunSpan {
        var propagated: PropagatedContext?
        if surroundings != 0, let scope = InstrumentationContext.current?[SpanScopeKey.self] {
            if scope.isUnrecorded, followsParents {
                counters.notSampled.add(1, ordering: .relaxed)
                return BegunSpan(unrecorded: LocalSpan(of: scope, surroundings))
            }
            propagated = scope.propagated
        }
        if propagated?.trace == nil, local.isPresent { propagated = local.propagated(propagated) }
        return begin(name, kind, continuing: propagated, surroundings)
    }

    /// A span that continues what a carrier brought.
    func begin(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        peer: String,
        continuing propagated: PropagatedContext
    ) -> BegunSpan {
        let surroundings = ForeignContexts.identity
        return counted(
            begin(name, kind, continuing: propagated, surroundings),
            name,
            kind,
            peer
        )
    }

    /// A span that continues what came from elsewhere, or a root.
    @inline(never)
    private func begin(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        continuing propagated: PropagatedContext?,
        _ surroundings: UInt
    ) -> BegunSpan {
        let parent = propagated?.trace
        let traceID = parent?.traceID ?? ids.traceID()
        let within = LocalSpan.binding.get()
        let decision = decide(
            traceID: traceID,
            propagated: propagated,
            name: "\(name)",
            kind: kind,
            within: within
        )
        var bits = LocalSpan.presentBit
        if parent.map({ $0.flags.contains(.random) }) ?? true { bits |= LocalSpan.randomBit }
        if decision.isSampled { bits |= LocalSpan.sampledBit }
        if propagated?.decision == .debug { bits |= LocalSpan.debugBit }
        var state = parent?.state ?? TraceState()
        if let threshold = decision.threshold, threshold.rawValue > 0 {
            state.setSamplingThreshold(threshold.rawValue)
            bits |= LocalSpan.stateBit
        }
        let around = LocalSpan(
            traceHigh: traceID.high,
            traceLow: traceID.low,
            spanID: parent?.spanID.raw ?? 0,
            surroundings: surroundings,
            bits: bits
        )
        guard decision.isSampled else {
            counters.notSampled.add(1, ordering: .relaxed)
            var own = around
            own.spanID = ids.spanID().raw
            own.bits |= within.bits & LocalSpan.exportingBit
            return BegunSpan(unrecorded: own)
        }
        let span = record(
            name,
            kind,
            parent: around,
            isRemote: parent?.isRemote ?? false,
            state: state.text,
            surroundings
        )
        if !copiedKeys.isEmpty, span.isRecorded, let propagated {
            copyBaggage(to: span.record, propagated)
        }
        return span
    }

    @inline(__always)
    private func record(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        parent: LocalSpan,
        isRemote: Bool,
        state: String,
        _ surroundings: UInt
    ) -> BegunSpan {
        var local = parent
        local.surroundings = surroundings
        let record = slots.claim { writer, record in
            let slot = writer.slot
            local.spanID = ids.spanID(of: record).raw
            slot.pointee.contentCount = 0
            slot.pointee.attributeCount = 0
            slot.pointee.eventCount = 0
            slot.pointee.linkCount = 0
            slot.pointee.droppedAttributes = 0
            slot.pointee.droppedEvents = 0
            slot.pointee.droppedLinks = 0
            slot.pointee.status = 0
            slot.pointee.mayRepeatKeys = false
            slot.pointee.callSeries = 0
            slot.pointee.keyBits = 0
            slot.pointee.kind = kind.rawValue
            slot.pointee.flags = UInt8(truncatingIfNeeded: local.bits & 3)
            slot.pointee.parentIsRemote = isRemote
            slot.pointee.traceHigh = local.traceHigh
            slot.pointee.traceLow = local.traceLow
            slot.pointee.spanID = local.spanID
            slot.pointee.parentID = parent.spanID
            if !state.isEmpty { slot.pointee.traceState = state }
            name.withBytes(writer.name)
            slot.pointee.start = Transport.wallNanoseconds()
        }
        guard let record else {
            counters.started.add(1, ordering: .relaxed)
            counters.ended.add(1, ordering: .relaxed)
            counters.drop(1, .bufferFull)
            local.spanID = ids.spanID().raw
            return BegunSpan(unrecorded: local)
        }
        return BegunSpan(record: record, local: local)
    }

    /// Runs `body` with the state of `span`'s trace bound, which the span's own binding cannot hold.
    @usableFromInline
    func withState<Result>(of span: BegunSpan, _ body: () throws -> Result) rethrows -> Result {
        try InstrumentationContext.withValue(context(with: span)) {
            try LocalSpan.binding.withValue(Self.inner(span), operation: body)
        }
    }

    /// See the form that does not wait.
    @usableFromInline
    func withState<Result>(
        of span: BegunSpan,
        isolation: isolated (any Actor)?,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await InstrumentationContext.withValue(context(with: span)) {
            try await LocalSpan.binding.withValue(Self.inner(span), operation: body)
        }
    }

    /// The binding of a span whose state was bound around it just now.
    private static func inner(_ span: BegunSpan) -> LocalSpan {
        var local = span.local
        local.bits &= ~LocalSpan.stateBit
        local.surroundings = ForeignContexts.identity
        return local
    }

    private func context(with span: BegunSpan) -> InstrumentationContext {
        ForeignContexts.noteUse()
        var context = InstrumentationContext.current ?? .topLevel
        let old = context[SpanScopeKey.self]?.propagated
        var propagated = span.local.propagated(old)
        if span.isRecorded {
            propagated.trace?.state =
                TraceState(header: slab.traceState(span.record)) ?? TraceState()
        }
        context[SpanScopeKey.self] = SpanScope(propagated: propagated)
        return context
    }

    @usableFromInline
    func end(_ span: BegunSpan) {
        guard span.isRecorded else {
            if span.record != 0 { CallStatistics.end(span.record, at: Transport.wallNanoseconds()) }
            return
        }
        guard let slot = slots.end(span.record, at: Transport.wallNanoseconds()) else {
            counters.repeatedEnds.add(1, ordering: .relaxed)
            return
        }
        if slot.pointee.callSeries != 0 {
            withCalls { calls in
                calls.count(
                    slot.pointee.callSeries &- 1,
                    from: slot.pointee.start,
                    to: slot.pointee.end,
                    isError: slot.pointee.status == 2
                )
            }
        }
        let waiting = slots.handOver(slot, of: span.record)
        // More than one count wakes, because of two that end at once either may see both, or neither
        // see what the exporter just took. Who wakes for each span does so whatever is seen.
        if (wakeCount..<wakeCount &+ Limits.wakeTries).contains(waiting) || wakeCount == 1 {
            wake()
        }
    }
}
