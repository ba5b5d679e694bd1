// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import QueryLanguage
import SkeinModel

/// Turns a filter into a condition on spans in TraceQL's tree, or says what is wrong with it where.
///
/// What its operators mean is fixed where the two languages differ: a reference without a level looks
/// at the span and at its resource, each on its own; `ne` and `not_in` hold for spans that have the
/// value and none that matches; a pattern matches anywhere in a text; a constant without a type equals
/// values of any type that are written so.
struct JaegerFilterMeaning {
    typealias Call = JaegerFilter.Call
    typealias Node = JaegerFilter.Node

    private var nodeCount = 0
    private var patternCount = 0
    /// The collection whose one element a `some` speaks of.
    private var bound: JaegerReference.Level?

    /// The condition that `filter` states.
    ///
    /// - Parameters:
    ///   - filter: as it was written.
    ///   - path: what to call its root in errors.
    static func condition(_ filter: JaegerFilter, path: String) throws -> TraceQL.Field {
        var meaning = JaegerFilterMeaning()
        return try meaning.condition(filter.root, path)
    }

    private static let operators = [
        "and", "or", "not", "eq", "ne", "gt", "lt", "gte", "lte", "regex", "exists", "in", "not_in",
        "some",
    ]

    private mutating func condition(_ call: Call, _ path: String) throws -> TraceQL.Field {
        switch call.name {
        case "and", "or":
            let symbol = call.name == "and" ? TraceQL.FieldOperator.and : .or
            guard call.arguments.count >= 2 else {
                throw failure(path, "\(call.name) takes two conditions or more")
            }
            return try joined(
                symbol,
                call.arguments.indices.map { try predicate(call, $0, path) },
                path
            )
        case "not":
            try checkCount(call, 1, path)
            try refuseInSome(call, path)
            return try counted(.not(predicate(call, 0, path)), path)
        case "eq", "ne", "gt", "lt", "gte", "lte": return try comparison(call, path)
        case "regex": return try pattern(call, path)
        case "exists":
            try checkCount(call, 1, path)
            return try present(reference(call, 0, path), path)
        case "in", "not_in": return try membership(call, path)
        case "some": return try some(call, path)
        default:
            throw failure(
                "\(path).op",
                "\"\(call.name.prefix(80))\" is no operator; there are "
                    + Self.operators.joined(separator: ", ")
            )
        }
    }

    // MARK: Operators

    private mutating func comparison(_ call: Call, _ path: String) throws -> TraceQL.Field {
        try checkCount(call, 2, path)
        let symbols: [String: TraceQL.FieldOperator] = [
            "gt": .more, "lt": .less, "gte": .atLeast, "lte": .atMost,
        ]
        let isNegated = call.name == "ne"
        if isNegated { try refuseInSome(call, path) }
        var symbol = symbols[call.name] ?? .equal
        var places = [0, 1]
        if case .scalar = call.arguments[0] {
            // The same asked from the other side.
            places.reverse()
            let turned: [TraceQL.FieldOperator: TraceQL.FieldOperator] = [
                .more: .less, .less: .more, .atLeast: .atMost, .atMost: .atLeast,
            ]
            symbol = turned[symbol] ?? .equal
        }
        let left = try reference(call, places[0], path)
        if symbol != .equal { try left.checkOrder("\(path).args[\(places[0])]") }
        let holds: TraceQL.Field
        switch call.arguments[places[1]] {
        case .scalar(let constant):
            let place = "\(path).args[\(places[1])].scalar"
            let literals = try left.literals(constant, isOrdered: symbol != .equal, place)
            holds = try compared(symbol, left, literals.map { .literal($0) }, path)
        default:
            try refuseInSome(call, path)
            let right = try reference(call, places[1], path)
            if symbol != .equal { try right.checkOrder("\(path).args[\(places[1])]") }
            try left.checkFits(right, path)
            holds = try compared(symbol, left, right.operands.map { .operand($0) }, path)
            guard isNegated else { return holds }
            return try joined(
                .and,
                [present(left, path), present(right, path), counted(.not(holds), path)],
                path
            )
        }
        return isNegated ? try without(holds, left, path) : holds
    }

    private mutating func membership(_ call: Call, _ path: String) throws -> TraceQL.Field {
        try checkCount(call, 2, path)
        let isNegated = call.name == "not_in"
        if isNegated { try refuseInSome(call, path) }
        let reference = try reference(call, 0, path)
        let place = "\(path).args[1]"
        guard case .list(let values, let type) = call.arguments[1] else {
            throw failure(place, "\(call.name) takes a list here")
        }
        guard !values.isEmpty else {
            throw failure("\(place).list.values", "the list is empty; give a value")
        }
        let literals = try values.enumerated().flatMap { number, text in
            try reference.literals(
                .init(text: text, type: type),
                isOrdered: false,
                "\(place).list.values[\(number)]"
            )
        }
        let holds = try compared(.equal, reference, literals.map { .literal($0) }, path)
        return isNegated ? try without(holds, reference, path) : holds
    }

    private mutating func pattern(_ call: Call, _ path: String) throws -> TraceQL.Field {
        try checkCount(call, 2, path)
        let reference = try reference(call, 0, path)
        let place = "\(path).args[1]"
        guard case .scalar(let constant) = call.arguments[1],
            ["", "string"].contains(constant.type)
        else { throw failure(place, "regex takes a scalar of text here") }
        patternCount += 1
        guard patternCount <= QueryLimits.patternCount else {
            throw failure(path, "there are more than \(QueryLimits.patternCount) patterns")
        }
        // The query language's patterns match a whole text.
        let whole = "(?s:.*)(?:\(constant.text))(?s:.*)"
        let compiled: Pattern
        do {
            _ = try Pattern(constant.text)
            compiled = try Pattern(whole)
        } catch { throw failure(place, "\(error.problem); \(error.hint)") }
        if let words = reference.words {
            let matching = words.filter { compiled.matches($0.word) }.map(\.literal)
            guard !matching.isEmpty else { return try counted(.literal(.bool(false)), path) }
            return try compared(.equal, reference, matching.map { .literal($0) }, path)
        }
        guard reference.type == .string || reference.type == .any else {
            throw failure(
                "\(path).args[0]",
                "a pattern is for text, and this is \(reference.phrase)"
            )
        }
        return try compared(.matches, reference, [.literal(.string(whole))], path)
    }

    private mutating func some(_ call: Call, _ path: String) throws -> TraceQL.Field {
        try checkCount(call, 2, path)
        guard case .nested(let text) = call.arguments[0] else {
            throw failure("\(path).args[0]", "some takes nested here, with the level event or link")
        }
        guard let level = JaegerReference.Level(rawValue: text), level == .event || level == .link
        else { throw failure("\(path).args[0].nested.level", "give event or link") }
        guard bound == nil else {
            throw unsupported(path, "some within some is not supported")
        }
        bound = level
        defer { bound = nil }
        return try predicate(call, 1, path)
    }

    // MARK: Parts

    /// One of the operands equals, or stands so to, one of the values.
    private mutating func compared(
        _ symbol: TraceQL.FieldOperator,
        _ reference: JaegerReference,
        _ values: [TraceQL.Field],
        _ path: String
    ) throws -> TraceQL.Field {
        var parts: [TraceQL.Field] = []
        for operand in reference.operands {
            for value in values {
                parts.append(try counted(.binary(symbol, .operand(operand), value), path))
            }
        }
        return try joined(.or, parts, path)
    }

    private mutating func present(
        _ reference: JaegerReference,
        _ path: String
    ) throws -> TraceQL.Field {
        try compared(.notEqual, reference, [.literal(.nil)], path)
    }

    /// There is a value, and `holds` holds for none.
    private mutating func without(
        _ holds: TraceQL.Field,
        _ reference: JaegerReference,
        _ path: String
    ) throws -> TraceQL.Field {
        try joined(.and, [present(reference, path), counted(.not(holds), path)], path)
    }

    private mutating func joined(
        _ symbol: TraceQL.FieldOperator,
        _ parts: [TraceQL.Field],
        _ path: String
    ) throws -> TraceQL.Field {
        var result = parts[0]
        for part in parts.dropFirst() { result = try counted(.binary(symbol, result, part), path) }
        return result
    }

    /// Counts a node of the condition, which is walked recursively.
    private mutating func counted(
        _ field: TraceQL.Field,
        _ path: String
    ) throws -> TraceQL.Field {
        // The operator, and the two that it may stand between.
        nodeCount += 3
        guard nodeCount <= QueryLimits.nodeCount else {
            throw failure(path, "the filter is too large from here on; ask for less at once")
        }
        return field
    }

    private func reference(_ call: Call, _ number: Int, _ path: String) throws -> JaegerReference {
        let place = "\(path).args[\(number)]"
        let reference: JaegerReference
        switch call.arguments[number] {
        case .attribute(let key, let level):
            reference = try JaegerReference(key: key, level: level, "\(place).attr")
        case .field(let name, let level):
            reference = try JaegerReference(name: name, level: level, "\(place).field")
        default: throw failure(place, "\(call.name) takes attr or field here")
        }
        return reference
    }

    private mutating func predicate(
        _ call: Call,
        _ number: Int,
        _ path: String
    ) throws -> TraceQL.Field {
        let place = "\(path).args[\(number)]"
        guard case .call(let inner) = call.arguments[number] else {
            throw failure(place, "\(call.name) takes a call here")
        }
        if call.name == "and" { try refuseInSome(call, path) }
        return try condition(inner, "\(place).call")
    }

    private func checkCount(_ call: Call, _ count: Int, _ path: String) throws {
        guard call.arguments.count == count else {
            throw failure(
                "\(path).args",
                "\(call.name) takes \(count), and there are \(call.arguments.count)"
            )
        }
    }

    /// Conditions here are of all events of a span: of one and the same only what needs no more than one
    /// look at each.
    private func refuseInSome(_ call: Call, _ path: String) throws {
        guard let bound else { return }
        throw unsupported(
            path,
            "\(call.name) within some is not supported: no two conditions can be asked of the same "
                + bound.rawValue
        )
    }

    private func failure(_ path: String, _ problem: String) -> Failure {
        JaegerFilter.failure(path, problem)
    }

    private func unsupported(_ path: String, _ problem: String) -> Failure {
        Failure(status: .notImplemented, message: "\(path): \(problem)")
    }
}
