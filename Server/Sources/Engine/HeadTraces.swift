// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The traces of the head and where their spans stand: made once for a query that looks at many.
final class HeadTraces {
    /// By id, a place in `traces`.
    private var places: [TraceID: Int32] = [:]
    private(set) var traces: [Trace] = []
    /// Trace by trace, as `Trace.rows` says; tables are places in the head.
    private var references: [SpanReference] = []

    /// One trace, as far as it is in the head.
    struct Trace {
        let id: TraceID
        var extent = TraceExtent()
        /// Its places in `references`.
        var rows = 0..<0
    }

    /// Bytes that a trace takes: its entry and its place, the room of a hash table included.
    private static let traceBytes = 128
    /// Bytes that a span takes.
    private static let spanBytes = 12

    init(_ head: [HeadBatch], _ context: QueryContext) throws(StoreError) {
        let spanCount = head.reduce(0) { $0 + $1.table.columns.count }
        context.budget.charge(Self.spanBytes * spanCount)
        var owners: [Int32] = []
        owners.reserveCapacity(spanCount)
        var counts: [Int] = []
        for batch in head {
            try context.check()
            let known = traces.count
            note(batch.table.columns, &owners, &counts)
            context.budget.charge((traces.count - known) * Self.traceBytes)
        }
        var next = 0
        for place in traces.indices {
            traces[place].rows = next..<next + counts[place]
            next += counts[place]
        }
        references = Array(repeating: SpanReference(table: 0, row: 0), count: spanCount)
        var ends = traces.map(\.rows.lowerBound)
        var span = 0
        for (table, batch) in head.enumerated() {
            for row in 0..<batch.table.columns.count {
                let owner = Int(owners[span])
                span += 1
                references[ends[owner]] = SpanReference(table: UInt32(table), row: UInt32(row))
                ends[owner] += 1
            }
        }
    }

    private func note(
        _ columns: borrowing SpanColumns,
        _ owners: inout [Int32],
        _ counts: inout [Int]
    ) {
        var last: Int32 = -1
        for row in 0..<columns.count {
            let id = TraceID(high: columns.traceHigh[row], low: columns.traceLow[row])
            // Spans of a trace come together.
            if last < 0 || traces[Int(last)].id != id {
                if let known = places[id] {
                    last = known
                } else {
                    last = Int32(traces.count)
                    places[id] = last
                    traces.append(Trace(id: id))
                    counts.append(0)
                }
            }
            traces[Int(last)].extent.add(columns.start[row], columns.end[row])
            counts[Int(last)] += 1
            owners.append(last)
        }
    }

    /// Whether the head has spans of exactly this trace.
    func contains(_ id: TraceID) -> Bool { places[id] != nil }

    /// The place of a trace in `traces`.
    func place(of id: TraceID) -> Int? { places[id].map { Int($0) } }

    /// Where the spans of exactly this trace stand, in the order they came.
    func rows(of id: TraceID) -> ArraySlice<SpanReference> {
        guard let place = places[id] else { return [] }
        return references[traces[Int(place)].rows]
    }
}
