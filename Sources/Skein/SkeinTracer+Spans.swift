// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
internal import SkeinPropagation
internal import Tracing

// Spans of our own: what has to cost nothing uses these, everything else swift-distributed-tracing.
// Both see each other's current span.
extension SkeinTracer {
    /// Runs `body` in a span.
    ///
    /// The span ends when `body` returns or throws; an error is noted on it. Under a parent of this
    /// process a span is recorded exactly where its parent is; otherwise the caller or the sampler
    /// decides.
    ///
    /// - Parameters:
    ///   - name: The operation. For a name that is known only when the program runs, use
    ///     `ActiveSpan.rename`.
    ///   - kind: The role in a call.
    ///   - peer: The service at the other end of a call: the attribute `peer.service`, by which call
    ///     statistics are told apart too. It is looked at only where the span is recorded or counted.
    ///   - body: Is given the span.
    @inlinable
    public func span<Result>(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind = .internal,
        peer: @autoclosure () -> String = "",
        _ body: (ActiveSpan) throws -> Result
    ) rethrows -> Result {
        let parent = LocalSpan.binding.get()
        if addsNothing(kind, under: parent) {
            return try body(ActiveSpan(core: nil, record: 0, local: parent))
        }
        let span = core.begin(name, kind, peer: peer(), under: parent)
        defer { core.end(span) }
        // A call that is counted and not recorded goes on in its parent.
        if !span.isRecorded, span.local.spanID == parent.spanID { return try run(span, body) }
        guard span.local.bits & LocalSpan.stateBit == 0 else {
            return try core.withState(of: span) { try run(span, body) }
        }
        return try LocalSpan.binding.withValue(span.local) { try run(span, body) }
    }

    /// Runs `body`, which may wait, in a span; see the form that does not.
    @inlinable
    public func span<Result>(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind = .internal,
        peer: @autoclosure () -> String = "",
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ActiveSpan) async throws -> Result
    ) async rethrows -> Result {
        let parent = LocalSpan.binding.get()
        if addsNothing(kind, under: parent) {
            return try await body(ActiveSpan(core: nil, record: 0, local: parent))
        }
        let span = core.begin(name, kind, peer: peer(), under: parent)
        defer { core.end(span) }
        if !span.isRecorded, span.local.spanID == parent.spanID {
            return try await run(span, isolation: isolation, body)
        }
        guard span.local.bits & LocalSpan.stateBit == 0 else {
            return try await core.withState(of: span, isolation: isolation) {
                try await run(span, isolation: isolation, body)
            }
        }
        return try await LocalSpan.binding.withValue(span.local) {
            try await run(span, isolation: isolation, body)
        }
    }

    /// Whether a span under `parent` is neither recorded nor counted: the parent is ours, is the
    /// innermost, and is not recorded. Then its place serves, and nothing is started.
    @inlinable
    func addsNothing(_ kind: SkeinModel.SpanKind, under parent: LocalSpan) -> Bool {
        parent.isUnrecorded && !(kind.isCall && core.countsCalls) && core.isInnermost(parent)
    }

    /// Calls `body` and notes the error that it throws.
    @inlinable
    func run<Result>(
        _ span: BegunSpan,
        _ body: (ActiveSpan) throws -> Result
    ) rethrows -> Result {
        do {
            // Two calls, because one that is given either would count a reference.
            guard span.isRecorded else { return try body(span.unrecorded) }
            return try body(span.recorded(core))
        } catch {
            span.active(core).fail(error)
            throw error
        }
    }

    /// Calls `body` and notes the error that it throws.
    @inlinable
    func run<Result>(
        _ span: BegunSpan,
        isolation: isolated (any Actor)?,
        _ body: (ActiveSpan) async throws -> Result
    ) async rethrows -> Result {
        do {
            return try await body(span.active(core))
        } catch {
            span.active(core).fail(error)
            throw error
        }
    }
}
