// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Checks one span of a trace that was read whole. A store checks the first condition of a query
/// by its indexes; the others of a query over several spans are checked here.
struct SpanMatcher {
    let spans: TraceSpans

    /// Whether span `row` satisfies `predicate`. Recursion is bounded by the query's depth limit.
    func matches(_ row: Int, _ predicate: SpanPredicate) -> Bool {
        switch predicate {
        case .all: true
        case .service(let text):
            text.matches(spans.columns.strings.text(spans.columns.service(row)))
        case .operation(let text):
            text.matches(spans.columns.strings.text(spans.columns.name[row]))
        case .attribute(let scope, let key, let value): hasAttribute(row, scope, key, value)
        case .eventName(let text):
            spans.columns.spanEvents[row].rows.contains {
                text.matches(spans.columns.strings.text(spans.columns.events.name[$0]))
            }
        case .duration(let range): range.contains(spans.columns.duration(row))
        case .status(let code): spans.columns.status[row] == code.rawValue
        case .statusMessage(let text):
            text.matches(spans.columns.strings.text(spans.columns.statusMessage[row]))
        case .kind(let kind): spans.columns.kind[row] == kind.rawValue
        case .and(let parts): parts.allSatisfy { matches(row, $0) }
        case .or(let parts): parts.contains { matches(row, $0) }
        case .not(let part): !matches(row, part)
        }
    }

    private func hasAttribute(
        _ row: Int,
        _ scope: AttributeScope,
        _ key: String,
        _ value: ValueMatch
    ) -> Bool {
        guard let id = spans.columns.strings.find(key) else { return false }
        if scope == .span || scope == .any, has(spans.columns.spanAttributes[row], id, value) {
            return true
        }
        let resource = Int(spans.columns.resource[row])
        if scope == .resource || scope == .any,
            has(spans.columns.resources.attributes[resource], id, value)
        {
            return true
        }
        guard scope == .event || scope == .any else { return false }
        return spans.columns.spanEvents[row].rows.contains {
            has(spans.columns.events.attributes[$0], id, value)
        }
    }

    private func has(_ run: Run, _ key: UInt32, _ match: ValueMatch) -> Bool {
        run.rows.contains { row in
            guard spans.columns.attributes.key[row] == key else { return false }
            switch match {
            case .exists: return true
            case .equals, .range: return match.matches(spans.columns.attributes[row])
            case .text(let text): return Self.reads(spans.columns.attributes[row], as: text)
            }
        }
    }

    /// Whether `value`, or an element of an array, is written `text`.
    private static func reads(_ value: AttributeValue, as text: String) -> Bool {
        switch value {
        case .string(let string): string == text
        case .bool(let flag): text == (flag ? "true" : "false")
        case .int(let number): text == "\(number)"
        case .double(let number): Double(text) == number
        case .array(let elements): elements.contains { reads($0, as: text) }
        case .empty, .bytes, .map: false
        }
    }
}
