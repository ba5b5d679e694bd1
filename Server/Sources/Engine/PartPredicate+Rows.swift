// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

extension PartPredicate {
    /// Which rows of a block match.
    ///
    /// Conditions that all must hold narrow each other down, the cheapest first; nothing more is
    /// read once no row is left.
    func rows(of block: Int, _ reader: inout PartReader) throws(PartDamage) -> BlockBits {
        let all = BlockBits(allOf: reader.part.directory.blocks[block].rowCount)
        return try Self.rows(node, block, within: all, &reader)
    }

    /// Those of `rows` that match.
    private static func rows(
        _ node: Node,
        _ block: Int,
        within rows: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        switch node {
        case .constant(let value): return value ? rows : BlockBits(rowCount: rows.rowCount)
        case .forms(let forms): return try self.rows(forms, block, within: rows, &reader)
        case .resources(let hits): return try self.rows(hits: hits, block, within: rows, &reader)
        case .duration(let range): return try self.rows(range, block, within: rows, &reader)
        case .statusMessage(let match): return try self.rows(match, block, within: rows, &reader)
        case .attribute(let condition):
            return try condition.owners(block, within: rows, &reader)
        case .eventForms(let forms):
            let count = reader.part.directory.blocks[block].eventCount
            let all = BlockBits(allOf: count)
            let events = try self.owners(forms, .events, block, within: all, &reader)
            return try spans(of: events, block, within: rows, &reader)
        case .eventAttribute(let condition):
            let count = reader.part.directory.blocks[block].eventCount
            let events = try condition.owners(block, within: BlockBits(allOf: count), &reader)
            return try spans(of: events, block, within: rows, &reader)
        case .and(let nodes):
            var left = rows
            for node in nodes {
                left = try self.rows(node, block, within: left, &reader)
                if left.isEmpty { break }
            }
            return left
        case .or(let nodes):
            var left = rows
            var found = BlockBits(rowCount: rows.rowCount)
            for node in nodes {
                let hits = try self.rows(node, block, within: left, &reader)
                found.formUnion(hits)
                left.subtract(hits)
                if left.isEmpty { break }
            }
            return found
        case .not(let inner):
            var left = rows
            left.subtract(try self.rows(inner, block, within: rows, &reader))
            return left
        }
    }

    private static func rows(
        _ forms: [Bool],
        _ block: Int,
        within rows: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        try owners(forms, .spans, block, within: rows, &reader)
    }

    /// Those of `owners`, spans or events, that have one of the forms.
    private static func owners(
        _ forms: [Bool],
        _ table: PartTable,
        _ block: Int,
        within owners: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        let numbers = try reader.numbers(PartReader.formField(table), block)
        var found = BlockBits(rowCount: owners.rowCount) { forms[Int(numbers[$0])] }
        found.formIntersection(owners)
        return found
    }

    private static func rows(
        hits: [Bool],
        _ block: Int,
        within rows: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        let vocabulary = try reader.vocabulary
        let layout = try reader.layout(.spans, block)
        let instances = try reader.packed(.instance, block)
        var found = BlockBits(rowCount: rows.rowCount)
        for (index, form) in layout.forms.enumerated() {
            let own = vocabulary.resources(of: vocabulary.forms[Int(form)].service)
            guard own.contains(where: { hits[$0] }) else { continue }
            let isWhole = own.allSatisfy { hits[$0] }
            for row in layout.rows(at: index) where rows[Int(row)] {
                let place = isWhole ? 0 : Int(clamping: instances[Int(row)])
                guard place < own.count else { throw reader.part.damage("a resource is missing") }
                if hits[own.lowerBound + place] { found.insert(Int(row)) }
            }
        }
        return found
    }

    private static func rows(
        _ range: ClosedRange<UInt64>,
        _ block: Int,
        within rows: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        let info = reader.part.directory.blocks[block]
        if range.contains(info.shortest), range.contains(info.longest) { return rows }
        let durations = try reader.packed(.duration, block)
        let early = try reader.packed(.endsEarly, block)
        let isNeverEarly = early.planes == 0 && early.smallest == 0
        var found = BlockBits(rowCount: rows.rowCount)
        // Unpacking all at once costs less than unpacking many one by one.
        if isNeverEarly, rows.count * 8 > rows.rowCount {
            let values = durations.values
            found = BlockBits(rowCount: rows.rowCount) { range.contains(values[$0]) }
            found.formIntersection(rows)
            return found
        }
        rows.forEach { row in
            let duration = isNeverEarly || early[row] == 0 ? durations[row] : 0
            if range.contains(duration) { found.insert(row) }
        }
        return found
    }

    private static func rows(
        _ match: TextMatch,
        _ block: Int,
        within rows: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        let column = Int(PartField.statusMessage.rawValue)
        let info = reader.part.directory.columns[column]
        // Without a dictionary no chunk means no text; with one, the first of its texts.
        if info.chunks[block].isNone, !info.hasDictionary {
            return match.matches("") ? rows : BlockBits(rowCount: rows.rowCount)
        }
        let texts = try reader.texts(column: column, block)
        var known: [UInt64: Bool] = [:]
        var found = BlockBits(rowCount: rows.rowCount)
        try rows.forEach { (row) throws(PartDamage) in
            if texts.hasDictionary {
                let id = texts.id(row)
                let isHit: Bool
                if let seen = known[id] {
                    isHit = seen
                } else {
                    isHit = try reader.dictionaryText(column, id) { match.matches($0) }
                    known[id] = isHit
                }
                if isHit { found.insert(row) }
            } else if texts.withBytes(row, { match.matches($0) }) {
                found.insert(row)
            }
        }
        return found
    }

    /// Those of `rows` that have one of the events.
    private static func spans(
        of events: BlockBits,
        _ block: Int,
        within rows: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        var found = BlockBits(rowCount: rows.rowCount)
        guard !events.isEmpty else { return found }
        var first = 0
        for (row, count) in try reader.numbers(.eventCount, block).enumerated() where count > 0 {
            guard count <= UInt64(events.rowCount - first) else {
                throw reader.part.damage("events are missing")
            }
            let end = first + Int(count)
            if rows[row], events.intersects(first..<end) { found.insert(row) }
            first = end
        }
        return found
    }
}

extension AttributeCondition {
    /// Those of `owners`, spans or events of a block, that have a matching value.
    func owners(
        _ block: Int,
        within owners: BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) -> BlockBits {
        var found = BlockBits(rowCount: owners.rowCount)
        guard try mayHold(block, &reader) else { return found }
        let layout = try reader.layout(table, block)
        var columns: [Int: BlockValues] = [:]
        for (index, form) in layout.forms.enumerated() where forms[Int(form)] {
            let rows = layout.rows(at: index)
            for place in places(of: form) {
                guard let number = place.target else {
                    for row in rows where owners[Int(row)] { found.insert(Int(row)) }
                    continue
                }
                let values: BlockValues
                if let known = columns[number] {
                    values = known
                } else {
                    values = try BlockValues(targets[number], block, &reader)
                    columns[number] = values
                }
                if case .none = values { continue }
                let run = layout.run(index, pair: place.pair)
                try add(rows, run, values, number, within: owners, &found, &reader)
            }
        }
        return found
    }

    /// Whether a value looked for stands in the block at all. The filters that led here err for one
    /// block in forty; finding that out costs less than the order of the block's forms.
    private func mayHold(_ block: Int, _ reader: inout PartReader) throws(PartDamage) -> Bool {
        guard !hasUntestedPlace else { return true }
        for target in targets {
            switch target.test {
            case .number(let wanted):
                let numbers = try reader.uncountedNumbers(target.column, block)
                var isThere = false
                numbers.forEach(equalTo: wanted, in: 0..<numbers.count) { _ in isThere = true }
                if isThere { return true }
            case .rawTexts(let hash):
                guard hash != nil else { return true }
                let texts = try reader.uncountedTexts(target.column, block)
                for index in 0..<texts.count
                where texts.withBytes(index, { matcher.matches(target.type, bytes: $0) }) {
                    return true
                }
            case .texts, .ints, .doubles, .numbers: return true
            }
        }
        return false
    }

    /// A target's values of one block.
    private enum BlockValues {
        /// No value of the block can match.
        case none
        case numbers(PackedIntegers)
        case texts(TextColumn)

        init(_ target: Target, _ block: Int, _ reader: inout PartReader) throws(PartDamage) {
            switch target.test {
            case .texts, .rawTexts:
                self = .texts(try reader.texts(column: target.column, block))
            case .number, .ints, .doubles, .numbers:
                self = .numbers(try reader.packed(column: target.column, block))
            }
        }
    }

    private func add(
        _ rows: ArraySlice<Int32>,
        _ run: BlockLayout.Run,
        _ values: BlockValues,
        _ number: Int,
        within owners: BlockBits,
        _ found: inout BlockBits,
        _ reader: inout PartReader
    ) throws(PartDamage) {
        let target = targets[number]
        switch values {
        case .none: return
        case .numbers(let numbers):
            if case .number(let wanted) = target.test {
                let first = rows.startIndex
                let places = run.base..<run.base + (rows.count - 1) * run.stride + 1
                guard places.upperBound <= numbers.count else {
                    throw reader.part.damage("a value is missing")
                }
                numbers.forEach(equalTo: wanted, in: places) { place in
                    let index = place - run.base
                    // With a stride, the places between belong to other pairs of the shape.
                    guard run.stride == 1 || index % run.stride == 0 else { return }
                    let row = Int(rows[first + index / run.stride])
                    if owners[row] { found.insert(row) }
                }
                return
            }
            var index = run.base
            for row in rows {
                if owners[Int(row)], matches(numbers[index], target) { found.insert(Int(row)) }
                index += run.stride
            }
        case .texts(let texts):
            var index = run.base
            for row in rows {
                defer { index += run.stride }
                guard owners[Int(row)], !found[Int(row)] else { continue }
                if try matches(texts, index, number, &reader) { found.insert(Int(row)) }
            }
        }
    }

    @inline(__always)
    private func matches(_ bits: UInt64, _ target: Target) -> Bool {
        switch target.test {
        case .number(let wanted): bits == wanted
        case .ints(let range): range.contains(Int64(bitPattern: bits))
        case .doubles(let range): range.contains(Double(bitPattern: bits))
        case .numbers: matcher.matches(target.type, bits: bits)
        case .texts, .rawTexts: false
        }
    }

    private func matches(
        _ texts: TextColumn,
        _ index: Int,
        _ number: Int,
        _ reader: inout PartReader
    ) throws(PartDamage) -> Bool {
        let target = targets[number]
        guard texts.hasDictionary else {
            return texts.withBytes(index) { matcher.matches(target.type, bytes: $0) }
        }
        let id = texts.id(index)
        if let known = knownTexts[number]?[id] { return known }
        let isHit = try reader.dictionaryText(target.column, id) {
            matcher.matches(target.type, bytes: $0)
        }
        knownTexts[number, default: [:]][id] = isHit
        return isHit
    }
}
