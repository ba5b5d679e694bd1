// SPDX-License-Identifier: Apache-2.0

import Analysis
import Client

/// One trace as a tree of spans, each with its place in time as a bar.
///
/// ```
/// POST /orders  gateway
/// 412 ms, 52 spans, 3 services, 1 error, 2026-11-21 05:02:27.114 UTC
///
///                                    TOTAL       SELF  0 ns           412 ms
/// POST /orders  gateway             412 ms    1.90 ms  ████████████████████
/// ├ authenticate  gateway          2.10 ms    2.10 ms  █
/// └ ✗ POST  gateway                 408 ms    0.41 ms   ███████████████████
///   └ … 48 more like it, 1.20 ms to 30.00 ms           ░░░░░░░░░░░░░░
/// ```
struct TraceDrawing {
    private(set) var lines: [String] = []
    /// What is left out or was adjusted: not part of the drawing.
    private(set) var notes: [String] = []

    private let trace: TraceColumns
    private let style: QueryStyle
    private let nameWidth: Int
    private let barWidth: Int
    private static let numberWidth = 11

    init(_ trace: TraceColumns, style: QueryStyle, limit: Int, tellsTogether: Bool) {
        self.trace = trace
        self.style = style
        let room = style.width - 2 * Self.numberWidth - 2
        barWidth = max(room * 2 / 5, 10)
        nameWidth = max(room - barWidth, 16)
        let spans = trace.spans.map { span in
            OutlineSpan(
                parent: span.parent,
                start: span.start,
                end: span.start &+ span.duration,
                // A failed span never hides among those that did not fail.
                label: UInt64(span.name) << 17 | UInt64(span.service) << 1 | (span.isError ? 1 : 0)
            )
        }
        let outline = TraceOutline(spans, tellsTogether: tellsTogether).lines
        let selfTimes = TraceOutline.selfTimes(spans)
        head()
        var branches = Branches(widthLimit: nameWidth / 2)
        for line in outline.prefix(limit) {
            let branch = branches.next(line)
            if let alike = line.alike {
                lines.append(self.alike(alike, branch))
            } else {
                lines.append(span(line.place, branch, selfTimes[line.place]))
            }
        }
        note(outline, limit: limit)
    }

    // MARK: Parts

    private mutating func head() {
        guard let root = trace.spans.first else {
            lines.append("The trace has no spans.")
            return
        }
        lines.append(
            style.bold(shown(trace.names[root.name])) + "  "
                + coloured(shown(trace.services[root.service]), root.service)
                + style.dim("  " + trace.traceID)
        )
        let errors = trace.spans.count(where: \.isError)
        lines.append(
            [
                Measure.duration(nanoseconds: trace.duration),
                Measure.counted(trace.spans.count, "span"),
                Measure.counted(trace.services.count, "service"),
                errors > 0 ? style.red(Measure.counted(errors, "error")) : "0 errors",
                Measure.time(nanoseconds: trace.start) + " UTC",
            ].joined(separator: ", ")
        )
        lines.append("")
        let end = Measure.duration(nanoseconds: trace.duration)
        let axis = "0" + column(end, barWidth - 1, isRight: true)
        lines.append(
            style.dim(
                column("", nameWidth) + column("TOTAL", Self.numberWidth, isRight: true)
                    + column("SELF", Self.numberWidth, isRight: true) + "  " + axis
            )
        )
    }

    private func span(_ place: Int, _ branch: String, _ selfTime: UInt64) -> String {
        let span = trace.spans[place]
        let mark = span.isError ? "✗ " : ""
        let name = shown(trace.names[span.name])
        let service = shown(trace.services[span.service])
        let whole = branch + mark + name + "  " + service
        let label: String
        if whole.count <= nameWidth {
            let padding = String(repeating: " ", count: nameWidth - whole.count)
            label =
                style.dim(branch) + (span.isError ? style.red(mark + name) : name) + "  "
                + coloured(service, span.service) + padding
        } else {
            let cut = column(whole, nameWidth)
            label = span.isError ? style.red(cut) : cut
        }
        let bar = bar(span.start, span.start &+ span.duration)
        return label + number(span.duration) + number(selfTime) + "  "
            + (span.isError ? style.red(bar) : coloured(bar, span.service))
    }

    private func alike(_ alike: TraceOutline.Alike, _ branch: String) -> String {
        var text = "… \(alike.siblingCount) more like it"
        if alike.spanCount > alike.siblingCount { text += " (\(alike.spanCount) spans)" }
        let short = Measure.duration(nanoseconds: alike.shortest)
        let long = Measure.duration(nanoseconds: alike.longest)
        text += short == long ? ", \(short)" : ", \(short) to \(long)"
        // The text may reach over the columns of numbers: there are none.
        let label = column(branch + text, nameWidth + 2 * Self.numberWidth) + "  "
        return style.dim(label + bar(alike.start, alike.end).replacing("█", with: "░"))
    }

    private mutating func note(_ outline: [TraceOutline.Line], limit: Int) {
        let left = outline.dropFirst(limit)
        if let first = left.first {
            let errors = trace.spans[first.place...].count(where: \.isError)
            notes.append(
                "\(Measure.counted(trace.spans.count - first.place, "span")) below are left out"
                    + (errors > 0 ? ", \(errors) of them with errors" : "")
                    + ": --limit \(outline.count) draws all \(outline.count) lines."
            )
        }
        let moved = trace.spans.count(where: \.isClockAdjusted)
        if moved > 0 {
            notes.append(
                "Times of \(Measure.counted(moved, "span")) were corrected, for clocks of hosts "
                    + "disagree: --raw draws them as they were sent."
            )
        }
        let lost = trace.spans.count(where: \.isParentMissing)
        if lost > 0 {
            notes.append(
                "\(Measure.counted(lost, "span")) at the left edge named a parent that was not "
                    + "received."
            )
        }
        let shownCount = 10
        for warning in trace.warnings.prefix(shownCount) {
            notes.append("warning: \(shown(warning))")
        }
        if trace.warnings.count > shownCount {
            notes.append(
                "\(trace.warnings.count - shownCount) more warnings; --json has the spans."
            )
        }
    }

    // MARK: Columns

    private func number(_ nanoseconds: UInt64) -> String {
        column(Measure.duration(nanoseconds: nanoseconds), Self.numberWidth, isRight: true)
    }

    private func bar(_ start: UInt64, _ end: UInt64) -> String {
        let length = max(Double(trace.duration), 1)
        let text = Bar.span(
            from: Double(start) / length,
            to: Double(end) / length,
            width: barWidth
        )
        // Nothing follows it: blanks at the end would only wrap.
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    private func coloured(_ text: String, _ service: Int) -> String {
        style.coloured(text, QueryStyle.serviceColours[service % QueryStyle.serviceColours.count])
    }
}

/// What stands before the names: the lines of the tree. Steps beyond a width are told as a number.
private struct Branches {
    private let shownDepth: Int
    /// By depth: whether the open line there was the last of its siblings.
    private var isLast: [Bool] = []

    init(widthLimit: Int) { shownDepth = max(widthLimit / 2, 4) }

    mutating func next(_ line: TraceOutline.Line) -> String {
        isLast.removeLast(max(isLast.count - line.depth, 0))
        isLast.append(line.isLast)
        // A root stands at the edge.
        guard line.depth > 0 else { return "" }
        let end = line.isLast ? "└ " : "├ "
        guard line.depth > shownDepth else {
            return isLast[1..<line.depth].map { $0 ? "  " : "│ " }.joined() + end
        }
        let hidden = "⋯\(line.depth) "
        let from = line.depth - shownDepth + 4
        return hidden + isLast[from..<line.depth].map { $0 ? "  " : "│ " }.joined() + end
    }
}
