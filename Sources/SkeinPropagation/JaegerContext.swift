// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// Jaeger's own headers.
///
/// ```
/// uber-trace-id: TRACE:SPAN:PARENT:FLAGS      hexadecimal, zeros in front left out
/// uberctx-KEY: VALUE                          one header a baggage member, percent-encoded
/// jaeger-debug-id: ANYTHING                   record this request whatever the sampler says
/// ```
/// Flags are 1 (sampled) and 2 (debug). The colons may arrive as `%3A`. Baggage is read for the keys
/// that the application names, because a carrier cannot be asked for keys that begin with something.
public struct JaegerContext: Propagator {
    /// Baggage keys to look for.
    public var baggageKeys: [String]

    /// Makes the propagator.
    ///
    /// - Parameter baggageKeys: Baggage keys to look for in a carrier; all are written.
    public init(baggageKeys: [String] = []) { self.baggageKeys = baggageKeys }

    private static let traceKey = "uber-trace-id"
    private static let debugKey = "jaeger-debug-id"
    private static let baggagePrefix = "uberctx-"

    public var keys: [String] {
        [Self.traceKey, Self.debugKey] + baggageKeys.map { Self.baggagePrefix + $0 }
    }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        if let header = HexField.bounded(value(Self.traceKey)),
            let found = Self.parse(header)
        {
            context.trace = found.trace
            context.decision = found.decision
        }
        if value(Self.debugKey).map({ !$0.isEmpty }) ?? false { context.decision = .debug }
        for key in baggageKeys {
            guard let text = HexField.bounded(value(Self.baggagePrefix + key)) else { continue }
            context.baggage.set(PercentCoding.decoded(Array(text.utf8)[...]), forKey: key)
        }
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        if let trace = context.trace, trace.traceID.isValid, trace.spanID.isValid {
            let flags = context.decision == .debug ? "3" : trace.isSampled ? "1" : "0"
            let ids = trace.traceID.shortHex + ":" + Hex.text(trace.spanID.raw)
            set(Self.traceKey, ids + ":0:" + flags)
        }
        for member in context.baggage.members {
            set(Self.baggagePrefix + member.key, PercentCoding.encoded(member.value))
        }
    }

    private static func parse(_ header: String) -> (trace: TraceContext, decision: CallerDecision)?
    {
        let text = header.contains("%") ? PercentCoding.decoded(Array(header.utf8)[...]) : header
        let fields = text.split(separator: ":", maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count == 4, let traceID = HexField.traceID(fields[0]),
            let spanID = HexField.spanID(fields[1]),
            (1...2).contains(fields[3].utf8.count), let flags = UInt8(fields[3], radix: 16)
        else { return nil }
        let isDebug = flags & 2 != 0
        let isSampled = flags & 1 != 0 || isDebug
        let trace = TraceContext(
            traceID: traceID,
            spanID: spanID,
            flags: isSampled ? .sampled : [],
            isRemote: true
        )
        return (trace, isDebug ? .debug : isSampled ? .record : .drop)
    }
}
