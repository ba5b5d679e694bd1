// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The traces of the head that a walk has to tell, from the latest start to the earliest.
struct HeadWalk {
    /// Places in the head's traces, the latest last.
    private var left: [Int] = []
    private let head: HeadTraces

    init(
        _ head: HeadTraces,
        of batches: [HeadBatch],
        _ plan: WalkPlan,
        _ context: QueryContext
    ) throws(StoreError) {
        self.head = head
        var isHit = Array(repeating: false, count: head.traces.count)
        for batch in batches
        where batch.lastStart >= plan.range.lowerBound && batch.firstStart < plan.range.upperBound {
            try context.check()
            let predicate = RowPredicate(plan.span, for: batch.table)
            if predicate.isNever { continue }
            Self.note(batch.table.columns, predicate, plan.range, head, &isHit)
        }
        let latest = plan.latestPieceStart
        left = isHit.indices.filter { isHit[$0] && head.traces[$0].extent.start <= latest }
        left.sort { head.traces[$0].extent.start < head.traces[$1].extent.start }
    }

    private static func note(
        _ columns: borrowing SpanColumns,
        _ predicate: RowPredicate,
        _ range: Range<UInt64>,
        _ head: HeadTraces,
        _ isHit: inout [Bool]
    ) {
        var last: (id: TraceID, place: Int)?
        for row in 0..<columns.count where range.contains(columns.start[row]) {
            let id = TraceID(high: columns.traceHigh[row], low: columns.traceLow[row])
            if last?.id != id { last = head.place(of: id).map { (id, $0) } }
            guard let place = last?.place, !isHit[place] else { continue }
            isHit[place] = predicate.matches(row, columns)
        }
    }

    /// No trace still to come starts after this; `nil` when none is left.
    var bound: UInt64? { left.last.map { head.traces[$0].extent.start } }

    /// The next traces, with so many spans or a few more.
    mutating func next(spans limit: Int) -> [HeadTraces.Trace] {
        var found: [HeadTraces.Trace] = []
        var spanCount = 0
        while spanCount < limit, let place = left.popLast() {
            found.append(head.traces[place])
            spanCount += head.traces[place].rows.count
        }
        return found
    }
}
