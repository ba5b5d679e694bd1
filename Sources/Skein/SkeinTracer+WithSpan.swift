// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
public import Tracing

// The everyday forms of swift-distributed-tracing's `withSpan`, for who holds a `SkeinTracer` itself:
// they do the same, but know what need not be bound. A context or a time that is given explicitly goes
// the general way.
extension SkeinTracer {
    /// Runs `operation` in a new span under the current one, and ends the span afterwards; an error that
    /// is thrown is noted on it.
    ///
    /// - Parameters:
    ///   - operationName: The operation.
    ///   - kind: The role in a call.
    ///   - function: Where in the program the span begins; not kept.
    ///   - fileID: As `function`.
    ///   - line: As `function`.
    ///   - operation: Is given the span. It must not end it.
    public func withSpan<Result>(
        _ operationName: String,
        ofKind kind: Tracing.SpanKind = .internal,
        function: String = #function,
        file fileID: String = #fileID,
        line: UInt = #line,
        _ operation: (SkeinSpan) throws -> Result
    ) rethrows -> Result {
        let outer = InstrumentationContext.current ?? .topLevel
        if let span = unrecordedChild(of: outer, kind) { return try operation(span) }
        let span = startSpan(
            operationName,
            context: outer,
            ofKind: kind,
            at: DefaultTracerClock.now,
            function: function,
            file: fileID,
            line: line
        )
        defer { span.end(at: DefaultTracerClock.now) }
        do {
            return try InstrumentationContext.$current.withValue(span.context) {
                guard let local = unrecordedLocal(of: span) else { return try operation(span) }
                return try LocalSpan.binding.withValue(local) { try operation(span) }
            }
        } catch {
            span.recordError(error, attributes: [:], at: DefaultTracerClock.now)
            span.setStatus(SpanStatus(code: .error))
            throw error
        }
    }

    /// Runs `operation`, which may wait, in a new span; see the form that does not.
    ///
    /// - Parameters:
    ///   - operationName: The operation.
    ///   - kind: The role in a call.
    ///   - isolation: The caller's; `operation` runs there.
    ///   - function: Where in the program the span begins; not kept.
    ///   - fileID: As `function`.
    ///   - line: As `function`.
    ///   - operation: Is given the span. It must not end it.
    public func withSpan<Result>(
        _ operationName: String,
        ofKind kind: Tracing.SpanKind = .internal,
        isolation: isolated (any Actor)? = #isolation,
        function: String = #function,
        file fileID: String = #fileID,
        line: UInt = #line,
        _ operation: (SkeinSpan) async throws -> Result
    ) async rethrows -> Result {
        let outer = InstrumentationContext.current ?? .topLevel
        if let span = unrecordedChild(of: outer, kind) { return try await operation(span) }
        let span = startSpan(
            operationName,
            context: outer,
            ofKind: kind,
            at: DefaultTracerClock.now,
            function: function,
            file: fileID,
            line: line
        )
        defer { span.end(at: DefaultTracerClock.now) }
        do {
            return try await InstrumentationContext.$current.withValue(span.context) {
                guard let local = unrecordedLocal(of: span) else {
                    return try await operation(span)
                }
                return try await LocalSpan.binding.withValue(local) { try await operation(span) }
            }
        } catch {
            span.recordError(error, attributes: [:], at: DefaultTracerClock.now)
            span.setStatus(SpanStatus(code: .error))
            throw error
        }
    }

    /// A span under one that is not recorded: nothing is to be bound, noted or ended. `nil` where more
    /// has to be known.
    @inline(__always)
    private func unrecordedChild(
        of outer: InstrumentationContext,
        _ kind: Tracing.SpanKind
    ) -> SkeinSpan? {
        guard kind == .internal || !core.countsCalls, core.isEnabled, core.followsParents else {
            return nil
        }
        let local = LocalSpan.binding.get()
        guard local.isUnrecorded, local.bits & LocalSpan.contextBit != 0,
            local.surroundings == ForeignContexts.identity(of: outer)
        else { return nil }
        core.counters.notSampled.add(1, ordering: .relaxed)
        return SkeinSpan(context: outer, recorder: nil, call: 0)
    }

    /// What tells children of `span` without a look into its context that they are not recorded; `nil`
    /// where they are, or may be.
    private func unrecordedLocal(of span: SkeinSpan) -> LocalSpan? {
        guard span.recorder == nil else { return nil }
        let (around, identity) = (
            LocalSpan.binding.get(), ForeignContexts.identity(of: span.context)
        )
        // It may be told already: of a call under a span that is not recorded.
        guard around.bits & LocalSpan.contextBit == 0 || around.surroundings != identity,
            let scope = span.context[SpanScopeKey.self], scope.isUnrecorded
        else { return nil }
        var local = LocalSpan(of: scope, identity)
        local.bits |= LocalSpan.contextBit | around.bits & LocalSpan.exportingBit
        return local
    }
}
