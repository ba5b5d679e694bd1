// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Which windows of call statistics were counted, so that one that a sender sends again, because it
/// did not hear the answer, does not count twice.
///
/// Windows of a sender are numbered from 1: a run of them takes two numbers. Senders are forgotten a
/// day after their last window (`Limits.callSenderNanoseconds`); they give up within the hour. Of more
/// senders than the bound the ones longest unheard of are forgotten, a batch of them at once, and gaps
/// between runs are closed: whoever makes senders up fills no memory.
///
/// In a totals file (a frame of varints):
///
/// | field | meaning |
/// |---|---|
/// | senders | count, then each ascending: id (16 bytes), newest receipt, runs as below |
/// | runs | count, then each: first less the last of the run before, last less first |
struct KnownWindows: Sendable, Equatable {
    fileprivate struct Sender: Equatable {
        /// Ascending, never next to each other.
        var runs: [ClosedRange<UInt64>] = []
        /// Nanoseconds since 1970.
        var receivedAt: UInt64 = 0
    }

    private var senders: [TraceID: Sender] = [:]
    /// Runs of all senders but the first of each.
    private var gapCount = 0

    var isEmpty: Bool { senders.isEmpty }

    init() {}

    /// Notes a window.
    ///
    /// - Returns: `false` where it was known.
    mutating func insert(_ window: UInt64, of id: TraceID, receivedAt: UInt64) -> Bool {
        add([window...window], of: id, receivedAt: receivedAt)
    }

    /// - Returns: `false` where the last of the runs was known.
    @discardableResult
    private mutating func add(
        _ runs: [ClosedRange<UInt64>],
        of id: TraceID,
        receivedAt: UInt64
    ) -> Bool {
        var sender = senders[id] ?? Sender()
        gapCount -= max(0, sender.runs.count - 1)
        var isNew = false
        for run in runs { isNew = sender.insert(run) }
        // Gaps are windows that were dropped: of a sender that leaves many, the oldest are closed.
        while sender.runs.count > Limits.callWindowRuns
            || sender.runs.count > 1 && gapCount + sender.runs.count - 1 > Limits.callWindowGaps
        {
            sender.closeOldestGap()
        }
        gapCount += max(0, sender.runs.count - 1)
        sender.receivedAt = max(sender.receivedAt, receivedAt)
        senders[id] = sender
        return isNew
    }

    /// Whether a window was noted.
    func contains(_ window: UInt64, of id: TraceID) -> Bool {
        senders[id]?.runs.contains { $0.contains(window) } ?? false
    }

    /// Notes all windows of another.
    mutating func merge(_ other: KnownWindows) {
        for (id, added) in other.senders {
            add(added.runs, of: id, receivedAt: added.receivedAt)
        }
    }

    /// Learns from another when its senders were last heard of.
    mutating func hear(_ other: KnownWindows) {
        for (id, sender) in senders {
            guard let heard = other.senders[id] else { continue }
            senders[id]?.receivedAt = max(sender.receivedAt, heard.receivedAt)
        }
    }

    /// Forgets senders that were not heard of for long.
    ///
    /// - Parameter now: no later than the receipt of any record that a replay may bring again.
    mutating func forget(_ now: UInt64) {
        let reach = Limits.callSenderNanoseconds
        guard now >= reach else { return }
        keep { $1.receivedAt > now - reach }
    }

    /// Forgets the senders longest unheard of once there are an eighth more than `limit`: so each costs
    /// its share of one pass over all.
    ///
    /// - Returns: how many were forgotten.
    mutating func bound(_ limit: Int) -> Int {
        guard senders.count > limit + limit / 8 else { return 0 }
        let before = senders.count
        let times = senders.values.map(\.receivedAt).sorted()
        let border = times[times.count - limit]
        // Of those heard of at the border itself the ones with the lowest ids go.
        let atBorder = senders.filter { $0.value.receivedAt == border }.keys.sorted()
        let surplus = times.count - limit - (times.firstIndex(of: border) ?? 0)
        let gone = Set(atBorder.prefix(surplus))
        keep { $1.receivedAt >= border && !gone.contains($0) }
        return before - senders.count
    }

    private mutating func keep(_ isKept: (TraceID, Sender) -> Bool) {
        senders = senders.filter { isKept($0.key, $0.value) }
        gapCount = senders.values.reduce(0) { $0 + max(0, $1.runs.count - 1) }
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(varint: senders.count)
        for (id, sender) in senders.sorted(by: { $0.key < $1.key }) {
            writer.append(id.high)
            writer.append(id.low)
            writer.append(varint: sender.receivedAt)
            writer.append(varint: sender.runs.count)
            var last: UInt64 = 0
            for run in sender.runs {
                writer.append(varint: run.lowerBound - last)
                writer.append(varint: run.upperBound - run.lowerBound)
                last = run.upperBound
            }
        }
        return writer.bytes
    }

    /// Any bytes are safe.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        for _ in 0..<(try reader.count(ofAtLeast: 18)) {
            let id = TraceID(high: try reader.number(), low: try reader.number())
            let receivedAt = try reader.varint()
            var runs: [ClosedRange<UInt64>] = []
            var last: UInt64 = 0
            for _ in 0..<(try reader.count(ofAtLeast: 2)) {
                let (first, isPast) = last.addingReportingOverflow(try reader.varint())
                let (end, overflow) = first.addingReportingOverflow(try reader.varint())
                guard !isPast, !overflow else {
                    throw CorruptBytes(what: "a window is out of range")
                }
                runs.append(first...end)
                last = end
            }
            add(runs, of: id, receivedAt: receivedAt)
        }
        guard reader.remaining == 0 else { throw CorruptBytes(what: "its windows are too long") }
    }
}

extension KnownWindows.Sender {
    /// Adds a run; `false` where all of it was there.
    fileprivate mutating func insert(_ run: ClosedRange<UInt64>) -> Bool {
        // The first that ends at or after the place before `run`: nearly always the last.
        var place = runs.count
        while place > 0, runs[place - 1].upperBound >= run.lowerBound - min(run.lowerBound, 1) {
            place -= 1
        }
        if place < runs.count, runs[place].lowerBound <= run.lowerBound,
            runs[place].upperBound >= run.upperBound
        {
            return false
        }
        var joined = run
        var end = place
        while end < runs.count,
            runs[end].lowerBound <= joined.upperBound + (joined.upperBound == .max ? 0 : 1)
        {
            joined =
                min(
                    joined.lowerBound,
                    runs[end].lowerBound
                )...max(
                    joined.upperBound,
                    runs[end].upperBound
                )
            end += 1
        }
        runs.replaceSubrange(place..<end, with: [joined])
        return true
    }

    /// Takes the windows between the first two runs for known.
    fileprivate mutating func closeOldestGap() {
        runs[1] = runs[0].lowerBound...runs[1].upperBound
        runs.removeFirst()
    }
}
