// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Which attribute columns the owners of one table get in a joined part.
struct MergeColumnPlan {
    static let tables: [PartTable] = [.spans, .events, .links]

    struct Column {
        /// Name id in the joined part, or `Column.overflowKey`.
        var key: UInt32
        var type: AttributeType
        var valueCount = 0
        /// Shapes, and the pairs of each whose values go to this column.
        var pairs: [(shape: Int, pairs: [Int])] = []
    }

    private struct Kind: Hashable {
        var key: UInt32
        var type: AttributeType
    }

    /// 0 spans, 1 events, 2 links.
    let table: Int
    /// By form: its shape.
    let shapes: [UInt32]
    private(set) var columns: [Column] = []
    private(set) var overflowKeys = 0

    init(_ table: Int, _ groups: borrowing MergeGroups, _ vocabulary: PartVocabulary) {
        self.table = table
        switch table {
        case 0: shapes = vocabulary.forms.map(\.shape)
        case 1: shapes = vocabulary.eventForms.map(\.shape)
        default: shapes = (0..<UInt32(vocabulary.shapes.count)).map { $0 }
        }
        // Owners of each shape.
        var uses = Array(repeating: 0, count: vocabulary.shapes.count)
        for block in 0..<groups.blockCount {
            for index in groups.runs(ofBlock: block) {
                let run = groups.run(index)
                uses[Int(shapes[Int(run.form)])] += Int(run.count)
            }
        }
        var counts: [Kind: Int] = [:]
        for (shape, entries) in vocabulary.shapes.enumerated() where uses[shape] > 0 {
            for entry in entries where entry.type != .empty {
                counts[Kind(key: entry.key, type: entry.type), default: 0] += uses[shape]
            }
        }
        let own = Self.withColumn(counts)
        overflowKeys = own.map { counts.count - $0.count } ?? 0
        var numbers: [Kind: Int] = [:]
        for (shape, entries) in vocabulary.shapes.enumerated() where uses[shape] > 0 {
            for (pair, entry) in entries.enumerated() where entry.type != .empty {
                var kind = Kind(key: entry.key, type: entry.type)
                if let own, !own.contains(kind) { kind.key = PartDirectory.Column.overflowKey }
                let number = numbers[kind] ?? columns.count
                if number == columns.count {
                    numbers[kind] = number
                    columns.append(Column(key: kind.key, type: kind.type))
                }
                columns[number].valueCount += uses[shape]
                if columns[number].pairs.last?.shape != shape {
                    columns[number].pairs.append((shape, []))
                }
                columns[number].pairs[columns[number].pairs.count - 1].pairs.append(pair)
            }
        }
    }

    /// The keys that get a column, those with the most values; `nil` where all do.
    private static func withColumn(_ counts: [Kind: Int]) -> Set<Kind>? {
        guard counts.count > Limits.attributeColumns else { return nil }
        let sorted = counts.sorted {
            if $0.value != $1.value { return $0.value > $1.value }
            return $0.key.key == $1.key.key
                ? $0.key.type.rawValue < $1.key.type.rawValue : $0.key.key < $1.key.key
        }
        return Set(sorted.prefix(Limits.attributeColumns).map(\.key))
    }
}
