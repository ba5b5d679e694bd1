// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// A part's vocabulary in memory, with what readers make of it.
final class Vocabulary: Sendable {
    let content: PartVocabulary
    /// Names, resources and scopes under the part's ids; no spans.
    let shared: SpanTable
    /// About the memory it holds.
    let byteCount: Int
    private let columns: [UInt64: Int]
    /// By table (spans, events, links) and shape.
    private let steps: [[Range<Int>]]
    private let allSteps: [ValueStep]

    var forms: [PartVocabulary.Form] { content.forms }
    var eventForms: [PartVocabulary.EventForm] { content.eventForms }
    var shapes: [[PartVocabulary.Entry]] { content.shapes }

    /// Names, the empty one included.
    var nameCount: Int { content.names.count }

    init(_ content: PartVocabulary, of directory: PartDirectory) throws(CorruptBytes) {
        self.content = content
        shared = SpanTable(try Self.columns(of: content))
        var columns: [UInt64: Int] = [:]
        for (index, column) in directory.columns.enumerated() where column.field == .attribute {
            guard
                column.key == PartDirectory.Column.overflowKey
                    || Int(column.key) < content.names.count
            else { throw CorruptBytes(what: "a column has no name") }
            columns[Self.code(column.key, column.type, column.table)] = index
        }
        self.columns = columns
        var usedShapes: [Set<UInt32>] = [[], [], []]
        usedShapes[0].formUnion(content.forms.lazy.map(\.shape))
        usedShapes[1].formUnion(content.eventForms.lazy.map(\.shape))
        usedShapes[2].formUnion(0..<UInt32(content.shapes.count))
        var allSteps: [ValueStep] = []
        var steps: [[Range<Int>]] = []
        for (used, table) in zip(usedShapes, Self.owners) {
            var ranges: [Range<Int>] = []
            for (shape, entries) in content.shapes.enumerated() {
                let first = allSteps.count
                if used.contains(UInt32(shape)) {
                    Self.append(entries, table, columns, to: &allSteps)
                }
                ranges.append(first..<allSteps.count)
            }
            steps.append(ranges)
        }
        self.allSteps = allSteps
        self.steps = steps
        byteCount =
            2 * (content.names.byteCount + content.resources.byteCount + content.scopes.byteCount)
            + 24 * (content.names.count + content.resources.count + content.scopes.count)
            + 24 * content.forms.count + 48 * content.shapes.count + 60 * columns.count
            + 24 * allSteps.count + 12 * content.eventForms.count + 8 * content.eventUses.count
    }

    private static let owners: [PartTable] = [.spans, .events, .links]

    private static func columns(of content: PartVocabulary) throws(CorruptBytes) -> SpanColumns {
        var columns = SpanColumns()
        for index in 0..<content.names.count {
            let id = content.names.withBytes(index) { columns.strings.intern($0) }
            guard id == UInt32(index) else { throw CorruptBytes(what: "a name stands twice") }
        }
        for index in 0..<content.resources.count {
            try ResourceCoding.readResource([UInt8](content.resources[index]), into: &columns)
        }
        for index in 0..<content.scopes.count {
            try ResourceCoding.readScope([UInt8](content.scopes[index]), into: &columns)
        }
        return columns
    }

    private static func code(_ key: UInt32, _ type: AttributeType, _ table: PartTable) -> UInt64 {
        UInt64(key) << 16 | UInt64(type.rawValue) << 8 | UInt64(table.rawValue)
    }

    private static func append(
        _ entries: [PartVocabulary.Entry],
        _ table: PartTable,
        _ columns: [UInt64: Int],
        to steps: inout [ValueStep]
    ) {
        var counts: [Int32: Int32] = [:]
        let first = steps.count
        for entry in entries {
            let column =
                columns[code(entry.key, entry.type, table)]
                ?? columns[code(PartDirectory.Column.overflowKey, entry.type, table)]
            let place =
                entry.type == .empty
                ? ValueStep.nowhere : column.map { Int32($0) } ?? ValueStep.missing
            steps.append(ValueStep(column: place, offset: counts[place, default: 0], stride: 1))
            counts[place, default: 0] += 1
        }
        for index in first..<steps.count {
            steps[index].stride = counts[steps[index].column] ?? 1
        }
    }

    /// The column of a key's values of one type, maybe shared with others; `nil` where no value of
    /// this key and type is in the part, and for the empty type.
    func column(_ key: UInt32, _ type: AttributeType, _ table: PartTable) -> Int? {
        columns[Self.code(key, type, table)]
            ?? columns[Self.code(PartDirectory.Column.overflowKey, type, table)]
    }

    /// Where the values of a shape's pairs lie, for owners of `table`.
    func steps(shape: UInt32, _ table: PartTable) -> ArraySlice<ValueStep> {
        let row = table == .spans ? 0 : table == .events ? 1 : 2
        return allSteps[steps[row][Int(shape)]]
    }

    /// The resource row of a span of `form`; `nil` where the part has none, which is damage.
    func resource(_ instance: UInt64, of form: PartVocabulary.Form) -> Int? {
        let rows = content.resources(of: form.service)
        guard instance < UInt64(rows.count) else { return nil }
        return rows.lowerBound + Int(instance)
    }

    /// The resources of a service: the instance of a span is a place in this range.
    func resources(of service: UInt32) -> Range<Int> { content.resources(of: service) }

    /// The forms of a service, or of an operation of it.
    func forms(of service: UInt32, named name: UInt32? = nil) -> Range<Int> {
        content.forms(of: service, named: name)
    }

    /// The id of a name, if it is there.
    func name(_ bytes: UnsafeRawBufferPointer) -> UInt32? { shared.columns.strings.find(bytes) }

    /// Calls `body` with the bytes of a name, valid only during the call.
    func withName<Result>(_ id: UInt32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        shared.columns.strings.withBytes(of: id, body)
    }

    /// A name as text.
    func text(_ name: UInt32) -> String { shared.columns.strings.text(name) }
}

/// One pair of a shape: the column that holds its values.
struct ValueStep: Sendable {
    /// The empty type has no values.
    static let nowhere: Int32 = -1
    /// No column where there should be one: damage, if a row needs it.
    static let missing: Int32 = -2

    /// Place in the directory's columns, or one of the above.
    var column: Int32
    /// How many pairs of the shape before it have the same column.
    var offset: Int32
    /// How many pairs of the shape have this column.
    var stride: Int32
}
