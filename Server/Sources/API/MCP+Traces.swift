// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import QueryLanguage
import SkeinModel
import Store

/// The tools that read traces. Their answers are text for an assistant: short lines, every number
/// with its unit, ids where the next question needs them.
extension ReadAPI {
    func findTraces(_ arguments: ToolArguments) async throws -> String {
        var question: TraceQL.Question
        do {
            question = try TraceQL.parse(arguments.text("query") ?? "{ }")
        } catch let error as QueryError {
            throw error.of("query")
        }
        let orders = ["newest", "slowest"].compactMap { word in
            TraceQL.Order(word: word).map { (word, $0) }
        }
        if let order = try arguments.word("order", of: orders) {
            guard question.order == nil else {
                throw Failure.badRequest("the query says order by and order is given too")
            }
            question.order = order
        }
        let found = try await engine.search(
            TraceQL.Search(
                question,
                time: try arguments.time(),
                limit: try arguments.count("limit", default: 10, RequestLimits.mcpTraceCount),
                cursor: try arguments.text("cursor").map { try TraceQL.Cursor(text: $0) }
            )
        )
        guard !found.traces.isEmpty else {
            return "No traces found; \(found.examinedTraceCount) were looked at."
                + ToolText.remarks(found.incomplete)
        }
        var lines = ["\(found.traces.count) traces, of \(found.examinedTraceCount) looked at:"]
        for trace in found.traces {
            lines.append(ToolText.line(trace.summary))
            for spanset in trace.spansets { lines += ToolText.lines(spanset) }
        }
        if let cursor = found.cursor { lines.append("There may be more: cursor \(cursor.text)") }
        return lines.joined(separator: "\n") + ToolText.remarks(found.incomplete)
    }

    func getTrace(_ arguments: ToolArguments) async throws -> String {
        let trace = try await oneTrace(try arguments.required("trace_id"))
        if let text = try arguments.text("span_id") {
            let id = SpanID(hex: text)
            let place = trace.tree.order.firstIndex { trace.frame.spanID[$0] == id?.raw }
            guard text.utf8.count == 16, let place else {
                throw Failure.notFound("the trace has no span of the id \(text.prefix(40))")
            }
            var json = AnswerJSON()
            json.span(trace, place)
            return String(decoding: json.bytes, as: UTF8.self)
        }
        let limit = try arguments.count("max_lines", default: 150, RequestLimits.mcpLineCount)
        return TraceText(trace, lineLimit: limit).text
    }

    func compareTraces(_ arguments: ToolArguments) async throws -> String {
        let left = try await oneTrace(try arguments.required("trace_id_a"))
        let right = try await oneTrace(try arguments.required("trace_id_b"))
        let limit = try arguments.count("limit", default: 30, RequestLimits.mcpNumberCount)
        var compared = PathComparison()
        compared.add(left.placed(), to: .a)
        compared.add(right.placed(), to: .b)
        let paths = compared.result(limit: Int.max).paths
        func difference(_ place: Int) -> UInt64 {
            let (one, other) = (paths[place].a.selfTime, paths[place].b.selfTime)
            return max(one, other) - min(one, other)
        }
        let order = paths.indices.sorted {
            difference($0) == difference($1) ? $0 < $1 : difference($0) > difference($1)
        }
        var lines = [
            "A: " + ToolText.head(left), "B: " + ToolText.head(right),
            "Call paths by how much their own time differs; A | B, each spans, total time, own time:",
        ]
        for place in order.prefix(limit) {
            lines.append(
                "- \(ToolText.path(place, of: paths)): \(ToolText.side(paths[place].a)) | "
                    + ToolText.side(paths[place].b)
            )
        }
        if order.count > limit { lines.append("\(order.count - limit) more paths differ less.") }
        var reasons = left.spans.incomplete
        reasons += right.spans.incomplete.filter { !reasons.contains($0) }
        return lines.joined(separator: "\n") + ToolText.remarks(reasons)
    }

    private func oneTrace(_ text: String) async throws -> Trace {
        let traces = try await traces(text, isRaw: false)
        guard traces.count < 2 else { throw Self.severalTraces(traces) }
        guard let trace = traces.first else { throw await noTrace(text) }
        guard trace.count <= RequestLimits.mcpSpanCount else {
            throw Failure.badRequest(
                "the trace has \(trace.count) spans, more than \(RequestLimits.mcpSpanCount)"
            )
        }
        return trace
    }
}

/// Lines that several tools write.
enum ToolText {
    /// `7f3c…  2026-11-21T05:02:27.114Z  412ms  17 spans, 1 error  gateway: POST /orders  (…)`
    static func line(_ trace: TraceSummary) -> String {
        let services = trace.services.map { "\(plain($0.name)) \($0.spanCount)" }
        return "- \(trace.traceID.hex)  \(TimeText.text(trace.start))  "
            + "\(duration(trace.duration))  \(trace.spanCount) spans, \(trace.errorCount) errors  "
            + "\(plain(trace.rootService)): \(plain(trace.rootOperation))  "
            + "(\(services.joined(separator: ", ")))"
    }

    static func lines(_ spanset: FoundSpanset) -> [String] {
        var lines: [String] = []
        let keys = spanset.keys.map { "\($0.name) = \(value($0.value))" }.joined(separator: ", ")
        if !keys.isEmpty { lines.append("  \(keys): \(spanset.spanCount) spans") }
        for span in spanset.spans {
            let values = span.values.map { "  \($0.name) = \(value($0.value))" }.joined()
            lines.append(
                "  found \(plain(span.service)): \(plain(span.name))  \(duration(span.duration))  "
                    + "span \(span.spanID.hex)\(values)"
            )
        }
        let more = spanset.spanCount - spanset.spans.count
        if more > 0 { lines.append("  and \(more) spans more") }
        return lines
    }

    static func head(_ trace: Trace) -> String {
        let errors = trace.rows.count {
            trace.spans.columns.status[$0] == StatusCode.error.rawValue
        }
        var entry = ""
        if trace.count > 0 {
            let stored = trace.columnsRow(0)
            let service = trace.text(trace.spans.columns.service(stored))
            entry = "\(plain(service)): \(plain(trace.text(trace.spans.columns.name[stored])))"
        }
        return "trace \(trace.traceID.hex)  \(entry)  \(duration(trace.end - trace.start)), "
            + "\(trace.count) spans, \(errors) errors, start \(TimeText.text(trace.start))"
    }

    /// The last four operations of a call path.
    static func path(_ place: Int, of paths: [PathComparison.Path]) -> String {
        var labels: [String] = []
        var next: Int? = place
        while let place = next, labels.count < 4 {
            let operation = paths[place].operation
            labels.append("\(plain(operation.service)): \(plain(operation.name))")
            next = paths[place].parent
        }
        return (next == nil ? "" : "… > ") + labels.reversed().joined(separator: " > ")
    }

    static func side(_ side: PathComparison.Figures) -> String {
        guard side.spanCount > 0 else { return "none" }
        return "\(side.spanCount) spans, \(duration(side.total)), own "
            + duration(side.selfTime)
            + (side.errorCount > 0 ? ", \(side.errorCount) errors" : "")
    }

    static func remarks(_ incomplete: [String]) -> String {
        incomplete.isEmpty ? "" : "\nThis is not everything: " + incomplete.joined(separator: "; ")
    }

    /// Nanoseconds with three digits that matter.
    static func duration(_ nanoseconds: UInt64) -> String {
        var unit: UInt64 = 1
        while nanoseconds / unit >= 1_000 { unit *= 10 }
        return DurationText.text((nanoseconds / unit) * unit)
    }

    /// A value on one line, cut.
    static func value(_ value: AttributeValue) -> String {
        switch value {
        case .string(let text): return plain(text, limit: RequestLimits.mcpValueCount)
        case .empty: return "nil"
        default:
            var json = AnswerJSON()
            json.value(value)
            return plain(
                String(decoding: json.bytes, as: UTF8.self),
                limit: RequestLimits.mcpValueCount
            )
        }
    }

    /// Received text on one line: it must not pass for lines of ours.
    static func plain(_ text: String, limit: Int = 200) -> String {
        let shown = text.prefix(limit).map { character in
            character.isNewline || character.unicodeScalars.contains { $0.value < 0x20 }
                ? " " : character
        }
        return String(shown) + (text.count > limit ? "…" : "")
    }
}
