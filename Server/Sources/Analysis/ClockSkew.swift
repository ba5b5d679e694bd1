// SPDX-License-Identifier: Apache-2.0

import SkeinModel

extension SpanFrame {
    /// The largest correction: a clock further off is broken, and moving its spans would hide that.
    public static let clockShiftMaxNanoseconds: UInt64 = 3_600_000_000_000

    /// Moves spans of hosts whose clock is provably off into the span that called them.
    ///
    /// Two spans share a clock when their hosts are equal; where one names no host nothing can be
    /// said and nothing moves but what its parent moves by. A call cannot be taken before it is
    /// made, and a server cannot answer after its client has the answer: that, and no more, is
    /// corrected. The move is half of the room the child leaves in its parent, and everything below
    /// on the same host moves along.
    public mutating func correctClockSkew(
        _ tree: TraceTree,
        limit: UInt64 = SpanFrame.clockShiftMaxNanoseconds
    ) {
        for place in tree.order.indices {
            let row = tree.order[place]
            guard tree.parent[place] >= 0 else {
                if tree.isParentMissing[place] { warnParentMissing(row) }
                continue
            }
            let parent = tree.order[Int(tree.parent[place])]
            // The parent stands before the child in the order, so its shift is final.
            guard let here = host[row], let there = host[parent], here != there else {
                if host[row] == host[parent] { shift(row, by: clockShift[parent]) }
                continue
            }
            let (distance, isForward) = correction(child: row, parent: parent)
            guard distance > 0 else { continue }
            guard distance <= limit, let amount = Int64(exactly: distance) else {
                warn(
                    row,
                    "clock differs from its parent's by \(distance / 1_000_000) ms, more than the "
                        + "\(limit / 1_000_000) ms that are corrected; times are as sent"
                )
                continue
            }
            shift(row, by: isForward ? amount : -amount)
            warn(row, "clock corrected by \(isForward ? "+" : "-")\(amount / 1000) µs")
        }
    }

    private mutating func warnParentMissing(_ row: Int) {
        let id = SpanID(parentID[row])
        warn(
            row,
            parentID[row] == spanID[row]
                ? "the span names itself as its parent"
                : "parent span ID=\(id) is not in the trace; skipping clock skew adjustment"
        )
    }

    /// How far `child` must move to fit its parent, and whether to later times.
    private func correction(child: Int, parent: Int) -> (distance: UInt64, isForward: Bool) {
        let isCall = kind[child] == .server && kind[parent] == .client
        let isEarly = start[child] < start[parent]
        let isLate = isCall && end[child] > end[parent]
        guard isEarly || isLate else { return (0, true) }
        let room = end[parent] - start[parent]
        let length = end[child] - start[child]
        let latency = room > length ? (room - length) / 2 : 0
        // A child longer than its parent only begins with it.
        if length > room, !isEarly { return (0, true) }
        let target = start[parent] + latency
        return target >= start[child]
            ? (target - start[child], true) : (start[child] - target, false)
    }

    private mutating func shift(_ row: Int, by amount: Int64) {
        guard amount != 0 else { return }
        clockShift[row] = amount
        start[row] = shifted(start[row], by: amount)
        end[row] = shifted(end[row], by: amount)
    }
}

/// `time` moved by `amount` nanoseconds, held between the first and the last time there is.
public func shifted(_ time: UInt64, by amount: Int64) -> UInt64 {
    let (sum, overflow) =
        amount >= 0
        ? time.addingReportingOverflow(amount.magnitude)
        : time.subtractingReportingOverflow(amount.magnitude)
    return overflow ? (amount >= 0 ? .max : 0) : sum
}
