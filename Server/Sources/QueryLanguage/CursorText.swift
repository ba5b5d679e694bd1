// SPDX-License-Identifier: Apache-2.0

import SkeinModel

extension TraceQuery.Cursor {
    /// The text a client hands back: `newest-<16 hex digits>-<32 hex digits>`.
    public var text: String { "\(order.rawValue)-\(Hex.text(value))-\(traceID.hex)" }

    /// Parses what `text` wrote.
    ///
    /// - Throws: when it is no such text.
    public init(text: String) throws(QueryError) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3,
            let order = TraceQuery.Order(rawValue: String(parts[0])),
            parts[1].utf8.count == 16, let value = SpanID(hex: parts[1])?.raw,
            parts[2].utf8.count == 32, let traceID = TraceID(hex: parts[2])
        else {
            throw QueryError(
                parameter: "cursor",
                text: text,
                problem: "this is no cursor",
                hint: "give the \"cursor\" of the previous page unchanged, or none"
            )
        }
        self.init(order: order, value: value, traceID: traceID)
    }
}
