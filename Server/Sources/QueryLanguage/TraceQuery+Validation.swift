// SPDX-License-Identifier: Apache-2.0

extension TraceQuery {
    /// This query, once everything about it is sound.
    ///
    /// - Throws: what is out of bounds and what the bounds are.
    public func validated() throws(QueryError) -> TraceQuery {
        guard QueryLimits.traceCount.contains(limit) else {
            throw QueryError(
                parameter: "limit",
                text: "\(limit)",
                problem: "the number of traces is out of bounds",
                hint: "ask for \(QueryLimits.traceCount.lowerBound) to "
                    + "\(QueryLimits.traceCount.upperBound) and page on with the cursor"
            )
        }
        switch time {
        case .between(let start, let end):
            guard start < end else {
                throw QueryError(
                    parameter: "end",
                    text: "\(end)",
                    problem: "the time range is empty: start \(start) is not before it",
                    hint: "give start < end, both in nanoseconds since 1970"
                )
            }
        case .last(let length):
            guard length > 0 else {
                throw QueryError(
                    parameter: "last",
                    text: "0",
                    problem: "the time range is empty",
                    hint: "give a duration above zero, like 1h"
                )
            }
        }
        if let cursor, cursor.order != order {
            throw QueryError(
                parameter: "cursor",
                text: cursor.text,
                problem: "the cursor belongs to order=\(cursor.order.rawValue)",
                hint: "use it with the order and the conditions of the page it came with"
            )
        }
        var count = 0
        for condition in spans { try condition.validate(depth: 1, count: &count) }
        return self
    }
}

extension SpanCondition {
    /// Bounds the walk of whoever runs the tree: its size, its depth and its texts.
    fileprivate func validate(depth: Int, count: inout Int) throws(QueryError) {
        count += 1
        guard count <= QueryLimits.conditionCount, depth <= QueryLimits.depth else {
            throw QueryError(
                text: "query",
                problem: "more than \(QueryLimits.conditionCount) conditions or "
                    + "\(QueryLimits.depth) levels",
                hint: "ask for less at once"
            )
        }
        switch self {
        case .service(let text): try Self.check(text.text, of: "service")
        case .operation(let text): try Self.check(text.text, of: "operation")
        case .eventName(let text): try Self.check(text.text, of: "event name")
        case .statusMessage(let text): try Self.check(text.text, of: "status message")
        case .tag(let tag):
            guard !tag.key.isEmpty else {
                throw QueryError(
                    parameter: "tag",
                    text: "",
                    problem: "the key is empty",
                    hint: "write key=value, like http.status_code=500"
                )
            }
            try Self.check(tag.key, of: "tag")
            if case .text(let value) = tag.value { try Self.check(value, of: "tag") }
        case .duration, .status, .kind: break
        case .all(let parts), .any(let parts):
            for part in parts { try part.validate(depth: depth + 1, count: &count) }
        case .not(let part): try part.validate(depth: depth + 1, count: &count)
        }
    }

    private static func check(_ text: String, of parameter: String) throws(QueryError) {
        guard text.utf8.count > QueryLimits.textByteCount else { return }
        throw QueryError(
            parameter: parameter,
            text: text,
            problem: "the text is \(text.utf8.count) bytes long",
            hint: "at most \(QueryLimits.textByteCount) bytes can be searched for"
        )
    }
}
