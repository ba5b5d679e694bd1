// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinPropagation

/// What a propagator finds in a carrier of texts.
func extract(_ propagator: some Propagator, _ carrier: [String: String]) -> PropagatedContext {
    var context = PropagatedContext()
    propagator.extract(into: &context) { carrier[$0] }
    return context
}

/// What a propagator writes.
func inject(_ propagator: some Propagator, _ context: PropagatedContext) -> [String: String] {
    var carrier: [String: String] = [:]
    propagator.inject(context) { carrier[$0] = $1 }
    return carrier
}

enum Sample {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let short = "a3ce929d0e0e4736"
    static let span = "00f067aa0ba902b7"
    static let parent = "05e3ac9a4f6e3b90"

    static func context(
        _ trace: String = trace,
        sampled: Bool = true,
        decision: CallerDecision = .open
    ) -> PropagatedContext {
        PropagatedContext(
            trace: TraceContext(
                traceID: TraceID(hex: trace) ?? .zero,
                spanID: SpanID(hex: span) ?? SpanID(0),
                flags: sampled ? .sampled : []
            ),
            decision: decision
        )
    }
}

/// A hostile carrier: each value long, none of any format.
let hostileTexts: [String] = [
    "", "-", "--", "---", ":", ":::", ";;;", "=", "Root=", "\u{0}", "%", "%3A%3A%3A",
    String(repeating: "a", count: 100_000), String(repeating: "-", count: 100_000),
    String(repeating: ":", count: 100_000), String(repeating: "%3", count: 100_000),
    String(repeating: "é", count: 2_000), "🧶-🧶-🧶-🧶",
    "ffffffffffffffffffffffffffffffffff-ffffffffffffffff-1",
    "00000000000000000000000000000000-0000000000000000-1",
]
