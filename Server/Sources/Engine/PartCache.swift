// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What many queries need of parts, unpacked: vocabularies, dictionaries, lists of blocks. Bounded
/// in bytes over all parts; what was used longest ago goes first.
///
/// Who uses a thing holds it; letting it go here frees it once the last query is done with it.
final class PartCache: Sendable {
    enum Kind: UInt8 {
        case vocabulary, dictionary, texts, postings, filter, totals
    }

    struct Key: Hashable {
        var part: UInt64
        var kind: Kind
        var column: Int
        var page: Int
    }

    enum Value: Sendable {
        case vocabulary(Vocabulary)
        case dictionary(TextDictionary)
        case texts(PackedTexts)
        case postings(Postings)
        case filter(ValueFilter)
        case totals(TotalsIndex)
        case totalsPage(TotalsPage)
        case totalsMinutes(TotalsMinuteCounts)
        case totalsSteps(TotalsSteps)
        case totalsFacts(TotalsFacts)
        case totalsCalls(TotalsCallsChunk)
    }

    private struct Entry {
        var value: Value
        var byteCount: Int
        var use: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var byteCount = 0
        /// Counts uses.
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let byteLimit: Int

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Bytes held.
    var byteCount: Int { state.withLock { $0.byteCount } }

    func find(_ key: Key) -> Value? {
        state.withLock { state in
            state.clock += 1
            let clock = state.clock
            guard let index = state.entries.index(forKey: key) else { return nil }
            state.entries.values[index].use = clock
            return state.entries.values[index].value
        }
    }

    /// - Parameter byteCount: memory that `value` holds.
    func insert(_ value: Value, _ byteCount: Int, _ key: Key) {
        guard byteCount <= byteLimit / 4 else { return }
        let dropped = state.withLock { state -> [Entry] in
            state.clock += 1
            let entry = Entry(value: value, byteCount: byteCount, use: state.clock)
            let old = state.entries.updateValue(entry, forKey: key)
            state.byteCount += byteCount - (old?.byteCount ?? 0)
            guard state.byteCount > byteLimit else { return [] }
            return Self.dropOldest(&state, to: byteLimit / 4 * 3)
        }
        // Freed here, not under the lock.
        _ = dropped
    }

    /// Drops what was used longest ago, a quarter at once, so that sorting is seldom.
    private static func dropOldest(_ state: inout State, to byteLimit: Int) -> [Entry] {
        var dropped: [Entry] = []
        for (key, _) in state.entries.sorted(by: { $0.value.use < $1.value.use }) {
            if state.byteCount <= byteLimit { break }
            guard let entry = state.entries.removeValue(forKey: key) else { continue }
            state.byteCount -= entry.byteCount
            dropped.append(entry)
        }
        return dropped
    }

    /// Drops what belongs to a part.
    func forget(part: UInt64) {
        let dropped = state.withLock { state -> [Entry] in
            let own = state.entries.filter { $0.key.part == part }
            for (key, entry) in own {
                state.entries[key] = nil
                state.byteCount -= entry.byteCount
            }
            return own.map(\.value)
        }
        _ = dropped
    }
}
