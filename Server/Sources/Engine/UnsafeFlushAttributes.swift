// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// The attribute columns of a head that is being flushed.
///
/// The values of a block lie grouped by form, but its rows are read in their own order, which is
/// nearly the order in memory: every form has a cursor into each column that it fills, and values go
/// where the cursors stand.
struct FlushAttributes: ~Copyable {
    /// One attribute of a shape.
    private struct Step: BitwiseCopyable {
        /// The column << 2 | how its values are kept; -1 for a value of the empty type, which has no
        /// column.
        var code: Int32
        /// How many attributes of the shape go to the column, and how many of them come before.
        var stride: UInt32
        var place: UInt32
    }

    /// The next value of one attribute of a form in the block in hand.
    private struct Cursor: BitwiseCopyable {
        var next: UInt32
        /// The number of the last text here: values of one form are often all the same.
        var last: UInt32 = 0
    }

    private struct Kind: Hashable {
        var table: PartTable
        var key: UInt32
        var type: AttributeType
    }

    private let columns: UnsafeMutableBufferPointer<FlushColumn>
    /// By column: where the values of the block in hand go.
    private let targets: UnsafeMutablePointer<UnsafeMutableRawPointer>
    /// By column: values of the block in hand.
    private var filled: Column<Int>
    private let formShapes: [UInt32]
    private let eventFormShapes: [UInt32]
    private let shapeCount: Int
    /// By table and shape: its first step; one more at the end.
    private var starts = Column<Int>()
    private var steps = Column<Step>()
    private var overflowKeys = 0
    private var overflowValues = 0
    /// The table in hand, and where its shapes begin in `starts`.
    private var table = PartTable.spans
    private var firstShape = 0
    /// By form: its owners in the block in hand, then its first cursor.
    private var forms = Column<UInt32>()
    private var cursors = Column<Cursor>()

    private static let tables: [PartTable] = [.spans, .events, .links]

    init(
        _ vocabulary: PartVocabulary,
        _ ids: borrowing FlushVocabulary.Ids,
        blockCount: Int
    ) {
        let shapes = vocabulary.shapes
        shapeCount = shapes.count
        formShapes = vocabulary.forms.map(\.shape)
        eventFormShapes = vocabulary.eventForms.map(\.shape)
        let uses = [
            Self.uses(ids.forms, formShapes, shapes.count),
            Self.uses(ids.eventForms, eventFormShapes, shapes.count),
            Self.uses(ids.linkShapes, Array(0..<UInt32(shapes.count)), shapes.count),
        ]
        var counts: [Kind: Int] = [:]
        for (table, uses) in zip(Self.tables, uses) {
            for (shape, entries) in shapes.enumerated() where uses[shape] > 0 {
                for entry in entries where entry.type != .empty {
                    let kind = Kind(table: table, key: entry.key, type: entry.type)
                    counts[kind, default: 0] += uses[shape]
                }
            }
        }
        let own = Self.withColumn(counts)
        if let own {
            overflowKeys = counts.count - own.count
            overflowValues = counts.reduce(0) { own.contains($1.key) ? $0 : $0 + $1.value }
        }
        var kinds: [Kind] = []
        var numbers: [Kind: Int] = [:]
        for (table, uses) in zip(Self.tables, uses) {
            for (shape, entries) in shapes.enumerated() {
                starts.append(steps.count)
                guard uses[shape] > 0 else { continue }
                let first = steps.count
                for entry in entries {
                    var kind = Kind(table: table, key: entry.key, type: entry.type)
                    if let own, !own.contains(kind) { kind.key = PartDirectory.Column.overflowKey }
                    var number = -1
                    if entry.type != .empty {
                        number = numbers[kind] ?? kinds.count
                        if number == kinds.count {
                            numbers[kind] = number
                            kinds.append(kind)
                        }
                    }
                    steps.append(Step(code: Int32(number) << 2, stride: 1, place: 0))
                }
                Self.count(&steps, from: first)
            }
        }
        starts.append(steps.count)
        columns = .allocate(capacity: kinds.count)
        targets = .allocate(capacity: kinds.count)
        filled = Column(capacity: kinds.count)
        for (number, kind) in kinds.enumerated() {
            let column = FlushColumn(
                attribute: kind.key,
                kind.type,
                of: kind.table,
                blockCount: blockCount
            )
            columns.initializeElement(at: number, to: column)
            filled.append(0)
        }
    }

    deinit {
        columns.deinitialize().deallocate()
        targets.deallocate()
    }

    /// How many owners each shape has.
    private static func uses(
        _ ids: borrowing Column<UInt32>,
        _ shapes: [UInt32],
        _ shapeCount: Int
    ) -> [Int] {
        var uses = Array(repeating: 0, count: shapeCount)
        for index in 0..<ids.count where Int(ids[index]) < shapes.count {
            uses[Int(shapes[Int(ids[index])])] += 1
        }
        return uses
    }

    /// The keys that get a column, those with the most values; `nil` where all do.
    private static func withColumn(_ counts: [Kind: Int]) -> Set<Kind>? {
        var own: Set<Kind> = []
        var isEnough = true
        for table in tables {
            let all = counts.filter { $0.key.table == table }
            isEnough = isEnough && all.count <= Limits.attributeColumns
            let sorted = all.sorted {
                if $0.value != $1.value { return $0.value > $1.value }
                return $0.key.key == $1.key.key
                    ? $0.key.type.rawValue < $1.key.type.rawValue : $0.key.key < $1.key.key
            }
            own.formUnion(sorted.prefix(Limits.attributeColumns).map(\.key))
        }
        return isEnough ? nil : own
    }

    /// Tells the steps of one shape that go to one column apart.
    private static func count(_ steps: inout Column<Step>, from first: Int) {
        var counts: [Int32: UInt32] = [:]
        for index in first..<steps.count {
            steps[index].place = counts[steps[index].code, default: 0]
            counts[steps[index].code, default: 0] += 1
        }
        for index in first..<steps.count {
            steps[index].stride = counts[steps[index].code, default: 1]
        }
    }

    /// Makes room for the values of a table's owners in the block.
    ///
    /// - Parameter owners: their forms; of links their shapes.
    mutating func begin(_ table: PartTable, forms owners: UnsafeBufferPointer<UInt64>) {
        if owners.isEmpty { return }
        let formCount =
            switch table {
            case .spans: formShapes.count
            case .events: eventFormShapes.count
            case .links, .traces, .index: shapeCount
            }
        self.table = table
        firstShape = (Self.tables.firstIndex(of: table) ?? 0) * shapeCount
        forms.truncate(to: 0)
        forms.append(count: formCount) { $0.initialize(repeating: 0) }
        for form in owners { forms[Int(form)] &+= 1 }
        cursors.truncate(to: 0)
        for form in 0..<formCount where forms[form] > 0 {
            let count = forms[form]
            forms[form] = UInt32(cursors.count)
            addCursors(firstShape + shape(of: UInt32(form)), count: Int(count))
        }
        for column in 0..<columns.count where filled[column] > 0 {
            targets[column] = columns[column].makeRoom(filled[column])
            filled[column] = 0
        }
    }

    /// The shape of a form of the table in hand.
    @inline(__always)
    private func shape(of form: UInt32) -> Int {
        switch table {
        case .spans: Int(formShapes[Int(form)])
        case .events: Int(eventFormShapes[Int(form)])
        case .links, .traces, .index: Int(form)
        }
    }

    private mutating func addCursors(_ shape: Int, count: Int) {
        let range = starts[shape]..<starts[shape + 1]
        for index in range {
            let step = steps[index]
            guard step.code >= 0 else {
                cursors.append(Cursor(next: 0))
                continue
            }
            let column = Int(step.code >> 2)
            steps[index].code = Int32(column) << 2 | columns[column].keeping.rawValue
            cursors.append(Cursor(next: UInt32(filled[column]) + step.place))
        }
        for index in range where steps[index].code >= 0 && steps[index].place == 0 {
            filled[Int(steps[index].code >> 2)] += count * Int(steps[index].stride)
        }
    }

    /// Adds the values of the next owner.
    ///
    /// - Parameters:
    ///   - rows: attributes of `view`, as many as the shape of the form has.
    @inline(__always)
    mutating func append(_ rows: Range<Int>, of view: UnsafePointer<TableView>, form: UInt32) {
        if rows.isEmpty { return }
        var index = Int(forms[Int(form)])
        var place = starts[firstShape &+ shape(of: form)]
        for row in rows {
            let cursor = cursors[index]
            let step = steps[place]
            cursors[index].next = cursor.next &+ step.stride
            index &+= 1
            place &+= 1
            if step.code < 0 { continue }
            // Bound: `begin` made room for as many values as the owners have, and put the cursors
            // so that none leaves the values of its form.
            let column = Int(step.code >> 2)
            let target = targets[column]
            switch step.code & 3 {
            case FlushColumn.Keeping.ids.rawValue:
                let id = columns[column].number(view.pointee.text(row), after: cursor.last)
                cursors[index &- 1].last = id
                target.storeBytes(of: id, toByteOffset: Int(cursor.next) &* 4, as: UInt32.self)
            case FlushColumn.Keeping.places.rawValue:
                target.storeBytes(
                    of: view.pointee.text(row),
                    toByteOffset: Int(cursor.next) &* MemoryLayout<UnsafeRawBufferPointer>.stride,
                    as: UnsafeRawBufferPointer.self
                )
            default:
                target.storeBytes(
                    of: view.pointee.value[row],
                    toByteOffset: Int(cursor.next) &* 8,
                    as: UInt64.self
                )
            }
        }
    }

    mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        for index in 0..<columns.count { try columns[index].finishBlock(to: &output) }
    }

    mutating func finish(into assembler: inout PartAssembler) throws(DiskError) {
        assembler.overflowKeys = overflowKeys
        assembler.overflowValues = overflowValues
        for index in 0..<columns.count {
            assembler.add(try columns[index].finish(to: &assembler.output))
        }
    }
}
