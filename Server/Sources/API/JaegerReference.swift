// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import QueryLanguage
import SkeinModel

/// What a filter looks at in a span.
struct JaegerReference {
    /// Where a value stands.
    enum Level: String, CaseIterable {
        case span, resource, scope, event, link
    }

    /// Any of these; an attribute without a level has two.
    let operands: [TraceQL.Operand]
    let type: TraceQL.ValueType

    /// An attribute; without a level, of the span or of its resource.
    init(key: String, level text: String, _ path: String) throws {
        guard !key.isEmpty else { throw JaegerFilter.failure("\(path).key", "there is no key") }
        let scopes: [TraceQL.Attribute.Scope]
        if text.isEmpty {
            scopes = [.span, .resource]
        } else {
            let scope: TraceQL.Attribute.Scope =
                switch try Self.level(text, path) {
                case .span: .span
                case .resource: .resource
                case .scope: .instrumentation
                case .event: .event
                case .link: .link
                }
            scopes = [scope]
        }
        operands = scopes.map { .attribute(TraceQL.Attribute($0, key)) }
        type = .any
    }

    /// A field that every span, resource and so on has.
    init(name: String, level text: String, _ path: String) throws {
        let level = try Self.level(text, path)
        if let operand = Self.fields[level]?[name] {
            operands = [operand]
            switch operand {
            case .attribute: type = .string
            case .intrinsic(let intrinsic), .parentIntrinsic(let intrinsic): type = intrinsic.type
            }
            return
        }
        let known = (Self.fields[level] ?? [:]).keys.sorted().joined(separator: ", ")
        guard Self.unsupported[level]?.contains(name) == true else {
            throw JaegerFilter.failure(
                "\(path).name",
                "\"\(name.prefix(80))\" is no field of \(level.rawValue); there are \(known)"
            )
        }
        throw Failure(
            status: .notImplemented,
            message:
                "\(path).name: \(name) of \(level.rawValue) is not supported; there are \(known)"
        )
    }

    private static func level(_ text: String, _ path: String) throws -> Level {
        guard let level = Level(rawValue: text) else {
            let words = Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw JaegerFilter.failure("\(path).level", "give one of \(words)")
        }
        return level
    }

    private static let fields: [Level: [String: TraceQL.Operand]] = [
        .span: [
            "traceID": .intrinsic(.traceID), "spanID": .intrinsic(.spanID),
            "parentSpanID": .intrinsic(.parentID), "name": .intrinsic(.name),
            "kind": .intrinsic(.kind), "status": .intrinsic(.status),
            "statusMessage": .intrinsic(.statusMessage), "duration": .intrinsic(.duration),
        ],
        .resource: ["service": .attribute(TraceQL.Attribute(.resource, "service.name"))],
        .scope: ["name": .intrinsic(.libraryName), "version": .intrinsic(.libraryVersion)],
        .event: [
            "name": .intrinsic(.eventName), "timeSinceStart": .intrinsic(.timeSinceStart),
        ],
        .link: ["traceID": .intrinsic(.linkTraceID), "spanID": .intrinsic(.linkSpanID)],
    ]

    /// Fields of Jaeger's that conditions here cannot look at.
    private static let unsupported: [Level: Set<String>] = [
        .span: ["traceState", "startTime", "endTime"], .resource: ["schemaURL"],
        .scope: ["schemaURL"], .event: ["time"], .link: ["traceState"],
    ]

    /// The type in words.
    var phrase: String {
        switch type {
        case .duration: "a duration"
        case .kind: "a kind"
        case .status: "a status"
        case .string: "text"
        case .int, .float, .bool, .nothing, .any: "an attribute"
        }
    }

    /// The words that values of this field are; `nil` where they are not words.
    var words: [(word: String, literal: TraceQL.Literal)]? {
        switch type {
        case .status: StatusCode.allCases.map { ($0.word, .status($0)) }
        case .kind: SpanKind.allCases.map { ($0.word, .kind($0)) }
        default: nil
        }
    }

    /// Refuses what is neither more nor less.
    func checkOrder(_ path: String) throws {
        guard words == nil else {
            throw JaegerFilter.failure(path, "\(phrase) is neither more nor less; use eq, ne or in")
        }
    }

    /// Refuses fields that never have equal values.
    func checkFits(_ other: JaegerReference, _ path: String) throws {
        guard type == other.type || type == .any || other.type == .any else {
            throw JaegerFilter.failure(path, "\(phrase) never equals \(other.phrase)")
        }
    }

    /// What a constant means beside this: one value, or one of each type that is written so.
    func literals(
        _ constant: JaegerFilter.Constant,
        isOrdered: Bool,
        _ path: String
    ) throws -> [TraceQL.Literal] {
        let text = constant.text
        guard text.utf8.count <= QueryLimits.textByteCount else {
            throw JaegerFilter.failure(
                path,
                "the text has \(text.utf8.count) bytes; at most \(QueryLimits.textByteCount)"
            )
        }
        let literal = try typed(constant, path)
        if type == .any {
            if let literal {
                if isOrdered, case .bool = literal {
                    throw JaegerFilter.failure(path, "true and false are neither more nor less")
                }
                return [literal]
            }
            if isOrdered { return [Self.number(text) ?? .string(text)] }
            return [.string(text)] + [Self.number(text), Self.flag(text)].compactMap { $0 }
        }
        if let literal, case .string = literal {
        } else if literal != nil {
            throw JaegerFilter.failure(
                path,
                "\(phrase) never equals a value of type \(constant.type); leave the type out"
            )
        }
        return [try ofField(text, path)]
    }

    /// The value of a constant with a type; `nil` for one without.
    private func typed(
        _ constant: JaegerFilter.Constant,
        _ path: String
    ) throws -> TraceQL.Literal? {
        let literal: TraceQL.Literal?
        switch constant.type {
        case "": return nil
        case "string": literal = .string(constant.text)
        case "int": literal = Int64(constant.text).map { .int($0) }
        case "double": literal = Double(constant.text).map { .float($0) }
        case "bool": literal = Self.flag(constant.text)
        default:
            throw JaegerFilter.failure(
                path,
                "type is \"\(constant.type.prefix(20))\"; give string, int, double or bool, or none"
            )
        }
        guard let literal else {
            throw JaegerFilter.failure(
                path,
                "\"\(constant.text.prefix(80))\" is not of the type \(constant.type)"
            )
        }
        return literal
    }

    private func ofField(_ text: String, _ path: String) throws -> TraceQL.Literal {
        if let words {
            guard let match = words.first(where: { $0.word == text.lowercased() }) else {
                throw JaegerFilter.failure(
                    path,
                    "\"\(text.prefix(80))\" is not \(phrase); give one of "
                        + words.map(\.word).joined(separator: ", ")
                )
            }
            return match.literal
        }
        guard type == .duration else { return .string(normalized(text)) }
        do {
            return .duration(Int64(clamping: try DurationText.parse(text)))
        } catch { throw JaegerFilter.failure(path, error.description) }
    }

    /// Ids as the store writes them: in small letters, those of traces with all their digits.
    private func normalized(_ text: String) -> String {
        switch operands.first {
        case .intrinsic(.traceID), .intrinsic(.linkTraceID):
            TraceID(hex: text).map(\.hex) ?? text
        case .intrinsic(.spanID), .intrinsic(.parentID), .intrinsic(.linkSpanID):
            text.lowercased()
        default: text
        }
    }

    private static func number(_ text: String) -> TraceQL.Literal? {
        if let whole = Int64(text) { return .int(whole) }
        return Double(text).flatMap { $0.isFinite ? .float($0) : nil }
    }

    private static func flag(_ text: String) -> TraceQL.Literal? {
        switch text {
        case "true": .bool(true)
        case "false": .bool(false)
        default: nil
        }
    }
}
