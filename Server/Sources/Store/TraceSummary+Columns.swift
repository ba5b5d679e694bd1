// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

extension TraceSummary {
    /// Describes the trace in `rows` of `columns`, all its spans in order of start; at least one.
    /// `matchedSpans` stay empty.
    public init(_ columns: borrowing SpanColumns, _ rows: Range<Int>) {
        var root: Int?
        var start = UInt64.max
        var end: UInt64 = 0
        var errorCount = 0
        var counts: [UInt32: (spans: Int, errors: Int)] = [:]
        for row in rows {
            start = min(start, columns.start[row])
            end = max(end, columns.start[row], columns.end[row])
            if root == nil, columns.parentID[row] == 0 { root = row }
            let isError = columns.status[row] == StatusCode.error.rawValue
            if isError { errorCount += 1 }
            counts[columns.service(row), default: (0, 0)].spans += 1
            if isError { counts[columns.service(row), default: (0, 0)].errors += 1 }
        }
        let entry = root ?? rows.lowerBound
        var services: [ServiceCount] = []
        for (name, count) in counts {
            services.append(
                ServiceCount(
                    name: columns.strings.text(name),
                    spanCount: count.spans,
                    errorCount: count.errors
                )
            )
        }
        services.sort { $0.name < $1.name }
        self.init(
            traceID: TraceID(
                high: columns.traceHigh[rows.lowerBound],
                low: columns.traceLow[rows.lowerBound]
            ),
            rootService: columns.strings.text(columns.service(entry)),
            rootOperation: columns.strings.text(columns.name[entry]),
            start: start,
            duration: end - start,
            spanCount: rows.count,
            errorCount: errorCount,
            services: services,
            matchedSpans: []
        )
    }
}
