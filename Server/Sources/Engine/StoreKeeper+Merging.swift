// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

extension StoreKeeper {
    /// Joins small neighbours of one tenant and size class, if there are enough of them.
    ///
    /// - Returns: whether parts were joined, so that it may be worth looking again.
    func merge() throws -> Bool {
        try rewriting.withLock { _ in
            let parts = state.withLock { $0.parts }
            guard let group = MergePlan.choose(parts.map(\.entry)) else { return false }
            let chosen = parts.filter { group.contains($0.number) }
            var tables: [SpanTable] = []
            do throws(PartDamage) {
                for part in chosen { tables.append(try part.load()) }
            } catch {
                if !error.isReadFailure { setAside(error) }
                return false
            }
            let merged = try build(
                tables,
                Tenant(chosen[0].entry.tenant),
                receivedAt: chosen.map(\.entry.receivedAt).max() ?? 0,
                level: 3
            )
            return try replace(group, by: [merged])
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
