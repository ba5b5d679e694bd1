// SPDX-License-Identifier: Apache-2.0

public import SkeinPropagation
public import Tracing

/// All that Skein keeps in an `InstrumentationContext`, under one key: each further key would cost
/// every span another hash and box. A class, so that looking at it copies nothing.
final class SpanScope: Sendable {
    let propagated: PropagatedContext
    /// The local span, where it is recorded and ours. It holds no context, so there is no cycle.
    let recorder: SpanRecorder?
    /// A span of this process that is not recorded, and nobody asked for the trace: who follows the
    /// parent need not look further.
    let isUnrecorded: Bool

    init(propagated: PropagatedContext, recorder: SpanRecorder? = nil) {
        self.propagated = propagated
        self.recorder = recorder
        isUnrecorded =
            propagated.trace.map { !$0.isSampled && !$0.isRemote } ?? false
            && propagated.decision == .open
    }
}

/// Where the scope stands in the context.
enum SpanScopeKey: InstrumentationContextKey {
    typealias Value = SpanScope

    static var nameOverride: String? { "skein" }
}

extension InstrumentationContext {
    /// The span that the context belongs to; `nil` outside of any.
    public var traceContext: TraceContext? { self[SpanScopeKey.self]?.propagated.trace }

    /// What the application sends along to all services on the way.
    ///
    /// Changes apply to spans and requests that are given this context afterwards.
    public var baggage: Baggage {
        get { self[SpanScopeKey.self]?.propagated.baggage ?? Baggage() }
        set { change { $0.baggage = newValue } }
    }

    /// What the application sends along to the next service alone.
    ///
    /// Changes apply to spans and requests that are given this context afterwards.
    public var onceBaggage: OnceBaggage {
        get { self[SpanScopeKey.self]?.propagated.once ?? OnceBaggage() }
        set { change { $0.once = newValue } }
    }

    private mutating func change(_ body: (inout PropagatedContext) -> Void) {
        ForeignContexts.noteUse()
        let scope = self[SpanScopeKey.self]
        var propagated = scope?.propagated ?? PropagatedContext()
        body(&propagated)
        self[SpanScopeKey.self] = SpanScope(propagated: propagated, recorder: scope?.recorder)
    }
}
