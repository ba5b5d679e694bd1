// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Writes one column of a part, block after block, with what helps to search it: postings or a
/// filter, and the bounds of ints.
///
/// Numbers: `init(field)` or `init(attribute:)`, `append(numbers:)` for each block, `finish`.
/// Texts without a dictionary: the same with `append(texts:)`.
/// Texts with one: all distinct texts, sorted, go to a `TextDictionaryWriter`; then
/// `use(dictionary)`, `append(numbers:)` of ids for each block, `finish`.
struct ColumnWriter: ~Copyable {
    private var column: PartDirectory.Column
    private let blockCount: Int
    private var dictionary: TextDictionaryWriter?
    private var pages: [Range<Int>] = []
    private var postings: PostingsBuilder?
    private var filter: ValueFilterBuilder?

    /// A fixed field.
    init(_ field: PartField, blockCount: Int) {
        column = PartDirectory.Column(
            field: field,
            table: field.table,
            key: 0,
            type: .empty,
            chunks: []
        )
        self.blockCount = blockCount
    }

    /// Values of an attribute.
    ///
    /// - Parameter key: id in the vocabulary's names, or `Column.overflowKey`.
    init(attribute key: UInt32, _ type: AttributeType, of table: PartTable, blockCount: Int) {
        column = PartDirectory.Column(
            field: .attribute,
            table: table,
            key: key,
            type: type,
            chunks: []
        )
        self.blockCount = blockCount
    }

    /// Asks for a filter of the values to come.
    ///
    /// - Parameter values: distinct values of each block, added up over the blocks, about.
    mutating func filter(values: Int) {
        column.filterValues = values
        filter = ValueFilterBuilder(values: values, blockCount: max(blockCount, 1))
    }

    /// Says that the texts stand in a dictionary and their ids will follow.
    ///
    /// - Parameters:
    ///   - dictionary: with all texts in it.
    ///   - valueCount: how many ids will follow.
    ///   - isSearched: whether to make postings or a filter.
    mutating func use(
        _ dictionary: consuming TextDictionaryWriter,
        valueCount: Int,
        isSearched: Bool,
        _ output: inout PartOutput
    ) throws(DiskError) {
        pages = try dictionary.finishPages(to: &output)
        if isSearched, blockCount > 3 {
            // Where a value stands in few places, a list costs more than a filter.
            if dictionary.count * Limits.postingsRepeats <= valueCount {
                postings = PostingsBuilder(valueCount: dictionary.count)
            } else {
                filter(values: valueCount)
            }
        }
        self.dictionary = consume dictionary
    }

    /// Writes the numbers, or ids of texts, of the next block.
    mutating func append(
        numbers: UnsafeBufferPointer<UInt64>,
        to output: inout PartOutput
    ) throws(DiskError) {
        let block = column.chunks.count
        column.valueCount += numbers.count
        postings?.append(block: numbers)
        filter?.insert(numbers, block: block)
        if column.field == .attribute, column.type == .int || column.type == .double {
            column.bounds.append(PartDirectory.Bounds(numbers, column.type))
        }
        guard numbers.reduce(0, |) != 0 else {
            column.chunks.append(.none)
            return
        }
        if column.field.holdsIDs {
            RawIntegers.encode(numbers, to: &output.encoder)
        } else {
            output.encoder.append(integers: numbers, signed: column.type == .int)
        }
        column.chunks.append(try output.finishChunk())
    }

    /// Writes the texts of the next block.
    mutating func append(
        texts: borrowing TextRun,
        to output: inout PartOutput
    ) throws(DiskError) {
        let block = column.chunks.count
        column.valueCount += texts.count
        if filter != nil {
            texts.forEach { filter?.insert(ValueHash.of($0), block: block) }
        }
        guard texts.count > 0, column.field == .attribute || texts.byteCount > 0 else {
            column.chunks.append(.none)
            return
        }
        output.note(textByteCount: texts.byteCount)
        output.encoder.append(texts: texts)
        column.chunks.append(try output.finishChunk())
    }

    /// Writes the indexes of the column, which is then complete.
    mutating func finish(
        to output: inout PartOutput
    ) throws(DiskError) -> PartDirectory.Column {
        if let filter = filter.take() { column.filter = try filter.finish(to: &output) }
        var lists: [ChunkReference] = []
        if let postings = postings.take() {
            lists = try postings.finish().write(pages, to: &output)
        }
        if var dictionary = dictionary.take() {
            column.dictionary = try dictionary.finish(postings: lists, to: &output)
        }
        return column
    }
}

extension PartDirectory.Bounds {
    /// The bounds of the values of a block.
    init(_ numbers: UnsafeBufferPointer<UInt64>, _ type: AttributeType) {
        for number in numbers {
            let code = Self.code(number, type)
            smallest = min(smallest, code)
            largest = max(largest, code)
        }
    }
}
