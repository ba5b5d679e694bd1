// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
import Store

extension Trace {
    /// The traces of spans that no store has, by their ids, every span as it was sent.
    public static func unstored(_ spans: borrowing SpanColumns) -> [Trace] {
        var order = Array(0..<spans.count)
        order.sort { first, second in
            let left = (
                spans.traceHigh[first], spans.traceLow[first], spans.start[first],
                spans.spanID[first], first
            )
            let right = (
                spans.traceHigh[second], spans.traceLow[second], spans.start[second],
                spans.spanID[second], second
            )
            return left < right
        }
        var sorted = SpanColumns(capacity: order.count)
        var copier = SpanCopier(source: spans)
        for row in order { copier.copy(row, from: spans, to: &sorted) }
        let whole = TraceSpans(columns: sorted)
        return Trace.groups(in: whole.columns).map {
            Trace(spans: whole, rows: $0.rows, isRaw: true)
        }
    }
}
