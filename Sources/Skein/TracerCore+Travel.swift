// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import Synchronization
internal import Tracing

// What travels with spans besides their ids.
extension TracerCore {
    /// What a span or a request in `context` continues: the scope that stands there, or the span of
    /// our own that was begun since.
    static func newest(
        _ context: InstrumentationContext,
        _ scope: SpanScope?,
        _ local: LocalSpan = LocalSpan.binding.get()
    ) -> PropagatedContext? {
        guard local.isNewer(than: context, hasScope: scope != nil) else { return scope?.propagated }
        return local.propagated(scope?.propagated)
    }

    /// What travels with the innermost span of either kind; `nil` outside of any.
    static var current: PropagatedContext? {
        guard ForeignContexts.areUsed else {
            let local = LocalSpan.binding.get()
            return local.isPresent ? local.propagated(nil) : nil
        }
        let context = InstrumentationContext.current ?? .topLevel
        return newest(context, context[SpanScopeKey.self])
    }

    /// The current context with what travels changed by `change`.
    func context(changing change: (inout PropagatedContext) -> Void) -> InstrumentationContext {
        let known = Self.current
        ForeignContexts.noteUse()
        var context = InstrumentationContext.current ?? .topLevel
        var propagated = known ?? PropagatedContext()
        // It stays the active span, unless one of our own was begun since.
        var recorder = context[SpanScopeKey.self]?.recorder
        if recorder?.context.spanID != propagated.trace?.spanID { recorder = nil }
        change(&propagated)
        context[SpanScopeKey.self] = SpanScope(propagated: propagated, recorder: recorder)
        return context
    }

    /// Counts what a carrier held too much.
    func countDropped(_ found: PropagatedContext) {
        guard found.hasBaggage else { return }
        let count = found.baggage.droppedCount + found.once.received.droppedCount
        if count > 0 { counters.droppedBaggageMembers.add(count, ordering: .relaxed) }
    }

    /// The values that become attributes of a span with this context.
    func copiedAttributes(of context: PropagatedContext) -> SpanAttributes {
        var attributes = SpanAttributes([:])
        for key in copiedKeys {
            if let value = context.value(key) { attributes.set(key, value: .string(value)) }
        }
        return attributes
    }

    /// Sets the same attributes on a span of our own.
    @inline(never)
    func copyBaggage(to record: UInt64, _ propagated: PropagatedContext?) {
        guard let context = propagated ?? Self.current else { return }
        for key in copiedKeys {
            if let value = context.value(key) { set(record, key: key, value: .string(value)) }
        }
    }
}
