// SPDX-License-Identifier: Apache-2.0

public import Analysis
import QueryLanguage
import SkeinModel
import Store

/// How calls of a service, or of one of its operations, went on in the newest traces.
public struct ServiceCallTrees: Sendable {
    public var facts: ServiceAnswerFacts
    public var shapes: CallShapes.Result
    /// Whether there are older traces that were not looked at.
    public var hasOlderTraces: Bool
}

extension QueryEngine {
    /// The distinct call trees below the spans of an operation; where none is named, below those
    /// spans of the service that another service calls, or nobody.
    ///
    /// Of such spans below one another only the topmost count. `question.limit` is the number of
    /// trees that are told; kinds are not asked for.
    ///
    /// - Parameter traceLimit: the newest traces that are looked at.
    public func callTrees(
        _ question: ServiceQuestion,
        traceLimit: Int
    ) async throws -> ServiceCallTrees {
        let range = range(question.time)
        let end = deadline()
        var conditions: [SpanCondition] = [.service(.init(question.service))]
        if let operation = question.operation { conditions.append(.operation(.init(operation))) }
        let found = try await search(
            TraceQuery(
                spans: [.all(conditions)],
                time: .between(start: range.lowerBound, end: range.upperBound),
                limit: traceLimit,
                matchedSpanLimit: 0
            )
        )
        var facts = ServiceAnswerFacts(range: range)
        for reason in found.incomplete { facts.add(reason) }
        var shapes = CallShapes()
        var rest = found.traces[...]
        var limit = rest.count
        while !rest.isEmpty {
            try Task.checkCancellation()
            let isLate = now() >= end
            if isLate || facts.examinedSpanCount >= RunLimits.shapedSpanCount {
                facts.add(
                    (isLate ? "stopped after \(RunLimits.questionSeconds) seconds" : "stopped")
                        + " having read \(facts.examinedTraceCount) of \(found.traces.count) "
                        + "traces, the newest, which have \(facts.examinedSpanCount) spans"
                )
                break
            }
            let page = TraceTail.page(of: rest, limit: limit)
            switch await spans(of: page) {
            case .success(let spans):
                for reason in spans.incomplete { facts.add(reason) }
                add(page.map(\.traceID), of: spans, question, range, to: &shapes, &facts)
                rest.removeFirst(page.count)
                limit = rest.count
            case .failure(.refused) where page.count > 1:
                // Too much to hold at once: fewer, down to one alone.
                limit = page.count / 2
            case .failure(.refused(let reason)):
                facts.add("trace \(rest.removeFirst().traceID.hex) was left out: \(reason)")
                limit = rest.count
            case .failure(.cancelled): throw CancellationError()
            case .failure(let error): throw error
            }
        }
        let result = shapes.result(limit: question.limit)
        if result.untoldCallCount > 0 {
            facts.add(
                "there are more than \(AnalysisLimits.shapedPathCount) call paths; "
                    + "\(result.untoldCallCount) calls are in no tree"
            )
        }
        return ServiceCallTrees(
            facts: facts,
            shapes: result,
            hasOlderTraces: found.cursor != nil
        )
    }

    /// Adds traces in the order of `ids`; those that are gone meanwhile are left out.
    private func add(
        _ ids: [TraceID],
        of spans: TraceSpans,
        _ question: ServiceQuestion,
        _ range: Range<UInt64>,
        to shapes: inout CallShapes,
        _ facts: inout ServiceAnswerFacts
    ) {
        let rows = Dictionary(
            Trace.groups(in: spans.columns).map { ($0.traceID, $0.rows) },
            uniquingKeysWith: { first, _ in first }
        )
        for id in ids {
            guard let rows = rows[id] else { continue }
            let trace = Trace(spans: spans, rows: rows, isRaw: false)
            let placed = trace.placed()
            let roots = placed.topmost { place in
                let operation = placed.operations[Int(placed.operation[place])]
                let above = Int(placed.parent[place])
                let isAsked =
                    question.operation.map { $0 == operation.name }
                    ?? (above < 0 || placed.service(above) != placed.service(place))
                return operation.service == question.service && isAsked
                    && range.contains(spans.columns.start[trace.columnsRow(place)])
            }
            shapes.add(placed, id, roots: roots) { place in
                SpanID(spans.columns.spanID[trace.columnsRow(place)])
            }
            facts.examinedTraceCount += 1
            facts.examinedSpanCount += trace.count
        }
    }
}
