// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What one attribute's value must be, made ready for one part.
///
/// A key may have several types, and a shape may have it more than once; rare keys share a column. So
/// the condition knows for each form the places of its shape where the key stands.
final class AttributeCondition {
    /// A place of a shape that has the key with a type that may match.
    struct Place {
        var pair: Int
        /// In `targets`; `nil` where the value needs no looking at.
        var target: Int?
    }

    /// A column to look into.
    struct Target {
        var column: Int
        var type: AttributeType
        var test: Test
    }

    enum Test {
        /// The id of a text of the dictionary, or the bits of a number.
        case number(UInt64)
        /// Texts of the dictionary are compared when met, each once.
        case texts
        /// Texts in the blocks are compared; the hash where they must be these very bytes.
        case rawTexts(UInt64?)
        case ints(ClosedRange<Int64>)
        case doubles(ClosedRange<Double>)
        /// Numbers are compared one by one.
        case numbers
    }

    let table: PartTable
    let matcher: ValueMatcher
    private(set) var targets: [Target] = []
    /// By form, whether its shape has the key with a type that may match.
    private(set) var forms: [Bool]
    /// By shape, for shapes with the key.
    private var places: [UInt32: [Place]] = [:]
    private let shapes: [UInt32]
    /// By target and id: whether the text of a dictionary matches, once known.
    var knownTexts: [Int: [UInt64: Bool]] = [:]

    /// - Parameters:
    ///   - key: name id.
    ///   - shapes: by form of the table.
    init(
        _ key: UInt32,
        _ matcher: ValueMatcher,
        _ table: PartTable,
        shapes: [UInt32],
        _ reader: inout PartReader
    ) throws(PartDamage) {
        self.table = table
        self.matcher = matcher
        self.shapes = shapes
        forms = Array(repeating: false, count: shapes.count)
        let vocabulary = try reader.vocabulary
        var known: [AttributeType: Int?] = [:]
        for shape in Set(shapes) {
            var own: [Place] = []
            for (index, pair) in vocabulary.shapes[Int(shape)].enumerated()
            where pair.key == key && matcher.mayMatch(pair.type) {
                if pair.type == .empty || matcher.isExists {
                    own.append(Place(pair: index, target: nil))
                    continue
                }
                if known[pair.type] == nil {
                    known[pair.type] = .some(try target(key, pair.type, vocabulary, &reader))
                }
                if let target = known[pair.type] ?? nil {
                    own.append(Place(pair: index, target: target))
                }
            }
            if !own.isEmpty { places[shape] = own }
        }
        for (form, shape) in shapes.enumerated() { forms[form] = places[shape] != nil }
    }

    /// Places of a form's shape to look at.
    func places(of form: UInt32) -> [Place] { places[shapes[Int(form)]] ?? [] }

    /// Whether some owner matches by having the key alone.
    var hasUntestedPlace: Bool { places.values.contains { $0.contains { $0.target == nil } } }

    /// Whether texts must be compared one by one.
    var isText: Bool {
        targets.contains {
            switch $0.test {
            case .rawTexts, .texts: true
            case .number, .ints, .doubles, .numbers: false
            }
        }
    }

    /// The place in `targets` of a type's column; `nil` where no value of it can match.
    private func target(
        _ key: UInt32,
        _ type: AttributeType,
        _ vocabulary: Vocabulary,
        _ reader: inout PartReader
    ) throws(PartDamage) -> Int? {
        guard let column = vocabulary.column(key, type, table) else { return nil }
        guard let test = try test(type, column, &reader) else { return nil }
        targets.append(Target(column: column, type: type, test: test))
        return targets.count - 1
    }

    private func test(
        _ type: AttributeType,
        _ column: Int,
        _ reader: inout PartReader
    ) throws(PartDamage) -> Test? {
        guard type.holdsText else {
            if type == .int, let range = matcher.range?.ints { return .ints(range) }
            if type == .double, let range = matcher.range?.doubles { return .doubles(range) }
            return matcher.bits(type).map { .number($0) } ?? .numbers
        }
        let isDictionary = reader.part.directory.columns[column].hasDictionary
        guard let wanted = matcher.bytes(type) else {
            return isDictionary ? .texts : .rawTexts(nil)
        }
        if !isDictionary { return .rawTexts(wanted.withRun(0..<wanted.count, ValueHash.of)) }
        guard let id = try reader.dictionaryID(column, wanted) else { return nil }
        return .number(UInt64(id))
    }

    // MARK: Blocks

    /// Blocks that may hold a matching value.
    func blocks(_ reader: inout PartReader) throws(PartDamage) -> BlockBits {
        let count = reader.part.directory.blocks.count
        if hasUntestedPlace { return BlockBits(allOf: count) }
        var result = BlockBits(rowCount: count)
        for target in targets { result.formUnion(try blocks(target, count, &reader)) }
        return result
    }

    private func blocks(
        _ target: Target,
        _ count: Int,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        let column = reader.part.directory.columns[target.column]
        var result = BlockBits(allOf: count)
        switch target.test {
        case .number(let number):
            if column.hasDictionary {
                if let blocks = try reader.blocks(holding: UInt32(number), column: target.column) {
                    result = BlockBits(rowCount: count)
                    for block in blocks { result.insert(block) }
                    return result
                }
            }
            try keep(holding: ValueHash.of(number), target.column, &result, &reader)
            if target.type == .int || target.type == .double {
                let code = PartDirectory.Bounds.code(number, target.type)
                keep(code...code, column, &result)
            }
        case .rawTexts(let hash):
            guard let hash else { break }
            try keep(holding: hash, target.column, &result, &reader)
        case .ints(let range):
            let least = PartDirectory.Bounds.code(UInt64(bitPattern: range.lowerBound), .int)
            let most = PartDirectory.Bounds.code(UInt64(bitPattern: range.upperBound), .int)
            keep(least...most, column, &result)
        case .doubles(let range):
            // The two zeros are equal, but not their codes.
            let lower = range.lowerBound == 0 ? -0.0 : range.lowerBound
            let upper = range.upperBound == 0 ? 0.0 : range.upperBound
            let least = PartDirectory.Bounds.code(lower.bitPattern, .double)
            let most = PartDirectory.Bounds.code(upper.bitPattern, .double)
            keep(least...most, column, &result)
        case .texts, .numbers: break
        }
        return result
    }

    private func keep(
        holding hash: UInt64,
        _ column: Int,
        _ blocks: inout BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) {
        guard let known = try reader.blocks(mayHold: hash, column: column) else { return }
        blocks.formIntersection(BlockBits(rowCount: known.count) { known[$0] })
    }

    /// - Parameter codes: as bounds are coded.
    private func keep(
        _ codes: ClosedRange<UInt64>,
        _ column: PartDirectory.Column,
        _ blocks: inout BlockBits
    ) {
        guard column.bounds.count == blocks.rowCount else { return }
        blocks.formIntersection(
            BlockBits(rowCount: blocks.rowCount) { block in
                let bounds = column.bounds[block]
                return bounds.largest >= codes.lowerBound && bounds.smallest <= codes.upperBound
            }
        )
    }
}
