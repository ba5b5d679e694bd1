// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
public import SkeinPropagation
internal import Tracing

// Carriers for spans of our own: two closures, no carrier type to write.
extension SkeinTracer {
    /// Writes what travels with the innermost span to a carrier; nothing outside of any span.
    ///
    /// ```swift
    /// tracer.inject { headers.add(name: $0, value: $1) }
    /// ```
    public func inject(_ set: (_ key: String, _ value: String) -> Void) {
        if let propagated = TracerCore.current { core.propagator.inject(propagated, set: set) }
    }

    /// Reads a carrier; give what it returns to `span(_:_:continuing:_:)`.
    ///
    /// ```swift
    /// let caller = tracer.extract { request.headers[$0] }
    /// ```
    /// - Parameter value: Gives the carrier's value for a key in lower case, several of one key
    ///   joined by commas.
    public func extract(_ value: (_ key: String) -> String?) -> PropagatedContext {
        var found = PropagatedContext()
        core.propagator.extract(into: &found, value: value)
        core.countDropped(found)
        return found
    }

    /// Runs `body` in a span that continues what a carrier brought.
    ///
    /// - Parameters:
    ///   - name: The operation.
    ///   - kind: The role in the call.
    ///   - peer: The service at the other end, where it is known; see the form without `continuing`.
    ///   - caller: What `extract` found; where it holds no trace, a new one begins.
    ///   - isolation: Where `body` runs.
    ///   - body: Is given the span.
    public func span<Result>(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind = .server,
        peer: @autoclosure () -> String = "",
        continuing caller: PropagatedContext,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ActiveSpan) async throws -> Result
    ) async rethrows -> Result {
        guard needsContext(caller) else {
            return try await run(name, kind, peer(), caller, isolation: isolation, body)
        }
        let peer = peer()
        return try await InstrumentationContext.withValue(context(of: caller)) {
            try await run(name, kind, peer, caller, isolation: isolation, body)
        }
    }

    private func run<Result>(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        _ peer: String,
        _ caller: PropagatedContext,
        isolation: isolated (any Actor)?,
        _ body: (ActiveSpan) async throws -> Result
    ) async rethrows -> Result {
        guard core.isEnabled else {
            return try await body(ActiveSpan(core: nil, record: 0, local: .none))
        }
        let span = core.begin(name, kind, peer: peer, continuing: caller)
        defer { core.end(span) }
        guard span.local.bits & LocalSpan.stateBit == 0 else {
            return try await core.withState(of: span, isolation: isolation) {
                try await run(span, isolation: isolation, body)
            }
        }
        return try await LocalSpan.binding.withValue(span.local) {
            try await run(span, isolation: isolation, body)
        }
    }

    /// Whether something travels that has no room in 40 bytes.
    private func needsContext(_ caller: PropagatedContext) -> Bool {
        caller.hasBaggage || !(caller.trace?.state.isEmpty ?? true)
    }

    private func context(of caller: PropagatedContext) -> InstrumentationContext {
        ForeignContexts.noteUse()
        var context = InstrumentationContext.current ?? .topLevel
        context[SpanScopeKey.self] = SpanScope(propagated: caller)
        return context
    }
}
