// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

extension StoreKeeper {
    /// Since when nothing was appended.
    struct Quiet {
        var batches: UInt64 = 0
        /// Monotonic nanoseconds; `nil` where it was not looked yet.
        var since: UInt64?
    }

    /// Joins neighbouring parts of one tenant, if there are enough of them. Appending, flushing and
    /// asking go on meanwhile; the head is flushed in between where it fills up.
    ///
    /// - Returns: whether parts were joined, so that it may be worth looking again.
    func merge() throws -> Bool {
        let isQuiet = isQuiet
        return try rewriting.withLock { _ in
            let parts = state.withLock { $0.parts }
            guard let numbers = MergePlan.choose(parts.map(\.entry), isQuiet: isQuiet) else {
                return false
            }
            let group = Set(numbers)
            do {
                let inputs = try MergeInputs(parts.filter { group.contains($0.number) })
                let merged = try join(inputs) {
                    if isHeadFull || isLogLong { try flush() }
                }
                return try replace(group, by: [merged])
            } catch let damage as PartDamage {
                // A part that cannot be read just now is left for later.
                if !damage.isReadFailure { setAside(damage) }
                return false
            }
        }
    }

    /// Writes one part from others; no manifest lists it yet.
    ///
    /// - Parameter pause: called now and then, for work that cannot wait.
    func join(_ inputs: MergeInputs, pause: () throws -> Void = {}) throws -> Part {
        try build(level: 3) { output in
            var merge = PartMerge(inputs, blockRows: options.blockRows, output: output)
            return try merge.write(pause: pause)
        }
    }

    /// Whether nothing was appended for a while, so that there is time for leftovers.
    private var isQuiet: Bool {
        let batches = state.withLock { $0.statistics.appendedBatches }
        let now = clock.monotonicNanoseconds()
        return quiet.withLock { quiet in
            guard let since = quiet.since, quiet.batches == batches else {
                quiet = Quiet(batches: batches, since: now)
                return false
            }
            return now &- since >= Self.nanoseconds(options.mergeQuietAge)
        }
    }

    /// Puts parts in the place of others, unless one of those has gone meanwhile: expired, or set
    /// aside.
    func replace(_ numbers: Set<UInt64>, by parts: [Part]) throws -> Bool {
        let isMade = try commit(adding: parts) { manifest in
            let live = Set(manifest.parts.filter { $0.lost == nil }.map(\.number))
            guard live.isSuperset(of: numbers) else { return false }
            manifest.parts.removeAll { numbers.contains($0.number) }
            return true
        } then: { state in
            state.parts.removeAll { numbers.contains($0.number) }
        }
        if isMade { for number in numbers.sorted() { try? disk.remove(names.part(number)) } }
        return isMade
    }
}
