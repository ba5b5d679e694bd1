// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// A `SpanPredicate` made ready for the rows of one table in memory.
struct RowPredicate {
    private indirect enum Node {
        case constant(Bool)
        /// By resource row.
        case resource([Bool])
        case name(Set<UInt32>)
        case spanAttribute(UInt32, ValueMatcher)
        case eventAttribute(UInt32, ValueMatcher)
        case eventName(Set<UInt32>)
        case duration(ClosedRange<UInt64>)
        case status(UInt8)
        case statusMessage(Set<UInt32>)
        case kind(UInt8)
        case and([Node])
        case or([Node])
        case not(Node)
    }

    private let node: Node

    init(_ predicate: SpanPredicate, for table: SpanTable) {
        node = Self.compile(predicate, table.columns)
    }

    /// Whether no row can match.
    var isNever: Bool {
        if case .constant(false) = node { true } else { false }
    }

    func matches(_ row: Int, _ columns: borrowing SpanColumns) -> Bool {
        Self.matches(node, row, columns)
    }

    private static func compile(
        _ predicate: SpanPredicate,
        _ columns: borrowing SpanColumns
    ) -> Node {
        switch predicate {
        case .all: return .constant(true)
        case .service(let match): return services(match, columns)
        case .operation(let match): return names(match, columns) { .name($0) }
        case .eventName(let match): return names(match, columns) { .eventName($0) }
        case .attribute(let scope, let key, let match):
            return attribute(scope, key, match, columns)
        case .duration(let range): return .duration(range)
        case .status(let code): return .status(code.rawValue)
        case .statusMessage(let match): return names(match, columns) { .statusMessage($0) }
        case .kind(let kind): return .kind(kind.rawValue)
        case .and(let parts):
            var nodes: [Node] = []
            for part in parts {
                let node = compile(part, columns)
                if case .constant(false) = node { return node }
                nodes.append(node)
            }
            return .and(nodes)
        case .or(let parts):
            var nodes: [Node] = []
            for part in parts {
                let node = compile(part, columns)
                if case .constant(false) = node { continue }
                nodes.append(node)
            }
            return nodes.isEmpty ? .constant(false) : .or(nodes)
        case .not(let part): return .not(compile(part, columns))
        }
    }

    private static func services(_ match: TextMatch, _ columns: borrowing SpanColumns) -> Node {
        var hits: [Bool] = []
        for row in 0..<columns.resources.count {
            let id = columns.resources.service[row]
            hits.append(columns.strings.withBytes(of: id) { match.matches($0) })
        }
        return hits.contains(true) ? .resource(hits) : .constant(false)
    }

    private static func names(
        _ match: TextMatch,
        _ columns: borrowing SpanColumns,
        _ node: (Set<UInt32>) -> Node
    ) -> Node {
        var ids: Set<UInt32> = []
        switch match {
        case .exactly(let text):
            if let id = columns.strings.find(text) { ids.insert(id) }
        case .ignoringCase:
            for id in 0..<UInt32(columns.strings.count)
            where columns.strings.withBytes(of: id, { match.matches($0) }) {
                ids.insert(id)
            }
        }
        return ids.isEmpty ? .constant(false) : node(ids)
    }

    private static func attribute(
        _ scope: AttributeScope,
        _ key: String,
        _ match: ValueMatch,
        _ columns: borrowing SpanColumns
    ) -> Node {
        guard let id = columns.strings.find(key) else { return .constant(false) }
        let matcher = ValueMatcher(match)
        var nodes: [Node] = []
        if scope == .span || scope == .any { nodes.append(.spanAttribute(id, matcher)) }
        if scope == .event || scope == .any { nodes.append(.eventAttribute(id, matcher)) }
        if scope == .resource || scope == .any {
            var hits: [Bool] = []
            for row in 0..<columns.resources.count {
                hits.append(has(id, matcher, columns.resources.attributes[row], columns))
            }
            if hits.contains(true) { nodes.append(.resource(hits)) }
        }
        return nodes.isEmpty ? .constant(false) : .or(nodes)
    }

    static func has(
        _ key: UInt32,
        _ matcher: ValueMatcher,
        _ run: Run,
        _ columns: borrowing SpanColumns
    ) -> Bool {
        for row in run.rows where columns.attributes.key[row] == key {
            let type = columns.attributes.type(row)
            let isHit =
                type.holdsText
                ? columns.attributes.withBytes(row) { matcher.matches(type, bytes: $0) }
                : matcher.matches(type, bits: columns.attributes.value[row])
            if isHit { return true }
        }
        return false
    }

    private static func matches(
        _ node: Node,
        _ row: Int,
        _ columns: borrowing SpanColumns
    ) -> Bool {
        switch node {
        case .constant(let value): return value
        case .resource(let hits): return hits[Int(columns.resource[row])]
        case .name(let ids): return ids.contains(columns.name[row])
        case .spanAttribute(let key, let matcher):
            return has(key, matcher, columns.spanAttributes[row], columns)
        case .eventAttribute(let key, let matcher):
            for event in columns.spanEvents[row].rows
            where has(key, matcher, columns.events.attributes[event], columns) {
                return true
            }
            return false
        case .eventName(let ids):
            for event in columns.spanEvents[row].rows
            where ids.contains(columns.events.name[event]) {
                return true
            }
            return false
        case .duration(let range): return range.contains(columns.duration(row))
        case .status(let code): return columns.status[row] == code
        case .statusMessage(let ids): return ids.contains(columns.statusMessage[row])
        case .kind(let kind): return columns.kind[row] == kind
        case .and(let nodes):
            for node in nodes where !matches(node, row, columns) { return false }
            return true
        case .or(let nodes):
            for node in nodes where matches(node, row, columns) { return true }
            return false
        case .not(let node): return !matches(node, row, columns)
        }
    }
}
