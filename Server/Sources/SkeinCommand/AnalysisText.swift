// SPDX-License-Identifier: Apache-2.0

import Client

/// A trace explained, for a terminal.
struct AnalysisText {
    let text: String

    /// Shows at most `limit` lines of each table.
    init(_ analysis: AnalysisAnswer, style: QueryStyle, limit: Int) {
        var lines = [Self.facts(analysis)]
        lines += analysis.findings.map { "* " + Self.sentence($0) }
        lines += Self.path(analysis, style, limit)
        lines += Self.operations(analysis, style, limit)
        text = lines.joined(separator: "\n")
    }

    private static func facts(_ analysis: AnalysisAnswer) -> String {
        var parts = [
            "trace " + analysis.traceId,
            Measure.duration(nanoseconds: analysis.durationNanos.value),
            Measure.counted(analysis.spanCount, "span"),
            Measure.counted(analysis.serviceCount, "service"),
            Measure.counted(analysis.levelCount, "level"),
        ]
        if analysis.hostCount > 0 { parts.append(Measure.counted(analysis.hostCount, "host")) }
        if analysis.errorCount > 0 { parts.append(Measure.counted(analysis.errorCount, "error")) }
        if analysis.droppedPartCount > 0 {
            parts.append("\(analysis.droppedPartCount) attributes, events or links dropped")
        }
        return parts.joined(separator: " · ")
    }

    /// One finding in words. Those of a server newer than this command are named.
    private static func sentence(_ finding: AnalysisAnswer.Finding) -> String {
        let time = Measure.duration(nanoseconds: finding.nanos.value)
        let share = "\(Int((finding.share * 100).rounded()))%"
        let service = shown(finding.service ?? "")
        let name = service + ": " + shown(finding.operation ?? "")
        switch finding.kind {
        case "errors":
            return "\(Measure.counted(finding.count, "span")) failed; it began in \(name), and "
                + "\(time) (\(share)) came to nothing."
        case "retries":
            return "\(name) was tried \(finding.count) times; the attempts before the last took "
                + "\(time) (\(share))."
        case "sequentialCalls":
            return
                "\(finding.count) calls of \(name) ran one after another; one call for all could "
                + "save \(time) (\(share))."
        case "slowOperation":
            return "\(time) (\(share)) \(finding.waiting ? "is waiting in" : "is") \(name)."
        case "slowService":
            return "\(time) (\(share)) \(finding.waiting ? "is waiting in" : "is") \(service)."
        case "gap" where finding.row != nil:
            return "For \(time) (\(share)) \(name) had no call running: what it did is not traced."
        case "gap":
            let stretches = finding.count > 1 ? ", in \(finding.count) stretches," : ""
            return "For \(time) (\(share))\(stretches) no span ran at all."
        case "clockSkew":
            return
                "Clocks differ: \(Measure.counted(finding.count, "span")) moved by up to \(time)."
        case "orphans":
            return "The parents of \(Measure.counted(finding.count, "span")) did not come."
        default:
            return "\(finding.kind): \(name), \(time) (\(share))"
        }
    }

    /// Text that came from outside, without what would steer the terminal.
    private static func shown(_ text: String) -> String { column(text, min(text.count, 80)) }

    /// The longest segments, in order of time.
    private static func path(
        _ analysis: AnalysisAnswer,
        _ style: QueryStyle,
        _ limit: Int
    ) -> [String] {
        let path = analysis.criticalPath
        let count = min(path.rows.count, path.starts.count, path.operations.count)
        guard count > 0 else { return [] }
        func length(_ segment: Int) -> UInt64 {
            let end = segment + 1 < count ? path.starts[segment + 1] : path.durationNanos
            let start = path.starts[segment].value
            return end.value > start ? end.value - start : 0
        }
        let longest = (0..<count)
            .sorted { length($0) == length($1) ? $0 < $1 : length($0) > length($1) }
            .prefix(limit)
            .sorted()
        let whole = Double(max(path.durationNanos.value, 1))
        let nameWidth = max(style.width - 44, 20)
        var lines = [
            "",
            style.bold(
                column("AFTER", 10, isRight: true) + column("FOR", 12, isRight: true) + "  "
                    + column("", 12) + column("CRITICAL PATH", nameWidth)
                    + column("ROW", 8, isRight: true)
            ),
        ]
        for segment in longest {
            let start = path.starts[segment].value
            let (from, to) = (Double(start), Double(start) + Double(length(segment)))
            let bar = Bar.span(from: from / whole, to: to / whole, width: 11)
            let operation = path.operations[segment]
                .flatMap { analysis.operations.indices.contains($0) ? $0 : nil }
                .map { analysis.operations[$0] }
            let name = operation.map { $0.service + ": " + $0.operation } ?? "…"
            lines.append(
                column(Measure.duration(nanoseconds: start), 10, isRight: true) + "  "
                    + column(Measure.duration(nanoseconds: length(segment)), 10, isRight: true)
                    + "  " + style.blue(column(bar, 12)) + column(name, nameWidth)
                    + style.dim(column("\(path.rows[segment])", 8, isRight: true))
            )
        }
        let left = path.segmentCount - longest.count
        if left > 0 { lines.append(style.dim("… and \(left) shorter stretches of the path")) }
        return lines
    }

    private static func operations(
        _ analysis: AnalysisAnswer,
        _ style: QueryStyle,
        _ limit: Int
    ) -> [String] {
        let numbers = ["COUNT", "ERRORS", "P50", "P99", "LONGEST", "OWN", "ON PATH"]
        let nameWidth = max(style.width - numbers.count * 10, 20)
        func row(_ name: String, _ cells: [String]) -> String {
            column(name, nameWidth)
                + cells.map { " " + column($0, 9, isRight: true) }.joined()
        }
        var lines = ["", style.bold(row("OPERATION", numbers))]
        for line in analysis.operations.prefix(limit) {
            lines.append(
                row(
                    line.service + ": " + line.operation,
                    ["\(line.count)", line.errorCount > 0 ? "\(line.errorCount)" : ""]
                        + [
                            line.p50Nanos, line.p99Nanos, line.longestNanos, line.selfNanos,
                            line.pathNanos,
                        ]
                        .map { Measure.duration(nanoseconds: $0.value) }
                )
            )
        }
        let left = analysis.operationCount - min(limit, analysis.operations.count)
        if left > 0 { lines.append(style.dim("… and \(left) more operations")) }
        return lines
    }
}
