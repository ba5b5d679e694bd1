// SPDX-License-Identifier: Apache-2.0

internal import Tracing

/// The span that code runs in and all that travels with it, to take along to where task locals do not
/// go: detached tasks, callbacks of event loops, threads, queues.
///
/// ```swift
/// let trace = CapturedTrace()
/// Task.detached { await trace.run { await warmCache() } }
/// eventLoop.execute(trace.wrapping { finish() })
/// ```
/// It does not keep the span from ending. What is started after that end is still its child.
public struct CapturedTrace: Sendable {
    private let local: LocalSpan
    private let context: InstrumentationContext?

    /// Takes what is current here and now.
    public init() {
        local = LocalSpan.binding.get()
        context = InstrumentationContext.current
    }

    /// Runs `body` as if it stood where this was made.
    public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let context = contextToBind else {
            return try LocalSpan.binding.withValue(local, operation: body)
        }
        return try InstrumentationContext.withValue(context) {
            try LocalSpan.binding.withValue(local, operation: body)
        }
    }

    /// Runs `body`, which may wait, as if it stood where this was made.
    public func run<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        guard let context = contextToBind else {
            return try await LocalSpan.binding.withValue(local) { try await body() }
        }
        return try await InstrumentationContext.withValue(context) {
            try await LocalSpan.binding.withValue(local) { try await body() }
        }
    }

    /// A function that runs `body` as if it stood where this was made, to give to whoever calls back.
    public func wrapping<Result>(
        _ body: @escaping @Sendable () throws -> Result
    ) -> @Sendable () throws -> Result {
        { try run(body) }
    }

    /// As the form that throws, for callbacks that may not.
    public func wrapping<Result>(
        _ body: @escaping @Sendable () -> Result
    ) -> @Sendable () -> Result {
        { run(body) }
    }

    /// A function of one value, for what is called back with one, such as a future:
    ///
    /// ```swift
    /// future.flatMapThrowing(trace.wrapping { answer in try check(answer) })
    /// ```
    public func wrapping<Input, Result>(
        _ body: @escaping @Sendable (Input) throws -> Result
    ) -> @Sendable (Input) throws -> Result {
        { input in try run { try body(input) } }
    }

    /// As the form that throws, for callbacks that may not.
    public func wrapping<Input, Result>(
        _ body: @escaping @Sendable (Input) -> Result
    ) -> @Sendable (Input) -> Result {
        { input in run { body(input) } }
    }

    /// `nil` where there was none and is none: the usual case on an event loop, and cheaper.
    private var contextToBind: InstrumentationContext? {
        context ?? (InstrumentationContext.current == nil ? nil : .topLevel)
    }
}
