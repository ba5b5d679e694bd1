// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Copies a column of numbers.
struct NumberCopy: ~Copyable {
    private var writer: ColumnWriter
    private var numbers = Column<UInt64>()

    init(_ writer: consuming ColumnWriter, _ sources: [MergeSource]) {
        self.writer = writer
        let filtered = sources.compactMap(\.filterValues)
        if !filtered.isEmpty { self.writer.filter(values: filtered.reduce(0, +)) }
    }

    mutating func append(_ range: Range<Int>, stride: Int, _ values: MergeValues) {
        if stride == 1 {
            numbers.append(count: range.count) { values.numbers.decode(range, into: $0) }
        } else {
            for index in Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride) {
                numbers.append(values.numbers[index])
            }
        }
    }

    mutating func finishBlock(
        _ sources: [MergeSource],
        to output: inout PartOutput
    ) throws(DiskError) {
        try numbers.withElements { (numbers) throws(DiskError) in
            try writer.append(numbers: numbers, to: &output)
        }
        numbers.truncate(to: 0)
        for source in sources { source.forgetIdle() }
    }

    consuming func finish(to output: inout PartOutput) throws(DiskError) -> PartDirectory.Column {
        try writer.finish(to: &output)
    }
}

/// Copies a column of texts: into one dictionary where all sources have one, else into the blocks.
///
/// A column that once had too many different texts for a dictionary never gets one again; one that
/// has grown too many loses it while it is small.
struct TextCopy: ~Copyable {
    enum Pass {
        /// Finds out which texts of the dictionaries are used.
        case mark
        case write
    }

    private var writer: ColumnWriter
    private let sources: [MergeSource]
    private let valueCount: Int
    private let isSearched: Bool
    private let hasRaw: Bool
    private(set) var passes: [Pass] = [.write]
    private var pass = Pass.write
    private var usesDictionary = false
    private var numbers = Column<UInt64>()
    private var texts = TextRun()

    init(
        _ writer: consuming ColumnWriter,
        _ sources: [MergeSource],
        valueCount: Int,
        isSearched: Bool
    ) {
        self.writer = writer
        self.sources = sources
        self.valueCount = valueCount
        self.isSearched = isSearched
        hasRaw = sources.contains(where: \.isRaw)
    }

    /// Some texts of the dictionaries may be in no row: finds out which, before writing.
    mutating func beginMarking() { if !hasRaw { passes = [.mark, .write] } }

    mutating func begin(_ pass: Pass, to output: inout PartOutput) throws {
        self.pass = pass
        switch pass {
        case .mark:
            for source in sources {
                let count = try source.dictionary()?.count ?? 1
                source.isUsed = Array(repeating: false, count: count)
            }
        case .write:
            if hasRaw {
                if isSearched, sources.contains(where: { $0.isRaw && $0.filterValues != nil }) {
                    writer.filter(values: valueCount)
                }
            } else {
                try decide(to: &output)
            }
        }
    }

    /// Joins the dictionaries, or does without.
    private mutating func decide(to output: inout PartOutput) throws {
        var largest = 0
        for source in sources { largest += try source.dictionary()?.count ?? 1 }
        if !isSmall(largest) {
            var distinct = try MergeDictionaries(sources)
            try distinct.run { _ in }
            if !isSmall(distinct.count), distinct.byteCount <= Limits.mergeTextBytes {
                let mean = distinct.byteCount / max(distinct.count, 1)
                if isSearched, mean <= Limits.filteredTextBytes {
                    writer.filter(values: valueCount)
                }
                return
            }
        }
        usesDictionary = true
        var dictionary = TextDictionaryWriter()
        var joined = try MergeDictionaries(sources)
        try joined.run { (text) throws(DiskError) in
            try dictionary.append(text, to: &output)
        }
        try writer.use(
            dictionary,
            valueCount: valueCount,
            isSearched: isSearched,
            &output
        )
    }

    /// Whether a dictionary of so many texts pays.
    private func isSmall(_ count: Int) -> Bool {
        valueCount <= 100 || count <= valueCount / 100 * Limits.dictionaryPercent
    }

    mutating func append(
        _ range: Range<Int>,
        stride: Int,
        _ values: MergeValues,
        _ source: MergeSource
    ) throws(PartDamage) {
        if pass == .mark {
            for index in Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride) {
                let id = values.numbers[index]
                guard id < UInt64(source.isUsed.count) else { throw Self.noEntry(source) }
                source.isUsed[Int(id)] = true
            }
        } else if usesDictionary {
            try appendIDs(range, stride: stride, values, source)
        } else if source.isRaw {
            for index in Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride) {
                if values.texts.count == 0 {
                    texts.append(UnsafeRawBufferPointer(start: nil, count: 0))
                } else {
                    values.texts.withBytes(index) { texts.append($0) }
                }
            }
        } else {
            for index in Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride) {
                try source.withText(values.numbers[index]) { texts.append($0) }
            }
        }
    }

    private mutating func appendIDs(
        _ range: Range<Int>,
        stride: Int,
        _ values: MergeValues,
        _ source: MergeSource
    ) throws(PartDamage) {
        let first = numbers.count
        if stride == 1 {
            numbers.append(count: range.count) { values.numbers.decode(range, into: $0) }
        } else {
            for index in Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride) {
                numbers.append(values.numbers[index])
            }
        }
        let limit = UInt64(source.ids.count)
        for index in first..<numbers.count {
            guard numbers[index] < limit else { throw Self.noEntry(source) }
            numbers[index] = UInt64(source.ids[Int(numbers[index])])
        }
    }

    private static func noEntry(_ source: MergeSource) -> PartDamage {
        source.input.part.damage("a text has no entry")
    }

    mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        if pass == .write {
            if usesDictionary {
                try numbers.withElements { (numbers) throws(DiskError) in
                    try writer.append(numbers: numbers, to: &output)
                }
                numbers.truncate(to: 0)
            } else {
                try writer.append(texts: texts, to: &output)
                texts.removeAll()
            }
        }
        for source in sources { source.forgetIdle() }
    }

    consuming func finish(to output: inout PartOutput) throws(DiskError) -> PartDirectory.Column {
        try writer.finish(to: &output)
    }
}
