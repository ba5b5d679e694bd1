// SPDX-License-Identifier: Apache-2.0

import Client

/// Instances, exceptions and call trees of a service, for a terminal.
struct ServiceText {
    let text: String
    /// Why the answers are not whole.
    let incompleteReasons: [String]

    init(
        _ instances: InstancesAnswer,
        _ exceptions: ExceptionsAnswer,
        _ trees: CallTreesAnswer,
        style: QueryStyle
    ) {
        let blocks = [
            Self.instances(instances, style), Self.exceptions(exceptions, style),
            Self.trees(trees, style),
        ]
        text = blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
        var reasons: [String] = []
        for reason in instances.incompleteReasons + exceptions.incompleteReasons
            + trees.incompleteReasons where !reasons.contains(reason)
        {
            reasons.append(reason)
        }
        incompleteReasons = reasons
    }

    /// `titles` are those of the numbers; the name before them takes what is left.
    private static func row(
        _ name: String,
        _ numbers: [String],
        _ style: QueryStyle,
        reserved: Int = 0
    ) -> String {
        let width = max(style.width - numbers.count * 11 - reserved, 20)
        return column(name, width) + numbers.map { column($0, 11, isRight: true) }.joined()
    }

    private static func instances(_ answer: InstancesAnswer, _ style: QueryStyle) -> [String] {
        guard !answer.instances.isEmpty else { return ["No spans of it in this time."] }
        let titles = ["VERSION", "SPANS", "ERRORS", "P50", "P99", "FIRST", "LAST"]
        var lines = [style.bold(row("INSTANCE", titles, style))]
        for instance in answer.instances {
            lines.append(
                row(
                    instance.key == nil ? "(nothing tells which)" : instance.name,
                    [
                        instance.version ?? "", "\(instance.spanCount)",
                        instance.errorCount > 0 ? "\(instance.errorCount)" : "",
                        Measure.duration(nanoseconds: instance.p50Nanos.value),
                        Measure.duration(nanoseconds: instance.p99Nanos.value),
                        clock(instance.firstTimeUnixNano), clock(instance.lastTimeUnixNano),
                    ],
                    style
                )
            )
        }
        let left = answer.instanceCount - answer.instances.count
        if left > 0 { lines.append(style.dim("… and \(left) more instances")) }
        return lines
    }

    private static func exceptions(_ answer: ExceptionsAnswer, _ style: QueryStyle) -> [String] {
        guard !answer.groups.isEmpty else { return ["No exceptions in this time."] }
        let titles = ["COUNT", "TRACES", "LAST"]
        var lines = [style.bold(row("EXCEPTION", titles, style, reserved: 34) + "  EXAMPLE")]
        for group in answer.groups {
            // A type is told without what stands before its last part: the message matters more.
            let type = group.type.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
            let message = group.message + (group.messageCut ? "…" : "")
            let said = [type ?? (group.event ? "exception" : "failed"), message]
                .filter { !$0.isEmpty }.joined(separator: ": ")
            lines.append(
                row(
                    said,
                    [
                        "\(group.count)", "\(group.traceCount)",
                        clock(group.lastTimeUnixNano),
                    ],
                    style,
                    reserved: 34
                ) + "  " + style.dim(column(group.example.traceId, 32))
            )
            lines.append(style.dim(column("  in " + group.operation, style.width)))
        }
        let left = answer.groupCount - answer.groups.count
        if left > 0 { lines.append(style.dim("… and \(left) more groups")) }
        return lines
    }

    private static func trees(_ answer: CallTreesAnswer, _ style: QueryStyle) -> [String] {
        guard !answer.trees.isEmpty else { return ["No calls of it in this time."] }
        var lines = [
            style.bold("CALL TREES") + " of \(Measure.counted(answer.callCount, "call")) in "
                + (answer.olderTraces ? "the newest " : "")
                + Measure.counted(answer.traceCount, "trace")
        ]
        for (number, tree) in answer.trees.enumerated() {
            lines += Self.tree(tree, number, style)
        }
        let left = answer.treeCount - answer.trees.count
        if left > 0 { lines.append(style.dim("… and \(left) rarer trees")) }
        return lines
    }

    private static func tree(
        _ tree: CallTreesAnswer.Tree,
        _ number: Int,
        _ style: QueryStyle
    ) -> [String] {
        let share = (tree.share * 1_000).rounded() / 10
        let errors = tree.errorCount > 0 ? ", \(tree.errorCount) failed" : ""
        var lines = [
            "",
            style.bold("\(number + 1). \(share)%") + " · \(Measure.counted(tree.callCount, "call"))"
                + errors + " · p50 \(Measure.duration(nanoseconds: tree.p50Nanos.value)), "
                + "p99 \(Measure.duration(nanoseconds: tree.p99Nanos.value)) · "
                + style.dim("like \(shown(tree.typical.traceId))"),
        ]
        var depths: [Int] = []
        for line in tree.lines {
            let above = line.parent.flatMap { depths.indices.contains($0) ? depths[$0] : nil }
            let depth = above.map { $0 + 1 } ?? 0
            depths.append(depth)
            let times =
                line.most == 1 && line.fewest == 1
                ? "" : " ×\(line.fewest)" + (line.most > line.fewest ? "–\(line.most)" : "")
            let failed = line.errorCount > 0 ? " (\(line.errorCount) failed)" : ""
            let indent = String(repeating: "  ", count: min(depth, 30))
            let said = "\(line.extra ? "+" : " ") \(indent)\(line.service): \(line.operation)"
            let drawn = column(said + times + failed, style.width)
            let text = drawn.trimmingEnd
            lines.append(
                line.errorCount > 0 ? style.red(text) : line.extra ? style.blue(text) : text
            )
        }
        let left = tree.lineCount - tree.lines.count
        if left > 0 { lines.append(style.dim("  … and \(left) more lines")) }
        for operation in tree.missing {
            let said = "- \(operation.service): \(operation.operation)"
            lines.append(style.dim(column(said, style.width).trimmingEnd))
        }
        return lines
    }

    /// The time of the day, UTC.
    private static func clock(_ time: TraceSummary.Number) -> String {
        String(Measure.time(nanoseconds: time.value).prefix(19).suffix(8))
    }
}

extension String {
    /// Without the blanks at its end.
    fileprivate var trimmingEnd: String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}
