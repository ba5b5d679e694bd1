// SPDX-License-Identifier: Apache-2.0

import Client

/// How answers are drawn.
struct QueryStyle {
    var hasColours: Bool
    var width: Int

    func red(_ text: String) -> String { coloured(text, 31) }
    func dim(_ text: String) -> String { coloured(text, 2) }
    func bold(_ text: String) -> String { coloured(text, 1) }
    func blue(_ text: String) -> String { coloured(text, 36) }

    /// Colours that tell services apart; red is for errors.
    static let serviceColours = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94]

    func coloured(_ text: String, _ code: Int) -> String {
        hasColours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// `text` with control characters, which received text may hold, as `·`: they must not steer the
/// terminal.
func shown(_ text: String) -> String {
    String(text.map { $0.unicodeScalars.contains { $0.properties.isControl } ? "·" : $0 })
}

/// `text` as `shown` tells it, cut or padded to `width` columns; `isRight` pads on the left.
func column(_ text: String, _ width: Int, isRight: Bool = false) -> String {
    var shown = shown(text)
    if shown.count > width { shown = String(shown.prefix(max(width - 1, 0))) + "…" }
    let padding = String(repeating: " ", count: max(width - shown.count, 0))
    return isRight ? padding + shown : shown + padding
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control || generalCategory == .format }
}

/// Found traces as a table with a bar for each duration.
struct QueryTable {
    let text: String
    private static let barWidth = 10

    init(_ page: TracePage, style: QueryStyle) {
        guard !page.traces.isEmpty else {
            text = "No traces found." + Self.remarks(page)
            return
        }
        let longest = page.traces.map(\.durationNanos.value).max() ?? 0
        let fixed = 19 + 11 + 1 + Self.barWidth + 7 + 8 + 2 + 2 + 32
        let rootWidth = max(style.width - fixed, 20)
        var lines = [
            style.bold(
                column("START (UTC)", 19) + column("DURATION", 11, isRight: true)
                    + column("", Self.barWidth + 1) + column("SPANS", 7, isRight: true)
                    + column("ERRORS", 8, isRight: true) + "  " + column("ROOT", rootWidth)
                    + "  TRACE"
            )
        ]
        for trace in page.traces {
            let duration = trace.durationNanos.value
            let part = longest > 0 ? Double(duration) / Double(longest) : 0
            let bar = Bar.text(part, width: Self.barWidth)
            let errors = column(
                trace.errorCount > 0 ? "\(trace.errorCount)" : "",
                8,
                isRight: true
            )
            let root = [trace.rootService ?? "", trace.rootOperation ?? ""]
                .filter { !$0.isEmpty }.joined(separator: ": ")
            lines.append(
                Measure.time(nanoseconds: trace.startTimeUnixNano.value).prefix(19)
                    + column(Measure.duration(nanoseconds: duration), 11, isRight: true) + " "
                    + (trace.errorCount > 0 ? style.red(bar) : style.blue(bar))
                    + column("\(trace.spanCount)", 7, isRight: true) + style.red(errors) + "  "
                    + column(root.isEmpty ? "(no root span)" : root, rootWidth) + "  "
                    + style.dim(trace.traceId)
            )
            lines += Self.details(trace, style)
        }
        text = lines.joined(separator: "\n") + Self.remarks(page)
    }

    /// What the query found in a trace, below its line: the keys of `by(…)`, the spans, and what
    /// `select(…)` tells of them. A lone root is not told again.
    private static func details(_ trace: TraceSummary, _ style: QueryStyle) -> [String] {
        var lines: [String] = []
        for spanset in trace.spansets ?? [] {
            let indent = spanset.keys.isEmpty ? "  " : "    "
            if !spanset.keys.isEmpty {
                lines.append(
                    "  \(text(spanset.keys)): \(Measure.counted(spanset.spanCount, "span"))"
                )
            }
            if let only = spanset.spans.first, spanset.spanCount == 1, only.values.isEmpty,
                only.name == trace.rootOperation, only.service == trace.rootService
            {
                continue
            }
            for span in spanset.spans {
                let duration = Measure.duration(nanoseconds: span.durationNanos.value)
                let values = span.values.isEmpty ? "" : "  " + text(span.values)
                lines.append("\(indent)\(span.service): \(span.name)  \(duration)\(values)")
            }
            let more = spanset.spanCount - spanset.spans.count
            if more > 0 { lines.append("\(indent)… \(Measure.counted(more, "span")) more") }
        }
        return lines.map { style.dim(column($0, min($0.count, style.width))) }
    }

    private static func text(_ values: [TraceSummary.Value]) -> String {
        values.map { "\($0.name) = \($0.value?.text ?? "nil")" }.joined(separator: ", ")
    }

    private static func remarks(_ page: TracePage) -> String {
        var text = ""
        if page.complete == false {
            let reasons = page.incompleteReasons ?? []
            text += "\nNot everything was looked at: " + reasons.joined(separator: "; ")
        }
        if let cursor = page.cursor { text += "\nMore: add --cursor \(cursor)" }
        return text
    }
}
