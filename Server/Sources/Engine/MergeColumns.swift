// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Copies the texts and attributes of joined parts, a column at a time.
struct MergeColumns {
    private let inputs: [MergeInput]
    private let vocabulary: MergeVocabulary
    private let dropsRows: Bool
    /// By block, all inputs' blocks being numbered through: its input.
    private var inputOfBlock: [Int] = []

    init(_ inputs: [MergeInput], _ vocabulary: MergeVocabulary, dropsRows: Bool) {
        self.inputs = inputs
        self.vocabulary = vocabulary
        self.dropsRows = dropsRows
        for (number, input) in inputs.enumerated() {
            for _ in input.directory.blocks { inputOfBlock.append(number) }
        }
    }

    func write(
        _ spans: borrowing MergeGroups,
        _ events: borrowing MergeGroups,
        _ links: borrowing MergeGroups,
        to assembler: inout PartAssembler,
        pause: () throws -> Void
    ) throws {
        try write(.statusMessage, spans, isSearched: true, to: &assembler)
        try write(.traceState, spans, isSearched: false, to: &assembler)
        try write(.linkTraceState, links, isSearched: false, to: &assembler)
        try write(0, spans, to: &assembler, pause: pause)
        try write(1, events, to: &assembler, pause: pause)
        try write(2, links, to: &assembler, pause: pause)
    }

    // MARK: Texts of fields

    private func write(
        _ field: PartField,
        _ groups: borrowing MergeGroups,
        isSearched: Bool,
        to assembler: inout PartAssembler
    ) throws {
        let table = field.table == .links ? 2 : 0
        let sources = inputs.map { MergeSource($0, table, column: Int(field.rawValue)) }
        if groups.isEmpty || sources.allSatisfy(\.isEmpty) { return }
        var total = 0
        for block in 0..<groups.blockCount {
            for index in groups.rows(ofBlock: block) { total += Int(groups.rows(index).count) }
        }
        var copy = TextCopy(
            ColumnWriter(field, blockCount: assembler.blockCount),
            sources,
            valueCount: total,
            isSearched: isSearched
        )
        if dropsRows { copy.beginMarking() }
        for pass in copy.passes {
            try copy.begin(pass, to: &assembler.output)
            for block in 0..<groups.blockCount {
                for index in groups.rows(ofBlock: block) {
                    let rows = groups.rows(index)
                    let source = sources[inputOfBlock[Int(rows.block)]]
                    let values = try source.values(Int(rows.block) - source.input.firstBlock)
                    let range = Int(rows.first)..<Int(rows.first) + Int(rows.count)
                    try copy.append(range, stride: 1, values, source)
                }
                try copy.finishBlock(to: &assembler.output)
            }
        }
        assembler.add(try copy.finish(to: &assembler.output))
    }

    // MARK: Attributes

    private func write(
        _ table: Int,
        _ groups: borrowing MergeGroups,
        to assembler: inout PartAssembler,
        pause: () throws -> Void
    ) throws {
        if groups.isEmpty { return }
        let plan = MergeColumnPlan(table, groups, vocabulary.content)
        assembler.overflowKeys += plan.overflowKeys
        for column in plan.columns {
            if column.key == PartDirectory.Column.overflowKey {
                assembler.overflowValues += column.valueCount
            }
            try write(column, plan, groups, to: &assembler)
            try pause()
        }
    }

    private func write(
        _ column: MergeColumnPlan.Column,
        _ plan: MergeColumnPlan,
        _ groups: borrowing MergeGroups,
        to assembler: inout PartAssembler
    ) throws {
        let sources = try AttributeSources(column, plan, inputs, vocabulary)
        let writer = ColumnWriter(
            attribute: column.key,
            column.type,
            of: MergeColumnPlan.tables[plan.table],
            blockCount: assembler.blockCount
        )
        guard column.type.holdsText else {
            var copy = NumberCopy(writer, sources.all)
            for block in 0..<groups.blockCount {
                try visit(block, groups, plan, sources) { range, stride, values, _ in
                    copy.append(range, stride: stride, values)
                }
                try copy.finishBlock(sources.all, to: &assembler.output)
            }
            assembler.add(try copy.finish(to: &assembler.output))
            return
        }
        var copy = TextCopy(
            writer,
            sources.all,
            valueCount: column.valueCount,
            isSearched: true
        )
        if dropsRows || sources.areShared { copy.beginMarking() }
        for pass in copy.passes {
            try copy.begin(pass, to: &assembler.output)
            for block in 0..<groups.blockCount {
                try visit(block, groups, plan, sources) { range, stride, values, source in
                    try copy.append(range, stride: stride, values, source)
                }
                try copy.finishBlock(to: &assembler.output)
            }
        }
        assembler.add(try copy.finish(to: &assembler.output))
    }

    /// Calls `body` with the places of a column's values for one block of the joined part, in their
    /// order: the last place is the bound of the range, stepped through by the stride.
    private func visit(
        _ block: Int,
        _ groups: borrowing MergeGroups,
        _ plan: MergeColumnPlan,
        _ sources: AttributeSources,
        _ body: (Range<Int>, Int, MergeValues, MergeSource) throws -> Void
    ) throws {
        for index in groups.runs(ofBlock: block) {
            let run = groups.run(index)
            let shape = Int(plan.shapes[Int(run.form)])
            guard let pairs = sources.pairs[shape] else { continue }
            let number = inputOfBlock[Int(run.block)]
            let input = inputs[number]
            let place = Int(run.place)
            let ownBlock = Int(run.block) - input.firstBlock
            let rank = Int(run.rank)
            let count = Int(run.count)
            let steps = sources.steps[number][shape]
            guard steps.count == pairs.count else {
                throw input.part.damage("an attribute has no column")
            }
            if steps.count == 1 {
                let values = try steps[0].source.values(ownBlock)
                let stride = steps[0].stride
                let first = values.bases[place] + steps[0].offset + rank * stride
                try body(
                    first..<first + (count - 1) * stride + 1,
                    stride,
                    values,
                    steps[0].source
                )
                continue
            }
            for owner in rank..<rank + count {
                for step in steps {
                    let values = try step.source.values(ownBlock)
                    let first = values.bases[place] + step.offset + owner * step.stride
                    try body(first..<first + 1, 1, values, step.source)
                }
            }
        }
    }
}

/// The columns of the inputs that one attribute column draws from.
struct AttributeSources {
    struct Step {
        var source: MergeSource
        var offset: Int
        var stride: Int
    }

    private(set) var all: [MergeSource] = []
    /// By shape of the joined part: the pairs whose values go to the column.
    private(set) var pairs: [[Int]?]
    /// By input and shape of the joined part: where those pairs' values are; empty where the input
    /// has no such owner.
    private(set) var steps: [[[Step]]]
    /// Whether a source gives values to other columns too.
    private(set) var areShared = false

    init(
        _ column: MergeColumnPlan.Column,
        _ plan: MergeColumnPlan,
        _ inputs: [MergeInput],
        _ vocabulary: MergeVocabulary
    ) throws(PartDamage) {
        let count = vocabulary.content.shapes.count
        pairs = Array(repeating: nil, count: count)
        for (shape, own) in column.pairs { pairs[shape] = own }
        steps = []
        for (number, input) in inputs.enumerated() {
            var own: [[Step]] = Array(repeating: [], count: count)
            var known: [Int32: MergeSource] = [:]
            for (shape, target) in vocabulary.translations[number].shapes.enumerated()
            where target != MergeVocabulary.unused {
                guard let pairs = pairs[Int(target)] else { continue }
                let all = input.vocabulary.steps(
                    shape: UInt32(shape),
                    MergeColumnPlan.tables[plan.table]
                )
                if all.isEmpty { continue }
                for pair in pairs {
                    let step = all[all.startIndex + pair]
                    guard step.column >= 0 else { continue }
                    let source =
                        known[step.column]
                        ?? MergeSource(input, plan.table, column: Int(step.column))
                    known[step.column] = source
                    own[Int(target)].append(
                        Step(
                            source: source,
                            offset: Int(step.offset),
                            stride: Int(step.stride)
                        )
                    )
                }
            }
            for source in known.values.sorted(by: { $0.column < $1.column }) {
                all.append(source)
                let key = input.directory.columns[source.column].key
                if key == PartDirectory.Column.overflowKey { areShared = true }
            }
            steps.append(own)
        }
    }
}
