// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// One trace as a tree of spans, each with its place in time as a bar.
///
/// ```
/// POST /orders  gateway                 412 ms  ████████████████████
/// ├ authenticate customer  gateway     2.10 ms  █
/// └ POST  gateway                       408 ms   ███████████████████
/// ```
struct QueryTree {
    let text: String

    init(_ columns: borrowing SpanColumns, style: QueryStyle) {
        guard columns.count > 0 else {
            text = "The trace has no spans."
            return
        }
        let rows = Self.ordered(columns)
        let drawn = Drawing(columns, style: style)
        var lines = drawn.header(columns)
        for row in rows { lines.append(drawn.line(columns, row)) }
        text = lines.joined(separator: "\n")
    }

    /// A span and what stands before its name.
    struct Row {
        var span: Int
        var branch: String
    }

    /// The spans from the roots down, siblings by start; every span once, whatever the parents say.
    static func ordered(_ columns: borrowing SpanColumns) -> [Row] {
        var rowOfID: [UInt64: Int] = [:]
        for row in 0..<columns.count { rowOfID[columns.spanID[row]] = row }
        var children: [Int: [Int]] = [:]
        var roots: [Int] = []
        for row in 0..<columns.count {
            let parent = columns.parentID[row]
            if parent != 0, let above = rowOfID[parent], above != row {
                children[above, default: []].append(row)
            } else {
                roots.append(row)
            }
        }
        var starts: [UInt64] = []
        for row in 0..<columns.count { starts.append(columns.start[row]) }
        let isEarlier = { (left: Int, right: Int) in
            starts[left] == starts[right] ? left < right : starts[left] < starts[right]
        }
        for (above, below) in children { children[above] = below.sorted(by: isEarlier) }

        var result: [Row] = []
        var isSeen = Array(repeating: false, count: columns.count)
        func walk(from top: Int) {
            // Spans still to be drawn, the next one last, each with the indent of its children.
            var open = [(span: top, branch: "", indent: "")]
            while let next = open.popLast() {
                guard !isSeen[next.span] else { continue }
                isSeen[next.span] = true
                result.append(Row(span: next.span, branch: next.branch))
                let below = children[next.span] ?? []
                for (index, child) in below.enumerated().reversed() {
                    let isLast = index == below.count - 1
                    open.append(
                        (
                            child, next.indent + (isLast ? "└ " : "├ "),
                            next.indent + (isLast ? "  " : "│ ")
                        )
                    )
                }
            }
        }
        for root in roots.sorted(by: isEarlier) { walk(from: root) }
        // What is left hangs in a ring of parents: no root leads there.
        for row in 0..<columns.count where !isSeen[row] { walk(from: row) }
        return result
    }

    /// Widths and scale of one drawing.
    private struct Drawing {
        let style: QueryStyle
        let begin: UInt64
        let length: Double
        let nameWidth: Int
        let barWidth: Int

        init(_ columns: borrowing SpanColumns, style: QueryStyle) {
            self.style = style
            var begin = UInt64.max
            var end: UInt64 = 0
            for row in 0..<columns.count {
                begin = min(begin, columns.start[row])
                end = max(end, max(columns.start[row], columns.end[row]))
            }
            self.begin = begin
            length = max(Double(end &- begin), 1)
            barWidth = max((style.width - 14) / 3, 16)
            nameWidth = max(style.width - barWidth - 14, 30)
        }

        func header(_ columns: borrowing SpanColumns) -> [String] {
            var services: Set<String> = []
            var errors = 0
            for row in 0..<columns.count {
                services.insert(columns.strings.text(columns.service(row)))
                if columns.status[row] == StatusCode.error.rawValue { errors += 1 }
            }
            let counts = [
                Measure.counted(columns.count, "span"),
                Measure.counted(services.count, "service"), Measure.counted(errors, "error"),
            ].joined(separator: ", ")
            return [
                style.bold("Trace \(columns[0].traceID.shortHex)"),
                "\(Measure.time(nanoseconds: begin)) UTC, "
                    + "\(Measure.duration(nanoseconds: UInt64(length))), \(counts)",
                "",
            ]
        }

        func line(_ columns: borrowing SpanColumns, _ row: Row) -> String {
            let isError = columns.status[row.span] == StatusCode.error.rawValue
            let name = columns.strings.text(columns.name[row.span])
            let service = columns.strings.text(columns.service(row.span))
            let mark = isError ? "✗ " : ""
            let label = column("\(row.branch)\(mark)\(name)  \(service)", nameWidth)
            let duration = Measure.duration(nanoseconds: columns.duration(row.span))
            let start = Double(columns.start[row.span] &- begin) / length
            let bar = Bar.span(
                from: start,
                to: start + Double(columns.duration(row.span)) / length,
                width: barWidth
            )
            return (isError ? style.red(label) : label) + column(duration, 12, isRight: true)
                + "  " + (isError ? style.red(bar) : style.blue(bar))
        }
    }
}
