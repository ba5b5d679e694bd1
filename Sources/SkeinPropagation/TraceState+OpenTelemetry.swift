// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// The member `ot`, by which consistent samplers tell each other what they did:
/// `ot=th:fd70a4;rv:0123456789abcd`.
///
/// Both numbers have 56 bits. A span is sampled where its randomness is not below the threshold.
extension TraceState {
    /// `th`, the rejection threshold: 56 bits, written without the zeros at its end.
    public var samplingThreshold: UInt64? {
        guard let digits = openTelemetryField("th"), (1...14).contains(digits.utf8.count) else {
            return nil
        }
        guard let value = SpanID(hex: digits)?.raw else { return nil }
        return value << UInt64(4 * (14 - digits.utf8.count))
    }

    /// `rv`, the randomness to use in place of the trace id's low 56 bits.
    public var samplingRandomness: UInt64? {
        guard let digits = openTelemetryField("rv"), digits.utf8.count == 14 else { return nil }
        return SpanID(hex: digits)?.raw
    }

    /// Writes `th`, or takes it out, and leaves the other fields of `ot` as they are.
    ///
    /// - Parameter threshold: Below 2^56; `nil` where the trace is not sampled by a known ratio.
    public mutating func setSamplingThreshold(_ threshold: UInt64?) {
        var fields = (self["ot"] ?? "").split(separator: ";")
            .filter { !$0.hasPrefix("th:") }
            .map(String.init)
        if let threshold, threshold < 1 << 56 {
            var digits = Hex.text(threshold).dropFirst(2)
            while digits.count > 1, digits.last == "0" { digits.removeLast() }
            fields.insert("th:" + digits, at: 0)
        }
        if fields.isEmpty {
            remove("ot")
        } else {
            set(fields.joined(separator: ";"), forKey: "ot")
        }
    }

    private func openTelemetryField(_ name: String) -> Substring? {
        // Nearly every trace: no look-up, no allocation.
        guard !isEmpty, let member = self["ot"] else { return nil }
        return member.split(separator: ";")
            .first { $0.hasPrefix(name + ":") }?
            .dropFirst(name.count + 1)
    }
}
