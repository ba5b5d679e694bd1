// SPDX-License-Identifier: Apache-2.0

/// Which parts to join.
///
/// Parts of a tenant stand in the order in which their spans were received, and only neighbours of
/// one day are joined, so that retention by age and pruning by time keep their grip. Sizes fall
/// into tiers, each eight times the one below:
/// ```
/// flushed   130k 130k 130k 130k 130k 130k 130k 130k     eight neighbours of a tier are joined:
/// joined    1.0M 1.0M 1.0M                              what fills most of a largest part, too:
/// largest   3.1M                                        never rewritten again
/// ```
/// So a span is rewritten about twice on its way into a part of four million. When the store is
/// quiet, leftovers that fill no tier are joined as well, but never a large part for a small one's
/// sake.
enum MergePlan {
    /// The numbers of the parts to join next, in order of receipt; `nil` where nothing is worth it.
    ///
    /// - Parameters:
    ///   - isQuiet: nothing was flushed for a while, so fewer than a tier's parts are joined too.
    ///   - largest: spans that a joined part may hold.
    static func choose(
        _ entries: [Manifest.Entry],
        isQuiet: Bool,
        largest: UInt64 = UInt64(Limits.mergedSpans)
    ) -> [UInt64]? {
        let groups = Dictionary(grouping: entries.filter { $0.lost == nil }) { entry in
            Neighbourhood(tenant: entry.tenant, day: entry.receivedAt / dayNanoseconds)
        }
        // Any order does, but the same one every time: a simulated run must repeat itself.
        let sorted = groups.sorted { ($0.key.tenant, $0.key.day) < ($1.key.tenant, $1.key.day) }
        for (_, group) in sorted where group.count > 1 {
            let parts = group.sorted { ($0.receivedAt, $0.number) < ($1.receivedAt, $1.number) }
            if let chosen = full(parts, largest) ?? (isQuiet ? leftovers(parts, largest) : nil) {
                return chosen.map(\.number)
            }
        }
        return nil
    }

    private struct Neighbourhood: Hashable {
        var tenant: String
        var day: UInt64
    }

    private static let dayNanoseconds: UInt64 = 86_400_000_000_000

    /// 0 for up to 7 spans, then one more for eight times as many.
    static func tier(_ spanCount: UInt64) -> Int {
        spanCount == 0 ? 0 : (63 - spanCount.leadingZeroBitCount) / 3
    }

    /// Eight neighbours none of which is above some tier, the lowest that has them; or fewer that
    /// fill most of a largest part.
    private static func full(
        _ parts: [Manifest.Entry],
        _ largest: UInt64
    ) -> ArraySlice<Manifest.Entry>? {
        for tier in Set(parts.map { tier($0.spanCount) }).sorted() {
            for first in parts.indices {
                let run = run(parts, from: first, largest) { self.tier($0.spanCount) <= tier }
                let spans = run.reduce(0) { $0 + $1.spanCount }
                let isFull = run.count == Limits.mergeParts || spans >= largest / 4 * 3
                if isFull, isWorthIt(run) { return run }
            }
        }
        return nil
    }

    /// The neighbours that gain most: the most parts for the fewest spans written.
    private static func leftovers(
        _ parts: [Manifest.Entry],
        _ largest: UInt64
    ) -> ArraySlice<Manifest.Entry>? {
        var best: ArraySlice<Manifest.Entry>?
        var bestPrice = UInt64.max
        for first in parts.indices {
            var run = run(parts, from: first, largest) { _ in true }
            while run.count > 1 {
                let price = run.reduce(0) { $0 + $1.spanCount } / UInt64(run.count - 1)
                if isWorthIt(run), price < bestPrice {
                    best = run
                    bestPrice = price
                }
                run = run.dropLast()
            }
        }
        return best
    }

    /// As many neighbours from `first` on as may be joined at once.
    private static func run(
        _ parts: [Manifest.Entry],
        from first: Int,
        _ largest: UInt64,
        while isWanted: (Manifest.Entry) -> Bool
    ) -> ArraySlice<Manifest.Entry> {
        var end = first
        var spans: UInt64 = 0
        while end < parts.count, end - first < Limits.mergeParts, isWanted(parts[end]),
            parts[end].spanCount <= largest - spans
        {
            spans += parts[end].spanCount
            end += 1
        }
        return parts[first..<end]
    }

    /// Whether no part is rewritten for little: the largest makes up two thirds of all at most.
    private static func isWorthIt(_ run: ArraySlice<Manifest.Entry>) -> Bool {
        guard run.count > 1, let largest = run.map(\.spanCount).max() else { return false }
        return largest * 3 <= run.reduce(0) { $0 + $1.spanCount } * 2
    }
}
