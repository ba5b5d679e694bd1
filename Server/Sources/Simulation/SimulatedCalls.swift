// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Windows of call statistics that are made of a number: each has a sender and an operation of its own,
/// so that an answer shows which of them were counted, and how often.
enum SimulatedCalls {
    static let service = "caller"

    static func operation(_ number: UInt64) -> String { "window \(number)" }

    static func callCount(_ number: UInt64) -> UInt64 { 1 + number % 3 }

    static func counts(_ number: UInt64) -> CallCounts {
        var row = CallCounts.Row(
            service: service,
            operation: operation(number),
            kind: .client,
            isError: number % 5 == 0,
            peer: "called"
        )
        row.durations.add(1_000 + number, times: callCount(number))
        row.durationSum = (1_000 + number) * callCount(number)
        row.longest = 1_000 + number
        return CallCounts(
            sender: TraceID(high: 1, low: number),
            window: number % 7 + 1,
            start: 1_700_000_000_000_000_000 + number % 40 * 10_000_000_000,
            rows: [row]
        )
    }

    /// A batch of one window; `padding` bytes follow in the payload that mean nothing.
    static func batch(
        _ number: UInt64,
        tenant: Tenant,
        receivedAt: UInt64,
        padding: Int
    ) -> SpanBatch {
        var bytes: [UInt8] = []
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
        bytes += repeatElement(0x5A, count: padding)
        return SpanBatch(
            calls: counts(number),
            payload: Payload(
                format: .callsProtobuf,
                bytes: bytes,
                receivedAt: receivedAt,
                tenant: tenant
            )
        )
    }

    /// Reads such a payload again.
    static func decode(_ payload: Payload) throws -> CallCounts {
        guard payload.bytes.count >= 8 else { throw SimulatedSpans.Decoder.Malformed() }
        return counts(payload.bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
}

/// Which windows were sent, what was answered, and what must therefore be counted.
struct CallLedger {
    private struct Copy {
        let answer: SpanLedger.Standing
        let receivedAt: UInt64
        let places: [(file: Int, range: Range<Int>)]
        var isDamaged = false
    }

    private struct Entry {
        let tenant: Int
        var copies: [Copy] = []
        /// It was sent again when the store may have forgotten its sender.
        var mayCountTwice = false

        /// Of the first: a copy whose window was known already leaves nothing on the disk, so that after
        /// a crash its sender was last heard of when the window first came.
        var firstReceivedAt: UInt64 { copies.map(\.receivedAt).min() ?? 0 }
    }

    private var entries: [UInt64: Entry] = [:]
    /// Senders not heard of since may be forgotten.
    private var forgottenUpTo: UInt64 = 0

    /// Numbers of windows that were sent to a tenant.
    func numbers(_ tenant: Int) -> [UInt64] {
        entries.filter { $0.value.tenant == tenant }.map(\.key).sorted()
    }

    mutating func note(
        _ number: UInt64,
        tenant: Int,
        receivedAt: UInt64,
        _ answer: SpanLedger.Standing,
        places: [(file: Int, range: Range<Int>)]
    ) {
        var entry = entries[number] ?? Entry(tenant: tenant)
        if !entry.copies.isEmpty, entry.firstReceivedAt <= forgottenUpTo {
            entry.mayCountTwice = true
        }
        entry.copies.append(Copy(answer: answer, receivedAt: receivedAt, places: places))
        entries[number] = entry
    }

    /// Notes that the store looked at the time.
    mutating func note(maintainedAt now: UInt64) {
        let day: UInt64 = 86_400_000_000_000
        forgottenUpTo = max(forgottenUpTo, now - min(now, day))
    }

    mutating func note(damage: MediaDamage) {
        for (number, entry) in entries {
            for (index, copy) in entry.copies.enumerated()
            where copy.places.contains(where: {
                $0.file == damage.file && $0.range.overlaps(damage.range)
            }) {
                entries[number]?.copies[index].isDamaged = true
            }
        }
    }

    /// What is wrong with a window being counted so often.
    ///
    /// - Parameters:
    ///   - count: its calls in an answer.
    ///   - expiryLimit: totals received until then may have expired.
    ///   - isWhole: the answer says that nothing is missing.
    func problem(
        _ number: UInt64,
        count: UInt64,
        expiryLimit: UInt64,
        isWhole: Bool
    ) -> String? {
        let own = SimulatedCalls.callCount(number)
        guard let entry = entries[number] else {
            return count == 0 ? nil : "window \(number) was never sent, and is counted"
        }
        if count == 0 {
            let mustBeThere = entry.copies.contains {
                $0.answer == .acknowledged && !$0.isDamaged && $0.receivedAt > expiryLimit
            }
            // What is counted once belongs to the copy that came first, and goes with it.
            let mayBeGone = entry.copies.contains {
                $0.answer != .refused && ($0.receivedAt <= expiryLimit || $0.isDamaged)
            }
            return mustBeThere && !mayBeGone && isWhole
                ? "window \(number) was acknowledged and is not counted" : nil
        }
        guard entry.copies.contains(where: { $0.answer != .refused }) else {
            return "window \(number) was refused and is counted"
        }
        let isRight = entry.mayCountTwice ? count.isMultiple(of: own) : count == own
        return isRight ? nil : "window \(number) has \(own) calls, \(count) are counted"
    }
}
