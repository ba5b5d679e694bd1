// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// A `SpanPredicate` made ready for one part: texts resolved to ids once, what is the same for all
/// spans of a form folded into sets of forms, and the blocks found out that can match at all.
///
/// Service, operation, kind and status, together with and, or and not over them, are one set of forms:
/// ```
/// service = cart and status = error and not operation = ping     ->  forms {7, 9, 31}
/// ```
struct PartPredicate {
    indirect enum Node {
        case constant(Bool)
        /// By form.
        case forms([Bool])
        /// By resource, for services whose resources differ.
        case resources([Bool])
        case duration(ClosedRange<UInt64>)
        case statusMessage(TextMatch)
        case attribute(AttributeCondition)
        /// Some event of the span has one of these forms.
        case eventForms([Bool])
        /// Some event of the span has the attribute.
        case eventAttribute(AttributeCondition)
        case and([Node])
        case or([Node])
        case not(Node)
    }

    /// Blocks in which some row, and in which every row matches, as far as is known without reading.
    private struct Coverage {
        var some: BlockBits
        var every: BlockBits
    }

    let node: Node
    /// Blocks that can match.
    private let blocks: BlockBits

    init(_ predicate: SpanPredicate, _ session: PartSession) throws(PartDamage) {
        var compiler = PartPredicateCompiler(try session.reader.vocabulary)
        node = try compiler.compile(predicate, &session.reader)
        blocks = try Self.coverage(node, &session.reader).some
    }

    /// Whether no row of the part can match.
    var isNever: Bool { blocks.isEmpty }

    /// Whether every row matches.
    var isAlways: Bool { if case .constant(true) = node { true } else { false } }

    /// Whether some row of a block may match, by what is known of it without reading it.
    func mayMatch(_ block: Int) -> Bool { blocks[block] }

    // MARK: Blocks

    private static func coverage(
        _ node: Node,
        _ reader: inout PartReader
    ) throws(PartDamage) -> Coverage {
        let directory = reader.part.directory
        let count = directory.blocks.count
        let none = BlockBits(rowCount: count)
        switch node {
        case .constant(let value):
            let all = value ? BlockBits(allOf: count) : none
            return Coverage(some: all, every: all)
        case .forms(let forms):
            return try Self.holding(forms, of: count, otherwise: BlockBits(allOf: count)) {
                (id) throws(PartDamage) in try reader.blocks(holdingForm: id)
            }
        case .resources(let resources):
            return try Self.holding(resources, of: count, otherwise: BlockBits(allOf: count)) {
                (id) throws(PartDamage) in try reader.blocks(holdingResource: id)
            }
        case .duration(let range):
            return Coverage(
                some: BlockBits(rowCount: count) { index in
                    let block = directory.blocks[index]
                    return block.longest >= range.lowerBound && block.shortest <= range.upperBound
                },
                every: BlockBits(rowCount: count) { index in
                    let block = directory.blocks[index]
                    return range.contains(block.shortest) && range.contains(block.longest)
                }
            )
        case .statusMessage: return Coverage(some: BlockBits(allOf: count), every: none)
        case .attribute(let condition):
            return Coverage(some: try condition.blocks(&reader), every: none)
        case .eventForms(let forms):
            return try Self.holding(forms, of: count, otherwise: blocksWithEvents(directory)) {
                (id) throws(PartDamage) in try reader.blocks(holdingEventForm: id)
            }
        case .eventAttribute(let condition):
            var blocks = blocksWithEvents(directory)
            blocks.formIntersection(try condition.blocks(&reader))
            return Coverage(some: blocks, every: none)
        case .and(let nodes):
            var result = Coverage(some: BlockBits(allOf: count), every: BlockBits(allOf: count))
            for node in nodes {
                let other = try coverage(node, &reader)
                result.some.formIntersection(other.some)
                result.every.formIntersection(other.every)
                // Reading what the others say cannot bring a block back.
                if result.some.isEmpty { return Coverage(some: none, every: none) }
            }
            return result
        case .or(let nodes):
            var result = Coverage(some: none, every: none)
            for node in nodes {
                let other = try coverage(node, &reader)
                result.some.formUnion(other.some)
                result.every.formUnion(other.every)
            }
            return result
        case .not(let inner):
            let other = try coverage(inner, &reader)
            var result = Coverage(some: BlockBits(allOf: count), every: BlockBits(allOf: count))
            result.some.subtract(other.every)
            result.every.subtract(other.some)
            return result
        }
    }

    /// The blocks that hold one of the wanted ids; `everywhere` where one of them is in too many for
    /// a list.
    private static func holding(
        _ wanted: [Bool],
        of count: Int,
        otherwise everywhere: BlockBits,
        _ list: (UInt32) throws(PartDamage) -> [Int]?
    ) throws(PartDamage) -> Coverage {
        var blocks = BlockBits(rowCount: count)
        for id in wanted.indices where wanted[id] {
            guard let own = try list(UInt32(id)) else {
                return Coverage(some: everywhere, every: BlockBits(rowCount: count))
            }
            for block in own { blocks.insert(block) }
        }
        return Coverage(some: blocks, every: BlockBits(rowCount: count))
    }

    private static func blocksWithEvents(_ directory: PartDirectory) -> BlockBits {
        BlockBits(rowCount: directory.blocks.count) { directory.blocks[$0].eventCount > 0 }
    }
}

/// Turns predicates into nodes with the names of one part.
struct PartPredicateCompiler {
    typealias Node = PartPredicate.Node

    private let vocabulary: Vocabulary

    init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

    /// Recursion is bounded by whoever made the predicate.
    mutating func compile(
        _ predicate: SpanPredicate,
        _ reader: inout PartReader
    ) throws(PartDamage) -> Node {
        switch predicate {
        case .all: return .constant(true)
        case .service(let match):
            let names = vocabulary.names(match)
            return forms { names.contains($0.service) }
        case .operation(let match):
            let names = vocabulary.names(match)
            return forms { names.contains($0.name) }
        case .status(let code): return forms { $0.status == code.rawValue }
        case .kind(let kind): return forms { $0.kind == kind.rawValue }
        case .duration(let range): return .duration(range)
        case .statusMessage(let match): return .statusMessage(match)
        case .eventName(let match):
            let names = vocabulary.names(match)
            return eventForms { names.contains($0.name) }
        case .attribute(let scope, let key, let match):
            return try attribute(scope, key, match, &reader)
        case .and(let parts):
            var nodes: [Node] = []
            for part in parts { nodes.append(try compile(part, &reader)) }
            return all(nodes)
        case .or(let parts):
            var nodes: [Node] = []
            for part in parts { nodes.append(try compile(part, &reader)) }
            return any(nodes)
        case .not(let part): return negated(try compile(part, &reader))
        }
    }

    // MARK: Folding

    private func all(_ nodes: [Node]) -> Node {
        var forms = Array(repeating: true, count: vocabulary.forms.count)
        var rest: [Node] = []
        for node in nodes {
            switch node {
            case .constant(true): continue
            case .constant(false): return node
            case .forms(let own): for form in forms.indices where !own[form] { forms[form] = false }
            case .and(let inner): rest += inner
            default: rest.append(node)
            }
        }
        let node = folded(forms)
        if case .constant(let value) = node {
            if !value { return node }
        } else {
            rest.append(node)
        }
        if rest.isEmpty { return .constant(true) }
        return rest.count == 1 ? rest[0] : .and(rest.sorted { $0.cost < $1.cost })
    }

    private func any(_ nodes: [Node]) -> Node {
        var forms = Array(repeating: false, count: vocabulary.forms.count)
        var rest: [Node] = []
        for node in nodes {
            switch node {
            case .constant(false): continue
            case .constant(true): return node
            case .forms(let own): for form in forms.indices where own[form] { forms[form] = true }
            case .or(let inner): rest += inner
            default: rest.append(node)
            }
        }
        let node = folded(forms)
        if case .constant(let value) = node {
            if value { return node }
        } else {
            rest.append(node)
        }
        if rest.isEmpty { return .constant(false) }
        return rest.count == 1 ? rest[0] : .or(rest.sorted { $0.cost < $1.cost })
    }

    private func negated(_ node: Node) -> Node {
        switch node {
        case .constant(let value): .constant(!value)
        case .forms(let forms): .forms(forms.map { !$0 })
        case .resources(let resources): .resources(resources.map { !$0 })
        case .not(let inner): inner
        default: .not(node)
        }
    }

    private func folded(_ forms: [Bool]) -> Node {
        if !forms.contains(true) { return .constant(false) }
        return forms.contains(false) ? .forms(forms) : .constant(true)
    }

    // MARK: Leaves

    private func forms(where isHit: (PartVocabulary.Form) -> Bool) -> Node {
        folded(vocabulary.forms.map(isHit))
    }

    private func eventForms(where isHit: (PartVocabulary.EventForm) -> Bool) -> Node {
        let hits = vocabulary.eventForms.map(isHit)
        return hits.contains(true) ? .eventForms(hits) : .constant(false)
    }

    private func attribute(
        _ scope: AttributeScope,
        _ key: String,
        _ match: ValueMatch,
        _ reader: inout PartReader
    ) throws(PartDamage) -> Node {
        var key = key
        guard let id = key.withUTF8({ vocabulary.name(UnsafeRawBufferPointer($0)) }) else {
            return .constant(false)
        }
        let matcher = ValueMatcher(match)
        var nodes: [Node] = []
        if scope == .resource || scope == .any { nodes.append(resources(id, matcher)) }
        if scope == .span || scope == .any {
            let condition = try AttributeCondition(
                id,
                matcher,
                .spans,
                shapes: vocabulary.forms.map(\.shape),
                &reader
            )
            if matcher.isExists {
                nodes.append(folded(condition.forms))
            } else if condition.forms.contains(true) {
                nodes.append(.attribute(condition))
            }
        }
        if scope == .event || scope == .any {
            let condition = try AttributeCondition(
                id,
                matcher,
                .events,
                shapes: vocabulary.eventForms.map(\.shape),
                &reader
            )
            if condition.forms.contains(true) {
                nodes.append(
                    matcher.isExists ? .eventForms(condition.forms) : .eventAttribute(condition)
                )
            }
        }
        return any(nodes)
    }

    /// Resources that have the attribute, as forms where all resources of a service agree.
    private func resources(_ key: UInt32, _ matcher: ValueMatcher) -> Node {
        let columns = vocabulary.shared
        let hits = (0..<columns.columns.resources.count).map { row in
            let run = columns.columns.resources.attributes[row]
            return RowPredicate.has(key, matcher, run, columns.columns)
        }
        guard hits.contains(true) else { return .constant(false) }
        var isMixed = false
        let forms = vocabulary.forms.map { form in
            let own = vocabulary.resources(of: form.service)
            let isHit = own.contains { hits[$0] }
            if isHit, !own.allSatisfy({ hits[$0] }) { isMixed = true }
            return isHit
        }
        return isMixed ? .resources(hits) : folded(forms)
    }
}

extension PartPredicate.Node {
    /// What it takes to find the rows of a block, roughly: the cheapest goes first.
    var cost: Int {
        switch self {
        case .constant: 0
        case .forms: 1
        case .duration: 2
        case .resources: 3
        case .attribute(let condition): condition.isText ? 5 : 4
        case .statusMessage: 6
        case .eventForms: 7
        case .eventAttribute: 8
        case .and(let nodes): nodes.map(\.cost).min() ?? 0
        case .or(let nodes): nodes.reduce(1) { $0 + $1.cost }
        case .not(let node): node.cost
        }
    }
}
