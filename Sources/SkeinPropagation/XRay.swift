// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// AWS X-Ray's header.
///
/// ```
/// x-amzn-trace-id: Root=1-SSSSSSSS-RRRRRRRRRRRRRRRRRRRRRRRR;Parent=PPPPPPPPPPPPPPPP;Sampled=1
///                         seconds  random
/// ```
/// The trace id is the seconds (8 hexadecimal digits) followed by the 24 random ones. Fields come in
/// any order; `Sampled` is `1`, `0` or `?`, which leaves the decision open. Without a parent there is
/// no context to continue, but the decision counts.
public struct XRay: Propagator {
    /// Makes the propagator.
    public init() {}

    private static let key = "x-amzn-trace-id"

    public var keys: [String] { [Self.key] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        guard let header = HexField.bounded(value(Self.key)) else { return }
        var traceID: TraceID?
        var spanID: SpanID?
        var decision = CallerDecision.deferred
        for field in header.split(separator: ";") {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { return }
            let text = pair[1].drop { $0 == " " }
            switch pair[0].drop(while: { $0 == " " }) {
            case "Root": traceID = Self.traceID(text)
            case "Parent": spanID = text.utf8.count == 16 ? HexField.spanID(text) : nil
            case "Sampled": decision = text == "1" ? .record : text == "0" ? .drop : .deferred
            default: break
            }
        }
        guard let traceID, let spanID else {
            if decision != .deferred { context.decision = decision }
            return
        }
        context.trace = TraceContext(
            traceID: traceID,
            spanID: spanID,
            flags: decision == .record ? .sampled : [],
            isRemote: true
        )
        context.decision = decision
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        guard let trace = context.trace, trace.traceID.isValid, trace.spanID.isValid else { return }
        let digits = trace.traceID.hex
        let isDeferred = context.decision == .deferred && !trace.isSampled
        let sampled = isDeferred ? "?" : trace.isSampled ? "1" : "0"
        set(
            Self.key,
            "Root=1-" + digits.prefix(8) + "-" + digits.dropFirst(8) + ";Parent="
                + Hex.text(trace.spanID.raw) + ";Sampled=" + sampled
        )
    }

    private static func traceID(_ text: Substring) -> TraceID? {
        let fields = text.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 3, fields[0] == "1", fields[1].utf8.count == 8,
            fields[2].utf8.count == 24
        else { return nil }
        return HexField.traceID(fields[1] + fields[2])
    }
}
