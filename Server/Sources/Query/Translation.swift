// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import Store

// The query tree in the store's words. The two grow apart on purpose: the tree will say what people
// ask, the plan what an engine can prune by.

extension SpanPredicate {
    init(_ condition: SpanCondition?) {
        switch condition {
        case nil: self = .all
        case .service(let text): self = .service(TextMatch(text))
        case .operation(let text): self = .operation(TextMatch(text))
        case .tag(let tag):
            self = .attribute(AttributeScope(tag.scope), key: tag.key, ValueMatch(tag.value))
        case .eventName(let text): self = .eventName(TextMatch(text))
        case .duration(let range): self = .duration(range)
        case .status(let code): self = .status(code)
        case .statusMessage(let text): self = .statusMessage(TextMatch(text))
        case .kind(let kind): self = .kind(kind)
        case .all(let parts):
            self = parts.isEmpty ? .all : .and(parts.map { SpanPredicate($0) })
        case .any(let parts): self = .or(parts.map { SpanPredicate($0) })
        case .not(let part): self = .not(SpanPredicate(part))
        }
    }
}

extension TextMatch {
    init(_ text: SpanCondition.Text) {
        self = text.isCaseSensitive ? .exactly(text.text) : .ignoringCase(text.text)
    }
}

extension AttributeScope {
    init(_ scope: SpanCondition.Scope) {
        switch scope {
        case .span: self = .span
        case .resource: self = .resource
        case .event: self = .event
        case .any: self = .any
        }
    }
}

extension ValueMatch {
    init(_ value: SpanCondition.Value) {
        switch value {
        case .exists: self = .exists
        case .text(let text): self = .text(text)
        case .equals(let value): self = .equals(value)
        }
    }
}

extension TraceOrder {
    init(_ order: TraceQuery.Order) {
        switch order {
        case .newest: self = .newest
        case .slowest: self = .slowest
        }
    }
}
