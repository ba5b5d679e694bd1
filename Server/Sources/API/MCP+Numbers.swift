// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store

/// The tools that tell numbers and names.
extension ReadAPI {
    func metrics(_ arguments: ToolArguments) async throws -> String {
        if let query = try arguments.text("query") { return try await measured(query, arguments) }
        guard try arguments.text("step") == nil else {
            throw Failure.badRequest("step belongs to query: numbers over time")
        }
        let lines =
            try arguments.word(
                "by",
                of: [
                    ("service", TotalsRequest.Lines.services), ("operation", .operations),
                    ("edge", .edges),
                ]
            ) ?? .services
        let operation = try arguments.text("operation")
        if operation != nil, lines != .operations {
            throw Failure.badRequest("operation belongs to by = operation")
        }
        let limit = try arguments.count("limit", default: 50, RequestLimits.mcpNumberCount)
        let totals = try await engine.totals(
            lines,
            in: try arguments.time().ended(at: engine.now()),
            service: try arguments.text("service"),
            operation: operation,
            quantiles: [0.5, 0.95, 0.99]
        )
        var rows = totals.lines.map { line in
            let operation = line.operation.map { ": " + ToolText.plain($0) } ?? ""
            return (name: ToolText.plain(line.service) + operation, total: line.total)
        }
        rows += totals.edges.map {
            (name: "\(ToolText.plain($0.parent)) -> \(ToolText.plain($0.child))", total: $0.total)
        }
        rows.sort { $0.total.durationSum > $1.total.durationSum }
        let seconds = Double(totals.range.upperBound - totals.range.lowerBound) / 1e9
        var text =
            "\(TimeText.text(totals.range.lowerBound)) to \(TimeText.text(totals.range.upperBound))"
        guard !rows.isEmpty else {
            return text + ": nothing was counted" + ToolText.remarks(totals.incomplete)
        }
        for row in rows.prefix(limit) {
            let total = row.total
            let share = Double(total.errorCount) / Double(max(total.callCount, 1))
            text += "\n- \(row.name)  \(total.callCount) calls, "
            text += "\(Self.rounded(Double(total.callCount) / seconds))/s, "
            text += "\(total.errorCount) errors (\(Self.rounded(share * 100)) %)"
            for (name, value) in zip(["p50", "p95", "p99"], total.quantiles) {
                text += ", \(name) \(ToolText.duration(value))"
            }
            text += ", longest \(ToolText.duration(total.longest))"
        }
        if rows.count > limit { text += "\n\(rows.count - limit) more lines" }
        return text + ToolText.remarks(totals.incomplete)
    }

    /// Numbers over time that a query asks for, a line a series.
    private func measured(_ query: String, _ arguments: ToolArguments) async throws -> String {
        for name in ["by", "service", "operation"] where try arguments.text(name) != nil {
            throw Failure.badRequest("\(name) stands beside query: say it in the query")
        }
        let question: TraceQL.Question
        do { question = try TraceQL.parse(query) } catch { throw error.of("query") }
        let time = try arguments.time().ended(at: engine.now())
        let limit = try arguments.count("limit", default: 50, RequestLimits.mcpNumberCount)
        var step: UInt64?
        if let text = try arguments.text("step") {
            do { step = try DurationText.parse(text) } catch { throw error.of("step") }
        }
        let measured = try await engine.measure(
            TraceQL.Measurement(question, time: time, step: step ?? Self.step(of: time))
        )
        guard measured.stepCount <= RequestLimits.mcpStepCount else {
            throw Failure.badRequest(
                "there are \(measured.stepCount) steps; ask for a longer step, "
                    + "\(RequestLimits.mcpStepCount) can be told"
            )
        }
        var text =
            "\(TimeText.text(measured.start)) to \(TimeText.text(measured.end)), a number each "
            + "\(DurationText.text(measured.step))"
        guard !measured.series.isEmpty else {
            return text + ": no series" + ToolText.remarks(measured.incomplete)
        }
        for series in measured.series.prefix(limit) {
            let labels = series.labels.map {
                "\(ToolText.plain($0.name)) = \(ToolText.value($0.value))"
            }
            let values = series.values.map { $0.map(Self.rounded) ?? "-" }
            text += "\n- {\(labels.joined(separator: ", "))} \(values.joined(separator: " "))"
        }
        if measured.series.count > limit {
            text += "\n\(measured.series.count - limit) more series"
        }
        return text + ToolText.remarks(measured.incomplete)
    }

    /// About twenty steps of whole seconds.
    private static func step(of time: TraceQuery.TimeSpan) -> UInt64? {
        let second: UInt64 = 1_000_000_000
        switch time {
        case .last(let length): return max(length / 20 / second, 1) * second
        case .between(let start, let end) where end < .max:
            return max((end - start) / 20 / second, 1) * second
        case .between: return nil
        }
    }

    /// Three digits that matter, for numbers above 0.01.
    private static func rounded(_ value: Double) -> String {
        let scale = value >= 100 ? 1.0 : value >= 1 ? 10 : 1_000
        return "\((value * scale).rounded() / scale)"
    }

    func serviceNames(_ arguments: ToolArguments) async throws -> String {
        Self.list(try await engine.services(), none: "There are no services.") { $0.text }
    }

    func operationNames(_ arguments: ToolArguments) async throws -> String {
        let service = try arguments.text("service")
        let result = try await engine.operations(service: service.map { .init($0) })
        return Self.list(result, none: "There are no operations of this service.") { name in
            let kind = name.kind.map { $0 == .unspecified ? "" : " [\($0.word)]" } ?? ""
            return name.text + kind
        }
    }

    func attributeNames(_ arguments: ToolArguments) async throws -> String {
        let service = try arguments.text("service")
        let scopes = SpanCondition.Scope.allCases.map { ($0.rawValue, $0) }
        let scope = try arguments.word("scope", of: scopes)
        let prefix = try arguments.text("prefix")
        guard let key = try arguments.text("key") else {
            if prefix != nil {
                throw Failure.badRequest("prefix belongs to key: values are listed")
            }
            var result = try await engine.keys(service: service)
            if let scope, scope != .any {
                result.names.removeAll { $0.scope?.rawValue != scope.rawValue }
            }
            return Self.list(result, none: "There are no attributes.") { name in
                "\((name.scope ?? .span).rawValue).\(name.text)"
            }
        }
        let result = try await engine.values(
            scope: scope ?? .any,
            key: key,
            service: service.map { .init($0) },
            prefix: prefix ?? "",
            limit: RequestLimits.mcpNumberCount.upperBound
        )
        return Self.list(result, none: "No span has this attribute.") { $0.text }
    }

    private static func list(
        _ result: NamesResult,
        none: String,
        _ line: (NamesResult.Name) -> String
    ) -> String {
        let limit = RequestLimits.mcpNumberCount.upperBound
        var lines = result.names.prefix(limit).map { ToolText.plain(line($0)) }
        if lines.isEmpty { lines.append(none) }
        if result.names.count > limit { lines.append("and \(result.names.count - limit) more") }
        return lines.joined(separator: "\n") + ToolText.remarks(result.incomplete)
    }
}
