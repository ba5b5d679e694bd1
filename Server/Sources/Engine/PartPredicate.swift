// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// A `SpanPredicate` made ready for one part: texts resolved to ids once, so that blocks compare
/// numbers and a part that cannot match is not read at all.
struct PartPredicate {
    private indirect enum Node {
        case constant(Bool)
        /// A fixed field is one of these numbers, by number.
        case oneOf(PartField, [Bool])
        case equals(PartField, UInt64)
        case duration(ClosedRange<UInt64>)
        case statusMessage(TextMatch)
        case attribute(AttributeNode)
        /// Holds for some event of the span.
        case anyEvent(Node)
        case and([Node])
        case or([Node])
        case not(Node)
    }

    private final class AttributeNode {
        let table: PartTable
        let key: UInt32
        let matcher: ValueMatcher
        /// By shape: whether it has the key at all.
        let shapes: [Bool]
        let columns: [AttributeType: Int]
        /// By column with a dictionary: which of its texts match.
        var texts: [Int: [Bool]] = [:]

        init(table: PartTable, key: UInt32, matcher: ValueMatcher, part: Part) {
            self.table = table
            self.key = key
            self.matcher = matcher
            shapes = part.shapes.map { shape in
                shape.contains { $0.key == key && matcher.mayMatch($0.type) }
            }
            var columns: [AttributeType: Int] = [:]
            for type in AttributeType.allCases where type != .empty {
                columns[type] = part.column(key, type, table)
            }
            self.columns = columns
        }
    }

    private let node: Node

    init(_ predicate: SpanPredicate, for part: Part) {
        node = Self.compile(predicate, part)
    }

    /// Whether no row of the part can match.
    var isNever: Bool {
        if case .constant(false) = node { true } else { false }
    }

    /// Whether every row matches.
    var isAlways: Bool {
        if case .constant(true) = node { true } else { false }
    }

    /// Whether some row of a block may match, by what the directory says of it.
    func mayMatch(_ block: PartDirectory.Block) -> Bool { Self.mayMatch(node, block) }

    /// Which rows of a block match.
    func rows(of block: Int, _ reader: inout PartReader) throws(PartDamage) -> [Bool] {
        try Self.evaluate(
            node,
            block,
            count: reader.directory.blocks[block].rowCount,
            events: false,
            &reader
        )
    }

    // MARK: Making ready

    private static func compile(_ predicate: SpanPredicate, _ part: Part) -> Node {
        switch predicate {
        case .all: return .constant(true)
        case .service(let match):
            return resources(part) { row in
                let columns = part.shared
                let id = columns.columns.resources.service[row]
                return columns.columns.strings.withBytes(of: id) { match.matches($0) }
            }
        case .operation(let match): return names(match, .name, part)
        case .eventName(let match):
            let node = names(match, .eventName, part)
            if case .constant(false) = node { return node }
            return .anyEvent(node)
        case .attribute(let scope, let key, let match): return attribute(scope, key, match, part)
        case .duration(let range): return .duration(range)
        case .status(let code): return .equals(.status, UInt64(code.rawValue))
        case .statusMessage(let match): return .statusMessage(match)
        case .kind(let kind): return .equals(.kind, UInt64(kind.rawValue))
        case .and(let parts):
            let nodes = parts.map { compile($0, part) }
            if nodes.contains(where: isConstant(false)) { return .constant(false) }
            let rest = nodes.filter { !isConstant(true)($0) }
            return rest.isEmpty ? .constant(true) : .and(rest)
        case .or(let parts):
            let nodes = parts.map { compile($0, part) }
            if nodes.contains(where: isConstant(true)) { return .constant(true) }
            let rest = nodes.filter { !isConstant(false)($0) }
            return rest.isEmpty ? .constant(false) : .or(rest)
        case .not(let inner):
            let node = compile(inner, part)
            if case .constant(let value) = node { return .constant(!value) }
            return .not(node)
        }
    }

    private static func isConstant(_ value: Bool) -> (Node) -> Bool {
        { if case .constant(value) = $0 { true } else { false } }
    }

    private static func resources(_ part: Part, where isHit: (Int) -> Bool) -> Node {
        let hits = (0..<part.directory.resources.count).map(isHit)
        if !hits.contains(true) { return .constant(false) }
        return hits.contains(false) ? .oneOf(.resource, hits) : .constant(true)
    }

    private static func names(_ match: TextMatch, _ field: PartField, _ part: Part) -> Node {
        if case .exactly(let text) = match {
            guard let id = part.shared.columns.strings.find(text) else { return .constant(false) }
            return .equals(field, UInt64(id))
        }
        let hits = part.directory.names.map { match.matches($0) }
        return hits.contains(true) ? .oneOf(field, hits) : .constant(false)
    }

    private static func attribute(
        _ scope: AttributeScope,
        _ key: String,
        _ match: ValueMatch,
        _ part: Part
    ) -> Node {
        guard let id = part.shared.columns.strings.find(key) else { return .constant(false) }
        let matcher = ValueMatcher(match)
        var nodes: [Node] = []
        if scope == .resource || scope == .any {
            let node = resources(part) { row in
                let shared = part.shared
                return RowPredicate.has(
                    id,
                    matcher,
                    shared.columns.resources.attributes[row],
                    shared.columns
                )
            }
            if case .constant(true) = node { return node }
            if !isConstant(false)(node) { nodes.append(node) }
        }
        for (wanted, table) in [(AttributeScope.span, PartTable.spans), (.event, .events)]
        where scope == wanted || scope == .any {
            let leaf = AttributeNode(table: table, key: id, matcher: matcher, part: part)
            guard leaf.shapes.contains(true) else { continue }
            nodes.append(table == .spans ? .attribute(leaf) : .anyEvent(.attribute(leaf)))
        }
        return nodes.isEmpty ? .constant(false) : .or(nodes)
    }

    private static func mayMatch(_ node: Node, _ block: PartDirectory.Block) -> Bool {
        switch node {
        case .constant(let value): value
        case .duration(let range):
            range.overlaps(block.shortest...max(block.shortest, block.longest))
        case .anyEvent: block.eventCount > 0
        case .and(let nodes): nodes.allSatisfy { mayMatch($0, block) }
        case .or(let nodes): nodes.contains { mayMatch($0, block) }
        case .oneOf, .equals, .statusMessage, .attribute, .not: true
        }
    }

    // MARK: Evaluating

    /// - Parameter events: the rows are those of the block's events, not of its spans.
    private static func evaluate(
        _ node: Node,
        _ block: Int,
        count: Int,
        events: Bool,
        _ reader: inout PartReader
    ) throws(PartDamage) -> [Bool] {
        switch node {
        case .constant(let value): return Array(repeating: value, count: count)
        case .oneOf(let field, let hits):
            return try reader.numbers(field, block).map { hits[Int($0)] }
        case .equals(let field, let wanted):
            return try reader.numbers(field, block).map { $0 == wanted }
        case .duration(let range):
            let early = try reader.numbers(.endsEarly, block)
            return zip(try reader.numbers(.end, block), early).map { duration, isEarly in
                range.contains(isEarly == 0 ? duration : 0)
            }
        case .statusMessage(let match):
            let column = Int(PartField.statusMessage.rawValue)
            let texts = try reader.texts(column: column, block)
            guard texts.count > 0 else {
                return Array(repeating: match.matches(""), count: count)
            }
            return (0..<count).map { row in
                texts.texts.withBytes(texts.place(row)) { match.matches($0) }
            }
        case .attribute(let leaf): return try evaluate(leaf, block, &reader)
        case .anyEvent(let inner):
            let total = reader.directory.blocks[block].eventCount
            let hits = try evaluate(inner, block, count: total, events: true, &reader)
            let counts = try reader.numbers(.eventCount, block)
            var result: [Bool] = []
            var first = 0
            for number in counts {
                let end = first + Int(number)
                guard end <= hits.count else { throw reader.part.damage("events are missing") }
                result.append(hits[first..<end].contains(true))
                first = end
            }
            return result
        case .and(let nodes):
            var result = Array(repeating: true, count: count)
            for node in nodes {
                let other = try evaluate(node, block, count: count, events: events, &reader)
                for index in result.indices { result[index] = result[index] && other[index] }
                if !result.contains(true) { break }
            }
            return result
        case .or(let nodes):
            var result = Array(repeating: false, count: count)
            for node in nodes {
                let other = try evaluate(node, block, count: count, events: events, &reader)
                for index in result.indices { result[index] = result[index] || other[index] }
            }
            return result
        case .not(let inner):
            return try evaluate(inner, block, count: count, events: events, &reader).map { !$0 }
        }
    }

    /// Walks the owners of a block; each value column has a cursor, for values lie one after
    /// another whichever owner they belong to.
    private static func evaluate(
        _ leaf: AttributeNode,
        _ block: Int,
        _ reader: inout PartReader
    ) throws(PartDamage) -> [Bool] {
        let field: PartField = leaf.table == .spans ? .shape : .eventShape
        let shapes = try reader.numbers(field, block)
        let part = reader.part
        if leaf.matcher.isExists { return shapes.map { leaf.shapes[Int($0)] } }
        var result = Array(repeating: false, count: shapes.count)
        guard shapes.contains(where: { leaf.shapes[Int($0)] }) else { return result }
        var hits: [AttributeType: [Bool]] = [:]
        for (type, column) in leaf.columns where leaf.matcher.mayMatch(type) {
            hits[type] = try values(leaf, type, column, block, &reader)
        }
        let columns = Set(hits.keys.compactMap { leaf.columns[$0] })
        var cursors: [Int: Int] = [:]
        var steps: [UInt64: [(hit: [Bool]?, column: Int)]] = [:]
        for (row, shape) in shapes.enumerated() {
            let walk =
                steps[shape]
                ?? part.shapes[Int(shape)].compactMap { pair in
                    if pair.type == .empty {
                        let isHit = pair.key == leaf.key && leaf.matcher.matches(.empty, bits: 0)
                        return isHit ? (nil, -1) : nil
                    }
                    guard let column = part.column(pair.key, pair.type, leaf.table),
                        columns.contains(column)
                    else { return nil }
                    return (pair.key == leaf.key ? hits[pair.type] : nil, column)
                }
            steps[shape] = walk
            for step in walk {
                if step.column < 0 {
                    result[row] = true
                    continue
                }
                let index = cursors[step.column, default: 0]
                cursors[step.column] = index + 1
                guard let hit = step.hit else { continue }
                guard index < hit.count else { throw part.damage("a value is missing") }
                if hit[index] { result[row] = true }
            }
        }
        return result
    }

    /// Which values of a column match.
    private static func values(
        _ leaf: AttributeNode,
        _ type: AttributeType,
        _ column: Int,
        _ block: Int,
        _ reader: inout PartReader
    ) throws(PartDamage) -> [Bool] {
        guard type.holdsText else {
            return try reader.numbers(column: column, block, count: nil)
                .map { leaf.matcher.matches(type, bits: $0) }
        }
        let texts = try reader.texts(column: column, block)
        if texts.hasDictionary {
            let known = leaf.texts[column] ?? matching(leaf, type, texts.texts)
            leaf.texts[column] = known
            guard known.contains(true) else { return Array(repeating: false, count: texts.count) }
            return (0..<texts.count).map { known[texts.place($0)] }
        }
        return matching(leaf, type, texts.texts)
    }

    private static func matching(
        _ leaf: AttributeNode,
        _ type: AttributeType,
        _ texts: PackedTexts
    ) -> [Bool] {
        (0..<texts.count).map { index in
            texts.withBytes(index) { leaf.matcher.matches(type, bytes: $0) }
        }
    }
}
