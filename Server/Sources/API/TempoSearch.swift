// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import QueryLanguage
import SkeinModel

/// Tempo's search parameters as a TraceQL search, and what its answer calls what is told.
struct TempoSearch {
    var search: TraceQL.Search
    /// By the name a told value has: its key in answers; `nil` for what has a field of its own there.
    private let keys: [String: TempoKey]

    /// How a value is told.
    struct TempoKey {
        var text: String
        /// Nanoseconds, told as text like `1.5ms`.
        var isDuration = false
        /// One value of each event or link: each is told by itself.
        var isSeveral = false
    }

    /// Searches for `question`, and has everything told that it mentions: Tempo's answers tell of each
    /// span what was looked at.
    init(
        _ question: TraceQL.Question,
        time: TraceQuery.TimeSpan,
        limit: Int,
        toldSpanLimit: Int
    ) {
        var keys: [String: TempoKey] = [:]
        var question = question
        if case .search(var pipeline) = question.body {
            let operands = pipeline.operands
            for operand in operands { keys["\(operand)"] = operand.tempoKey }
            for case .group(let field) in pipeline.stages {
                let isDuration =
                    if case .operand(let operand) = field { operand.type == .duration } else {
                        false
                    }
                keys["by(\(field))"] = TempoKey(text: "by(\(field))", isDuration: isDuration)
            }
            let told = operands.filter { $0.tempoKey != nil }
            if !told.isEmpty { pipeline.stages.append(.select(told)) }
            question.body = .search(pipeline)
        }
        self.keys = keys
        search = TraceQL.Search(
            question,
            time: time,
            limit: limit,
            toldSpanLimit: toldSpanLimit
        )
    }

    /// The key of a told value.
    func key(_ name: String) -> TempoKey? { keys[name] }
}

// MARK: Parameters

extension TempoSearch {
    /// What the parameters of `/api/search` ask for.
    init(_ parameters: QueryParameters) throws {
        let text = try parameters.one("q")
        let tags = try parameters.one("tags")
        guard text == nil || tags == nil else {
            throw Failure.badRequest(
                "q and tags are both given; say the tags in q, like q={ .http.method = \"GET\" }"
            )
        }
        var pairs: [(key: String, value: String)] = []
        if let tags {
            do { pairs = try LogfmtText.parse(tags) } catch { throw error.of("tags") }
        }
        try self.init(
            text: text,
            tags: pairs,
            traceDuration: try parameters.durations("minDuration", "maxDuration"),
            time: try Self.range(parameters),
            limit: try Self.positive("limit", parameters, default: 20),
            toldSpanLimit: try Self.positive("spss", parameters, default: 3)
        )
    }

    /// What a request asks for whose `text` is TraceQL, or that has tags instead.
    init(
        text: String?,
        tags: [(key: String, value: String)],
        traceDuration: ClosedRange<UInt64>?,
        time: TraceQuery.TimeSpan?,
        limit: Int,
        toldSpanLimit: Int
    ) throws {
        var question: TraceQL.Question
        if let text {
            do { question = try TraceQL.parse(text) } catch { throw error.of("q") }
        } else {
            question = Self.question(tags)
        }
        if case .search(var pipeline) = question.body, let field = Self.field(traceDuration) {
            // First, since it is about the whole trace and not about the spans that are found.
            pipeline.stages.insert(.spans(.filter(field)), at: 0)
            question.body = .search(pipeline)
        }
        self.init(
            question,
            time: time ?? .last(3_600_000_000_000),
            limit: limit,
            toldSpanLimit: toldSpanLimit
        )
    }

    private static func positive(
        _ name: String,
        _ parameters: QueryParameters,
        default standard: Int
    ) throws -> Int {
        let count = try parameters.count(name, default: standard)
        guard count > 0 else {
            throw Failure.badRequest("\(name) is 0; give 1 or more, or leave it out")
        }
        return count
    }

    /// The seconds between `start` and `end`; `nil` where neither is given, and Tempo's clients write
    /// 0 for neither.
    static func range(_ parameters: QueryParameters) throws -> TraceQuery.TimeSpan? {
        let unit = "seconds since 1970"
        let start = try parameters.integer("start", unit: unit) ?? 0
        let end = try parameters.integer("end", unit: unit) ?? 0
        return try range(start: start, end: end)
    }

    /// The same of numbers.
    static func range(start: UInt64, end: UInt64) throws -> TraceQuery.TimeSpan? {
        if start == 0, end == 0 { return nil }
        guard end == 0 || start < end else {
            throw Failure.badRequest(
                "start \(start) is not before end \(end); give seconds since 1970"
            )
        }
        let second: UInt64 = 1_000_000_000
        guard start <= UInt64.max / second - 1 else {
            throw Failure.badRequest(
                "start \(start) lies after the year 2554; give seconds since 1970, not smaller units"
            )
        }
        return .between(
            start: start * second,
            end: end == 0 ? .max : Saturating.nanoseconds(end, unit: second)
        )
    }
}

// MARK: Tags

extension TempoSearch {
    /// The query that asks for a span of each tag. A text value is found in any part of the attribute,
    /// whatever its case.
    private static func question(_ tags: [(key: String, value: String)]) -> TraceQL.Question {
        var spanset: TraceQL.Spanset?
        for tag in tags {
            let next = TraceQL.Spanset.filter(field(tag.key, tag.value))
            spanset = spanset.map { .and($0, next) } ?? next
        }
        return TraceQL.Question(.search(.init([.spans(spanset ?? .filter(nil))])))
    }

    private static func field(_ key: String, _ value: String) -> TraceQL.Field {
        switch (key, value) {
        case ("error", "true"): return status(.equal, .error)
        case ("error", "false"): return status(.notEqual, .error)
        case ("status", _), ("status.code", _):
            if let code = StatusCode(word: value.lowercased()) { return status(.equal, code) }
            return text(.attribute(.init(.any, key)), value)
        case ("name", _): return text(.intrinsic(.name), value)
        case ("root.name", _): return text(.intrinsic(.rootName), value)
        case ("root.service.name", _): return text(.intrinsic(.rootService), value)
        default: return attribute(.attribute(.init(.any, key)), value)
        }
    }

    private static func status(
        _ symbol: TraceQL.FieldOperator,
        _ code: StatusCode
    ) -> TraceQL.Field {
        .binary(symbol, .operand(.intrinsic(.status)), .literal(.status(code)))
    }

    private static func attribute(_ operand: TraceQL.Operand, _ value: String) -> TraceQL.Field {
        guard !value.isEmpty else {
            return .binary(.notEqual, .operand(operand), .literal(.nil))
        }
        let literal: TraceQL.Literal? =
            if let number = Int64(value) {
                .int(number)
            } else if let number = Double(value), number.isFinite {
                .float(number)
            } else {
                switch value {
                case "true": .bool(true)
                case "false": .bool(false)
                default: nil
                }
            }
        let asText = text(operand, value)
        guard let literal else { return asText }
        return .binary(.or, .binary(.equal, .operand(operand), .literal(literal)), asText)
    }

    private static func text(_ operand: TraceQL.Operand, _ value: String) -> TraceQL.Field {
        var pattern = "(?is).*"
        for character in value.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(character) { pattern += "\\" }
            pattern.unicodeScalars.append(character)
        }
        return .binary(.matches, .operand(operand), .literal(.string(pattern + ".*")))
    }

    private static func field(_ traceDuration: ClosedRange<UInt64>?) -> TraceQL.Field? {
        guard let traceDuration else { return nil }
        let operand = TraceQL.Field.operand(.intrinsic(.traceDuration))
        func bound(_ symbol: TraceQL.FieldOperator, _ value: UInt64) -> TraceQL.Field {
            .binary(symbol, operand, .literal(.duration(Int64(clamping: value))))
        }
        let least = bound(.atLeast, traceDuration.lowerBound)
        guard traceDuration.upperBound < .max else { return least }
        return .binary(.and, least, bound(.atMost, traceDuration.upperBound))
    }
}

extension TraceQL.Operand {
    /// What answers call it; `nil` for what has a field of its own there.
    fileprivate var tempoKey: TempoSearch.TempoKey? {
        switch self {
        case .attribute(let attribute):
            switch attribute.scope {
            case .any, .span, .resource, .instrumentation: .init(text: attribute.key)
            case .event, .link: .init(text: attribute.key, isSeveral: true)
            case .parent, .parentSpan, .parentResource: .init(text: "\(self)")
            }
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .name, .duration, .traceDuration, .rootName, .rootService, .traceID, .spanID: nil
            case .eventName, .timeSinceStart, .linkTraceID, .linkSpanID:
                .init(
                    text: intrinsic.rawValue,
                    isDuration: intrinsic.type == .duration,
                    isSeveral: true
                )
            default: .init(text: intrinsic.rawValue)
            }
        case .parentIntrinsic(let intrinsic):
            .init(text: "\(self)", isDuration: intrinsic.type == .duration)
        }
    }
}
