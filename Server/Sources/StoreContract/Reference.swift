// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What a store must answer, found by looking at every span.
struct Reference {
    private(set) var spans: [SpanValue] = []
    /// Each trace's spans in the order of answers.
    private(set) var traces: [TraceID: [SpanValue]] = [:]
    private var known: Set<SpanValue> = []
    /// Windows of call statistics, each once.
    private(set) var calls: [SpanGenerator.Calls] = []

    mutating func add(_ columns: borrowing SpanColumns) {
        var changed: Set<TraceID> = []
        for row in 0..<columns.count {
            let span = SpanValue(columns, row)
            guard known.insert(span).inserted else { continue }
            spans.append(span)
            traces[span.traceID, default: []].append(span)
            changed.insert(span.traceID)
        }
        for id in changed { traces[id]?.sort(by: SpanValue.isBefore) }
    }

    mutating func add(_ added: SpanGenerator.Calls) {
        let isKnown = calls.contains {
            $0.counts.sender == added.counts.sender && $0.counts.window == added.counts.window
        }
        if !isKnown { calls.append(added) }
    }

    var services: [String] { Set(spans.map(\.service)).sorted() }

    // MARK: Scan

    func scan(_ plan: ScanPlan) -> (traces: [TraceSummary], cursor: ScanCursor?) {
        func value(_ summary: TraceSummary) -> UInt64 {
            plan.order == .newest ? summary.start : summary.duration
        }
        func isBefore(_ a: (UInt64, TraceID), _ b: (UInt64, TraceID)) -> Bool {
            a.0 == b.0 ? a.1 < b.1 : a.0 > b.0
        }
        var found: [TraceSummary] = []
        for (id, sorted) in traces {
            let matched = sorted.filter {
                plan.range.contains($0.start) && Self.matches(plan.span, $0)
            }
            guard !matched.isEmpty else { continue }
            let summary = Self.summary(
                id,
                sorted,
                matched.prefix(plan.matchedSpanLimit).map(\.spanID)
            )
            guard plan.trace.allSatisfy({ $0.matches(duration: summary.duration) }) else {
                continue
            }
            if let cursor = plan.cursor,
                !isBefore((cursor.value, cursor.traceID), (value(summary), id))
            {
                continue
            }
            found.append(summary)
        }
        found.sort { isBefore((value($0), $0.traceID), (value($1), $1.traceID)) }
        let page = Array(found.prefix(plan.limit))
        guard found.count > plan.limit, let last = page.last else { return (page, nil) }
        return (page, ScanCursor(value: value(last), traceID: last.traceID))
    }

    static func summary(
        _ id: TraceID,
        _ spans: [SpanValue],
        _ matched: [SpanID]
    ) -> TraceSummary {
        let start = spans.map(\.start).min() ?? 0
        let end = spans.map { max($0.start, $0.end) }.max() ?? 0
        let root = spans.first { !$0.parentID.isValid } ?? spans[0]
        var services: [String: (Int, Int)] = [:]
        for span in spans {
            var count = services[span.service] ?? (0, 0)
            count.0 += 1
            if span.status == .error { count.1 += 1 }
            services[span.service] = count
        }
        return TraceSummary(
            traceID: id,
            rootService: root.service,
            rootOperation: root.name,
            start: start,
            duration: end - start,
            spanCount: spans.count,
            errorCount: spans.count { $0.status == .error },
            services: services.sorted { $0.key < $1.key }.map {
                TraceSummary.ServiceCount(
                    name: $0.key,
                    spanCount: $0.value.0,
                    errorCount: $0.value.1
                )
            },
            matchedSpans: matched
        )
    }

    static func matches(_ predicate: SpanPredicate, _ span: SpanValue) -> Bool {
        switch predicate {
        case .all: return true
        case .service(let match): return match.matches(span.service)
        case .operation(let match): return match.matches(span.name)
        case .eventName(let match): return span.events.contains { match.matches($0.name) }
        case .duration(let range): return range.contains(span.duration)
        case .status(let code): return span.status == code
        case .statusMessage(let match): return match.matches(span.statusMessage)
        case .kind(let kind): return span.kind == kind
        case .and(let parts): return parts.allSatisfy { matches($0, span) }
        case .or(let parts): return parts.contains { matches($0, span) }
        case .not(let part): return !matches(part, span)
        case .attribute(let scope, let key, let match):
            var pairs: [AttributeValue.KeyValue] = []
            if scope == .span || scope == .any { pairs += span.attributes }
            if scope == .resource || scope == .any { pairs += span.resource.attributes }
            if scope == .event || scope == .any { pairs += span.events.flatMap(\.attributes) }
            return pairs.contains { $0.key == key && match.matches($0.value) }
        }
    }

    // MARK: Names

    func names(_ scope: NamesRequest.Scope) -> Set<NamesResult.Name> {
        var names: Set<NamesResult.Name> = []
        for span in spans {
            switch scope {
            case .services: names.insert(NamesResult.Name(text: span.service))
            case .operations(let service):
                if service?.matches(span.service) ?? true {
                    names.insert(NamesResult.Name(text: span.name, kind: span.kind))
                }
            case .keys(let service):
                guard service?.matches(span.service) ?? true else { continue }
                for (scope, pair) in Self.pairs(span) {
                    names.insert(NamesResult.Name(text: pair.key, scope: scope))
                }
            case .values(let wanted, let key, let service, let prefix):
                guard service?.matches(span.service) ?? true else { continue }
                for (scope, pair) in Self.pairs(span)
                where pair.key == key && (wanted == .any || wanted == scope) {
                    for text in Self.texts(pair.value)
                    where !text.isEmpty && text.utf8.starts(with: prefix.utf8) {
                        names.insert(NamesResult.Name(text: text))
                    }
                }
            }
        }
        return names
    }

    private static func pairs(
        _ span: SpanValue
    ) -> [(AttributeScope, AttributeValue.KeyValue)] {
        span.attributes.map { (.span, $0) } + span.resource.attributes.map { (.resource, $0) }
            + span.events.flatMap(\.attributes).map { (.event, $0) }
    }

    private static func texts(_ value: AttributeValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .bool(let flag): [flag ? "true" : "false"]
        case .int(let number): [String(number)]
        case .double(let number): [number.description]
        case .array(let elements): elements.flatMap(texts)
        case .empty, .bytes, .map: []
        }
    }
}
