// SPDX-License-Identifier: Apache-2.0

internal import Skein
internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

/// A trace as text, for failures: a line a span, children under their parent in the order they began.
struct TraceTree {
    /// Spans that are drawn; the rest is counted.
    private static let spanCount = 200
    private let trace: CollectedTrace

    init(_ trace: CollectedTrace) { self.trace = trace }

    var text: String {
        var lines = ["trace \(trace.traceID)"]
        var children: [SpanID: [SpanRecord]] = [:]
        var tops: [SpanRecord] = []
        for span in trace.spans {
            if trace.parent(of: span) == nil {
                tops.append(span)
            } else {
                children[span.parentSpanID, default: []].append(span)
            }
        }
        // A stack of our own: a trace may be deeper than the thread's.
        var waiting = Self.marked(tops, below: "").reversed() + []
        var drawn = 0
        while let (span, head, rest) = waiting.popLast() {
            if drawn == Self.spanCount { break }
            drawn += 1
            lines.append(head + Self.line(span, isTop: trace.parent(of: span) == nil))
            let below = children.removeValue(forKey: span.spanID) ?? []
            waiting += Self.marked(below, below: rest).reversed()
        }
        if drawn < trace.spans.count { lines.append("… and \(trace.spans.count - drawn) more") }
        return lines.joined(separator: "\n")
    }

    /// Each span with what stands before it, and before what is below it.
    private static func marked(
        _ spans: [SpanRecord],
        below margin: String
    ) -> [(SpanRecord, String, String)] {
        spans.enumerated().map { index, span in
            let isLast = index == spans.count - 1
            return (span, margin + (isLast ? "└─ " : "├─ "), margin + (isLast ? "   " : "│  "))
        }
    }

    private static func line(_ span: SpanRecord, isTop: Bool) -> String {
        var parts = [span.name]
        if span.kind != .internal { parts.append("\(span.kind)") }
        parts.append(duration(span.end &- span.start))
        if isTop, !span.isRoot {
            parts.append("below \(span.parentSpanID)\(span.parentIsRemote ? " elsewhere" : "")")
        }
        switch span.status?.code {
        case .error: parts.append("failed '\(span.status?.message ?? "")'")
        case .ok: parts.append("ok")
        case nil: break
        }
        var attributes: [String] = []
        span.attributes.forEach { attributes.append("\($0)=\($1.readable)") }
        parts += attributes.sorted()
        parts += span.events.map { "event '\($0.name)'" }
        parts += span.links.map { "link to \($0.context.traceID) \($0.context.spanID)" }
        return parts.joined(separator: ", ")
    }

    private static func duration(_ nanoseconds: UInt64) -> String {
        let fraction = String(nanoseconds / 1_000 % 1_000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return "\(nanoseconds / 1_000_000).\(zeros)\(fraction) ms"
    }
}
