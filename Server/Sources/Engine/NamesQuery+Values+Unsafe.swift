// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Values of a key in a part. A sorted dictionary that the key alone uses is read from the prefix on,
/// as far as the answer goes; of other columns the runs of the forms that have the key are read.
extension NamesQuery {
    /// Where the values of one type stand.
    private struct Source {
        let table: PartTable
        let key: UInt32
        let type: AttributeType
        let column: Int
        /// By form of the table: whether its owners count.
        let forms: [Bool]
        /// Services of the spans that count, where their events' forms do not tell; `nil` for all.
        let services: Set<UInt32>?
    }

    /// Distinct values found by number: ids of texts, or bits.
    private typealias Numbers = Set<UInt64>

    mutating func add(_ reader: inout PartReader, _ wish: Wish) throws {
        let vocabulary = try reader.vocabulary
        var text = wish.key
        guard let key = text.withUTF8({ vocabulary.name(UnsafeRawBufferPointer($0)) }) else {
            return
        }
        let services = wish.service.map { vocabulary.names($0) }
        if wish.wants(.resource) {
            let shared = vocabulary.shared
            for row in 0..<shared.columns.resources.count
            where services?.contains(shared.columns.resources.service[row]) ?? true {
                add(shared, shared.columns.resources.attributes[row], key, wish)
            }
        }
        if wish.wants(.span) {
            let forms = vocabulary.forms.map { services?.contains($0.service) ?? true }
            try add(.spans, key, forms, nil, &reader, wish)
        }
        if wish.wants(.event) {
            var forms = Array(repeating: services == nil, count: vocabulary.eventForms.count)
            var isShared = false
            if let services {
                for use in vocabulary.content.eventUses where services.contains(use.service) {
                    forms[Int(use.form)] = true
                }
                isShared = vocabulary.content.eventUses.contains {
                    forms[Int($0.form)] && !services.contains($0.service)
                }
            }
            try add(.events, key, forms, isShared ? services : nil, &reader, wish)
        }
    }

    private mutating func add(
        _ table: PartTable,
        _ key: UInt32,
        _ forms: [Bool],
        _ services: Set<UInt32>?,
        _ reader: inout PartReader,
        _ wish: Wish
    ) throws {
        let vocabulary = try reader.vocabulary
        var isAll = services == nil
        var types: Set<AttributeType> = []
        for form in forms.indices {
            let shape = PartReader.shape(of: UInt32(form), table, vocabulary)
            for pair in vocabulary.shapes[Int(shape)] where pair.key == key {
                if forms[form] { types.insert(pair.type) } else { isAll = false }
            }
        }
        for type in types.sorted(by: { $0.rawValue < $1.rawValue }) {
            switch type {
            case .empty, .bytes, .map: continue
            case .string, .bool, .int, .double, .array: break
            }
            guard let column = vocabulary.column(key, type, table) else { continue }
            let source = Source(
                table: table,
                key: key,
                type: type,
                column: column,
                forms: forms,
                services: services
            )
            let info = reader.part.directory.columns[column]
            if isAll, info.key == key, info.hasDictionary {
                try addDictionary(source, nil, &reader, wish)
            } else {
                try addBlocks(source, &reader, wish)
            }
        }
    }

    /// Adds the texts of a dictionary: all, or those of `ids`.
    private mutating func addDictionary(
        _ source: Source,
        _ ids: Numbers?,
        _ reader: inout PartReader,
        _ wish: Wish
    ) throws {
        guard let dictionary = try reader.dictionary(source.column) else { return }
        let first =
            source.type == .string
            ? try reader.dictionaryLowerBound(source.column, wish.prefix) : 0
        var added = 0
        let sorted = ids?.sorted()
        var place = 0
        var id = first
        while true {
            if let sorted {
                while place < sorted.count, sorted[place] < UInt64(first) { place += 1 }
                guard place < sorted.count else { return }
                id = Int(sorted[place])
                place += 1
            }
            guard id < dictionary.count, !isFull else { return }
            let isFirst = added == 0 && id == first
            if isFirst || id % 1_024 == 0 { try context.check() }
            let (value, isInside) = try reader.dictionaryText(source.column, UInt64(id)) { bytes in
                (Self.value(source.type, bytes), bytes.starts(with: wish.prefix))
            }
            if source.type == .string {
                // Sorted: nothing behind begins with the prefix, and what goes past the limit of one
                // part goes past that of the answer.
                if !isInside || added > request.limit { return }
                added += 1
            }
            add(value, wish)
            id += 1
        }
    }

    private mutating func addBlocks(
        _ source: Source,
        _ reader: inout PartReader,
        _ wish: Wish
    ) throws {
        let info = reader.part.directory.columns[source.column]
        let blocks = try blocks(source, &reader)
        var numbers: Numbers = []
        for block in info.chunks.indices.reversed() where blocks[block] && !isFull {
            try context.check()
            guard blocksLeft > 0 else {
                hasUnreadBlocks = true
                break
            }
            blocksLeft -= 1
            let held = numbers.count
            try addBlock(source, block, &numbers, &reader, wish)
            context.budget.charge(32 * (numbers.count - held))
        }
        if info.hasDictionary {
            try addDictionary(source, numbers, &reader, wish)
        } else {
            for bits in numbers { add(Self.value(source.type, bits), wish) }
        }
    }

    /// Blocks that may hold owners that count.
    private func blocks(
        _ source: Source,
        _ reader: inout PartReader
    ) throws -> BlockBits {
        let infos = reader.part.directory.blocks
        let vocabulary = try reader.vocabulary
        let all = BlockBits(rowCount: infos.count) {
            source.table == .spans || infos[$0].eventCount > 0
        }
        var blocks = BlockBits(rowCount: infos.count)
        for form in source.forms.indices where source.forms[form] {
            let shape = PartReader.shape(of: UInt32(form), source.table, vocabulary)
            let hasKey = vocabulary.shapes[Int(shape)].contains {
                $0.key == source.key && $0.type == source.type
            }
            guard hasKey else { continue }
            let own =
                source.table == .spans
                ? try reader.blocks(holdingForm: UInt32(form))
                : try reader.blocks(holdingEventForm: UInt32(form))
            guard let own else { return all }
            for block in own { blocks.insert(block) }
        }
        return blocks
    }

    private mutating func addBlock(
        _ source: Source,
        _ block: Int,
        _ numbers: inout Numbers,
        _ reader: inout PartReader,
        _ wish: Wish
    ) throws {
        let vocabulary = try reader.vocabulary
        let layout = try reader.layout(source.table, block)
        let owners = try owners(source, block, &reader)
        for (index, form) in layout.forms.enumerated() where source.forms[Int(form)] {
            let shape = PartReader.shape(of: form, source.table, vocabulary)
            for (pair, entry) in vocabulary.shapes[Int(shape)].enumerated()
            where entry.key == source.key && entry.type == source.type {
                let run = layout.run(index, pair: pair)
                try add(source, block, layout.rows(at: index), run, owners, &numbers, &reader, wish)
            }
        }
    }

    private mutating func add(
        _ source: Source,
        _ block: Int,
        _ rows: ArraySlice<Int32>,
        _ run: BlockLayout.Run,
        _ owners: BlockBits?,
        _ numbers: inout Numbers,
        _ reader: inout PartReader,
        _ wish: Wish
    ) throws {
        let isText = source.type.holdsText
        let hasDictionary = reader.part.directory.columns[source.column].hasDictionary
        var place = run.base
        if isText, !hasDictionary {
            let texts = try reader.texts(column: source.column, block)
            for row in rows {
                defer { place += run.stride }
                guard owners?[Int(row)] ?? true else { continue }
                add(texts.withBytes(place) { Self.value(source.type, $0) }, wish)
            }
        } else {
            let packed = try reader.packed(column: source.column, block)
            for row in rows {
                if owners?[Int(row)] ?? true { numbers.insert(packed[place]) }
                place += run.stride
            }
        }
    }

    /// The events of a block whose spans are of the wanted services; `nil` for all.
    private func owners(
        _ source: Source,
        _ block: Int,
        _ reader: inout PartReader
    ) throws -> BlockBits? {
        guard let services = source.services else { return nil }
        let vocabulary = try reader.vocabulary
        let forms = try reader.numbers(.form, block)
        var events = BlockBits(rowCount: reader.part.directory.blocks[block].eventCount)
        var first = 0
        for (row, count) in try reader.numbers(.eventCount, block).enumerated() where count > 0 {
            guard count <= UInt64(events.rowCount - first) else {
                throw reader.part.damage("events are missing")
            }
            let end = first + Int(count)
            if services.contains(vocabulary.forms[Int(forms[row])].service) {
                for event in first..<end { events.insert(event) }
            }
            first = end
        }
        return events
    }

    private static func value(_ type: AttributeType, _ bits: UInt64) -> AttributeValue {
        switch type {
        case .bool: .bool(bits != 0)
        case .int: .int(Int64(bitPattern: bits))
        case .double: .double(Double(bitPattern: bits))
        case .empty, .string, .bytes, .array, .map: .empty
        }
    }

    private static func value(
        _ type: AttributeType,
        _ bytes: UnsafeRawBufferPointer
    ) -> AttributeValue {
        switch type {
        case .string: .string(String(decoding: bytes, as: UTF8.self))
        case .array: .array(NestedValue.array(bytes))
        case .bytes, .map, .empty, .bool, .int, .double: .empty
        }
    }
}
