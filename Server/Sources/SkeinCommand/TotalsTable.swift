// SPDX-License-Identifier: Apache-2.0

import Client

/// Totals as a table.
struct TotalsTable {
    let text: String
    private static let numberWidth = 11

    init(_ totals: TotalsAnswer, style: QueryStyle) {
        let quantiles = totals.quantiles.map { Self.title(of: $0) }
        var rows: [[String]] = []
        var titles: [String]
        let nameCount: Int
        if let edges = totals.edges {
            titles =
                ["CALLER", "SERVICE", "CALLS", "ERRORS"] + quantiles + ["LONGEST", "A REQUEST"]
            nameCount = 2
            for edge in edges {
                let perRequest =
                    edge.requestCount > 0
                    ? Double(edge.requestCallCount) / Double(edge.requestCount) : 0
                rows.append(
                    [edge.parent, edge.child]
                        + Self.calls(edge.callCount, edge.errorCount, edge.quantileNanos)
                        + [
                            Measure.duration(nanoseconds: edge.longestNanos.value),
                            "\((perRequest * 100).rounded() / 100)",
                        ]
                )
            }
        } else {
            let operations = totals.operations ?? []
            let hasOperations = operations.contains { $0.operation != nil }
            let hasKinds = operations.contains { $0.kind != nil }
            titles = ["SERVICE"] + (hasOperations ? ["OPERATION"] : []) + (hasKinds ? ["KIND"] : [])
            nameCount = titles.count
            titles += ["CALLS", "ERRORS"] + quantiles + ["LONGEST"]
            for line in operations {
                rows.append(
                    [line.service] + (hasOperations ? [line.operation ?? ""] : [])
                        + (hasKinds ? [line.kind ?? ""] : [])
                        + Self.calls(line.callCount, line.errorCount, line.quantileNanos)
                        + [Measure.duration(nanoseconds: line.longestNanos.value)]
                )
            }
        }
        text =
            Self.range(totals) + "\n"
            + (rows.isEmpty
                ? "Nothing was counted." : Self.table(titles, rows, nameCount: nameCount, style))
            + Self.remarks(totals)
    }

    private static func range(_ totals: TotalsAnswer) -> String {
        let start = Measure.time(nanoseconds: totals.startTimeUnixNano.value).prefix(19)
        let end = Measure.time(nanoseconds: totals.endTimeUnixNano.value).prefix(19)
        return "\(start) to \(end) (UTC)"
    }

    /// `P50` for 0.5, `P99.9` for 0.999.
    private static func title(of quantile: Double) -> String {
        let percent = (quantile * 100_000).rounded() / 1_000
        return percent == percent.rounded() ? "P\(Int(percent))" : "P\(percent)"
    }

    private static func calls(
        _ calls: UInt64,
        _ errors: UInt64,
        _ quantiles: [TraceSummary.Number]
    ) -> [String] {
        ["\(calls)", errors > 0 ? "\(errors)" : ""]
            + quantiles.map { Measure.duration(nanoseconds: $0.value) }
    }

    private static func table(
        _ titles: [String],
        _ rows: [[String]],
        nameCount: Int,
        _ style: QueryStyle
    ) -> String {
        let numbers = titles.count - nameCount
        let room = max(style.width - numbers * numberWidth, nameCount * 12)
        // As wide as the longest, but no name takes the room of the others.
        let widths = (0..<nameCount).map { place in
            let longest = (rows.map { $0[place].count } + [titles[place].count]).max() ?? 0
            return min(longest, room / nameCount) + 2
        }
        func line(_ cells: [String], isTitle: Bool) -> String {
            var text = ""
            for (place, cell) in cells.enumerated() {
                if place < nameCount {
                    text += column(cell, widths[place] - 2) + "  "
                } else {
                    let shown = column(cell, numberWidth, isRight: true)
                    text += place == nameCount + 1 && !isTitle ? style.red(shown) : shown
                }
            }
            return text
        }
        let lines =
            [style.bold(line(titles, isTitle: true))] + rows.map { line($0, isTitle: false) }
        return lines.joined(separator: "\n")
    }

    private static func remarks(_ totals: TotalsAnswer) -> String {
        guard !totals.complete else { return "" }
        return "\nNot everything was counted: "
            + totals.incompleteReasons.joined(separator: "; ")
    }
}
