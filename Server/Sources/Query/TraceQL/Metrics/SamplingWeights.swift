// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinPropagation
import Store

/// How many spans each stands for, where samplers noted it: W3C's `ot=th:…`.
enum SamplingWeights {
    /// By span of `selection`; `nil` where all stand for themselves.
    static func weights(
        of selection: borrowing SelectedSpans,
        _ spans: TraceSpans
    ) -> [Double]? {
        var known: [UInt32: Double] = [:]
        var weights: [Double] = []
        for (place, row) in selection.rows.enumerated() {
            let state = spans.columns.traceState[row]
            guard state != 0 || !weights.isEmpty else { continue }
            let weight = state == 0 ? 1 : known[state] ?? Self.weight(state, spans)
            if state != 0 { known[state] = weight }
            if weight != 1, weights.isEmpty {
                weights = Array(repeating: 1, count: place)
                weights.reserveCapacity(selection.count)
            } else if weights.isEmpty {
                continue
            }
            weights.append(weight)
        }
        return weights.isEmpty ? nil : weights
    }
    /// A span that was kept with probability p stands for 1/p.
    private static func weight(_ state: UInt32, _ spans: TraceSpans) -> Double {
        guard let parsed = TraceState(header: spans.columns.strings.text(state)),
            let threshold = parsed.samplingThreshold
        else { return 1 }
        // A threshold has 56 bits, more than a double tells apart: what is left of 2^56 is exact for
        // rare spans, whose weight is the largest.
        return 0x1p56 / Double((1 << 56) - threshold)
    }
}
