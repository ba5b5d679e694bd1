// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// How the owners of one block (spans, events or links) are grouped by form.
///
/// Inside a block every attribute column holds its values in order of (form, row). So values of one
/// form are one run in each column of its shape:
/// ```
/// rows      0 1 2 3 4        forms      3, 7
/// form      7 3 7 3 7        order      1 3, 0 2 4
///
/// order.id  c a d b e        form 3 from 0: a (row 1), b (row 3); form 7 from 2: c, d, e
/// ```
/// A key may stand twice in a shape, and rare keys share a column: then a row has several values in
/// a column, one behind the other, and the run has a stride.
final class BlockLayout {
    /// Where the values of a form lie in a column: that of the n-th row at base + n × stride.
    struct Run {
        var base: Int
        var stride: Int
    }

    /// Forms present, ascending.
    let forms: [UInt32]
    /// Owners in the block.
    let ownerCount: Int
    /// Where the owners of each form end in `order`.
    private let ends: [Int]
    private let numbers: PackedIntegers
    /// By place in `forms`: where its runs begin.
    private let firstRuns: [Int]
    /// One a pair of the form's shape.
    private let runs: [Run]
    /// By column: how many values the block holds.
    private let valueCounts: [Int]

    /// Owners by form: all of the first form in ascending order, then those of the second, ...
    private(set) lazy var order = makeOrder()

    /// - Parameters:
    ///   - numbers: the form of each owner.
    ///   - formCount: forms that there are.
    ///   - steps: by form, the columns of its shape.
    /// - Returns: `nil` where a number is no form.
    init?(
        _ numbers: PackedIntegers,
        formCount: Int,
        columnCount: Int,
        steps: (UInt32) -> ArraySlice<ValueStep>
    ) {
        ownerCount = numbers.count
        self.numbers = numbers
        var tally = [Int](repeating: 0, count: formCount)
        for form in numbers.values {
            guard form < UInt64(formCount) else { return nil }
            tally[Int(form)] += 1
        }
        var forms: [UInt32] = []
        var ends: [Int] = []
        var runs: [Run] = []
        var firstRuns: [Int] = []
        var cursors = [Int](repeating: 0, count: columnCount)
        for form in tally.indices where tally[form] > 0 {
            forms.append(UInt32(form))
            ends.append((ends.last ?? 0) + tally[form])
            firstRuns.append(runs.count)
            let steps = steps(UInt32(form))
            for step in steps {
                let base = step.column >= 0 ? cursors[Int(step.column)] + Int(step.offset) : 0
                runs.append(Run(base: base, stride: Int(step.stride)))
            }
            for step in steps where step.column >= 0 && step.offset == 0 {
                cursors[Int(step.column)] += tally[form] * Int(step.stride)
            }
        }
        self.forms = forms
        self.ends = ends
        self.runs = runs
        self.firstRuns = firstRuns
        valueCounts = cursors
    }

    /// Memory that it holds, the order included.
    var byteCount: Int {
        12 * forms.count + 16 * runs.count + 8 * (firstRuns.count + valueCounts.count)
            + 4 * ownerCount + 64
    }

    /// The place of `form` in `forms`, if the block has it.
    func index(of form: UInt32) -> Int? {
        var low = 0
        var high = forms.count
        while low < high {
            let middle = (low + high) / 2
            if forms[middle] < form { low = middle + 1 } else { high = middle }
        }
        return low < forms.count && forms[low] == form ? low : nil
    }

    /// Where the values of pair `pair` of the shape of `form` lie in their column. `form` must be
    /// one of `forms`.
    func place(_ form: UInt32, pair: Int) -> Run {
        guard let index = index(of: form) else { return Run(base: 0, stride: 0) }
        return run(index, pair: pair)
    }

    /// The same, by place in `forms`.
    func run(_ index: Int, pair: Int) -> Run { runs[firstRuns[index] + pair] }

    /// The rows of `form`, ascending.
    func rows(of form: UInt32) -> ArraySlice<Int32> {
        guard let index = index(of: form) else { return [] }
        return rows(at: index)
    }

    /// The rows of form `forms[index]`, ascending.
    func rows(at index: Int) -> ArraySlice<Int32> {
        order[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Values of a column that the block's owners have.
    func valueCount(_ column: Int) -> Int { valueCounts[column] }

    private func makeOrder() -> [Int32] {
        guard let last = forms.last else { return [] }
        var next = [Int](repeating: 0, count: Int(last) + 1)
        for (index, form) in forms.enumerated() {
            next[Int(form)] = index == 0 ? 0 : ends[index - 1]
        }
        var order = [Int32](repeating: 0, count: ownerCount)
        for (row, form) in numbers.values.enumerated() {
            order[next[Int(form)]] = Int32(truncatingIfNeeded: row)
            next[Int(form)] += 1
        }
        return order
    }
}
