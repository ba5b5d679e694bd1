// SPDX-License-Identifier: Apache-2.0

import Client

/// Series as a table, each with a small chart of its numbers.
struct MetricsTable {
    let text: String
    private static let numberWidth = 12
    private static let chartWidth = 40

    init(_ answer: MetricsAnswer, style: QueryStyle) {
        let start = Measure.time(nanoseconds: answer.startTimeUnixNano.value).prefix(19)
        let end = Measure.time(nanoseconds: answer.endTimeUnixNano.value).prefix(19)
        let step = Measure.duration(nanoseconds: answer.stepNanos.value)
        var lines = ["\(start) to \(end) (UTC), steps of \(step), from \(answer.source)"]
        if answer.series.isEmpty {
            lines.append("Nothing was counted.")
        } else {
            lines += Self.table(answer, style)
        }
        if !answer.complete {
            lines.append(
                "Not everything was counted: " + answer.incompleteReasons.joined(separator: "; ")
            )
        }
        text = lines.joined(separator: "\n")
    }

    private static func table(_ answer: MetricsAnswer, _ style: QueryStyle) -> [String] {
        let hasSteps = answer.series.contains { $0.values.count > 1 }
        let names = answer.series.map { name($0.labels) }
        let fixed = hasSteps ? 4 * numberWidth + chartWidth + 2 : numberWidth
        let longest = (names.map(\.count).max() ?? 0) + 1
        let nameWidth = min(max(longest, 8), max(style.width - fixed, 24))
        let titles = hasSteps ? ["LAST", "MIN", "MEAN", "MAX"] : ["VALUE"]
        var lines = [
            style.bold(
                column("SERIES", nameWidth)
                    + titles.map { column($0, numberWidth, isRight: true) }.joined()
            )
        ]
        for (series, name) in zip(answer.series, names) {
            let known = series.values.compactMap { $0 }
            let mean = known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
            let numbers = hasSteps ? [known.last, known.min(), mean, known.max()] : [known.last]
            lines.append(
                column(name, nameWidth)
                    + numbers.map { column($0.map(number) ?? "-", numberWidth, isRight: true) }
                    .joined()
                    + (hasSteps ? "  " + style.blue(chart(series.values)) : "")
            )
        }
        return lines
    }

    /// `payment, p = 0.99`: a label alone is told by its value.
    private static func name(_ labels: [TraceSummary.Value]) -> String {
        labels.enumerated().map { place, label in
            let value = label.value?.text ?? "nil"
            return place == 0 && !label.name.hasPrefix("p") && !label.name.hasPrefix("__b")
                ? value : "\(label.name) = \(value)"
        }
        .joined(separator: ", ")
    }

    /// Four figures where they tell something.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        let size = abs(value)
        if size == 0 { return "0" }
        if size >= 1e15 || size < 1e-6 { return "\(value)" }
        var scale = 1.0
        while size * scale < 1_000, scale < 1e9 { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }

    /// Eight heights of blocks, from zero to the greatest number; a gap where there is none. Of more
    /// steps than columns each column shows the greatest of its share.
    private static func chart(_ values: [Double?]) -> String {
        let blocks = Array("▁▂▃▄▅▆▇█")
        guard let top = values.compactMap({ $0 }).max(), top > 0, top.isFinite else { return "" }
        let width = min(values.count, chartWidth)
        var text = ""
        for place in 0..<width {
            let share = values[place * values.count / width..<(place + 1) * values.count / width]
            guard let value = share.compactMap({ $0 }).max(), value.isFinite else {
                text.append(" ")
                continue
            }
            text.append(blocks[min(Int(max(value, 0) / top * 7.999), 7)])
        }
        return text
    }
}
