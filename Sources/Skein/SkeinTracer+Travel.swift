// SPDX-License-Identifier: Apache-2.0

public import SkeinPropagation
internal import Tracing

// What the application sends along, for spans of either kind.
extension SkeinTracer {
    /// What travels with the innermost span: baggage of the whole chain, and of one hop.
    ///
    /// ```swift
    /// let order = tracer.traveling.value("order.id")
    /// ```
    public var traveling: PropagatedContext { TracerCore.current ?? PropagatedContext() }

    /// Runs `body` with more, or less, to send along: to spans and requests that begin in it.
    ///
    /// ```swift
    /// try await tracer.sending { $0.put("order.id", id) } around: {
    ///     try await reserve(id)          // and whom that calls, and whom those call
    /// }
    /// tracer.sending { $0.putOnce("attempt", "2") } around: { … }   // the next service alone
    /// ```
    /// What leaves a process can be read on the way: keep secrets out of it.
    ///
    /// - Parameters:
    ///   - change: Changes what travels. The trace itself stays as it is.
    ///   - body: Runs with it.
    public func sending<Result>(
        _ change: (inout PropagatedContext) -> Void,
        around body: () throws -> Result
    ) rethrows -> Result {
        guard core.isEnabled else { return try body() }
        return try InstrumentationContext.withValue(core.context(changing: change), operation: body)
    }

    /// Runs `body`, which may wait, with more, or less, to send along; see the form that does not.
    public func sending<Result>(
        _ change: (inout PropagatedContext) -> Void,
        isolation: isolated (any Actor)? = #isolation,
        around body: () async throws -> Result
    ) async rethrows -> Result {
        guard core.isEnabled else { return try await body() }
        return try await InstrumentationContext.withValue(core.context(changing: change)) {
            try await body()
        }
    }
}
