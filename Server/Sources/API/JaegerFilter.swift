// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinWire

/// The filter of a search of version 3 as it was written: a tree of calls over references and
/// constants, from JSON or from protobuf.
///
/// ```
/// {"op": "eq", "args": [{"attr": {"key": "http.status_code"}}, {"scalar": {"value": "500"}}]}
///  └── Call            └── Node                              └── Node
/// ```
/// Nothing here is known to make sense; `JaegerFilterMeaning` finds that out.
struct JaegerFilter {
    struct Call {
        var name: String
        var arguments: [Node]
    }

    indirect enum Node {
        case attribute(key: String, level: String)
        case field(name: String, level: String)
        case nested(level: String)
        case scalar(Constant)
        case list(values: [String], type: String)
        case call(Call)
    }

    /// A constant as text, and the type it was given; none where that is empty.
    struct Constant {
        var text: String
        var type: String
    }

    let root: Call

    /// Names of the nodes, in the order of their numbers from 1 up.
    private static let nodes = ["attr", "field", "nested", "scalar", "list", "call"]

    /// What is wrong at a place of the tree, such as `query.filter.args[1]`.
    static func failure(_ path: String, _ problem: String) -> Failure {
        .badRequest("\(path): \(problem)")
    }

    fileprivate static func check(depth: Int, _ path: String) throws {
        guard depth <= QueryLimits.depth else {
            throw failure(path, "calls are nested deeper than \(QueryLimits.depth)")
        }
    }

    fileprivate static func oneNode(_ found: [String], _ path: String) throws -> String {
        guard found.count == 1, let name = found.first, nodes.contains(name) else {
            throw failure(path, "give exactly one of \(nodes.joined(separator: ", "))")
        }
        return name
    }
}

// MARK: JSON

extension JaegerFilter {
    /// Reads JSON.
    ///
    /// - Parameters:
    ///   - json: the text.
    ///   - path: what to call its root in errors.
    init(json: String, path: String) throws {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: Array(json.utf8))
        } catch {
            throw Self.failure(
                path,
                "this is no JSON; give a call like {\"op\":\"eq\",\"args\":["
                    + "{\"attr\":{\"key\":\"http.status_code\"}},{\"scalar\":{\"value\":\"500\"}}]}"
            )
        }
        root = try Call(value, path, depth: 1)
    }
}

extension JSONValue {
    /// The members of an object that has no other members than `names`.
    fileprivate func members(_ path: String, _ names: [String]) throws -> [String: JSONValue] {
        guard case .object(let members) = self else {
            throw JaegerFilter.failure(
                path,
                "give an object with \(names.joined(separator: ", "))"
            )
        }
        if let unknown = members.keys.sorted().first(where: { !names.contains($0) }) {
            throw JaegerFilter.failure(
                path,
                "\"\(unknown.prefix(80))\" is not known here; there are "
                    + names.joined(separator: ", ")
            )
        }
        return members
    }

    fileprivate func text(_ path: String) throws -> String {
        guard case .string(let text) = self else {
            throw JaegerFilter.failure(path, "give text in quotes")
        }
        return text
    }

    fileprivate func array(_ path: String) throws -> [JSONValue] {
        guard case .array(let array) = self else { throw JaegerFilter.failure(path, "give a list") }
        return array
    }
}

extension [String: JSONValue] {
    fileprivate func text(_ name: String, _ path: String) throws -> String {
        try self[name]?.text("\(path).\(name)") ?? ""
    }

    fileprivate func array(_ name: String, _ path: String) throws -> [JSONValue] {
        try self[name]?.array("\(path).\(name)") ?? []
    }
}

extension JaegerFilter.Call {
    fileprivate init(_ value: JSONValue, _ path: String, depth: Int) throws {
        try JaegerFilter.check(depth: depth, path)
        let members = try value.members(path, ["op", "args"])
        name = try members.text("op", path)
        arguments = try members.array("args", path).enumerated().map { number, argument in
            try JaegerFilter.Node(argument, "\(path).args[\(number)]", depth: depth + 1)
        }
    }
}

extension JaegerFilter.Node {
    fileprivate init(_ value: JSONValue, _ path: String, depth: Int) throws {
        guard case .object(let terms) = value else {
            throw JaegerFilter.failure(path, "give an object")
        }
        let name = try JaegerFilter.oneNode(terms.keys.sorted(), path)
        guard let term = terms[name] else { preconditionFailure("\(name) is a key of \(terms)") }
        let inner = "\(path).\(name)"
        switch name {
        case "attr":
            let members = try term.members(inner, ["key", "level"])
            self = .attribute(
                key: try members.text("key", inner),
                level: try members.text("level", inner)
            )
        case "field":
            let members = try term.members(inner, ["name", "level"])
            self = .field(
                name: try members.text("name", inner),
                level: try members.text("level", inner)
            )
        case "nested":
            self = .nested(level: try term.members(inner, ["level"]).text("level", inner))
        case "scalar":
            let members = try term.members(inner, ["value", "type"])
            self = .scalar(
                .init(text: try members.text("value", inner), type: try members.text("type", inner))
            )
        case "list":
            let members = try term.members(inner, ["values", "type"])
            self = .list(
                values: try members.array("values", inner).enumerated().map { number, value in
                    try value.text("\(inner).values[\(number)]")
                },
                type: try members.text("type", inner)
            )
        default: self = .call(try JaegerFilter.Call(term, inner, depth: depth))
        }
    }
}

// MARK: Protobuf

extension JaegerFilter {
    /// Reads a message `jaeger.expression.v1.Call`.
    init(_ call: ProtobufFields, path: String) throws {
        root = try Call(call, path, depth: 1)
    }
}

extension JaegerFilter.Call {
    fileprivate init(_ fields: ProtobufFields, _ path: String, depth: Int) throws {
        try JaegerFilter.check(depth: depth, path)
        name = try fields.text(1)
        arguments = try fields.messages(2).enumerated().map { number, argument in
            try JaegerFilter.Node(argument, "\(path).args[\(number)]", depth: depth + 1)
        }
    }
}

extension JaegerFilter.Node {
    fileprivate init(_ fields: ProtobufFields, _ path: String, depth: Int) throws {
        let found = JaegerFilter.numbered.filter { fields.contains($0.number) }
        let name = try JaegerFilter.oneNode(found.map(\.name), path)
        let number = found[0].number
        guard let term = try fields.message(number) else {
            throw JaegerFilter.failure(path, "\(name) is no message")
        }
        switch name {
        case "attr": self = .attribute(key: try term.text(1), level: try term.text(2))
        case "field": self = .field(name: try term.text(1), level: try term.text(2))
        case "nested": self = .nested(level: try term.text(1))
        case "scalar": self = .scalar(.init(text: try term.text(1), type: try term.text(2)))
        case "list": self = .list(values: try term.texts(1), type: try term.text(2))
        default: self = .call(try JaegerFilter.Call(term, "\(path).call", depth: depth))
        }
    }
}

extension JaegerFilter {
    fileprivate static var numbered: [(number: UInt32, name: String)] {
        nodes.enumerated().map { (UInt32($0 + 1), $1) }
    }
}
