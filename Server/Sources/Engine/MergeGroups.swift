// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Owners of one form that lie together in an output block and in an input block: their values are
/// one run in both.
struct MergeRun: BitwiseCopyable {
    /// In the joined part.
    var form: UInt32
    /// The input's block, all inputs' blocks being numbered through.
    var block: UInt32
    /// Place of the input's form among those present in the block.
    var place: UInt32
    /// How many owners of the form lie before the first in the input block.
    var rank: UInt32
    var count: UInt32
}

/// Rows that lie together in an output block and in an input block.
struct MergeRows: BitwiseCopyable {
    var block: UInt32
    /// Inside the input block.
    var first: UInt32
    var count: UInt32
}

/// Where the owners of one table (spans, events or links) of each output block come from: by row,
/// and grouped by form as the values of attributes are.
struct MergeGroups: ~Copyable {
    private let formCount: Int
    private var grouping = Grouping()
    /// Of the output block in hand, one by one.
    private var owners = Column<MergeRun>()
    private var runs = Column<MergeRun>()
    private var runEnds: [Int] = []
    private var rows = Column<MergeRows>()
    private var rowEnds: [Int] = []

    init(formCount: Int) { self.formCount = formCount }

    /// Adds owners `range` of an input block to the output block in hand.
    ///
    /// - Parameter forms: from the input's forms to those of the joined part.
    mutating func append(
        _ range: Range<Int>,
        of source: borrowing MergeOwners,
        block: Int,
        forms: [UInt32]
    ) {
        let block = UInt32(truncatingIfNeeded: block)
        for index in range {
            owners.append(
                MergeRun(
                    form: forms[Int(source.forms[index])],
                    block: block,
                    place: source.places[index],
                    rank: source.ranks[index],
                    count: 1
                )
            )
        }
        let begun = rowEnds.last ?? 0
        if rows.count > begun {
            let last = rows[rows.count - 1]
            if last.block == block, Int(last.first + last.count) == range.lowerBound {
                rows[rows.count - 1].count += UInt32(range.count)
                return
            }
        }
        rows.append(
            MergeRows(
                block: block,
                first: UInt32(range.lowerBound),
                count: UInt32(range.count)
            )
        )
    }

    /// Owners in the output block in hand.
    var count: Int { owners.count }

    /// Ends the output block in hand.
    mutating func finishBlock() {
        grouping.sort(owners.count, formCount: formCount) { owners[$0].form }
        let begun = runs.count
        for index in 0..<owners.count {
            let owner = owners[Int(grouping.order[index])]
            if runs.count > begun {
                let last = runs[runs.count - 1]
                if last.form == owner.form, last.block == owner.block,
                    last.rank + last.count == owner.rank
                {
                    runs[runs.count - 1].count += 1
                    continue
                }
            }
            runs.append(owner)
        }
        runEnds.append(runs.count)
        rowEnds.append(rows.count)
        owners.truncate(to: 0)
    }

    var blockCount: Int { runEnds.count }

    /// Whether there is no owner at all.
    var isEmpty: Bool { runs.isEmpty }

    /// Places of an output block's runs for `run`, by form.
    func runs(ofBlock block: Int) -> Range<Int> {
        (block == 0 ? 0 : runEnds[block - 1])..<runEnds[block]
    }

    func run(_ index: Int) -> MergeRun { runs[index] }

    /// Places of an output block's rows for `rows`, in their order.
    func rows(ofBlock block: Int) -> Range<Int> {
        (block == 0 ? 0 : rowEnds[block - 1])..<rowEnds[block]
    }

    func rows(_ index: Int) -> MergeRows { rows[index] }
}
