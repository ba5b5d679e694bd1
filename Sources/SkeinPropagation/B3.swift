// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// Zipkin's B3, in one header or in several.
///
/// ```
/// b3: TRACE-SPAN[-STATE[-PARENT]]     or     b3: STATE
///
/// x-b3-traceid: TRACE    x-b3-spanid: SPAN    x-b3-sampled: 0 | 1    x-b3-flags: 1 (debug)
/// ```
/// A trace id has 16 or 32 hexadecimal digits, a span id 16. The state is `1`, `0` or `d` (debug);
/// where it is missing the decision is deferred to whoever is called. Both forms are read, the single
/// header first. The parent's id is not sent: spans here are not shared between client and server.
public struct B3: Propagator {
    /// How a context is written.
    public enum Form: Sendable {
        /// One header, `b3`.
        case single
        /// `x-b3-traceid` and its like.
        case multiple
    }

    /// How contexts are written; both forms are read.
    public var form: Form

    /// Makes the propagator.
    public init(_ form: Form = .single) { self.form = form }

    private enum Key {
        static let single = "b3"
        static let trace = "x-b3-traceid"
        static let span = "x-b3-spanid"
        static let sampled = "x-b3-sampled"
        static let flags = "x-b3-flags"
    }

    public var keys: [String] { [Key.single, Key.trace, Key.span, Key.sampled, Key.flags] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        if let header = HexField.bounded(value(Key.single)), extract(single: header, into: &context)
        {
            return
        }
        extractMultiple(into: &context, value: value)
    }

    private func extract(single header: String, into context: inout PropagatedContext) -> Bool {
        let fields = header.split(separator: "-", maxSplits: 4, omittingEmptySubsequences: false)
        if fields.count == 1 {
            guard let decision = Self.decision(fields[0]) else { return false }
            context.decision = decision
            return true
        }
        guard fields.count <= 4, let ids = Self.ids(fields[0], fields[1]) else { return false }
        var decision = CallerDecision.deferred
        if fields.count > 2 {
            guard let stated = Self.decision(fields[2]) else { return false }
            decision = stated
        }
        if fields.count > 3, HexField.spanID(fields[3]) == nil { return false }
        Self.set(ids, decision, in: &context)
        return true
    }

    private func extractMultiple(
        into context: inout PropagatedContext,
        value: (String) -> String?
    ) {
        var decision = CallerDecision.deferred
        switch HexField.bounded(value(Key.sampled)) {
        case "1", "true", "True", "TRUE": decision = .record
        case "0", "false", "False", "FALSE": decision = .drop
        default: break
        }
        if value(Key.flags) == "1" { decision = .debug }
        if let trace = HexField.bounded(value(Key.trace)),
            let span = HexField.bounded(value(Key.span)),
            let ids = Self.ids(Substring(trace), Substring(span))
        {
            Self.set(ids, decision, in: &context)
        } else if decision != .deferred {
            context.decision = decision
        }
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        guard let trace = context.trace, trace.traceID.isValid, trace.spanID.isValid else {
            injectDecision(context.decision, set: set)
            return
        }
        let ids = (trace.traceID.shortHex, Hex.text(trace.spanID.raw))
        let isDebug = context.decision == .debug
        let isDeferred = context.decision == .deferred && !trace.isSampled
        switch form {
        case .single:
            let state = isDeferred ? "" : isDebug ? "-d" : trace.isSampled ? "-1" : "-0"
            set(Key.single, ids.0 + "-" + ids.1 + state)
        case .multiple:
            set(Key.trace, ids.0)
            set(Key.span, ids.1)
            if isDebug {
                // Debug implies a recorded trace; both together are not to be sent.
                set(Key.flags, "1")
            } else if !isDeferred {
                set(Key.sampled, trace.isSampled ? "1" : "0")
            }
        }
    }

    /// A decision may travel without a trace.
    private func injectDecision(_ decision: CallerDecision, set: (String, String) -> Void) {
        switch (decision, form) {
        case (.open, _), (.deferred, _): break
        case (.drop, .single): set(Key.single, "0")
        case (.record, .single): set(Key.single, "1")
        case (.debug, .single): set(Key.single, "d")
        case (.drop, .multiple): set(Key.sampled, "0")
        case (.record, .multiple): set(Key.sampled, "1")
        case (.debug, .multiple): set(Key.flags, "1")
        }
    }

    private static func ids(_ trace: Substring, _ span: Substring) -> (TraceID, SpanID)? {
        guard trace.utf8.count == 16 || trace.utf8.count == 32, span.utf8.count == 16,
            let traceID = HexField.traceID(trace), let spanID = HexField.spanID(span)
        else { return nil }
        return (traceID, spanID)
    }

    private static func decision(_ state: Substring) -> CallerDecision? {
        switch state {
        case "1", "true": .record
        case "0", "false": .drop
        case "d": .debug
        default: nil
        }
    }

    private static func set(
        _ ids: (TraceID, SpanID),
        _ decision: CallerDecision,
        in context: inout PropagatedContext
    ) {
        let isSampled = decision == .record || decision == .debug
        context.trace = TraceContext(
            traceID: ids.0,
            spanID: ids.1,
            flags: isSampled ? .sampled : [],
            isRemote: true
        )
        context.decision = decision
    }
}
