// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Spans of several tables in the order parts and answers keep: trace id, start, span id; exact
/// duplicates left out.
enum SpanSorting {
    /// Which half of a trace id is compared first.
    enum IDOrder {
        /// As parts are sorted, so that a short id is a range.
        case lowFirst
        /// As answers are sorted.
        case highFirst
    }

    private struct Key {
        var first: UInt64
        var second: UInt64
        var start: UInt64
        var span: UInt64
        var place: SpanReference

        static func isBefore(_ a: Key, _ b: Key) -> Bool {
            if a.first != b.first { return a.first < b.first }
            if a.second != b.second { return a.second < b.second }
            if a.start != b.start { return a.start < b.start }
            return a.span < b.span
        }

        func isLike(_ other: Key) -> Bool {
            span == other.span && start == other.start && first == other.first
                && second == other.second
        }
    }

    static func sorted(
        _ references: [SpanReference],
        of tables: [SpanTable],
        by order: IDOrder
    ) -> [SpanReference] {
        var keys: [Key] = []
        keys.reserveCapacity(references.count)
        for place in references {
            let table = tables[Int(place.table)]
            let row = Int(place.row)
            let high = table.columns.traceHigh[row]
            let low = table.columns.traceLow[row]
            keys.append(
                Key(
                    first: order == .lowFirst ? low : high,
                    second: order == .lowFirst ? high : low,
                    start: table.columns.start[row],
                    span: table.columns.spanID[row],
                    place: place
                )
            )
        }
        keys.sort(by: Key.isBefore)
        var result: [SpanReference] = []
        result.reserveCapacity(keys.count)
        var index = 0
        while index < keys.count {
            var end = index + 1
            while end < keys.count, keys[end].isLike(keys[index]) { end += 1 }
            if end == index + 1 {
                result.append(keys[index].place)
            } else {
                result += distinct(keys[index..<end].map(\.place), of: tables)
            }
            index = end
        }
        return result
    }

    /// Leaves exact duplicates out of spans that share ids and start: few, or an attack.
    static func distinct(
        _ places: [SpanReference],
        of tables: [SpanTable]
    ) -> [SpanReference] {
        var duplicates = SpanDuplicates(of: tables)
        return places.filter { duplicates.insert($0) }
    }

    /// Every row of every table.
    static func all(_ tables: [SpanTable]) -> [SpanReference] {
        var references: [SpanReference] = []
        references.reserveCapacity(tables.reduce(0) { $0 + $1.columns.count })
        for (index, table) in tables.enumerated() {
            for row in 0..<table.columns.count {
                references.append(SpanReference(table: UInt32(index), row: UInt32(row)))
            }
        }
        return references
    }
}
