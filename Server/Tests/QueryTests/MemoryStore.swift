// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// The plainest store that keeps the promises: every question is a walk over all spans as Swift
/// values. It shares no code with the product's matching.
final class MemoryStore: TraceStore {
    private let spans: [TestSpan]
    private let scanCounter = Atomic(0)
    let capabilities: Capabilities = [.orderBySlowest, .totals]

    init(_ spans: [TestSpan]) {
        self.spans = spans.sorted { ($0.trace, $0.start, $0.id) < ($1.trace, $1.start, $1.id) }
    }

    var scanCount: Int { scanCounter.load(ordering: .relaxed) }

    var statistics: StoreStatistics {
        var statistics = StoreStatistics()
        statistics.spans = UInt64(spans.count)
        return statistics
    }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        done(.failure(.unsupported("this store is filled when it is made")))
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        let found = spans.filter { span in request.ids.contains { $0.finds(span.trace) } }
        return TraceSpans(columns: columns(found))
    }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        scanCounter.add(1, ordering: .relaxed)
        var summaries: [TraceSummary] = []
        for (id, spans) in Dictionary(grouping: spans, by: \.trace) {
            let matched = spans.filter {
                plan.range.contains($0.start) && matches($0, plan.span)
            }
            let start = spans.map(\.start).min() ?? 0
            let duration = (spans.map { $0.start + $0.duration }.max() ?? 0) - start
            let isWanted = plan.trace.allSatisfy {
                switch $0 {
                case .duration(let range): range.contains(duration)
                }
            }
            guard !matched.isEmpty, isWanted else { continue }
            summaries.append(
                TraceSummary(
                    traceID: id,
                    rootService: (spans.first { $0.parent == 0 } ?? spans[0]).service,
                    rootOperation: (spans.first { $0.parent == 0 } ?? spans[0]).name,
                    start: start,
                    duration: duration,
                    spanCount: spans.count,
                    errorCount: spans.count { $0.status == .error },
                    services: Dictionary(grouping: spans, by: \.service)
                        .sorted { $0.key < $1.key }
                        .map { name, spans in
                            TraceSummary.ServiceCount(
                                name: name,
                                spanCount: spans.count,
                                errorCount: spans.count { $0.status == .error }
                            )
                        },
                    matchedSpans: matched.prefix(plan.matchedSpanLimit).map { SpanID($0.id) }
                )
            )
        }
        func value(_ trace: TraceSummary) -> UInt64 {
            plan.order == .newest ? trace.start : trace.duration
        }
        summaries.sort {
            value($0) == value($1) ? $0.traceID < $1.traceID : value($0) > value($1)
        }
        if let cursor = plan.cursor {
            summaries.removeAll {
                value($0) > cursor.value
                    || value($0) == cursor.value && $0.traceID <= cursor.traceID
            }
        }
        let page = Array(summaries.prefix(plan.limit))
        let next = page.count < summaries.count ? page.last : nil
        return ScanResult(
            traces: page,
            cursor: next.map { ScanCursor(value: value($0), traceID: $0.traceID) }
        )
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        guard request.scope == .services else { throw .unsupported("only services are listed") }
        return NamesResult(names: Set(spans.map(\.service)).sorted().map { .init(text: $0) })
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        Totals(
            range: request.range,
            edges: [
                .init(
                    parent: "all",
                    child: "totals",
                    total: CallTotals(callCount: 9, errorCount: 1)
                )
            ]
        )
    }

    private func matches(_ span: TestSpan, _ predicate: SpanPredicate) -> Bool {
        switch predicate {
        case .all: true
        case .service(let text): text.matches(span.service)
        case .operation(let text): text.matches(span.name)
        case .eventName(let text): span.events.contains { text.matches($0.name) }
        case .duration(let range): range.contains(span.duration)
        case .status(let status): span.status == status
        case .statusMessage(let text): text.matches(span.statusMessage)
        case .kind(let kind): span.kind == kind
        case .and(let parts): parts.allSatisfy { matches(span, $0) }
        case .or(let parts): parts.contains { matches(span, $0) }
        case .not(let part): !matches(span, part)
        case .attribute(let scope, let key, let match):
            attributes(span, scope).contains { $0.key == key && matches($0.value, match) }
        }
    }

    private func attributes(_ span: TestSpan, _ scope: AttributeScope) -> [AttributeValue.KeyValue]
    {
        switch scope {
        case .span: span.attributes
        case .resource: span.resource + [pair("service.name", .string(span.service))]
        case .event: span.events.flatMap(\.attributes)
        case .any:
            attributes(span, .span) + attributes(span, .resource) + attributes(span, .event)
        }
    }

    private func matches(_ value: AttributeValue, _ match: ValueMatch) -> Bool {
        switch (match, value) {
        case (.exists, _): true
        case (.equals(let wanted), _): wanted == value
        case (.text(let text), .string(let string)): text == string
        case (.text(let text), .int(let number)): text == "\(number)"
        case (.text(let text), .bool(let flag)): text == "\(flag)"
        case (.text(let text), .double(let number)): Double(text) == number
        case (.range(let range), .int(let number)): range.contains(number)
        case (.range(let range), .double(let number)): range.contains(number)
        case (.range, _): false
        case (.text(let text), .array(let values)): values.contains { matches($0, .text(text)) }
        case (.text, _): false
        }
    }
}
