// SPDX-License-Identifier: Apache-2.0

public import SkeinPropagation
public import Tracing

/// All that Skein keeps in an `InstrumentationContext`, under one key: each further key would cost
/// every span another hash and box.
struct SpanScope: Sendable {
    var propagated: PropagatedContext
    /// The local span, where it is recorded and ours. It holds no context, so there is no cycle.
    var recorder: SpanRecorder?

    init(propagated: PropagatedContext, recorder: SpanRecorder? = nil) {
        self.propagated = propagated
        self.recorder = recorder
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
        set {
            var scope = self[SpanScopeKey.self] ?? SpanScope(propagated: PropagatedContext())
            scope.propagated.baggage = newValue
            self[SpanScopeKey.self] = scope
        }
    }
}
