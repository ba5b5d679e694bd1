// SPDX-License-Identifier: Apache-2.0

import QueryLanguage

/// The arguments of a tool.
struct ToolArguments {
    private var members: [String: JSONValue] = [:]

    init(_ value: JSONValue?, of tool: MCPTool) throws {
        switch value {
        case nil, .null: break
        case .object(let members): self.members = members.filter { $0.value != .null }
        default: throw Failure.badRequest("arguments must be an object")
        }
        for name in members.keys.sorted() where !tool.arguments.contains(name) {
            throw Failure.badRequest(
                "\(tool.rawValue) has no argument \"\(name.prefix(80))\"; "
                    + (tool.arguments.isEmpty
                        ? "there are none" : "there are \(tool.arguments.joined(separator: ", "))")
            )
        }
    }

    /// As a person reads them: `limit=5, query={ status = error }`.
    var written: String {
        members.sorted { $0.key < $1.key }
            .map { name, value in
                switch value {
                case .string(let text): "\(name)=\(text)"
                case .int(let number): "\(name)=\(number)"
                case .number(let number): "\(name)=\(number)"
                case .bool(let flag): "\(name)=\(flag)"
                case .null, .array, .object: "\(name)=…"
                }
            }
            .joined(separator: ", ")
    }

    func text(_ name: String) throws -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.text else {
            throw Failure.badRequest("\(name) must be a text")
        }
        guard text.utf8.count <= RequestLimits.queryByteCount else {
            throw Failure.badRequest("\(name) is longer than \(RequestLimits.queryByteCount) bytes")
        }
        return text.isEmpty ? nil : text
    }

    func required(_ name: String) throws -> String {
        guard let text = try text(name) else { throw Failure.badRequest("\(name) is missing") }
        return text
    }

    func count(_ name: String, default standard: Int, _ range: ClosedRange<Int>) throws -> Int {
        guard let value = members[name] else { return standard }
        let number: Int? =
            switch value {
            case .int(let number): Int(exactly: number)
            case .number(let number): Int(exactly: number)
            case .string(let text): Int(text)
            default: nil
            }
        guard let number, range.contains(number) else {
            throw Failure.badRequest(
                "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    func word<Value>(_ name: String, of words: [(String, Value)]) throws -> Value? {
        guard let text = try text(name) else { return nil }
        guard let match = words.first(where: { $0.0 == text.lowercased() }) else {
            throw Failure.badRequest(
                "\(name) is \"\(text.prefix(40))\"; give "
                    + words.map(\.0).joined(separator: ", ")
            )
        }
        return match.1
    }

    /// `last`, or `start` and `end`; an hour back where nothing is said.
    func time() throws -> TraceQuery.TimeSpan {
        let start = try moment("start")
        let end = try moment("end")
        guard start != nil || end != nil else {
            guard let last = try text("last") else { return .last(3_600_000_000_000) }
            do { return .last(try DurationText.parse(last)) } catch { throw error.of("last") }
        }
        guard try text("last") == nil else {
            throw Failure.badRequest("last and start or end are both given; give one of them")
        }
        let time = (start: start ?? 0, end: end ?? .max)
        guard time.start < time.end else {
            throw Failure.badRequest("start is not before end: the range is empty")
        }
        return .between(start: time.start, end: time.end)
    }

    private func moment(_ name: String) throws -> UInt64? {
        guard let text = try text(name) else { return nil }
        do { return try TimeText.parse(text) } catch { throw error.of(name) }
    }
}
