// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Texts of one column of one block.
struct TextColumn {
    private let numbers: [UInt64]?
    /// All distinct texts where there is a dictionary, else the texts themselves.
    let texts: PackedTexts

    init(numbers: [UInt64]?, texts: PackedTexts) {
        self.numbers = numbers
        self.texts = texts
    }

    var count: Int { numbers?.count ?? texts.count }

    /// Place in `texts` of value `index`.
    @inline(__always)
    func place(_ index: Int) -> Int {
        guard let numbers else { return index }
        return Int(numbers[index])
    }

    var hasDictionary: Bool { numbers != nil }
}

/// One query's view of one part: decodes chunks and remembers those of the block in hand.
struct PartReader: ~Copyable {
    /// One trace of the part.
    struct Trace {
        var id: TraceID
        /// Its span rows.
        var rows: Range<Int>
        var start: UInt64
        /// Place in its block of traces, and that block.
        var index: Int
        var block: Int
    }

    let part: Part
    private let decompressor = Decompressor()
    private var numbers: [UInt64: [UInt64]] = [:]
    private var texts: [UInt64: TextColumn] = [:]
    private var dictionaries: [Int: PackedTexts] = [:]
    private var traceBlock = -1
    private var traces: [Trace] = []

    /// Chunks remembered before the oldest blocks' are dropped.
    private static let rememberedChunks = 256

    init(_ part: Part) { self.part = part }

    var directory: PartDirectory { part.directory }

    private func code(_ column: Int, _ block: Int) -> UInt64 {
        UInt64(column) << 32 | UInt64(block)
    }

    // MARK: Columns

    /// The numbers of a fixed field in a block.
    mutating func numbers(_ field: PartField, _ block: Int) throws(PartDamage) -> [UInt64] {
        try numbers(column: Int(field.rawValue), block, count: count(field, block))
    }

    /// How many values a field has in a block; `nil` where only its chunk knows.
    private func count(_ field: PartField, _ block: Int) -> Int? {
        switch field {
        case .parentID, .attribute: nil
        default:
            switch field.table {
            case .spans: directory.blocks[block].rowCount
            case .events: directory.blocks[block].eventCount
            case .links: directory.blocks[block].linkCount
            case .traces: directory.traceBlocks[block].rowCount
            }
        }
    }

    mutating func numbers(
        column: Int,
        _ block: Int,
        count: Int?
    ) throws(PartDamage) -> [UInt64] {
        let code = code(column, block)
        if let known = numbers[code] { return known }
        let info = directory.columns[column]
        var values: [UInt64]
        if block < info.chunks.count, let reference = info.chunks[block] {
            let bytes = try part.chunk(reference, decompressor)
            do {
                values = try PackedIntegers.decode(bytes).numbers
            } catch { throw part.damage(error.what) }
            guard count == nil || values.count == count else {
                throw part.damage("a column has the wrong length")
            }
            try check(values, info.field)
        } else {
            values = Array(repeating: 0, count: count ?? 0)
        }
        forgetSome()
        numbers[code] = values
        return values
    }

    /// Ids are used as indices without looking again.
    private func check(_ values: [UInt64], _ field: PartField) throws(PartDamage) {
        let limit: Int
        switch field {
        case .name, .eventName, .traceRootName, .traceRootService: limit = directory.names.count
        case .resource: limit = directory.resources.count
        case .scope: limit = directory.scopes.count
        case .shape, .eventShape, .linkShape: limit = part.shapes.count
        case .eventCount, .linkCount, .traceSpanCount: limit = 1 << 32
        default: return
        }
        guard values.allSatisfy({ $0 < UInt64(limit) }) else {
            throw part.damage("a value is out of range")
        }
    }

    mutating func texts(column: Int, _ block: Int) throws(PartDamage) -> TextColumn {
        let code = code(column, block)
        if let known = texts[code] { return known }
        let info = directory.columns[column]
        var result = TextColumn(numbers: nil, texts: PackedTexts())
        if block < info.chunks.count, let reference = info.chunks[block] {
            let bytes = try part.chunk(reference, decompressor)
            do {
                if info.dictionary == nil {
                    result = TextColumn(numbers: nil, texts: try PackedTexts(parsing: bytes))
                } else {
                    let dictionary = try dictionary(of: column)
                    let ids = try PackedIntegers.decode(bytes).numbers
                    guard ids.allSatisfy({ $0 < UInt64(dictionary.count) }) else {
                        throw CorruptBytes(what: "a text has no entry")
                    }
                    result = TextColumn(numbers: ids, texts: dictionary)
                }
            } catch let error as CorruptBytes {
                throw part.damage(error.what)
            } catch let error as PartDamage {
                throw error
            } catch {
                throw part.damage("\(error)")
            }
        }
        if let wanted = count(info.field, block), result.count != wanted {
            throw part.damage("a column has the wrong length")
        }
        forgetSome()
        texts[code] = result
        return result
    }

    /// All distinct texts of a column that has a dictionary; empty otherwise.
    mutating func dictionary(of column: Int) throws(PartDamage) -> PackedTexts {
        if let known = dictionaries[column] { return known }
        guard let reference = directory.columns[column].dictionary else { return PackedTexts() }
        let bytes = try part.chunk(reference, decompressor)
        do {
            let dictionary = try PackedTexts(parsing: bytes)
            dictionaries[column] = dictionary
            return dictionary
        } catch { throw part.damage(error.what) }
    }

    private mutating func forgetSome() {
        if numbers.count + texts.count < Self.rememberedChunks { return }
        numbers.removeAll(keepingCapacity: true)
        texts.removeAll(keepingCapacity: true)
    }

    // MARK: Traces

    /// The traces of one block of traces.
    mutating func traces(block: Int) throws(PartDamage) -> [Trace] {
        if block == traceBlock { return traces }
        let highs = try numbers(.traceHigh, block)
        let lows = try numbers(.traceLow, block)
        let counts = try numbers(.traceSpanCount, block)
        let starts = try numbers(.traceStart, block)
        var first = directory.traceBlocks[block].firstSpan
        var found: [Trace] = []
        found.reserveCapacity(highs.count)
        for index in highs.indices {
            let end = first + Int(counts[index])
            guard end <= directory.spanCount else { throw part.damage("a trace is too long") }
            found.append(
                Trace(
                    id: TraceID(high: highs[index], low: lows[index]),
                    rows: first..<end,
                    start: starts[index],
                    index: index,
                    block: block
                )
            )
            first = end
        }
        traces = found
        traceBlock = block
        return found
    }

    /// The block of traces that `row` belongs to.
    func traceBlock(of row: Int) -> Int {
        var low = 0
        var high = directory.traceBlocks.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if directory.traceBlocks[middle].firstSpan <= row {
                low = middle
            } else {
                high = middle
            }
        }
        return low
    }

    /// The traces that have span rows in `rows`, in their order.
    mutating func traces(in rows: Range<Int>) throws(PartDamage) -> [Trace] {
        guard !rows.isEmpty else { return [] }
        var result: [Trace] = []
        var block = traceBlock(of: rows.lowerBound)
        while block < directory.traceBlocks.count,
            directory.traceBlocks[block].firstSpan < rows.upperBound
        {
            let all = try traces(block: block)
            // First trace that ends after the first row.
            var low = 0
            var high = all.count
            while low < high {
                let middle = (low + high) / 2
                if all[middle].rows.upperBound <= rows.lowerBound {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            while low < all.count, all[low].rows.lowerBound < rows.upperBound {
                result.append(all[low])
                low += 1
            }
            block += 1
        }
        return result
    }

    /// The traces that a look-up by `id` should find.
    mutating func find(_ id: TraceID) throws(PartDamage) -> [Trace] {
        guard directory.filter.mayContain(id.low) else { return [] }
        var result: [Trace] = []
        for (block, info) in directory.traceBlocks.enumerated()
        where info.first.low <= id.low && id.low <= info.last.low {
            let all = try traces(block: block)
            var low = 0
            var high = all.count
            while low < high {
                let middle = (low + high) / 2
                if all[middle].id.low < id.low { low = middle + 1 } else { high = middle }
            }
            while low < all.count, all[low].id.low == id.low {
                if id.finds(all[low].id) { result.append(all[low]) }
                low += 1
            }
        }
        return result
    }

    /// The summary of a trace all of whose spans lie in this part.
    mutating func summary(of trace: Trace) throws(PartDamage) -> TraceSummary {
        let block = trace.block
        let services = try texts(column: Int(PartField.traceServices.rawValue), block)
        var reader = ByteReader(
            [UInt8](services.texts[services.place(trace.index)])
        )
        var counts: [TraceSummary.ServiceCount] = []
        while reader.remaining > 0 {
            guard let name = try? reader.index(below: directory.names.count),
                let spans = try? reader.index(below: 1 << 40),
                let errors = try? reader.index(below: 1 << 40)
            else { throw part.damage("the services of a trace are damaged") }
            counts.append(
                TraceSummary.ServiceCount(
                    name: text(UInt64(name)),
                    spanCount: spans,
                    errorCount: errors
                )
            )
        }
        counts.sort { $0.name < $1.name }
        return TraceSummary(
            traceID: trace.id,
            rootService: text(try numbers(.traceRootService, block)[trace.index]),
            rootOperation: text(try numbers(.traceRootName, block)[trace.index]),
            start: trace.start,
            duration: try numbers(.traceDuration, block)[trace.index],
            spanCount: trace.rows.count,
            errorCount: Int(clamping: try numbers(.traceErrorCount, block)[trace.index]),
            services: counts,
            matchedSpans: []
        )
    }

    mutating func duration(of trace: Trace) throws(PartDamage) -> UInt64 {
        try numbers(.traceDuration, trace.block)[trace.index]
    }

    func text(_ name: UInt64) -> String {
        part.shared.columns.strings.text(UInt32(truncatingIfNeeded: name))
    }
}
