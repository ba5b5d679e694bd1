// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// The scopes of tags, as Tempo's paths have them.
enum TempoScopeName: String, CaseIterable {
    case event, instrumentation, intrinsic, link, resource, span

    /// Where the index of keys has them; `nil` where it has none.
    var attributeScope: AttributeScope? {
        switch self {
        case .event: .event
        case .resource: .resource
        case .span: .span
        case .instrumentation, .intrinsic, .link: nil
        }
    }

    /// The scope a request names; `nil` for all.
    ///
    /// - Throws: for a word that is no scope.
    static func named(_ text: String?) throws -> TempoScopeName? {
        guard let text, text != "none", text != "all" else { return nil }
        guard let scope = TempoScopeName(rawValue: text) else {
            throw QueryError(
                parameter: "scope",
                text: text,
                problem: "this is no scope",
                hint: "give " + allCases.map(\.rawValue).joined(separator: ", ") + ", or none"
            )
        }
        return scope
    }
}

/// A value of a tag, with the word for its type by which clients decide how to write it in a query.
struct TempoValue: Hashable, Comparable {
    /// `string`, `int`, `float`, `bool` or `keyword`.
    var type: String
    var text: String

    init(_ type: String, _ text: String) {
        self.type = type
        self.text = text
    }

    static func < (left: TempoValue, right: TempoValue) -> Bool {
        (left.text, left.type) < (right.text, right.type)
    }

    /// The values that one told value stands for: a list is one of each of its elements.
    static func all(in value: AttributeValue) -> [TempoValue] {
        switch value {
        case .string(let text): [TempoValue("string", text)]
        case .int(let number): [TempoValue("int", "\(number)")]
        case .double(let number): [TempoValue("float", "\(number)")]
        case .bool(let flag): [TempoValue("bool", "\(flag)")]
        case .array(let elements): elements.flatMap { all(in: $0) }
        case .empty, .bytes, .map: []
        }
    }

    /// What a text of the index can have been, given the types that values of the key are known to have.
    static func readings(of text: String, as types: Set<String>) -> [TempoValue] {
        var readings: [TempoValue] = []
        if types.contains("int"), Int64(text) != nil { readings.append(.init("int", text)) }
        if types.contains("float"), Double(text) != nil, readings.isEmpty {
            readings.append(.init("float", text))
        }
        if types.contains("bool"), text == "true" || text == "false" {
            readings.append(.init("bool", text))
        }
        if readings.isEmpty || types.contains("string") { readings.append(.init("string", text)) }
        return readings
    }
}

/// Tags as they stand in paths.
enum TempoTag {
    /// The operand that `text` names: an intrinsic, an attribute of a scope, else one of any.
    static func operand(_ text: String) throws -> TraceQL.Operand {
        guard !text.isEmpty, text.utf8.count <= QueryLimits.textByteCount else {
            throw QueryError(
                parameter: "tag",
                text: text,
                problem: "this is no tag",
                hint: "give one like span.http.method, resource.service.name or name"
            )
        }
        if let parsed = parsed(text) { return parsed }
        return .attribute(.init(.any, text))
    }

    /// The operand, where a query would read `text` as nothing but that.
    private static func parsed(_ text: String) -> TraceQL.Operand? {
        guard let question = try? TraceQL.parse("{ \(text) != nil }"),
            case .search(let pipeline) = question.body, pipeline.stages.count == 1,
            case .spans(.filter(.some(let field))) = pipeline.stages[0],
            case .binary(.notEqual, .operand(let operand), .literal(.nil)) = field
        else { return nil }
        return operand
    }
}

extension TraceQL.Attribute.Scope {
    /// Where the index of values has them; nowhere where it has none. `isWhole` says that the values of
    /// all spans are asked for, so that those of parents are among them.
    func indexed(isWhole: Bool) -> [SpanCondition.Scope] {
        switch self {
        case .any: [.span, .resource]
        case .span: [.span]
        case .resource: [.resource]
        case .event: [.event]
        case .link, .instrumentation: []
        case .parent: isWhole ? [.span, .resource] : []
        case .parentSpan: isWhole ? [.span] : []
        case .parentResource: isWhole ? [.resource] : []
        }
    }
}

extension TraceQL.Intrinsic {
    /// Whether a list of its values helps anybody who writes a query: not of numbers and ids.
    var hasTellingValues: Bool {
        switch self {
        case .name, .status, .statusMessage, .kind, .rootName, .rootService, .eventName,
            .libraryName, .libraryVersion:
            true
        default: false
        }
    }
}
