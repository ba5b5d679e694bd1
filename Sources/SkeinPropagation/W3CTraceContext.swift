// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// W3C Trace Context: `traceparent` and `tracestate`.
///
/// ```
/// offset  0  2                                   35                52 55
///         00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
///         version    trace id                     span id          flags
/// ```
/// A version above 00 may go on after another `-`; what follows is not read, and we send 00.
public struct W3CTraceContext: Propagator {
    /// Makes the propagator.
    public init() {}

    public var keys: [String] { ["traceparent", "tracestate"] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        guard let parent = value("traceparent"), var trace = Self.parse(parent) else { return }
        if let header = value("tracestate"), let state = TraceState(header: header) {
            trace.state = state
        }
        context.trace = trace
        // The flags say it all, but that somebody asked for this very trace still counts.
        if context.decision != .debug { context.decision = .open }
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        guard let trace = context.trace, trace.traceID.isValid, trace.spanID.isValid else { return }
        set("traceparent", trace.traceparent)
        if !trace.state.isEmpty { set("tracestate", trace.state.text) }
    }

    /// Reads a `traceparent`; `nil` for anything the standard calls invalid.
    private static func parse(_ text: String) -> TraceContext? {
        let bytes = text.utf8.span
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash else {
            return nil
        }
        guard let version = byte(bytes, at: 0), version != 0xFF else { return nil }
        guard bytes.count == 55 || (version != 0 && bytes[55] == dash) else { return nil }
        // The standard makes upper case invalid.
        guard let high = Hex.lowerCaseValue(bytes, at: 3),
            let low = Hex.lowerCaseValue(bytes, at: 19),
            let span = Hex.lowerCaseValue(bytes, at: 36), let flags = byte(bytes, at: 53)
        else { return nil }
        let traceID = TraceID(high: high, low: low)
        let spanID = SpanID(span)
        guard traceID.isValid, spanID.isValid else { return nil }
        return TraceContext(
            traceID: traceID,
            spanID: spanID,
            flags: TraceFlags(rawValue: flags),
            isRemote: true
        )
    }

    /// Two lower-case hexadecimal digits.
    private static func byte(_ bytes: borrowing Span<UInt8>, at place: Int) -> UInt8? {
        let (first, second) = (bytes[place], bytes[place + 1])
        guard let high = Hex.value(of: first), Hex.digit(of: high) == first,
            let low = Hex.value(of: second), Hex.digit(of: low) == second
        else { return nil }
        return high << 4 | low
    }
}
