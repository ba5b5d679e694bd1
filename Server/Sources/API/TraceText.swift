// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import SkeinModel
import Store

/// One trace as text, a line a span, bounded.
///
/// ```
/// trace 7f3c…  gateway: POST /orders  412ms, 52 spans, 1 errors, start 2026-11-21T05:02:27.114Z
/// gateway: POST /orders [server] 412ms own 1.9ms span 00f067aa0ba902b7 http.route=/orders
///   order: SELECT stock [client] 1.2ms own 1.2ms span 00f067aa0ba902b8 db.system=postgresql
///   (48 more like it, 1.2ms to 30ms)
///   bank: charge [client] 102ms own 102ms ERROR "no money" span 00f067aa0ba902c9
/// ```
struct TraceText {
    let text: String

    /// Attributes that tell most of a span, in this order; others fill what is left.
    private static let keys = [
        "http.request.method", "http.method", "http.route", "url.path", "http.target", "url.full",
        "http.response.status_code", "http.status_code", "rpc.service", "rpc.method",
        "rpc.grpc.status_code", "db.system.name", "db.system", "db.query.text", "db.statement",
        "db.operation.name", "messaging.system", "messaging.destination.name", "server.address",
        "peer.service", "error.type", "exception.type", "exception.message",
    ]

    init(_ trace: Trace, lineLimit: Int) {
        let spans = trace.placed().outlineSpans
        let outline = TraceOutline(spans).lines
        let selfTimes = TraceOutline.selfTimes(spans)
        var lines = [ToolText.head(trace)]
        for line in outline.prefix(lineLimit) {
            let indent = String(repeating: "  ", count: min(line.depth, 30))
            if let alike = line.alike {
                lines.append(
                    "\(indent)(\(alike.siblingCount) more like it, "
                        + "\(ToolText.duration(alike.shortest)) to "
                        + "\(ToolText.duration(alike.longest)))"
                )
            } else {
                lines.append(indent + Self.line(trace, line.place, selfTimes[line.place]))
            }
        }
        if let first = outline.dropFirst(lineLimit).first {
            lines.append(
                "\(trace.count - first.place) spans below are left out; max_lines "
                    + "\(outline.count) tells all"
            )
        }
        for warning in trace.warnings.prefix(5) {
            lines.append("warning: \(ToolText.plain(warning))")
        }
        if trace.warnings.count > 5 { lines.append("\(trace.warnings.count - 5) more warnings") }
        text = lines.joined(separator: "\n") + ToolText.remarks(trace.spans.incomplete)
    }

    private static func line(_ trace: Trace, _ place: Int, _ selfTime: UInt64) -> String {
        let row = trace.tree.order[place]
        let span = trace.spans.columns[trace.columnsRow(place)]
        let service = trace.text(trace.spans.columns.service(trace.columnsRow(place)))
        let kind = span.kind == .unspecified ? "" : " [\(span.kind.word)]"
        var line =
            "\(ToolText.plain(service)): \(ToolText.plain(trace.text(span.name)))\(kind) "
            + ToolText.duration(trace.frame.end[row] - trace.frame.start[row])
            + " own \(ToolText.duration(selfTime))"
        if span.status == .error {
            let message = trace.text(span.statusMessage)
            line += " ERROR" + (message.isEmpty ? "" : " \"\(ToolText.plain(message))\"")
        }
        line += " span \(Hex.text(trace.frame.spanID[row]))"
        if trace.tree.isParentMissing[place] { line += " (parent not received)" }
        for attribute in chosen(trace.spans.columns.keyValues(span.attributes)) {
            line += " \(ToolText.plain(attribute.key))=\(ToolText.value(attribute.value))"
        }
        return line
    }

    private static func chosen(
        _ attributes: [AttributeValue.KeyValue]
    ) -> [AttributeValue.KeyValue] {
        let known = keys.compactMap { key in attributes.first { $0.key == key } }
        let others = attributes.filter { !keys.contains($0.key) }
        return Array((known + others).prefix(RequestLimits.mcpAttributeCount))
    }
}
