// SPDX-License-Identifier: Apache-2.0

/// Which parts to join.
enum MergePlan {
    /// Numbers of neighbours of one tenant and size class (powers of four), enough of them and not
    /// too large together.
    static func choose(_ entries: [Manifest.Entry]) -> Set<UInt64>? {
        let classes = Dictionary(grouping: entries) { entry in
            "\(entry.tenant)/\((64 - entry.spanCount.leadingZeroBitCount) / 2)"
        }
        for (_, group) in classes.sorted(by: { $0.key < $1.key })
        where group.count >= Limits.mergeParts {
            let chosen = group.sorted { $0.number < $1.number }.prefix(Limits.mergeParts)
            let spans = chosen.reduce(0) { $0 + $1.spanCount }
            if spans <= UInt64(Limits.mergedSpans) { return Set(chosen.map(\.number)) }
        }
        return nil
    }
}
