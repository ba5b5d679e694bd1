// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
public import Store

// Call statistics of the services that the generator makes spans of.
extension SpanGenerator {
    /// A window, and every call in it.
    public struct Calls: Sendable {
        public var counts: CallCounts
        /// By row: how long each call took, in nanoseconds.
        public var durations: [[UInt64]]
    }

    /// The window of a seed: different ones for different seeds. The last hundred of a thousand have
    /// calls of many minutes.
    public static func calls(seed: UInt64) -> Calls {
        var random = SeededGenerator(seed: seed ^ 0xCA11)
        let minute = UInt64.random(in: 1...24, using: &random)
        let second = UInt64.random(in: 0..<6, using: &random) * 10
        var calls = Calls(
            counts: CallCounts(
                sender: TraceID(high: 7, low: seed / 1_000 + 1),
                window: seed % 1_000 + 1,
                start: 1_700_000_000_000_000_000 + (minute * 60 + second) * 1_000_000_000
            ),
            durations: []
        )
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let kinds: [SpanKind] = [.server, .client, .producer, .consumer]
            let kind = random.pick(kinds)
            var row = CallCounts.Row(
                service: random.pick(services),
                operation: random.oneIn(15) ? nil : random.pick(operations),
                kind: kind,
                isError: random.oneIn(4),
                peer: kind != .server && random.oneIn(2) ? random.pick(services) : nil
            )
            var durations: [UInt64] = []
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let octaves: UInt64 = seed % 1_000 < 900 ? 34 : 41
                let top = UInt64(1) << UInt64.random(in: 0..<octaves, using: &random)
                durations.append(random.oneIn(20) ? 0 : UInt64.random(in: 1...top, using: &random))
            }
            for duration in durations { row.durations.add(duration) }
            row.durationSum = durations.reduce(0, +)
            row.longest = durations.max() ?? 0
            calls.counts.rows.append(row)
            calls.durations.append(durations)
        }
        return calls
    }

    /// A batch whose payload is the seed, which `Decoder` turns into the same window.
    public static func callBatch(seed: UInt64, tenant: Tenant = .default) -> SpanBatch {
        var payload = payload(seed: seed, tenant: tenant)
        payload.format = .callsProtobuf
        // Later than any clock says: a store may forget senders of long ago.
        payload.receivedAt = 4_000_000_000_000_000_000
        return SpanBatch(calls: calls(seed: seed).counts, payload: payload)
    }
}
